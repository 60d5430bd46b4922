"""Relapse rate by year, with the run-in year that shows regression to the mean."""

from __future__ import annotations

from collections.abc import Sequence

from regraft.interface.report.charts import Figure, Size, Spec, arm_scale, draw
from regraft.interface.report.data import Arm, ReportData, YearlyRate

RUN_IN = "Run-in"
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")


def relapse_figure(data: ReportData) -> Figure:
    """Draw relapses per patient-year with 95 % intervals for the run-in year and each later year."""
    wide, narrow = draw(lambda size: relapse_spec(data.relapse_rates, data.arms, size), "relapses")
    rows = tuple(
        (data.label(rate.arm), _year(rate), f"{rate.rate:.2f}", f"{rate.lower:.2f} to {rate.upper:.2f}")
        for rate in data.relapse_rates
    )
    reading = "; ".join(f"{data.label(rate.arm)}, {_year(rate)}: {rate.rate:.2f}" for rate in data.relapse_rates)
    return Figure(
        id="relapses",
        title="Relapse rate by year",
        caption=(
            "Run-in: the 12 months before randomisation, the same patients in every arm. Where patients are chosen for "
            "recent relapses, the rate falls after enrolment even without treatment: regression to the mean, no effect."
        ),
        alternative=f"Relapses per patient-year with 95 % intervals. {reading}.",
        wide_svg=wide,
        narrow_svg=narrow,
        header=("Arm", "Year", "Relapses per patient-year", "95 % interval"),
        rows=rows,
    )


def relapse_spec(rates: Sequence[YearlyRate], arms: Sequence[Arm], size: Size) -> Spec:
    """Return the Vega-Lite specification: a point with interval per arm and year."""
    labels = {arm.id: arm.label for arm in arms}
    order = [arm.label for arm in arms]
    years = list(dict.fromkeys(_year(rate) for rate in sorted(rates, key=lambda rate: rate.year)))
    values = [
        {
            "arm": labels[rate.arm],
            "year": _year(rate),
            "rate": rate.rate,
            "lower": rate.lower,
            "upper": rate.upper,
        }
        for rate in rates
    ]
    place = {
        "x": {
            "field": "year",
            "type": "ordinal",
            "sort": years,
            "scale": {"paddingInner": 0.35},
            "axis": {
                "title": "Year after infusion or first dose",
                "labelAngle": 0,
                "labelOverlap": "parity",
                "grid": False,
            },
        },
        "xOffset": {"field": "arm", "type": "nominal", "sort": order},
    }
    legend = {"symbolSize": 90, "symbolStrokeWidth": 0}
    colour = {"field": "arm", "type": "nominal", "scale": arm_scale(arms), "legend": legend}
    shapes = {"domain": order, "range": [SHAPES[index % len(SHAPES)] for index in range(len(order))]}
    y = {"type": "quantitative", "axis": {"title": "Relapses per patient-year", "tickCount": 5}}
    return {
        "width": size.width - 70,
        "height": 220,
        "data": {"values": values},
        "encoding": place,
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {"y": {"field": "lower", **y}, "y2": {"field": "upper"}, "stroke": colour},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
                "encoding": {
                    "y": {"field": "rate", **y},
                    "fill": colour,
                    "shape": {"field": "arm", "type": "nominal", "scale": shapes},
                },
            },
        ],
    }


def _year(rate: YearlyRate) -> str:
    """Return the axis label of a year."""
    return RUN_IN if rate.year == 0 else str(rate.year)
