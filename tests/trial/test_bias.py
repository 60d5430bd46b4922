from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from regraft.trial import TrialResult
from regraft.trial.bias import imbalances


def lost(result: TrialResult, rows: list[int]) -> TrialResult:
    """Return the result with some patients of the first arm failed."""
    is_missing = np.isin(np.arange(12), rows)
    first = replace(result.observed.arms[0], is_missing=is_missing)
    return replace(result, observed=replace(result.observed, arms=(first, *result.observed.arms[1:])))


def test_failed_and_completed_patients_are_compared_in_every_measure(result: TrialResult) -> None:
    rows = imbalances(lost(result, [0, 5]))
    assert {row.arm for row in rows} == {"ahsct"}
    assert {row.measure for row in rows} == set(result.tables.baseline)
    (age,) = (row for row in rows if row.measure == "age_at_start")
    ages = result.tables.baseline["age_at_start"]
    others = np.delete(ages, [0, 5])
    assert (age.failed, age.completed) == pytest.approx((ages[[0, 5]].mean(), others.mean()))
    assert age.standardised == pytest.approx((ages[[0, 5]].mean() - others.mean()) / ages.std())
    assert not math.isnan(age.standardised)


@pytest.mark.parametrize("rows", [[], list(range(12))])
def test_there_is_nothing_to_compare_where_nobody_or_everybody_failed(result: TrialResult, rows: list[int]) -> None:
    assert imbalances(lost(result, rows)) == ()
