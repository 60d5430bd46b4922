from __future__ import annotations

import numpy as np

from regraft.trial.design import Criterion
from regraft.trial.eligibility import ELIGIBLE, count_failed, first_failed, measure_all
from regraft.trial.measures import Screened

from .hand_made import GROUPS, log

CRITERIA = (
    Criterion(measure="age", min=18, max=55, unit="year"),
    Criterion(measure="edss", max=6, unit="edss"),
    Criterion(measure="relapses_last_12_months", min=1),
)
MEASURED = {
    "age": np.array([18.0, 55.0, 17.99, 60.0, 30.0, np.nan, 30.0]),
    "edss": np.array([6.0, 3.0, 7.0, 3.0, 6.5, 3.0, np.nan]),
    "relapses_last_12_months": np.array([1.0, 0.0, 0.0, 1.0, 2.0, 1.0, 1.0]),
}


def test_limits_belong_to_the_criterion_and_the_first_one_not_met_is_named() -> None:
    assert first_failed(CRITERIA, MEASURED, 7).tolist() == [ELIGIBLE, 2, 0, 0, 1, 0, 1]


def test_what_could_not_be_measured_meets_no_criterion() -> None:
    unlimited_above = (Criterion(measure="age", min=-1e9, unit="year"),)
    assert first_failed(unlimited_above, {"age": np.array([np.nan, 1.0])}, 2).tolist() == [0, ELIGIBLE]


def test_each_patient_is_counted_at_one_criterion() -> None:
    failed = first_failed(CRITERIA, MEASURED, 7)
    counts = count_failed(CRITERIA, failed)
    assert counts == (("age 18 to 55 year", 3), ("edss at most 6 edss", 2), ("relapses last 12 months at least 1", 1))
    assert sum(count for _, count in counts) + (failed == ELIGIBLE).sum() == 7


def test_without_criteria_everybody_is_eligible() -> None:
    assert first_failed((), {}, 3).tolist() == [ELIGIBLE] * 3


def test_only_what_criteria_ask_for_is_measured() -> None:
    people = Screened(
        day=0.0,
        onset=np.array([-1.0]),
        covariates={"age_at_start": np.array([33.0])},
        readings={"edss": np.array([2.5])},
        events=log([], 1),
        groups=GROUPS,
    )
    measured = measure_all(CRITERIA, people)
    assert {name: float(values[0]) for name, values in measured.items()} == {
        "age": 33.0,
        "edss": 2.5,
        "relapses_last_12_months": 0.0,
    }
