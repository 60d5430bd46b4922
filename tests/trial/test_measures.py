from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from regraft.trial.measures import MEASURES, Screened

from .hand_made import GROUPS, MONTH, YEAR, log

EVENTS = [
    (0, "relapse", -10 - 6 * MONTH),
    (0, "relapse", -10 - 18 * MONTH),
    (0, "lesion", -10 - 11.9 * MONTH),
    (1, "relapse", -10.0),
    (1, "relapse", -10 - 12 * MONTH),
    (1, "relapse", -10 - 24 * MONTH),
    (1, "lesion", -10 - 12.1 * MONTH),
]


@pytest.fixture
def people() -> Screened:
    return Screened(
        day=-10.0,
        onset=np.array([-10 - 5 * YEAR, -10 - 2 * YEAR]),
        covariates={"age_at_start": np.array([30.0, 40.0]), "body_weight": np.array([60.0, 80.0])},
        readings={name: np.array([1.0, np.nan]) for name in ("edss", "neutrophils", "platelets")},
        events=log(EVENTS, patients=2),
        groups=GROUPS,
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("age", [30 - 10 / 365.25, 40 - 10 / 365.25]),
        ("disease_duration", [5, 2]),
        ("edss", [1, np.nan]),
        ("neutrophils", [1, np.nan]),
        ("platelets", [1, np.nan]),
        ("body_weight", [60, 80]),
        ("relapses_last_12_months", [1, 1]),
        ("relapses_last_24_months", [2, 2]),
        ("new_lesions_last_12_months", [1, 0]),
        ("comorbidity", [np.nan, np.nan]),
    ],
)
def test_a_measure_is_taken_on_the_day_of_randomisation(people: Screened, name: str, expected: list[float]) -> None:
    np.testing.assert_allclose(MEASURES[name].take(people), expected, rtol=1e-12)


def test_age_is_unknown_where_the_population_has_none(people: Screened) -> None:
    assert np.isnan(MEASURES["age"].take(replace(people, covariates={}))).all()


def test_counts_are_those_measures_that_count() -> None:
    assert {name for name, measure in MEASURES.items() if measure.is_count} == {
        "relapses_last_12_months",
        "relapses_last_24_months",
        "new_lesions_last_12_months",
        "infections_last_month",
        "infections_last_12_months",
        "tender_joints",
        "swollen_joints",
    }
