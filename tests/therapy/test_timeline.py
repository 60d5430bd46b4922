from __future__ import annotations

import altair
import pytest

from regraft.therapy import TimelineItem
from regraft.therapy.timeline import timeline_specification

ITEMS = (
    TimelineItem("condition", "Condition: A", -5, -4.9, "50 mg/kg"),
    TimelineItem("condition", "Condition: A", -4, -3.9, "50 mg/kg"),
    TimelineItem("infuse", "Infuse: B", 0, 0),
    TimelineItem("monitor", "In hospital", -6, 21),
)


def test_each_item_is_a_bar_at_its_days() -> None:
    rows = timeline_specification(ITEMS)["data"]["values"]
    assert [(row["step"], row["start"], row["dose"]) for row in rows] == [
        (item.label, item.start_day, item.detail) for item in ITEMS
    ]
    assert rows[3]["end"] == 21


def test_short_items_are_drawn_wide_enough_to_be_seen() -> None:
    rows = timeline_specification(ITEMS)["data"]["values"]
    assert [row["end"] - row["start"] for row in rows[:3]] == [0.5, 0.5, 0.5]


def test_steps_stand_in_the_order_of_the_protocol_each_once() -> None:
    assert timeline_specification(ITEMS)["encoding"]["y"]["sort"] == ["Condition: A", "Infuse: B", "In hospital"]


@pytest.mark.parametrize("items", [ITEMS, ()])
def test_the_specification_is_valid_vega_lite(items: tuple[TimelineItem, ...]) -> None:
    altair.Chart.from_dict(timeline_specification(items, "A protocol"), validate=True)
