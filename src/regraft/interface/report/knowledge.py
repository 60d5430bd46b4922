"""How far luck and how far knowledge move each estimate: two bars per arm."""

from __future__ import annotations

from collections.abc import Sequence

from regraft.evidence.compare import number
from regraft.interface.report.charts import Figure, Size, Spec, arm_scale, draw, readable_unit
from regraft.interface.report.data import Cell, ReportData, ResultRow
from regraft.interface.report.published import unit_axis
from regraft.interface.report.relapses import SHAPES

NAME_HEIGHT, ARM_HEIGHT = 22, 20  # pixels of a row: its name, and each arm below it


def knowledge_figure(data: ReportData) -> Figure:
    """Draw the interval of luck and that of knowledge for every arm of the headline rows that have both."""
    shown = [row for row in data.results if any(cell.known for cell in row.cells)]
    wide, narrow = draw(lambda size: knowledge_spec(shown, data, size), "knowledge")
    rows = tuple(
        (row.endpoint, arm.label, f"{amount_text(cell)} {readable_unit(row.unit)}".rstrip(), *_texts(cell))
        for row in shown
        for arm, cell in zip(data.arms, row.cells, strict=True)
        if cell.known is not None
    )
    wider = sum(_is_knowledge_wider(cell) for row in shown for cell in row.cells if cell.known is not None)
    return Figure(
        id="knowledge",
        title="Luck and knowledge",
        caption=(
            "Thin bars: 95 % intervals of luck, which more patients make shorter. Thick pale bars: the middle 80 % of "
            f"{data.draws} posterior draws, which only more evidence makes shorter; where there is none, no draw moves "
            "the estimate. Marks are the estimates with central values. A little luck takes another course when a "
            "parameter moves, and is in the thick bars too: with few patients they are too long."
        ),
        alternative=(
            f"Intervals of luck and of knowledge of {len(rows)} estimates; that of knowledge is the wider one in "
            f"{wider} of them."
        ),
        wide_svg=wide,
        narrow_svg=narrow,
        header=("Endpoint", "Arm", "Estimate", "95 % of luck", "80 % of knowledge"),
        rows=rows,
    )


def amount_text(cell: Cell) -> str:
    """Return the estimate alone."""
    return "" if cell.value is None else number(cell.value)


def luck_text(cell: Cell) -> str:
    """Return the interval that comes from the number of patients."""
    return _interval(cell.lower, cell.upper)


def known_text(cell: Cell) -> str:
    """Return the interval over posterior draws."""
    low, high = cell.known or (None, None)
    return "the same in all" if low is not None and low == high else _interval(low, high)


def _texts(cell: Cell) -> tuple[str, str]:
    """Return both intervals."""
    return luck_text(cell), known_text(cell)


def _interval(lower: float | None, upper: float | None) -> str:
    """Return an interval as text."""
    return "none" if lower is None or upper is None else f"{number(lower)} to {number(upper)}"


def _is_knowledge_wider(cell: Cell) -> bool:
    """Return whether less is known than luck decides."""
    if cell.known is None or cell.lower is None or cell.upper is None:
        return False
    return cell.known[1] - cell.known[0] > cell.upper - cell.lower


def knowledge_spec(rows: Sequence[ResultRow], data: ReportData, size: Size) -> Spec:
    """Return the Vega-Lite specification: one panel per unit, in it a block per row with a line per arm."""
    units = list(dict.fromkeys(row.unit for row in rows))
    panels = [_panel([row for row in rows if row.unit == unit], unit, data, size) for unit in units]
    return {"vconcat": panels, "spacing": 20}


def _panel(rows: Sequence[ResultRow], unit: str, data: ReportData, size: Size) -> Spec:
    """Return the panel of one unit; places on its vertical axis are pixels, so that names and bars have their room."""
    names, bars, height = [], [], 0
    for row in rows:
        names.append({"place": height + NAME_HEIGHT / 2, "name": row.endpoint})
        height += NAME_HEIGHT
        for arm, cell in zip(data.arms, row.cells, strict=True):
            if cell.known is not None:
                bars.append(_bar(cell, arm.label, height + ARM_HEIGHT / 2))
                height += ARM_HEIGHT
    y = {"field": "place", "type": "quantitative", "axis": None, "scale": {"domain": [height, 0], "nice": False}}
    x = {
        "type": "quantitative",
        "scale": {"zero": True, "nice": True},
        "axis": {"title": unit_axis(unit), "tickCount": 4 if size.is_narrow else 8},
    }
    legend = {"symbolSize": 90, "symbolStrokeWidth": 0, "symbolOpacity": 1}
    colour = {"field": "arm", "type": "nominal", "scale": arm_scale(data.arms), "legend": legend}
    labels = [arm.label for arm in data.arms]
    shapes = {"domain": labels, "range": [SHAPES[k % len(SHAPES)] for k in range(len(labels))]}
    shape = {"field": "arm", "type": "nominal", "scale": shapes}
    text = {"type": "text", "align": "left", "baseline": "middle", "fontSize": 11.5, "limit": size.width - 44}
    return {
        "width": size.width - 40,
        "height": height,
        "layer": [
            {"data": {"values": names}, "mark": {**text, "x": 0}, "encoding": {"y": y, "text": {"field": "name"}}},
            {
                "data": {"values": bars},
                "encoding": {"y": y},
                "layer": [
                    {
                        "mark": {"type": "rule", "strokeWidth": 11, "opacity": 0.3},
                        "encoding": {"x": {"field": "low", **x}, "x2": {"field": "high"}, "stroke": colour},
                    },
                    {
                        "mark": {"type": "rule", "strokeWidth": 2},
                        "encoding": {"x": {"field": "lower", **x}, "x2": {"field": "upper"}, "stroke": colour},
                    },
                    {
                        "mark": {"type": "point", "filled": True, "opacity": 1, "size": 50},
                        "encoding": {"x": {"field": "value", **x}, "fill": colour, "shape": shape},
                    },
                ],
            },
        ],
    }


def _bar(cell: Cell, arm: str, place: float) -> Spec:
    """Return what is drawn of one estimate."""
    low, high = cell.known or (None, None)
    return {
        "arm": arm,
        "place": place,
        "value": cell.value,
        "lower": cell.lower,
        "upper": cell.upper,
        "low": low,
        "high": high,
    }
