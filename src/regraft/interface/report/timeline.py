"""The protocol of each arm, drawn on a line of days."""

from __future__ import annotations

from collections.abc import Sequence

from regraft.interface.report.charts import COLOURS, Figure, Size, Spec, draw
from regraft.interface.report.data import Arm, ProtocolItem, ReportData

ROW_HEIGHT = 22
SHORTEST_BAR_DAYS = 1.0  # an infusion of hours is drawn as the day on which it is given
LABEL_ROOM = {False: 290, True: 185}  # pixels for the names of the steps, on a wide page and on a telephone


def timeline_figure(data: ReportData) -> Figure:
    """Draw what each arm receives and when; arms without any act are named in the caption."""
    treated = [arm for arm in data.arms if any(item.arm == arm.id for item in data.protocols)]
    idle = [arm.label for arm in data.arms if arm not in treated]
    wide, narrow = draw(lambda size: timeline_spec(data.protocols, treated, size), "timeline")
    caption = "Day 0 is the infusion of the graft or the first dose. Each arm has its own time scale."
    if idle:
        caption += f" Nothing is given in: {', '.join(idle)}."
    rows = tuple(_summary(data.label(arm), items) for (arm, _), items in _grouped(data.protocols).items())
    steps = "; ".join(f"{arm}: {label}, {days}" for arm, label, days, _, _ in rows)
    return Figure(
        id="timeline",
        title="What each arm receives, and when",
        caption=caption,
        alternative=f"Protocol timelines. {steps}.",
        wide_svg=wide,
        narrow_svg=narrow,
        header=("Arm", "Step", "Days", "Times given", "Detail"),
        rows=rows,
    )


def timeline_spec(items: Sequence[ProtocolItem], arms: Sequence[Arm], size: Size) -> Spec:
    """Return the Vega-Lite specification: one panel per arm, one row per step."""
    colours = {arm.id: COLOURS[index % len(COLOURS)] for index, arm in enumerate(arms)}
    panels = [_panel([item for item in items if item.arm == arm.id], arm, colours[arm.id], size) for arm in arms]
    return {"vconcat": panels, "spacing": 18}


def _panel(items: Sequence[ProtocolItem], arm: Arm, colour: str, size: Size) -> Spec:
    """Return the panel of one arm."""
    steps = list(dict.fromkeys(item.label for item in items))
    room = LABEL_ROOM[size.is_narrow]
    first, last = min(item.start_day for item in items), max(item.end_day for item in items)
    margin = max(SHORTEST_BAR_DAYS, 0.02 * (last - first))  # so that the first bar stands clear of its name
    values = [
        {"step": item.label, "start": item.start_day, "end": max(item.end_day, item.start_day + SHORTEST_BAR_DAYS)}
        for item in items
    ]
    return {
        "width": size.width - room - 20,
        "height": ROW_HEIGHT * len(steps),
        "title": arm.label,
        "data": {"values": values},
        "mark": {"type": "bar", "color": colour, "stroke": colour, "strokeWidth": 1, "height": 12},
        "encoding": {
            "x": {
                "field": "start",
                "type": "quantitative",
                "scale": {"domain": [first - margin, last + margin], "nice": False},
                "axis": {"title": "Day", "tickCount": 4 if size.is_narrow else 10, "grid": True},
            },
            "x2": {"field": "end"},
            "y": {
                "field": "step",
                "type": "nominal",
                "sort": steps,
                "axis": {"title": None, "labelLimit": room - 10, "ticks": False, "domain": False, "minExtent": room},
            },
        },
    }


def _grouped(items: Sequence[ProtocolItem]) -> dict[tuple[str, str], list[ProtocolItem]]:
    """Gather repeated doses of the same step."""
    groups: dict[tuple[str, str], list[ProtocolItem]] = {}
    for item in items:
        groups.setdefault((item.arm, item.label), []).append(item)
    return groups


def _summary(arm: str, items: Sequence[ProtocolItem]) -> tuple[str, str, str, str, str]:
    """Return one table row for a step and its repetitions."""
    first, last = min(item.start_day for item in items), max(item.end_day for item in items)
    days = f"day {first:g}" if last - first < SHORTEST_BAR_DAYS else f"day {first:g} to {last:g}"
    details = "; ".join(dict.fromkeys(item.detail for item in items if item.detail))
    return (arm, items[0].label, days, str(len(items)), details)
