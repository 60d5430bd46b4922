"""Competing first events stacked over time, one panel an arm: with those free of all they fill it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from regraft.interface.report.charts import COLOURS, GRID, Figure, Size, Spec, draw
from regraft.interface.report.data import Array, Curve, Incidence, ReportData

FREE = "alive, graft kept"
POINTS = 120  # times at which the curves are read


def fates_figure(fates: Incidence, data: ReportData) -> Figure:
    """Draw the stacked incidences and table them by year; they sum to one at every time."""
    wide, narrow = draw(lambda size: fates_spec(fates, data, size), "fates")
    years = np.arange(int(fates.horizon_years + 1e-6) + 1.0)
    rows = tuple(
        (data.label(arm), f"{year:g}", *(f"{100 * shares[column]:.1f} %" for shares in parts.values()))
        for arm, parts in ((arm, stacked(curves, years)) for arm, curves in _by_arm(fates).items())
        for column, year in enumerate(years)
    )
    return Figure(
        id="fates",
        title=fates.title,
        caption=(
            "Share of all patients by what happened to them first (Aalen-Johansen). The parts add up to everybody at "
            "every time."
        ),
        alternative=f"{fates.title}: stacked shares by arm and time; the numbers are in the table.",
        wide_svg=wide,
        narrow_svg=narrow,
        header=("Arm", "Years", FREE, *_causes(fates)),
        rows=rows,
    )


def stacked(curves: Sequence[Curve], years: Array) -> dict[str, Array]:
    """Return the share of each cause at some years, and of those free of all first: the sum is one.

    Parameters
    ----------
    curves : of one arm, a cause each
    """
    shares = {}
    for curve in curves:
        place = np.searchsorted(curve.time_years, years + 1e-9, side="right") - 1
        shares[curve.cause] = np.where(place < 0, 0.0, curve.value[np.maximum(place, 0)])
    return {FREE: 1.0 - sum(shares.values(), np.zeros(years.size))} | shares


def fates_spec(fates: Incidence, data: ReportData, size: Size) -> Spec:
    """Return the Vega-Lite specification: one panel an arm, causes stacked from above."""
    years = np.linspace(0, fates.horizon_years, POINTS)
    columns = size.columns(2)
    order = [FREE, *_causes(fates)]
    colours = [GRID, *COLOURS[: len(order) - 1]]
    panels = [
        {
            "width": (size.width - 40) // columns - 66,
            "height": 170,
            "title": data.label(arm),
            "data": {"values": _records(stacked(curves, years), years)},
            "mark": {"type": "area", "interpolate": "step-after"},
            "encoding": {
                "x": {
                    "field": "year",
                    "type": "quantitative",
                    "scale": {"nice": False},
                    "axis": {"title": "Years after infusion", "grid": False, "tickMinStep": 1},
                },
                "y": {
                    "field": "share",
                    "type": "quantitative",
                    "stack": "zero",
                    "scale": {"domain": [0, 1]},
                    "axis": {"title": "Share of patients", "format": ".0%", "tickCount": 5},
                },
                "order": {"field": "order"},
                "color": {
                    "field": "fate",
                    "type": "nominal",
                    "scale": {"domain": order, "range": colours},
                    "legend": {"symbolType": "square", "symbolStrokeWidth": 0, "columns": columns + 1},
                },
            },
        }
        for arm, curves in _by_arm(fates).items()
    ]
    return {"concat": panels, "columns": columns, "spacing": 24}


def _by_arm(fates: Incidence) -> dict[str, list[Curve]]:
    """Return the curves of each arm, arms in their order."""
    found: dict[str, list[Curve]] = {}
    for curve in fates.curves:
        found.setdefault(curve.arm, []).append(curve)
    return found


def _causes(fates: Incidence) -> list[str]:
    """Return all causes in their order."""
    return list(dict.fromkeys(curve.cause for curve in fates.curves))


def _records(parts: dict[str, Array], years: Array) -> list[Spec]:
    """Return the points of one panel."""
    return [
        {"fate": name, "order": place, "year": round(float(year), 3), "share": round(float(share), 5)}
        for place, (name, shares) in enumerate(parts.items())
        for year, share in zip(years, shares, strict=True)
    ]
