from __future__ import annotations

import math

import numpy as np
import pytest
from tests.trial.endpoints.rheumatology import people, scaled, trial

from regraft.trial.endpoints import ENDPOINTS
from regraft.trial.endpoints.core_set import odds_ratio

JOINTS = ("tender_joints", "swollen_joints")
THREE = ("pain", "haq", "crp")
MET = scaled(0.8, *JOINTS, *THREE)
ENDPOINT = ENDPOINTS["acr_response"]


def share(course: dict[str, list[float]], level: int = 20, month: float = 3) -> float:
    """Return the per cent of responders in an arm of one patient with a course."""
    found = ENDPOINT.result(trial(people("treated", [course]))).estimate("treated", f"ACR{level}", month)
    assert found is not None
    return found.value


@pytest.mark.parametrize("level", [20, 50, 70])
def test_joints_and_three_of_five_must_improve_by_the_level(level: int) -> None:
    factor = 1 - level / 100
    assert share(scaled(factor, *JOINTS, *THREE), level) == 100
    assert share(scaled(factor + 0.01, *JOINTS) | scaled(factor, *THREE), level) == 0
    assert share(scaled(factor, *JOINTS, *THREE[:2]), level) == 0
    assert share(scaled(factor, "tender_joints", *THREE), level) == 0


def test_any_three_of_the_five_count() -> None:
    assert share(scaled(0.8, *JOINTS, "patient_global", "physician_global", "crp")) == 100


def test_who_left_or_died_is_no_responder_and_who_is_missing_does_not_count() -> None:
    arm = people("treated", [MET] * 4, left={1: 100.0}, deaths={2: (150.0, "background")}, missing=[3])
    result = ENDPOINT.result(trial(arm))
    found = {month: result.estimate("treated", "ACR20", month) for month in (3, 6)}
    assert [(one.value, one.n) for one in found.values() if one] == [(100.0, 3), (pytest.approx(100 / 3), 3)]


def test_a_withdrawal_before_randomisation_is_none() -> None:
    arm = people("treated", [MET], left={0: -5.0})
    found = ENDPOINT.result(trial(arm)).estimate("treated", "ACR20", 12)
    assert found is not None
    assert found.value == 100


def test_arms_are_compared_by_the_odds_of_response_at_the_last_visit() -> None:
    treated, control = people("treated", [MET] * 30 + [{}] * 10), people("control", [MET] * 10 + [{}] * 30)
    contrast = next(row for row in ENDPOINT.result(trial(treated, control)).contrasts if row.label.startswith("ACR20"))
    assert contrast.estimate.value == pytest.approx((30.5 * 30.5) / (10.5 * 10.5))
    assert contrast.p_value == pytest.approx(math.erfc(0.5 / math.sqrt(2 * 0.25 / 40) / math.sqrt(2)))
    assert contrast.reference == "control"


def test_without_responders_the_odds_ratio_is_one_and_proves_nothing() -> None:
    found, p = odds_ratio(np.zeros(5), np.zeros(5))
    assert (found.value, p) == (pytest.approx(1.0), 1.0)
