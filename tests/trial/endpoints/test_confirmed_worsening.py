from __future__ import annotations

import numpy as np
import pytest
from tests.trial.hand_made import MONTH, QUARTERS, YEAR, arm, trial

from regraft.trial.endpoints import ENDPOINTS

STEADY = [3.0] * (len(QUARTERS) + 1)
WORSE = [3.0, 3.0, 3.0, *[4.0] * (len(QUARTERS) - 2)]  # from month 9
ONE = arm(
    "treated",
    5,
    edss=[WORSE, STEADY, STEADY, WORSE, WORSE],
    deaths={2: (300.0, "background"), 3: (8 * MONTH, "infection")},
    missing=[4],
)
RESULT = ENDPOINTS["confirmed_worsening"].result(trial(ONE, arm("control", 5)))


def test_death_before_worsening_censors_and_the_missing_have_no_time() -> None:
    times = next(one for one in RESULT.times if one.arm == "treated")
    expected = np.array([9 * MONTH, 2 * YEAR, 300, 8 * MONTH, np.nan]) + 10
    np.testing.assert_allclose(times.time, expected)
    assert times.cause.tolist() == [1, 0, 0, 0, 0]


def test_the_share_free_of_worsening_is_read_at_whole_years() -> None:
    found = RESULT.estimate("treated", "event-free", 12.0)
    assert found is not None
    # one of three at risk worsens at month 9: one died before that
    assert (found.value, found.n) == (pytest.approx(200 / 3), 4)


def test_an_arm_without_events_has_no_hazard_ratio() -> None:
    ratio = next(row for row in RESULT.contrasts if row.measure == "hazard ratio")
    assert np.isnan(ratio.estimate.value)
    assert ratio.estimate.note == "a group without events"
    assert ratio.p_value is not None
    assert 0 < ratio.p_value < 1


def test_the_difference_within_patients_leaves_out_who_is_unknown_in_an_arm() -> None:
    difference = next(row for row in RESULT.contrasts if row.is_paired)
    assert difference.estimate.n == 2
    assert difference.estimate.value == pytest.approx(-50)
