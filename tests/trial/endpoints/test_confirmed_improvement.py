from __future__ import annotations

import pytest
from tests.trial.hand_made import QUARTERS, arm, schedule, trial

from regraft.trial.endpoints import ENDPOINTS


def better_from(month: int, baseline: float = 3.0, by: float = 1.0) -> list[float]:
    return [baseline, *(baseline - by * (visit >= month) for visit in QUARTERS)]


ONE = arm(
    "treated",
    7,
    edss=[
        better_from(6),
        better_from(15),
        better_from(6, by=0.5),
        better_from(6, baseline=1.5),
        better_from(6, baseline=2.0),
        better_from(99),
        better_from(6),
    ],
    deaths={5: (100.0, "infection")},
    missing=[6],
)
CONTROL = arm("control", 7, edss=[better_from(6), *[better_from(99)] * 6])
RESULT = ENDPOINTS["confirmed_improvement"].result(trial(ONE, CONTROL))


@pytest.mark.parametrize(("months", "improved"), [(12.0, 2), (24.0, 3)])
def test_the_share_counts_the_dead_and_leaves_out_low_baselines_and_the_missing(months: float, improved: int) -> None:
    found = RESULT.estimate("treated", "improved", months)
    assert found is not None
    assert (found.value, found.n) == (pytest.approx(100 * improved / 5), 5)


def test_the_difference_is_within_patients_who_could_improve_in_both_arms() -> None:
    difference = next(row for row in RESULT.contrasts if row.label.endswith("2 years"))
    assert difference.estimate.n == 5
    assert difference.estimate.value == pytest.approx(100 * (3 - 1) / 5)


def test_years_count_from_day_0_however_early_patients_were_randomised() -> None:
    one = arm("treated", 2, plan=schedule(start=-120.0), edss=[better_from(12), better_from(15)])
    found = ENDPOINTS["confirmed_improvement"].result(trial(one)).estimate("treated", "improved", 12.0)
    assert found is not None
    assert (found.value, found.n) == (50, 2)
