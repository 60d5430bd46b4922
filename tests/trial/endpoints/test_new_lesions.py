from __future__ import annotations

import math

import pytest
from tests.trial.hand_made import arm, trial

from regraft.trial.endpoints import ENDPOINTS

NAN = math.nan
ONE = arm("treated", 4, seen=[[4, 1, 0], [2, 0, 3], [6, NAN, NAN], [NAN, NAN, NAN]], missing=[3])
RESULT = ENDPOINTS["new_lesions"].result(trial(ONE))


@pytest.mark.parametrize(
    ("statistic", "months", "value", "n"),
    [
        ("since baseline", 6.0, 4, 3),
        ("since baseline", 12.0, (5 + 2) / 2, 2),
        ("since baseline", 24.0, (5 + 5) / 2, 2),
        ("since new baseline", 12.0, 1 / 2, 2),
        ("since new baseline", 24.0, (1 + 3) / 2, 2),
    ],
)
def test_lesions_add_up_over_scans_until_the_first_missed_one(
    statistic: str, months: float, value: float, n: int
) -> None:
    found = RESULT.estimate("treated", statistic, months)
    assert found is not None
    assert (found.value, found.n, found.unit) == (pytest.approx(value), n, "lesions")


def test_the_new_baseline_itself_has_no_lesions_since_then() -> None:
    assert RESULT.estimate("treated", "since new baseline", 6.0) is None
