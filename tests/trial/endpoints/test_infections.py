from __future__ import annotations

import pytest
from tests.trial.hand_made import MONTH, YEAR, arm, schedule, trial

from regraft.trial.endpoints import ENDPOINTS

EVENTS = [
    (0, "infection_viral", -5.0),  # before day 0
    (0, "infection_viral", 20.0),
    (0, "infection_bacterial", 30.0),
    (1, "infection_bacterial", 400.0),
    (2, "infection_viral", 40.0),
    (0, "relapse", 50.0),
]
TREATED = arm("treated", 3, events=EVENTS, deaths={1: (1.5 * YEAR, "infection")}, missing=[2])
RESULT = ENDPOINTS["infections"].result(trial(TREATED, arm("control", 3, events=[(0, "infection_viral", 9.0)])))


@pytest.mark.parametrize(
    ("kind", "months", "value"),
    [
        ("all", 12.0, 2 / 2),
        ("all", 24.0, 3 / 3.5),
        ("viral", 12.0, 1 / 2),
        ("viral", 24.0, 1 / 3.5),
        ("bacterial", 24.0, 2 / 3.5),
    ],
)
def test_infections_are_counted_by_kind_per_time_at_risk(kind: str, months: float, value: float) -> None:
    found = RESULT.estimate("treated", f"rate: {kind}", months)
    assert found is not None
    assert (found.value, found.n) == (pytest.approx(value), 2)


def test_the_difference_is_within_patients() -> None:
    (contrast,) = RESULT.contrasts
    assert contrast.estimate.n == 2
    assert contrast.estimate.value == pytest.approx(((2 / 2 - 1 / 2) + (1 / 1.5 - 0)) / 2)


def test_a_follow_up_within_the_first_year_is_reported_once() -> None:
    short = arm("treated", 1, plan=schedule((3, 6), daily=5))
    months = [row.time_months for row in ENDPOINTS["infections"].result(trial(short)).estimates]
    assert months == pytest.approx([6] * 3)
    assert short.schedule.end_day == 6 * MONTH


def test_death_before_day_0_leaves_no_time_at_risk() -> None:
    one = arm("treated", 2, deaths={0: (-5.0, "toxicity")}, events=[(0, "infection_viral", -6.0)])
    found = ENDPOINTS["infections"].result(trial(one)).estimate("treated", "rate: all", 24.0)
    assert found is not None
    assert (found.value, found.n) == (0, 1)
