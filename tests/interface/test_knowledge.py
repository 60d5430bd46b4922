"""Luck and knowledge side by side: what is drawn, written and printed."""

from __future__ import annotations

import dataclasses

import pytest

from regraft.interface.cli.summary import print_summary
from regraft.interface.report.charts import NARROW, WIDE
from regraft.interface.report.data import Cell, ReportData, ResultRow
from regraft.interface.report.knowledge import knowledge_figure, knowledge_spec, known_text
from regraft.interface.report.page import render
from regraft.interface.report.plain import summary_json

from .example_report import ARMS, example_report

ROWS = (
    ResultRow(
        "NEDA-3, 2 years",
        "%",
        (Cell(70.0, 64.0, 76.0, known=(55.0, 85.0)), Cell(50.0, 40.0, 60.0, known=(48.0, 51.0)), Cell(None)),
    ),
    ResultRow(
        "EDSS slope", "edss/year", (Cell(0.1, 0.0, 0.2, known=(0.1, 0.1)), Cell(None, note="few"), Cell(0.3, 0.2, 0.4))
    ),
    ResultRow("Overall survival", "%", (Cell(99.0, 97.0, 99.9),) * 3),
)


@pytest.fixture(scope="module")
def data() -> ReportData:
    return dataclasses.replace(example_report(), results=ROWS, draws=40, unknown="Draws of a fit.")


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_each_estimate_with_draws_has_both_bars_under_the_name_of_its_row(data: ReportData, size: object) -> None:
    spec = knowledge_spec(ROWS[:2], data, size)
    share, slope = spec["vconcat"]
    bars = [one for panel in (share, slope) for one in panel["layer"][1]["data"]["values"]]
    assert [(one["arm"], one["lower"], one["upper"], one["low"], one["high"]) for one in bars] == [
        (ARMS[0].label, 64.0, 76.0, 55.0, 85.0),
        (ARMS[1].label, 40.0, 60.0, 48.0, 51.0),
        (ARMS[0].label, 0.0, 0.2, 0.1, 0.1),
    ]
    places = [one["place"] for one in share["layer"][0]["data"]["values"] + share["layer"][1]["data"]["values"]]
    assert places == sorted(places)
    assert places[-1] < share["height"]
    drawn = [(layer["encoding"]["x"]["field"], layer["mark"]["type"]) for layer in share["layer"][1]["layer"]]
    assert drawn == [("low", "rule"), ("lower", "rule"), ("value", "point")]


def test_the_figure_tells_its_numbers_and_where_less_is_known_than_luck_decides(data: ReportData) -> None:
    figure = knowledge_figure(data)
    assert figure.rows == (
        ("NEDA-3, 2 years", "Autologous HSCT", "70 %", "64 to 76", "55 to 85"),
        ("NEDA-3, 2 years", "Natalizumab", "50 %", "40 to 60", "48 to 51"),
        ("EDSS slope", "Autologous HSCT", "0.1 EDSS/year", "0 to 0.2", "the same in all"),
    )
    assert "3 estimates; that of knowledge is the wider one in 1 of them" in figure.alternative
    assert "40 posterior draws" in figure.caption


def test_a_cell_without_draws_says_none() -> None:
    assert known_text(Cell(1.0)) == "none"


def test_the_page_has_the_figure_only_where_there_are_draws(data: ReportData) -> None:
    page = render(data).replace("\u00a0", " ")
    assert "What is unknown: 40 posterior draws" in page
    assert 'id="knowledge"' in page
    assert "Draws of a fit." in page
    without = render(dataclasses.replace(data, draws=0, unknown="No draws."))
    assert 'id="knowledge"' not in without
    assert '<p class="note">No draws.</p>' in without


def test_the_terminal_and_json_have_the_intervals(
    data: ReportData, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    print_summary(data)
    lines = capsys.readouterr().out.splitlines()
    assert "What is unknown: 40 posterior draws" in lines
    (line,) = [line for line in lines if "64 to 76" in line and "55 to 85" in line]
    assert "NEDA-3, 2 years (%)" in line
    print_summary(dataclasses.replace(data, draws=0))
    assert "What is unknown" not in capsys.readouterr().out
    values = summary_json(data)
    assert values["posterior_draws"] == 40
    assert values["results"][0]["arms"]["ahsct"]["knowledge80"] == [55.0, 85.0]
    assert "knowledge80" not in values["results"][2]["arms"]["ahsct"]
