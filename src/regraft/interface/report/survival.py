"""Kaplan-Meier figures with numbers at risk, and cumulative incidence of competing causes of death."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from regraft.interface.report.charts import Figure, Size, Spec, arm_band, arm_line, draw
from regraft.interface.report.data import Arm, Curve, Incidence, ReportData, Survival

ROOM_LEFT = 118  # pixels for the arm names beside the numbers at risk
ROW_HEIGHT = 18
COUNT_WIDTH = 22  # of a number at risk of three digits
CAPTION = "Kaplan-Meier estimate with 95 % band from randomisation on. Below the axis, patients still at risk."
TIME_TITLE = "Years after infusion or first dose"
AXIS_FLOORS = (0.9, 0.8, 0.5)  # a cut axis only where all curves stay above it; the caption says so


def survival_figure(survival: Survival, data: ReportData) -> Figure:
    """Draw one Kaplan-Meier figure with bands and numbers at risk, and describe it."""
    figure_id = f"survival-{survival.id}"
    wide, narrow = draw(lambda size: survival_spec(survival, data.arms, size), figure_id)
    header = ("Arm", "Years", "At risk", "Probability", "95 % interval")
    rows = tuple(
        (data.label(curve.arm), f"{year:.3g}", str(survival.at_risk[index, column]), *_reading(curve, float(year)))
        for index, curve in enumerate(survival.curves)
        for column, year in enumerate(survival.risk_years)
    )
    last = float(survival.risk_years[-1])
    ends = "; ".join(
        f"{data.label(curve.arm)} {value} ({interval})"
        for curve in survival.curves
        for value, interval in [_reading(curve, last)]
    )
    return Figure(
        id=figure_id,
        title=survival.title,
        caption=CAPTION + _cut_axis(survival),
        alternative=f"{survival.title} by arm. At {last:.3g} years: {ends}.",
        wide_svg=wide,
        narrow_svg=narrow,
        header=header,
        rows=rows,
    )


def survival_spec(survival: Survival, arms: Sequence[Arm], size: Size) -> Spec:
    """Return the Vega-Lite specification: curves above, numbers at risk below on the same time scale."""
    width = size.width - ROOM_LEFT - 24
    start, horizon = float(survival.risk_years[0]), float(survival.risk_years[-1])
    labels = {arm.id: arm.label for arm in arms}
    x = {"field": "year", "type": "quantitative", "scale": {"domain": [start, horizon], "nice": False}}
    curves = {
        "width": width,
        "height": 200 if size.is_narrow else 260,
        "data": {"values": _steps(survival.curves, labels, horizon)},
        "encoding": {"x": {**x, "axis": {"title": TIME_TITLE, "grid": False, "tickMinStep": 1}}},
        "layer": _curve_layers(arms, survival.axis, [floor_of(survival), 1]),
    }
    counts = {
        "width": width,
        "height": ROW_HEIGHT * len(survival.curves),
        "title": {"text": "At risk", "fontSize": 12, "fontWeight": "normal", "offset": 4, "frame": "bounds"},
        "data": {"values": _counts(survival, labels, width)},
        "mark": {"type": "text", "fontSize": 12},
        "encoding": {
            "x": {**x, "axis": None},
            "y": {
                "field": "arm",
                "type": "nominal",
                "sort": [arm.label for arm in arms],
                "axis": {
                    "title": None,
                    "domain": False,
                    "ticks": False,
                    "labelPadding": 18,
                    "labelLimit": ROOM_LEFT - 20,
                },
            },
            "text": {"field": "count", "type": "quantitative"},
        },
    }
    return {"vconcat": [curves, counts], "spacing": 4}


def floor_of(survival: Survival) -> float:
    """Return where the probability axis starts: 0, or higher where every curve and band stays high."""
    bands = [curve.lower[np.isfinite(curve.lower)] for curve in survival.curves]
    lowest = min((float(band.min()) for band in bands if band.size), default=0.0)
    return next((floor for floor in AXIS_FLOORS if lowest >= floor + 0.02), 0.0)


def _cut_axis(survival: Survival) -> str:
    """Return a warning for the caption where the axis does not start at zero."""
    floor = floor_of(survival)
    return f" The axis starts at {100 * floor:.0f} %, not at 0." if floor > 0 else ""


def incidence_figure(incidence: Incidence, data: ReportData) -> Figure:
    """Draw the cumulative incidence of each competing cause, one panel a cause."""
    wide, narrow = draw(lambda size: incidence_spec(incidence, data.arms, size), "deaths")
    horizon = incidence.horizon_years
    years = range(int(horizon + 1e-6) + 1)
    rows = tuple(
        (curve.cause, data.label(curve.arm), f"{year}", *_reading(curve, float(year)))
        for curve in incidence.curves
        for year in years
    )
    ends = "; ".join(
        f"{curve.cause}, {data.label(curve.arm)}: {_reading(curve, horizon)[0]}" for curve in incidence.curves
    )
    return Figure(
        id="deaths",
        title=incidence.title,
        caption="Each cause competes with the other (Aalen-Johansen estimate, 95 % band). Both panels share one scale.",
        alternative=f"{incidence.title}. At {horizon:.3g} years: {ends}.",
        wide_svg=wide,
        narrow_svg=narrow,
        header=("Cause", "Arm", "Years", "Cumulative incidence", "95 % interval"),
        rows=rows,
    )


def incidence_spec(incidence: Incidence, arms: Sequence[Arm], size: Size) -> Spec:
    """Return the Vega-Lite specification: one panel per cause, same scales."""
    start, horizon = _start(incidence.curves), incidence.horizon_years
    highest = max((float(np.nanmax(curve.upper)) for curve in incidence.curves if curve.upper.size), default=0.0)
    top = min(1.0, max(0.02, highest * 1.05))
    labels = {arm.id: arm.label for arm in arms}
    causes = list(dict.fromkeys(curve.cause for curve in incidence.curves))
    columns = size.columns(len(causes))
    width = (size.width - 40) // columns - 66
    x = {
        "field": "year",
        "type": "quantitative",
        "scale": {"domain": [start, horizon], "nice": False},
        "axis": {"title": TIME_TITLE, "grid": False, "tickMinStep": 1},
    }
    panels = [
        {
            "width": width,
            "height": 190,
            "title": cause,
            "data": {"values": _steps([c for c in incidence.curves if c.cause == cause], labels, horizon)},
            "encoding": {"x": x},
            "layer": _curve_layers(arms, incidence.axis, [0, top], number_format=".1%"),
        }
        for cause in causes
    ]
    return {"concat": panels, "columns": columns, "spacing": 24}


def _curve_layers(arms: Sequence[Arm], title: str, domain: list[float], number_format: str = ".0%") -> list[Spec]:
    """Return band and line of step curves."""
    scale = {"domain": domain, "nice": False}
    axis = {"title": title, "format": number_format, "tickCount": 5}
    band = {
        "mark": {"type": "area", "interpolate": "step-after", "fillOpacity": 0.14, "clip": True},
        "encoding": {
            "y": {"field": "lower", "type": "quantitative", "scale": scale, "axis": axis},
            "y2": {"field": "upper"},
            **arm_band(arms),
        },
    }
    line = {
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2, "clip": True},
        "encoding": {"y": {"field": "value", "type": "quantitative", "scale": scale, "axis": axis}, **arm_line(arms)},
    }
    return [band, line]


def _steps(curves: Sequence[Curve], labels: dict[str, str], horizon: float) -> list[Spec]:
    """Return the corners of step curves up to the horizon, where each curve is carried to."""
    rows: list[Spec] = []
    for curve in curves:
        keep = curve.time_years <= horizon
        points = list(zip(curve.time_years[keep], curve.value[keep], curve.lower[keep], curve.upper[keep], strict=True))
        if points and points[-1][0] < horizon:
            points.append((horizon, *points[-1][1:]))
        label = labels.get(curve.arm, curve.arm)
        rows += [
            {"arm": label, "year": round(float(t), 4), "value": _plain(v), "lower": _plain(low), "upper": _plain(high)}
            for t, v, low, high in points
        ]
    return rows


def _counts(survival: Survival, labels: dict[str, str], width: int) -> list[Spec]:
    """Return one text per arm and time with the number still at risk; of many years, as many as there is room for."""
    every = math.ceil(survival.risk_years.size * COUNT_WIDTH / width)
    return [
        {"arm": labels.get(curve.arm, curve.arm), "year": float(year), "count": int(survival.at_risk[index, column])}
        for index, curve in enumerate(survival.curves)
        for column, year in enumerate(survival.risk_years)
        if column % every == 0
    ]


def _reading(curve: Curve, year: float) -> tuple[str, str]:
    """Return value and interval of a step curve at a time, as text."""
    index = int(np.searchsorted(curve.time_years, year + 1e-9, side="right")) - 1
    if index < 0:
        return ("not reached", "")
    value, lower, upper = curve.value[index], curve.lower[index], curve.upper[index]
    interval = f"{100 * lower:.1f} to {100 * upper:.1f} %" if np.isfinite([lower, upper]).all() else "none"
    return (f"{100 * value:.1f} %", interval)


def _start(curves: Sequence[Curve]) -> float:
    """Return the first time of any curve, in years; below 0 where patients are randomised before day 0."""
    return min((float(curve.time_years[0]) for curve in curves if curve.time_years.size), default=0.0)


def _plain(value: float) -> float | None:
    """Return a rounded float, or None where it is not finite, as charts need it."""
    return round(float(value), 5) if np.isfinite(value) else None
