"""The page of a scorecard: each row has a line of its own."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from tests.evidence.fitting.rows import published

from regraft.evidence.calibration.forward import Prediction
from regraft.evidence.fitting.scorecard import score_rows
from regraft.evidence.fitting.study import RowUse
from regraft.evidence.published_types import IntervalKind, Kind
from regraft.interface.report.scorecard import render_scorecard


@pytest.mark.parametrize("dimension", ["course", "arm"])
def test_two_parts_of_a_study_have_two_lines(dimension):
    row = published(kind=Kind.PROPORTION, unit="%", value=70.0, patients=50, interval=IntervalKind.NONE, group="")
    rows = [replace(row, id=f"row_{part}", group=f"{dimension}:{part}") for part in ("relapsing", "progressive")]
    values = np.full((40, 2), 0.8)
    prediction = Prediction(values, np.full(values.shape, 0.01), np.zeros(40, dtype=bool))
    uses = [RowUse(row.id, "trial", "arm", "", None, 0.0, "reason") for row in rows]
    card = score_rows("test", uses, rows, prediction, 200, seed=1)
    page = render_scorecard("A fit", [card])
    first = page[page.index("Numbers behind this figure") :]
    lines = re.findall(r"<tr>\s*<t[hd][^>]*>([^<]*)", first[: first.index("</table>")])
    assert len(lines) == len(set(lines)) == 3  # a header and two rows
