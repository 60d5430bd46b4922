"""A protocol as a person reads it: what happens from when to when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TimelineItem:
    """One administration or period. Days count from day 0; ``detail`` holds the dose."""

    phase: str
    label: str
    start_day: float
    end_day: float
    detail: str = ""


def timeline_specification(items: Sequence[TimelineItem], title: str = "", *, width: int = 640) -> dict[str, Any]:
    """Return a Vega-Lite specification that draws a protocol: one row per step, days along the axis.

    Parameters
    ----------
    items : what happens; an empty protocol gives an empty axis
    title : shown above
    width : pixels
    """
    labels = list(dict.fromkeys(item.label for item in items))
    # an infusion of hours would be a hairline: draw at least half a day
    rows = [
        {
            "step": i.label,
            "phase": i.phase,
            "start": i.start_day,
            "end": max(i.end_day, i.start_day + 0.5),
            "dose": i.detail,
        }
        for i in items
    ]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": title,
        "width": width,
        "height": {"step": 24},
        "data": {"values": rows},
        "mark": {"type": "bar", "height": 12},
        "encoding": {
            "x": {"field": "start", "type": "quantitative", "title": "day (0 = infusion or first dose)"},
            "x2": {"field": "end"},
            "y": {"field": "step", "type": "nominal", "sort": labels, "title": None},
            "color": {"field": "phase", "type": "nominal", "scale": {"scheme": "tableau10"}, "title": "phase"},
        },
    }
