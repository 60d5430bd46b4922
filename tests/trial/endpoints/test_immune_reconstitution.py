from __future__ import annotations

import math

import pytest
from tests.trial.hand_made import arm, schedule, trial

from regraft.trial.endpoints import ENDPOINTS
from regraft.trial.observation import ObservedArm

NAN = math.nan
PLAN = schedule((6, 12), daily=5)
CD4 = [[800, 100, 300], [600, 300, 500], [400, 399, 400], [700, NAN, NAN], [9, 9, 9]]
SHARES = [[0.5, 0.1, 0.6], [0.4, 0.2, 0.6], [0.2, 0.1, 0.2], [0.5, NAN, NAN], [1, 1, 1]]


def with_counts(name: str, cd4: list[list[float]], shares: list[list[float]]) -> ObservedArm:
    others = {quantity: [[7.0] * 3] * 5 for quantity in ("cd4_naive", "cd8", "b_cells", "nk")}
    readings = {"cd4": cd4, "naive_share": shares} | others
    return arm(name, 5, plan=PLAN, readings=readings, missing=[4], deaths={3: (50.0, "infection")})


TREATED = with_counts("treated", CD4, SHARES)
CONTROL = with_counts("control", [[500.0] * 3] * 5, [[0.5] * 3] * 5)
RESULT = ENDPOINTS["immune_reconstitution"].result(trial(TREATED, CONTROL))


@pytest.mark.parametrize(
    ("statistic", "months", "value", "n"),
    [
        ("cd4", 0.0, 650, 4),
        ("cd4", 6.0, 300, 3),
        ("cd4", 12.0, 400, 3),
        ("naive_share", 6.0, 0.1, 3),
        ("nk", 12.0, 7, 4),
        ("cd4 low", 0.0, 0, 4),
        ("cd4 low", 6.0, 100, 3),
        ("cd4 low", 12.0, 100 / 3, 3),
        ("naive share fold", 6.0, 0.5, 3),
        ("naive share fold", 12.0, 1.2, 3),
        ("naive share risen", 6.0, 0, 3),
        ("naive share risen", 12.0, 200 / 3, 3),
    ],
)
def test_medians_and_shares_are_those_of_the_measured(statistic: str, months: float, value: float, n: int) -> None:
    found = RESULT.estimate("treated", statistic, months)
    assert found is not None
    assert (found.value, found.n) == (pytest.approx(value), n)


def test_differences_are_within_patients_who_live_in_both_arms() -> None:
    row = next(row for row in RESULT.contrasts if row.label == "CD4 T cells at month 12")
    assert (row.estimate.value, row.estimate.n) == (pytest.approx(400 - 500), 3)
    assert row.is_paired
