from __future__ import annotations

import numpy as np
import pytest
from tests.trial.hand_made import MONTH, QUARTERS, YEAR, arm, trial

from regraft.trial.endpoints import ENDPOINTS

VISITS = len(QUARTERS) + 1
FOR_GOOD = [5.0, 5.0, 5.5, *[6.5] * (VISITS - 3)]  # from month 9
PASSING = [5.0, 6.0, *[5.5] * (VISITS - 2)]  # a relapse that went
ADVANCED = [6.0, 6.0, 6.5, 6.5, *[7.0] * (VISITS - 4)]  # enrolled at 6; 7 from month 12
LATE = [*[5.0] * (VISITS - 1), 8.0]  # at the last visit: nothing confirms it
DEAD = [5.0, 6.0, *[np.nan] * (VISITS - 2)]
ONE = arm(
    "treated",
    6,
    edss=[FOR_GOOD, PASSING, ADVANCED, LATE, DEAD, FOR_GOOD],
    deaths={4: (150.0, "background")},
    missing=[5],
)
RESULT = ENDPOINTS["edss_milestones"].result(trial(ONE))


def times(code: str) -> tuple[list[float], list[int]]:
    found = next(one for one in RESULT.times if one.code == code)
    return found.time.tolist(), found.cause.tolist()


def test_a_milestone_counts_when_it_holds_and_who_is_past_it_has_no_part() -> None:
    days, causes = times("EDSS6")
    assert days == pytest.approx([9 * MONTH + 10, 2 * YEAR + 10, np.nan, 2 * YEAR + 10, 160, np.nan], nan_ok=True)
    assert causes == [1, 0, 0, 0, 0, 0]
    days, causes = times("EDSS7")
    assert days[2] == pytest.approx(12 * MONTH + 10)
    assert causes == [0, 0, 1, 0, 0, 0]


def test_shares_below_each_milestone_are_read_at_whole_years() -> None:
    six = RESULT.estimate("treated", "free of EDSS 6", 12.0)
    seven = RESULT.estimate("treated", "free of EDSS 7", 24.0)
    assert six is not None and seven is not None
    # one dies at risk on day 150; then one of three reaches EDSS 6, and one of four EDSS 7
    assert (six.value, six.n) == (pytest.approx(200 / 3), 4)
    assert (seven.value, seven.n) == (pytest.approx(75), 5)
