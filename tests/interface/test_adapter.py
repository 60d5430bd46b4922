from __future__ import annotations

from typing import Any

import pytest

from regraft.interface.report.adapter import criterion_text
from regraft.trial.design import Criterion


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
