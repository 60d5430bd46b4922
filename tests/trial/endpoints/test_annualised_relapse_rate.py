from __future__ import annotations

import math

import numpy as np
import pytest
from tests.trial.hand_made import YEAR, arm, trial

from regraft.trial.endpoints import ENDPOINTS
from regraft.trial.endpoints.annualised_relapse_rate import relapses

ENDPOINT = ENDPOINTS["annualised_relapse_rate"]
START = -10.0
EVENTS = [
    (0, "relapse", START - 400.0),  # before the last year of the run-in
    (0, "relapse", START - 100.0),
    (1, "relapse", START),
    (0, "relapse", -5.0),  # after randomisation, before treatment
    (0, "relapse", 100.0),
    (0, "relapse", 500.0),
    (1, "relapse", 200.0),
    (2, "relapse", 50.0),
    (3, "relapse", 60.0),
    (3, "lesion", 70.0),
]
TREATED = arm("treated", 4, events=EVENTS, deaths={1: (1.5 * YEAR, "infection")}, missing=[3])
CONTROL = arm("control", 4, events=[(0, "relapse", 30.0), (1, "relapse", 30.0), (1, "relapse", 40.0)])
RESULT = ENDPOINT.result(trial(TREATED, CONTROL))


@pytest.mark.parametrize(
    ("statistic", "months", "value", "n"),
    [
        ("rate", 12.0, 3 / 3, 3),
        ("rate", 24.0, 4 / (2 + 1.5 + 2), 3),
        ("rate in year", 12.0, 3 / 3, 3),
        ("rate in year", 24.0, 1 / (1 + 0.5 + 1), 3),
        ("rate in run-in year", 0.0, 2 / 3, 3),
        ("rate since randomisation", None, 5 / (5.5 + 3 * 10 / YEAR), 3),
    ],
)
def test_relapses_are_divided_by_the_time_at_risk(statistic: str, months: float | None, value: float, n: int) -> None:
    found = RESULT.estimate("treated", statistic, months)
    assert found is not None
    assert found.value == pytest.approx(value)
    assert (found.n, found.unit) == (n, "1/year")


def test_a_run_in_shorter_than_a_year_counts_its_own_length() -> None:
    late = arm("late", 1, events=[(0, "relapse", START - 30.0)])
    late.onset[:] = START - YEAR / 4
    found = ENDPOINT.result(trial(late)).estimate("late", "rate in run-in year", 0.0)
    assert found is not None
    assert found.value == pytest.approx(4)


def test_a_patient_who_died_before_a_year_is_not_at_risk_in_it() -> None:
    early = arm("early", 2, events=[(1, "relapse", 500.0)], deaths={0: (100.0, "infection")})
    events, years = relapses(early, YEAR, 2 * YEAR)
    np.testing.assert_allclose(years, [0, 1])
    found = ENDPOINT.result(trial(early)).estimate("early", "rate in year", 24.0)
    assert found is not None
    assert (found.value, found.n) == (1, 1)


def test_missing_patients_have_no_count_and_no_time() -> None:
    events, years = relapses(TREATED, 0.0, YEAR)
    np.testing.assert_array_equal(events, [1, 1, 1, np.nan])
    np.testing.assert_array_equal(years, [1, 1, 1, np.nan])


def test_the_ratio_compares_the_totals_and_the_difference_the_pairs() -> None:
    ratio, difference = RESULT.contrasts
    assert (ratio.measure, ratio.is_paired, ratio.reference) == ("rate ratio", False, "control")
    assert ratio.estimate.n == 3 + 4
    assert (difference.measure, difference.is_paired) == ("difference", True)
    assert difference.estimate.value == pytest.approx(np.mean([1 - 0.5, 1 / 1.5 - 1, 0.5 - 0]))
    assert difference.estimate.n == 3


def test_without_any_relapse_the_upper_bound_is_poissons() -> None:
    found = ENDPOINT.result(trial(arm("calm", 5))).estimate("calm", "rate", 24.0)
    assert found is not None
    assert (found.value, found.lower) == (0, 0)
    assert found.upper == pytest.approx(-math.log(0.025) / 10)
