"""Overall survival and treatment-related mortality, which read the same deaths."""

from __future__ import annotations

import numpy as np
import pytest
from tests.trial.hand_made import YEAR, arm, trial

from regraft.trial.endpoints import ENDPOINTS
from regraft.trial.endpoints.earliest import SHORTEST

EARLY = 100 * 12 / 365.25  # months
DEATHS = {
    0: (-5.0, "toxicity"),
    1: (100.0, "infection"),
    2: (100.5, "infection"),
    3: (60.0, "background"),
    4: (600.0, "toxicity"),
}
TREATED = arm("treated", 10, deaths=DEATHS, missing=[9])
RESULT = ENDPOINTS["treatment_related_mortality"].result(trial(TREATED, arm("control", 10)))


def test_only_early_deaths_by_infection_or_toxicity_are_related_to_treatment() -> None:
    times = next(one for one in RESULT.times if one.arm == "treated")
    assert times.causes == ("treatment-related death", "other death")
    assert times.cause.tolist() == [1, 1, 2, 2, 2, 0, 0, 0, 0, 0]
    alive = 2 * YEAR + 10
    np.testing.assert_allclose(times.time, [5, 110, 110.5, 70, 610, *[alive] * 4, np.nan])


@pytest.mark.parametrize(
    ("statistic", "months", "deaths"),
    [
        ("incidence", EARLY, 2),
        ("incidence", 24.0, 2),
        ("incidence: other death", EARLY, 1),
        ("incidence: other death", 12.0, 2),
        ("incidence: other death", 24.0, 3),
    ],
)
def test_incidences_are_shares_of_the_known_with_other_deaths_competing(
    statistic: str, months: float, deaths: int
) -> None:
    found = next(
        row.estimate
        for row in RESULT.estimates
        if (row.arm, row.statistic) == ("treated", statistic) and row.time_months == pytest.approx(months)
    )
    assert (found.value, found.n) == (pytest.approx(100 * deaths / 9), 9)
    assert found.lower < found.value < found.upper


def test_without_deaths_the_incidence_is_zero_with_an_exact_upper_bound() -> None:
    found = next(row.estimate for row in RESULT.estimates if row.arm == "control")
    assert (found.value, found.lower) == (0, 0)
    assert found.upper == pytest.approx(100 * (1 - 0.025 ** (1 / 10)))


def test_survival_counts_every_death_of_known_patients() -> None:
    result = ENDPOINTS["overall_survival"].result(trial(TREATED, arm("control", 10)))
    for months, alive in ((12.0, 5), (24.0, 4)):
        found = result.estimate("treated", "event-free", months)
        assert found is not None
        assert (found.value, found.n) == (pytest.approx(100 * alive / 9), 9)
    curve = next(row for row in result.curves if row.arm == "treated")
    assert curve.at_risk.tolist() == [9, 5, 4]
    assert curve.origin_day == -10


def test_death_on_the_day_of_randomisation_still_has_a_positive_time() -> None:
    result = ENDPOINTS["overall_survival"].result(trial(arm("treated", 1, deaths={0: (-10.0, "background")})))
    assert result.times[0].time.tolist() == [SHORTEST]
    assert result.times[0].cause.tolist() == [1]


def test_an_arm_in_which_everybody_is_missing_is_reported_without_numbers() -> None:
    gone = arm("gone", 3, missing=[0, 1, 2], deaths={})
    for name in ("overall_survival", "neda3", "annualised_relapse_rate", "confirmed_improvement", "edss_change"):
        result = ENDPOINTS[name].result(trial(gone, arm("control", 3, deaths={0: (50.0, "background")})))
        assert all(np.isnan(row.estimate.value) for row in result.estimates if row.arm == "gone")
        assert all(np.isnan(row.estimate.value) for row in result.contrasts)
