"""Blood counts after treatment: median and the range that holds 80 % of patients, per arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from regraft.evidence.compare import number
from regraft.interface.report.charts import (
    Figure,
    Size,
    Spec,
    arm_band,
    arm_line,
    draw,
    readable_unit,
    short,
    unit_title,
)
from regraft.interface.report.data import Arm, Array, ReportData, Ribbon

DAYS_PER_YEAR = 365.25
LOG_FLOOR = 0.01  # smallest count drawn on a logarithmic axis, in the unit of the panel


@dataclass(frozen=True)
class View:
    """How a family of counts is drawn: time axis, panels side by side, linear or logarithmic."""

    id: str
    title: str
    caption: str
    time_title: str
    days_per_unit: float
    columns: int
    is_log: bool


EARLY = View(
    id="reconstitution-early",
    title="Neutrophils and platelets after infusion",
    caption="Line: median of the living patients. Band: 10 to 90 %. Logarithmic axis; counts below 0.01 drawn at 0.01.",
    time_title="Days after infusion or first dose",
    days_per_unit=1.0,
    columns=2,
    is_log=True,
)
LATE = View(
    id="reconstitution-late",
    title="Immune reconstitution over the years",
    caption="Line: median of the living patients. Band: 10 to 90 %.",
    time_title="Years after infusion or first dose",
    days_per_unit=DAYS_PER_YEAR,
    columns=2,
    is_log=False,
)
CHIMERISM = View(
    id="chimerism",
    title="Cells that are not the patient's own",
    caption="Share of donor or corrected cells of each line. Line: median of the living patients. Band: 10 to 90 %.",
    time_title="Years after infusion",
    days_per_unit=DAYS_PER_YEAR,
    columns=2,
    is_log=False,
)


def reconstitution_figure(ribbons: Sequence[Ribbon], data: ReportData, view: View) -> Figure:
    """Draw the counts of all arms, one panel a quantity, and table the medians at chosen times."""
    wide, narrow = draw(lambda size: reconstitution_spec(ribbons, data.arms, size, view=view), view.id)
    rows = tuple(
        (ribbon.label, readable_unit(ribbon.unit), data.label(ribbon.arm), *_reading(ribbon, i, view))
        for ribbon in ribbons
        for i in _chosen_times(ribbon.time_days, 8)
    )
    names = ", ".join(dict.fromkeys(ribbon.label for ribbon in ribbons))
    return Figure(
        id=view.id,
        title=view.title,
        caption=view.caption,
        alternative=f"{view.title}: median and 10 to 90 % range by arm for {names}. The numbers are in the table.",
        wide_svg=wide,
        narrow_svg=narrow,
        header=("Quantity", "Unit", "Arm", view.time_title, "Median", "10 to 90 %"),
        rows=rows,
    )


def reconstitution_spec(ribbons: Sequence[Ribbon], arms: Sequence[Arm], size: Size, *, view: View) -> Spec:
    """Return the Vega-Lite specification: one panel per quantity with its own axis."""
    columns = size.columns(view.columns)
    width = (size.width - 20) // columns - 76
    quantities = list(dict.fromkeys(ribbon.quantity for ribbon in ribbons))
    panels = [
        _panel([ribbon for ribbon in ribbons if ribbon.quantity == quantity], arms, width, view)
        for quantity in quantities
    ]
    return {"concat": panels, "columns": columns, "spacing": {"row": 22, "column": 22}}


def _panel(ribbons: Sequence[Ribbon], arms: Sequence[Arm], width: int, view: View) -> Spec:
    """Return band and median of one quantity."""
    labels = {arm.id: arm.label for arm in arms}
    scale: Spec = {"type": "log", "nice": True} if view.is_log else {"zero": True}
    axis: Spec = {"title": unit_title(ribbons[0].label, ribbons[0].unit), "tickCount": 5}
    if view.is_log:
        axis |= {"values": [0.01, 0.1, 1, 10, 100, 1000], "format": "~g"}
    y = {"type": "quantitative", "scale": scale, "axis": axis}
    return {
        "width": width,
        "height": 170,
        "data": {"values": [row for ribbon in ribbons for row in _points(ribbon, labels, view)]},
        "encoding": {
            "x": {
                "field": "time",
                "type": "quantitative",
                "scale": {"nice": False},
                "axis": {"title": view.time_title, "grid": False, "tickCount": 6},
            }
        },
        "layer": [
            {
                "mark": {"type": "area", "fillOpacity": 0.14},
                "encoding": {"y": {"field": "lower", **y}, "y2": {"field": "upper"}, **arm_band(arms)},
            },
            {
                "mark": {"type": "line", "strokeWidth": 2},
                "encoding": {"y": {"field": "median", **y}, **arm_line(arms)},
            },
        ],
    }


def _points(ribbon: Ribbon, labels: dict[str, str], view: View) -> list[Spec]:
    """Return the points of one ribbon, leaving out times at which nobody was measured."""
    floor = LOG_FLOOR if view.is_log else -np.inf
    measured = np.flatnonzero(np.isfinite(ribbon.median))
    return [
        {
            "arm": labels.get(ribbon.arm, ribbon.arm),
            "time": short(ribbon.time_days[i] / view.days_per_unit),
            "median": short(max(ribbon.median[i], floor)),
            "lower": short(max(ribbon.lower[i], floor)),
            "upper": short(max(ribbon.upper[i], floor)),
        }
        for i in measured
    ]


def _chosen_times(time_days: Array, count: int) -> list[int]:
    """Return about ``count`` indices spread over the times, first and last included."""
    return sorted({int(i) for i in np.linspace(0, time_days.size - 1, min(count, time_days.size)).round()})


def _reading(ribbon: Ribbon, index: int, view: View) -> tuple[str, str, str]:
    """Return time, median and range at one time as text."""
    time = f"{ribbon.time_days[index] / view.days_per_unit:.3g}"
    if not np.isfinite(ribbon.median[index]):
        return (time, "nobody measured", "")
    return (time, number(ribbon.median[index]), f"{number(ribbon.lower[index])} to {number(ribbon.upper[index])}")
