"""Competing first events on the page: stacked, and adding up to everybody."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from regraft.interface.report.charts import NARROW, WIDE
from regraft.interface.report.data import Curve, Incidence, ReportData, Ribbon
from regraft.interface.report.fates import FREE, fates_figure, fates_spec, stacked
from regraft.interface.report.page import figures, render

from .example_report import ARMS, example_report


def curve(arm: str, cause: str, *steps: tuple[float, float]) -> Curve:
    years, value = (np.array(column) for column in zip(*steps, strict=True))
    return Curve(arm, years, value, value, value, cause)


def fates() -> Incidence:
    first, second = (arm.id for arm in ARMS[:2])
    curves = (
        curve(first, "rejection", (-0.03, 0.0), (0.2, 0.1)),
        curve(first, "death: infection", (-0.03, 0.0), (0.1, 0.05), (1.5, 0.2)),
        curve(second, "rejection", (-0.03, 0.0)),
        curve(second, "death: infection", (-0.03, 0.0), (0.5, 0.3)),
    )
    return Incidence("What happened first", "Cumulative incidence", curves, 2.0)


def with_fates() -> ReportData:
    return dataclasses.replace(example_report(), fates=fates())


def test_shares_add_up_to_everybody_at_every_time() -> None:
    years = np.linspace(-0.1, 2, 43)
    for arm in ARMS[:2]:
        parts = stacked([one for one in fates().curves if one.arm == arm.id], years)
        assert list(parts) == [FREE, "rejection", "death: infection"]
        np.testing.assert_allclose(sum(parts.values()), 1.0)
        assert min(share.min() for share in parts.values()) >= 0
    assert parts["death: infection"][-1] == pytest.approx(0.3)
    assert parts[FREE][0] == 1.0


def test_the_table_holds_what_is_drawn() -> None:
    figure = fates_figure(fates(), with_fates())
    assert figure.header == ("Arm", "Years", FREE, "rejection", "death: infection")
    last = next(row for row in figure.rows if row[0] == ARMS[0].label and row[1] == "2")
    assert last[2:] == ("70.0 %", "10.0 %", "20.0 %")
    spec = fates_spec(fates(), with_fates(), WIDE)
    assert [panel["title"] for panel in spec["concat"]] == [arm.label for arm in ARMS[:2]]
    assert spec["columns"] == 2
    assert fates_spec(fates(), with_fates(), NARROW)["columns"] == 1


def test_the_page_shows_fates_and_whose_cells_they_are() -> None:
    days = np.array([0.0, 365.0])
    share = np.array([0.0, 96.0])
    ribbon = Ribbon("t_chimerism", "T cells", "percent", ARMS[0].id, days, share, share, share)
    data = dataclasses.replace(with_fates(), chimerism=(ribbon,))
    page = render(data)
    assert "What happened first" in page
    assert "Cells that are not the patient's own" in page.replace("&#39;", "'")
    assert figures(example_report())["fates"] is None
