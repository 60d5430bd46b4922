"""Put data and figures into one HTML page that needs nothing else."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

from regraft.evidence.compare import number
from regraft.interface.report.charts import COLOURS, Figure, readable_unit
from regraft.interface.report.courses import course_figure
from regraft.interface.report.data import Cell, EntryUsed, ReportData
from regraft.interface.report.fates import fates_figure
from regraft.interface.report.knowledge import knowledge_figure
from regraft.interface.report.published import published_figure
from regraft.interface.report.reconstitution import CHIMERISM, EARLY, LATE, reconstitution_figure
from regraft.interface.report.relapses import relapse_figure
from regraft.interface.report.survival import incidence_figure, survival_figure
from regraft.interface.report.timeline import timeline_figure

METHODS = ("measured", "fitted", "derived", "digitised", "assumed")


def render(data: ReportData) -> str:
    """Return the report as the text of one HTML file.

    Parameters
    ----------
    data : what to show; a section without data says so and stays in the page

    Returns
    -------
    HTML with inline styles and drawings; it asks for nothing over a network
    """
    return render_template(
        "report.html.j2",
        data=data,
        figures=figures(data),
        colours=dict(zip((arm.id for arm in data.arms), COLOURS * len(data.arms), strict=False)),
        methods=METHODS,
        method_counts=[method_counts(entry) for entry in data.entries],
        method_totals=[sum(method_counts(entry)[i] for entry in data.entries) for i in range(len(METHODS))],
        verdicts=verdict_counts(data),
    )


def render_template(name: str, **content: Any) -> str:
    """Return a page of this folder as text, with the shared style and macros."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("regraft.interface", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"cell": cell_text, "number": number, "p_value": p_value_text, "unit": readable_unit}
    style = (files("regraft.interface.report") / "report.css").read_text(encoding="utf-8")
    page = environment.get_template(name).render(style=style, **content)
    return re.sub(r"(?<=\d) %", "\u00a0%", page)  # a number and its sign stay on one line


def figures(data: ReportData) -> dict[str, Any]:
    """Return the drawings by section; a section without data has no drawing."""
    return {
        "timeline": timeline_figure(data) if data.protocols else None,
        "disease": _disease(data),
        "survival": [survival_figure(survival, data) for survival in data.survival],
        "deaths": incidence_figure(data.deaths, data) if data.deaths is not None else None,
        "fates": fates_figure(data.fates, data) if data.fates is not None else None,
        "reconstitution": [figure for figure in _reconstitution(data) if figure is not None],
        "published": published_figure(data) if data.comparisons else None,
        "knowledge": knowledge_figure(data) if data.draws else None,
    }


def cell_text(cell: Cell) -> str:
    """Return an estimate as text: value with its interval, or why there is none."""
    if cell.value is None:
        return cell.note or "not available"
    text = number(cell.value)
    if cell.lower is not None and cell.upper is not None:
        text += f" ({number(cell.lower)} to {number(cell.upper)})"
    return f"{text}; {cell.note}" if cell.note else text


def p_value_text(value: float | None) -> str:
    """Return a p value with two figures, and no more zeros than a reader can use."""
    if value is None:
        return ""
    return "< 0.001" if value < 0.001 else f"{value:.2g}"


def method_counts(entry: EntryUsed) -> list[int]:
    """Return how many parameter rows of an entry were obtained by each method, in the order of ``METHODS``."""
    counts = dict(entry.methods)
    return [counts.get(method, 0) for method in METHODS]


def verdict_counts(data: ReportData) -> str:
    """Return one sentence that counts simulated values inside, outside and without a published interval."""
    inside = [comparison.is_inside for comparison in data.comparisons]
    return (
        f"Of {len(inside)} published values, {inside.count(True) + inside.count(False)} have a 95 % interval: the "
        f"simulated value lies inside {inside.count(True)} of them and outside {inside.count(False)}."
    )


def _disease(data: ReportData) -> list[Figure]:
    """Return the figures of disease activity: relapses by year, and estimates at the visits."""
    relapses = [relapse_figure(data)] if data.relapse_rates else []
    return [*relapses, *(course_figure(course, data) for course in data.courses)]


def _reconstitution(data: ReportData) -> list[Figure | None]:
    """Return the early and the late figure of blood counts, and whose cells they are."""
    pairs = ((data.early_reconstitution, EARLY), (data.late_reconstitution, LATE), (data.chimerism, CHIMERISM))
    return [reconstitution_figure(ribbons, data, view) if ribbons else None for ribbons, view in pairs]
