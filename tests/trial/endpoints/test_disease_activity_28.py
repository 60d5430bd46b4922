from __future__ import annotations

import math

import pytest
from tests.trial.endpoints.rheumatology import people, scaled, trial

from regraft.trial.endpoints import ENDPOINTS

ENDPOINT = ENDPOINTS["disease_activity_28"]
ALL = ("tender_joints", "swollen_joints", "pain", "patient_global", "physician_global", "crp", "esr")
T28, S28 = 28 * 20 / (20 + 23), 28 * 10 / (10 + 24)
CRP = 0.56 * math.sqrt(T28) + 0.28 * math.sqrt(S28) + 0.014 * 50 + 0.36 * math.log(21) + 0.96
ESR = 0.56 * math.sqrt(T28) + 0.28 * math.sqrt(S28) + 0.014 * 50 + 0.70 * math.log(40)
CDAI = T28 + S28 + (50 + 50) / 10


def value(statistic: str, month: float, *courses: dict[str, list[float]], **more: object) -> float:
    """Return an estimate of an arm."""
    found = ENDPOINT.result(trial(people("treated", courses, **more))).estimate("treated", statistic, month)  # type: ignore[arg-type]
    assert found is not None
    return found.value


@pytest.mark.parametrize(("name", "score"), [("DAS28-CRP", CRP), ("DAS28-ESR", ESR), ("CDAI", CDAI)])
def test_scores_follow_their_formulas(name: str, score: float) -> None:
    assert value(f"{name} at baseline", 0.0, {}, {}) == pytest.approx(score)


def test_the_change_is_against_the_baseline() -> None:
    course = {"crp": [5.0, 5.0, 5.0], "patient_global": [20.0, 20.0, 20.0]}
    expected = 0.014 * (20 - 50) + 0.36 * math.log(6 / 21)
    assert value("DAS28-CRP change", 6, course, course) == pytest.approx(expected)
    assert value("CDAI change", 6, course, course) == pytest.approx(-3.0)


def test_the_last_reading_before_leaving_is_carried_on() -> None:
    course = {"esr": [20.0, 10.0, 5.0]}
    changes = [value("DAS28-ESR change", month, course, course, left={0: 100.0, 1: 100.0}) for month in (3, 6, 12)]
    assert changes == [pytest.approx(0.70 * math.log(20 / 40))] * 3


def test_remission_and_response_need_a_patient_who_is_still_there() -> None:
    well = scaled(0.02, *ALL)
    assert value("remission", 6, well) == 100
    assert value("remission", 6, well, left={0: 30.0}) == 0
    assert value("EULAR response", 6, well, left={0: 30.0}) == 0


@pytest.mark.parametrize(
    ("crp", "responds"),
    [
        (math.exp(math.log(21) - 1.19 / 0.36) - 1, CRP - 1.19 <= 5.1),  # a fall below 1.2 counts from low activity only
        (math.exp(math.log(21) - 0.59 / 0.36) - 1, False),
    ],
)
def test_a_small_fall_is_a_response_only_below_high_activity(crp: float, responds: bool) -> None:
    assert value("EULAR response", 3, {"crp": [crp] * 3}) == (100 if responds else 0)


def test_missing_patients_do_not_count() -> None:
    found = ENDPOINT.result(trial(people("treated", [{}, {}, {}], missing=[1]))).estimate(
        "treated", "DAS28-CRP change", 3
    )
    assert found is not None
    assert found.n == 2
