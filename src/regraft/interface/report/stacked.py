"""Shares of a whole as stacked bars, one bar a row."""

from __future__ import annotations

from collections.abc import Sequence

from regraft.interface.report.charts import COLOURS, Figure, Size, Spec, draw

ROW_HEIGHT = 26


def stacked_shares(
    name: str, title: str, caption: str, parts: Sequence[str], rows: Sequence[tuple[str, Sequence[float]]]
) -> Figure:
    """Draw what each row is made of.

    Parameters
    ----------
    name : of the figure in the page
    parts : names of the shares, in the order in which they are stacked
    rows : label, and shares of 1 in the order of ``parts``
    """
    records = [
        {"row": label, "part": part, "order": place, "share": share}
        for label, shares in rows
        for place, (part, share) in enumerate(zip(parts, shares, strict=True))
    ]
    wide, narrow = draw(lambda size: _spec(records, [label for label, _ in rows], parts, size), name)
    return Figure(
        id=name,
        title=title,
        caption=caption,
        alternative=f"{title}: shares by row; the numbers are in the table.",
        wide_svg=wide,
        narrow_svg=narrow,
        header=("Row", *(part.capitalize() for part in parts)),
        rows=tuple((label, *(f"{100 * share:.0f} %" for share in shares)) for label, shares in rows),
    )


def _spec(records: list[dict[str, object]], order: list[str], parts: Sequence[str], size: Size) -> Spec:
    """Return the drawing."""
    return {
        "data": {"values": records},
        "width": size.width - (150 if size.is_narrow else 420),
        "height": {"step": ROW_HEIGHT},
        "mark": {"type": "bar", "height": 12},
        "encoding": {
            "y": {
                "field": "row",
                "type": "nominal",
                "sort": order,
                "title": None,
                "axis": {"labelLimit": 130 if size.is_narrow else 380},
            },
            "x": {
                "field": "share",
                "type": "quantitative",
                "title": "share of variance",
                "axis": {"format": "%"},
                "scale": {"domain": [0, 1]},
            },
            "order": {"field": "order"},
            "color": {
                "field": "part",
                "type": "nominal",
                "title": None,
                "scale": {"domain": list(parts), "range": list(COLOURS[: len(parts)])},
                "legend": {"symbolType": "square", "symbolStrokeWidth": 0},
            },
        },
    }
