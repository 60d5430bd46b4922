from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from regraft.interface.report.apart import render_apart
from regraft.interface.report.charts import NARROW, WIDE, to_svg
from regraft.interface.report.data import Cell, Consort, ReportData
from regraft.interface.report.page import cell_text, p_value_text, render
from regraft.interface.report.published import endpoint_label
from regraft.interface.report.survival import floor_of, survival_spec

from .example_report import ARMS, comparisons, example_report, target

FETCHING = re.compile(r"""(?:src|href|action|data|poster|srcset)\s*=\s*["'](?!#|data:)""")
VOID = {"meta", "link", "br", "img", "input", "hr", "path", "rect", "line", "circle"}


@pytest.fixture(scope="module")
def page() -> str:
    return render(example_report())


class Balance(HTMLParser):
    """Follow open and closed elements."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


def test_the_page_asks_for_nothing_over_a_network(page: str) -> None:
    assert not FETCHING.findall(page)
    assert "@import" not in page
    assert not re.findall(r"url\((?!#)", page)
    assert "<script" not in page
    namespaces = re.findall(r'xmlns(?::\w+)?="(https?://[^"]+)"', page)
    assert len(re.findall(r"https?://", page)) == len(namespaces)


def test_the_page_is_well_formed_and_ids_are_unique(page: str) -> None:
    balance = Balance()
    balance.feed(page)
    assert not balance.faults
    assert not balance.open
    assert len(balance.ids) == len(set(balance.ids))


def test_the_page_is_light(page: str) -> None:
    assert len(page.encode()) < 3_000_000


def test_the_research_banner_stands_first(page: str) -> None:
    body = page[page.index("<body>") :]
    assert body.index("Research use. Not for treating patients.") < body.index("<h1>")


def test_every_figure_has_words_and_a_table(page: str) -> None:
    figures = page.count("<figure ")
    assert figures == 9
    assert page.count('role="img" aria-label=') == figures
    assert page.count("Numbers behind this figure") == figures


def test_numbers_at_risk_stand_under_each_survival_curve() -> None:
    data = example_report()
    for survival in data.survival:
        for size in (WIDE, NARROW):
            spec = survival_spec(survival, data.arms, size)
            curves, counts = spec["vconcat"]
            assert curves["encoding"]["x"]["scale"] == counts["encoding"]["x"]["scale"]
            assert curves["width"] == counts["width"]
            shown = [(row["arm"], row["year"], row["count"]) for row in counts["data"]["values"]]
            assert ("Natalizumab", 1.0, int(survival.at_risk[1, 1])) in shown
            assert len(shown) == survival.at_risk.size


def test_of_many_years_some_have_numbers_at_risk() -> None:
    data = example_report()
    counts = np.tile(np.arange(51), (len(data.arms), 1))
    long = dataclasses.replace(data.survival[0], risk_years=np.arange(51.0), at_risk=counts)
    for size, every in ((WIDE, 2), (NARROW, 6)):
        values = survival_spec(long, data.arms, size)["vconcat"][1]["data"]["values"]
        assert [row["count"] for row in values if row["arm"] == "Natalizumab"] == list(range(0, 51, every))


def test_numbers_at_risk_are_drawn(page: str) -> None:
    at_risk = example_report().survival[0].at_risk
    assert page.count(f">{at_risk[0, 5]}</text>") >= 2  # the wide and the narrow drawing
    assert "At risk" in page


def test_the_consort_names_each_reason_and_the_failures(page: str) -> None:
    assert "at least 1 relapse in 12 months: 540" in page
    assert "<strong>910</strong> not enrolled" in page
    assert "step limit reached: 1" in page


def test_regression_to_the_mean_is_named(page: str) -> None:
    assert "Run-in" in page
    assert "regression to the mean" in page


def test_each_comparison_is_judged_in_a_sentence(page: str) -> None:
    text = page.replace("\u00a0", " ")
    for comparison in comparisons():
        assert comparison.sentence in text
    assert "inside 1 of them and outside 2" in text


def test_limits_status_and_assumed_rows_are_shown(page: str) -> None:
    assert "Steady state before treatment is healthy." in page
    assert '<td class="status-draft">draft</td>' in page
    assert '<th scope="col" class="count">assumed</th>' in page


def test_text_from_files_cannot_inject_markup() -> None:
    data = dataclasses.replace(example_report(), title="<script>alert(1)</script>")
    page = render(data)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_an_empty_trial_still_makes_a_page() -> None:
    data = ReportData("Nothing", (), ARMS, (), Consort(0, (), 0, ()))
    page = render(data)
    assert "This trial has no time-to-event endpoint." in page
    assert "nothing says whether these numbers are right" in page


def test_the_axis_is_cut_only_where_all_curves_stay_high() -> None:
    neda, _, survival = example_report().survival
    assert floor_of(neda) == 0
    assert floor_of(survival) == 0.9


def test_curves_without_a_band_are_drawn_without_it() -> None:
    survival = example_report().survival[0]
    bare = dataclasses.replace(
        survival,
        curves=tuple(
            dataclasses.replace(curve, lower=np.full_like(curve.lower, np.nan), upper=np.full_like(curve.upper, np.nan))
            for curve in survival.curves
        ),
    )
    assert "NaN" not in to_svg(survival_spec(bare, ARMS, WIDE), "bare")


def test_ids_inside_drawings_carry_the_prefix_of_their_figure() -> None:
    survival = example_report().survival[0]
    svg = to_svg(survival_spec(survival, ARMS, WIDE), "here")
    assert set(re.findall(r'\bid="([^"]+)"', svg)) == set(re.findall(r"url\(#([^)]+)\)", svg))
    assert all(name.startswith("here-") for name in re.findall(r'\bid="([^"]+)"', svg))


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (Cell(85.0, 80.4, 89.1), "85 (80.4 to 89.1)"),
        (Cell(None, note="no graft"), "no graft"),
        (Cell(None), "not available"),
        (Cell(3.0, note="of 4 patients"), "3; of 4 patients"),
    ],
)
def test_cells_say_value_interval_or_reason(cell: Cell, text: str) -> None:
    assert cell_text(cell) == text


def test_small_p_values_are_bounded() -> None:
    assert p_value_text(1e-9) == "< 0.001"
    assert p_value_text(0.0312) == "0.031"
    assert p_value_text(None) == ""


def test_times_are_read_in_years_from_two_years_on() -> None:
    comparison = comparisons()[0]
    assert endpoint_label(comparison) == "NEDA-3, 5 years"
    early = dataclasses.replace(comparison, target=target(time_months=12.0))
    assert endpoint_label(early) == "NEDA-3, 12 months"


def test_another_process_draws_the_same_page(page: str) -> None:
    drawn_before = re.compile(r"-clip\d+")  # numbers count on in a process that has drawn other figures
    assert drawn_before.sub("", render_apart(example_report())) == drawn_before.sub("", page)


def test_a_process_that_cannot_draw_says_why() -> None:
    broken = dataclasses.replace(example_report(), survival=("no figure",))
    with pytest.raises(RuntimeError, match="code 1.\n(.|\n)*AttributeError"):
        render_apart(broken)
