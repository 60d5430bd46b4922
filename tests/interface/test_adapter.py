from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from regraft.interface.report.adapter import criterion_text
from regraft.interface.report.data import Arm
from regraft.interface.report.from_endpoints import MOST_STEPS, survival_figures
from regraft.trial.design import Criterion
from regraft.trial.endpoints.base import ArmCurve, EndpointResult
from regraft.trial.statistics import StepCurve


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"measure": "age", "min": 18, "max": 55, "unit": "year"}, "age 18 to 55 years"),
        ({"measure": "edss", "min": 1, "max": 6, "unit": "edss"}, "EDSS 1 to 6"),
        ({"measure": "edss", "max": 6, "unit": "edss"}, "EDSS at most 6"),
        ({"measure": "relapses_last_12_months", "min": 1}, "at least 1 relapse in the last 12 months"),
        ({"measure": "relapses_last_24_months", "min": 2}, "at least 2 relapses in the last 24 months"),
        ({"measure": "relapses_last_12_months", "min": 0, "max": 1}, "0 to 1 relapses in the last 12 months"),
        ({"measure": "neutrophils", "min": 1500, "unit": "cells/uL"}, "neutrophils at least 1500 cells/µL"),
    ],
)
def test_criteria_read_as_sentences(fields: dict[str, Any], text: str) -> None:
    assert criterion_text(Criterion(**fields)) == text


@pytest.mark.parametrize(("steps", "drawn"), [(400, 400), (5000, MOST_STEPS)])
def test_a_curve_has_no_more_steps_than_can_be_drawn_and_is_exact_at_each(steps: int, drawn: int) -> None:
    time, value = np.arange(steps, dtype=float), np.linspace(1, 0, steps)
    curve = StepCurve(time, value, value - 0.1, value + 0.1, np.zeros(steps))
    arm = ArmCurve("one", "Survival", 0.0, curve, np.array([0.0, steps - 1.0]), np.array([9, 1]))
    result = EndpointResult("overall_survival", "Overall survival", "", (), curves=(arm,))
    (figure,) = survival_figures([result], [Arm("one", "One")])
    (found,) = figure.curves
    assert found.time_years.size == drawn
    places = np.round(found.time_years * 365.25).astype(int)
    assert (places[0], places[-1]) == (0, steps - 1)
    np.testing.assert_array_equal(found.value, value[places])
    np.testing.assert_array_equal(found.upper, found.value + 0.1)
