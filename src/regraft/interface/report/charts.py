"""What all figures share: colours, text sizes, rendering to SVG, and the figure that a page shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from regraft.interface.report.data import Arm

Spec = dict[str, Any]

# Okabe and Ito's colours, told apart by readers with any colour vision; dashes carry the same in print.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES = ([1, 0], [7, 3], [2, 2], [8, 3, 2, 3], [12, 3], [4, 4], [1, 3])
INK, QUIET, GRID = "#1f2933", "#52606d", "#e4e7eb"
FONT = "Helvetica, Arial, sans-serif"
READABLE_UNITS = {
    "1e9/L": "10⁹/L",
    "cell/uL": "cells/µL",
    "cell/µL": "cells/µL",
    "cells/uL": "cells/µL",
    "1/year": "per year",
    "percent": "%",
    "dimensionless": "",
    "edss": "",  # a score is written after its name, as in EDSS 3
    "edss/year": "EDSS/year",
}
CONFIG: Spec = {
    "background": "white",
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelColor": INK,
        "titleColor": INK,
        "gridColor": GRID,
        "domainColor": QUIET,
        "tickColor": QUIET,
        "titlePadding": 8,
        "labelFlush": False,
    },
    "title": {"fontSize": 13, "color": INK, "anchor": "start", "fontWeight": "bold"},
    "legend": {
        "orient": "top",
        "title": None,
        "labelFontSize": 12,
        "labelColor": INK,
        "labelLimit": 300,
        "symbolSize": 300,
        "symbolStrokeWidth": 3,
        "symbolType": "stroke",
    },
}


@dataclass(frozen=True)
class Size:
    """How much room a figure has: a wide page or a telephone. ``width`` is in pixels and includes the axes."""

    width: int
    is_narrow: bool

    def columns(self, wide: int) -> int:
        """Return how many panels stand side by side."""
        return 1 if self.is_narrow else wide


WIDE, NARROW = Size(880, False), Size(348, True)


@dataclass(frozen=True)
class Figure:
    """A figure of the page: drawn twice, described in words, with its numbers as a table."""

    id: str
    title: str
    caption: str
    alternative: str
    wide_svg: str
    narrow_svg: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def draw(spec_of: Callable[[Size], Spec], figure_id: str) -> tuple[str, str]:
    """Return the wide and the narrow drawing of a figure as SVG text."""
    return (
        to_svg(spec_of(WIDE), f"{figure_id}-wide"),
        to_svg(spec_of(NARROW), f"{figure_id}-narrow", legend_columns=2),
    )


def to_svg(spec: Spec, prefix: str, *, legend_columns: int | None = None) -> str:
    """Render a Vega-Lite specification; ids get a prefix because many drawings share one page."""
    import vl_convert  # loads a JavaScript engine, which the command line must not wait for

    legend = CONFIG["legend"] | ({"columns": legend_columns} if legend_columns else {})
    svg = vl_convert.vegalite_to_svg({"config": CONFIG | {"legend": legend}, **spec})
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", svg)
    # The figure around the drawing carries the description; its inner marks would only be noise to a screen reader.
    svg = re.sub(r' (?:role|aria-[a-z]+)="[^"]*"', "", svg)
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def arm_scale(arms: Sequence[Arm]) -> Spec:
    """Return the colour scale that gives each arm the same colour in every figure."""
    return {"domain": [arm.label for arm in arms], "range": list(_cycle(COLOURS, len(arms)))}


def dash_scale(arms: Sequence[Arm]) -> Spec:
    """Return the dash scale that tells arms apart without colour."""
    return {"domain": [arm.label for arm in arms], "range": list(_cycle(DASHES, len(arms)))}


def arm_line(arms: Sequence[Arm]) -> Spec:
    """Return the encoding of a line by arm, with one legend for colour and dash."""
    return {
        "stroke": {"field": "arm", "type": "nominal", "scale": arm_scale(arms)},
        "strokeDash": {"field": "arm", "type": "nominal", "scale": dash_scale(arms)},
    }


def arm_band(arms: Sequence[Arm]) -> Spec:
    """Return the encoding of a band by arm; its legend merges with that of the line."""
    return {"fill": {"field": "arm", "type": "nominal", "scale": arm_scale(arms)}}


def unit_title(label: str, unit: str) -> str:
    """Return an axis title with its unit in brackets, or the label alone where there is no unit."""
    return f"{label} ({readable_unit(unit)})" if readable_unit(unit) else label


def readable_unit(unit: str) -> str:
    """Return a unit as a reader writes it, not as a table spells it; empty for a plain number."""
    return READABLE_UNITS.get(unit, unit)


def short(value: float) -> float:
    """Return a value with five significant figures: more cannot be seen and makes the page heavy."""
    return float(f"{float(value):.5g}")


def _cycle(values: Sequence[Any], count: int) -> list[Any]:
    """Return ``count`` values, starting again where there are more arms than values."""
    return [values[index % len(values)] for index in range(count)]
