"""Estimates at the visits: what becomes of a mean or a share, arm by arm, with its 95 % interval."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
from regraft.interface.report.data import Arm, Course, Point, ReportData
from regraft.interface.report.published import DAYS_PER_MONTH
from regraft.trial.endpoints.base import EndpointResult

DAYS_PER_WEEK = 7.0


@dataclass(frozen=True)
class Plan:
    """Which statistics of an endpoint are drawn over the visits, a panel each: statistic to label."""

    endpoint: str
    title: str
    caption: str
    panels: tuple[tuple[str, str], ...]


PLANS = (
    Plan(
        "acr_response",
        "Response at the visits",
        "Share of responders; band: 95 % interval. Who withdrew or died is no responder.",
        (("ACR20", "ACR20"), ("ACR50", "ACR50"), ("ACR70", "ACR70")),
    ),
    Plan(
        "disease_activity_28",
        "Disease activity at the visits",
        "Mean change since randomisation and shares; band: 95 % interval. Changes carry the last reading on.",
        (
            ("DAS28-CRP change", "Change of DAS28-CRP"),
            ("CDAI change", "Change of CDAI"),
            ("remission", "Remission"),
            ("EULAR response", "EULAR response"),
        ),
    ),
    Plan(
        "haq_change",
        "Function at the visits",
        "Mean change of the HAQ since randomisation; band: 95 % interval.",
        (("change", "Change of HAQ"),),
    ),
)


def courses(results: Iterable[EndpointResult]) -> tuple[Course, ...]:
    """Return what is drawn over the visits, for the endpoints that the trial has."""
    by_id = {result.id: result for result in results}
    found = (_course(by_id[plan.endpoint], plan) for plan in PLANS if plan.endpoint in by_id)
    return tuple(course for course in found if course.points)


def course_figure(course: Course, data: ReportData) -> Figure:
    """Draw estimates over the visits, one panel a statistic, and table them."""
    figure_id = f"course-{course.id}"
    wide, narrow = draw(lambda size: course_spec(course, data.arms, size), figure_id)
    rows = tuple(
        (
            point.label,
            readable_unit(point.unit),
            data.label(point.arm),
            number(point.week),
            number(point.value),
            _interval(point),
        )
        for point in course.points
    )
    names = ", ".join(dict.fromkeys(point.label for point in course.points))
    return Figure(
        id=figure_id,
        title=course.title,
        caption=course.caption,
        alternative=f"{course.title}: {names} by arm with 95 % intervals. The numbers are in the table.",
        wide_svg=wide,
        narrow_svg=narrow,
        header=("Measure", "Unit", "Arm", "Week", "Estimate", "95 % interval"),
        rows=rows,
    )


def course_spec(course: Course, arms: Sequence[Arm], size: Size) -> Spec:
    """Return the Vega-Lite specification: one panel a statistic, each with its own axis."""
    columns = size.columns(2)
    width = (size.width - 20) // columns - 76
    labels = list(dict.fromkeys(point.label for point in course.points))
    panels = [_panel([point for point in course.points if point.label == label], arms, width) for label in labels]
    return {"concat": panels, "columns": columns, "spacing": {"row": 22, "column": 22}}


def _course(result: EndpointResult, plan: Plan) -> Course:
    """Return the estimates of an endpoint that can be drawn."""
    points = tuple(
        Point(label, row.estimate.unit, row.arm, week, row.estimate.value, row.estimate.lower, row.estimate.upper)
        for statistic, label in plan.panels
        for row in result.estimates
        if row.statistic == statistic and row.time_months is not None and math.isfinite(row.estimate.value)
        for week in [row.time_months * DAYS_PER_MONTH / DAYS_PER_WEEK]
    )
    return Course(result.id, plan.title, plan.caption, points)


def _panel(points: Sequence[Point], arms: Sequence[Arm], width: int) -> Spec:
    """Return band, line and readings of one statistic."""
    names = {arm.id: arm.label for arm in arms}
    axis: Spec = {"title": unit_title(points[0].label, points[0].unit), "tickCount": 5}
    y = {"type": "quantitative", "scale": {"zero": True}, "axis": axis}
    line = {"y": {"field": "value", **y}, **arm_line(arms)}
    return {
        "width": width,
        "height": 170,
        "data": {"values": [_values(point, names) for point in points]},
        "encoding": {
            "x": {
                "field": "week",
                "type": "quantitative",
                "scale": {"nice": False, "zero": True},
                "axis": {"title": "Weeks after infusion or first dose", "grid": False, "tickCount": 6},
            }
        },
        "layer": [
            {
                "mark": {"type": "area", "fillOpacity": 0.14},
                "encoding": {"y": {"field": "lower", **y}, "y2": {"field": "upper"}, **arm_band(arms)},
            },
            {"mark": {"type": "line", "strokeWidth": 2}, "encoding": line},
        ],
    }


def _values(point: Point, names: dict[str, str]) -> Spec:
    """Return a point for the drawing; an end of the interval that is not known is the estimate itself."""
    lower, upper = (end if math.isfinite(end) else point.value for end in (point.lower, point.upper))
    return {
        "arm": names.get(point.arm, point.arm),
        "week": round(point.week, 2),
        "value": short(point.value),
        "lower": short(lower),
        "upper": short(upper),
    }


def _interval(point: Point) -> str:
    """Return the interval as text, or that there is none."""
    if not (math.isfinite(point.lower) and math.isfinite(point.upper)):
        return "not known"
    return f"{number(point.lower)} to {number(point.upper)}"
