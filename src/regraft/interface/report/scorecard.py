"""The scorecard of a fit as one HTML page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from regraft.errors import InvalidArgument
from regraft.evidence.compare import number, with_unit
from regraft.evidence.fitting.scorecard import Score, Scorecard
from regraft.evidence.fitting.shares import PARTS, Shares
from regraft.evidence.links import link
from regraft.interface.report.charts import COLOURS, INK, Figure, Size, Spec, draw
from regraft.interface.report.page import render_template
from regraft.interface.report.stacked import ROW_HEIGHT, stacked_shares

PREDICTED, PUBLISHED, RIVAL = "predicted, 80 % interval", "published", "average of earlier studies"
BINS = 10
EDGE = 4.0  # standard deviations at which the figure ends


def render_scorecard(
    title: str,
    cards: Sequence[Scorecard],
    *,
    budget: Sequence[str] = (),
    shares: Sequence[Shares] = (),
    not_identified: Sequence[str] = (),
) -> str:
    """Return the page; it asks for nothing over a network.

    Parameters
    ----------
    title : of the fit
    cards : one per set of rows
    budget : sentences on how well baseline covariates foresee death
    shares : of the variance of outcomes
    not_identified : parameters about which the fitted rows say almost nothing
    """
    shown = [_shown(card, place) for place, card in enumerate(cards)]
    return render_template(
        "scorecard.html.j2",
        title=title,
        cards=shown,
        budget=list(budget),
        shares=shares_figure(shares) if shares else None,
        not_identified=list(not_identified),
    )


def _shown(card: Scorecard, place: int) -> dict[str, Any]:
    """Return what the page shows of one set of rows."""
    figures = [_rows_figure(card, place), _spread_figure(card, place), _rank_figure(card, place)] if card.scores else []
    return {
        "name": card.name,
        "verdict": verdict(card),
        "figures": figures,
        "losses": [_loss(score) for score in card.scores if score.losing_to],
        "no_rivals": _no_rivals(card),
        "missing": [f"Not scored: {row}, {reason}." for row, reason in card.missing],
    }


def verdict(card: Scorecard) -> str:
    """Return one sentence on a set of rows."""
    if not card.scores:
        return "none could be scored."
    inside = sum(score.is_covered for score in card.scores)
    losses = sum(bool(score.losing_to) for score in card.scores)
    with_rivals = sum(bool(score.rivals) for score in card.scores)
    return (
        f"{inside} of {len(card.scores)} published values ({100 * card.coverage:.0f} %) lie inside their 80 % "
        f"predictive interval; on average they lie {card.bias:+.2f} standard deviations from the prediction. "
        f"A rival is nearer in {losses} of {with_rivals} rows that have one."
    )


def _no_rivals(card: Scorecard) -> str:
    """Say why no loss is listed."""
    if any(score.rivals for score in card.scores):
        return "No rival is nearer in any row."
    return (
        "No earlier study of the same disease, class, endpoint and time is known for these rows, so there is no rival."
    )


def _loss(score: Score) -> str:
    """Say where a rival is nearer."""
    names = " and the ".join(score.losing_to)
    return (
        f"{score.row.id}: published {with_unit(score.published, score.row.unit)}, predicted {number(score.median)}; "
        f"the {names} is nearer."
    )


def _standard(score: Score, y: float) -> float:
    """Return a place on the link scale in standard deviations of the prediction from its centre."""
    return (y - score.centre) / math.hypot(score.knowledge_sd, score.luck_sd, score.difference_sd)


def _place(score: Score, value: float) -> float:
    """Return a value in the unit of the row on its link scale, at the edge of the figure where that is infinite."""
    try:
        return max(-EDGE, min(EDGE, _standard(score, link(score.row, value))))
    except InvalidArgument:  # 0 or 100 %
        return -EDGE if value <= score.median else EDGE


def _labels(card: Scorecard) -> list[str]:
    """Return how rows are called in figures; two arms of a study that one simulated arm answers are told apart."""
    short = [_label(score) for score in card.scores]
    return [
        _label(score, names_arm=True) if short.count(label) > 1 else label
        for label, score in zip(short, card.scores, strict=True)
    ]


def _label(score: Score, *, names_arm: bool = False) -> str:
    """Return how a row is called in figures; its own arm is told by the simulated one unless that is asked for."""
    month = "" if score.row.time_months is None else f", month {score.row.time_months:g}"
    arm = f"{score.use.arm} against {score.use.reference}" if score.use.reference else score.use.arm
    dimension, _, part = score.row.group.partition(":")
    is_told = dimension in ("arm", "regimen") and not names_arm
    of = f", {part.replace('_', ' ')}" if part and not is_told else ""
    return f"{score.row.study} {score.row.year or ''}: {score.row.endpoint_id.replace('_', ' ')}{of}{month}, {arm}"


def _rows_figure(card: Scorecard, place: int) -> Figure:
    """Draw each row's interval with the published value, in standard deviations of the prediction."""
    records, labels = [], _labels(card)
    for label, score in zip(labels, card.scores, strict=True):
        records.append(
            {
                "row": label,
                "low": _place(score, score.lower),
                "high": _place(score, score.upper),
                "published": _place(score, score.published),
                "inside": "inside" if score.is_covered else "outside",
                "rival": _standard(score, score.rivals[0].centre) if score.rivals else None,
            }
        )
    wide, narrow = draw(lambda size: _rows_spec(records, size), f"rows{place}")
    rows = tuple(
        (
            label,
            with_unit(score.published, score.row.unit),
            f"{number(score.median)} ({number(score.lower)} to {number(score.upper)})",
            "inside" if score.is_covered else "outside",
            "" if score.patients is None else str(score.patients),
        )
        for label, score in zip(labels, card.scores, strict=True)
    )
    return Figure(
        id=f"rows{place}",
        title="Published values on the scale of the prediction",
        caption=(
            "Bars are 80 % predictive intervals at the study's own size, dots are published values: filled inside, "
            "open outside. Ticks are the average of earlier studies, where there are any. Distances are in standard "
            "deviations of the prediction."
        ),
        alternative=verdict(card),
        wide_svg=wide,
        narrow_svg=narrow,
        header=("Row", "Published", "Predicted (80 % interval)", "Published is", "Patients"),
        rows=rows,
    )


def _rows_spec(records: list[dict[str, Any]], size: Size) -> Spec:
    """Return the drawing of rows."""
    order = [record["row"] for record in records]
    y = {
        "field": "row",
        "type": "nominal",
        "sort": order,
        "title": None,
        "axis": {"labelLimit": 130 if size.is_narrow else 380},
    }
    axis = {"type": "quantitative", "title": "standard deviations of the prediction", "scale": {"zero": False}}
    return {
        "data": {"values": records},
        "width": size.width - (150 if size.is_narrow else 420),
        "height": {"step": ROW_HEIGHT},
        "layer": [
            {
                "mark": {"type": "bar", "height": 8, "color": COLOURS[4], "opacity": 0.7},
                "encoding": {"y": y, "x": {"field": "low", **axis}, "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "tick", "color": COLOURS[1], "thickness": 2, "size": 16},
                "encoding": {"y": y, "x": {"field": "rival", **axis}},
            },
            {
                "mark": {"type": "point", "size": 60, "strokeWidth": 2, "color": INK, "filled": False},
                "encoding": {
                    "y": y,
                    "x": {"field": "published", **axis},
                    "fill": {"condition": {"test": "datum.inside == 'inside'", "value": INK}, "value": "white"},
                },
            },
        ],
    }


def _spread_figure(card: Scorecard, place: int) -> Figure:
    """Draw how much of each prediction's variance comes from knowledge, luck and difference."""
    parts = [
        (label, (score.knowledge_sd**2, score.luck_sd**2, score.difference_sd**2))
        for label, score in zip(_labels(card), card.scores, strict=True)
    ]
    return stacked_shares(
        f"spreads{place}",
        "What makes the predictions uncertain",
        "Knowledge: draws of parameters. Luck: a study of that size repeated. Difference: another population.",
        ("knowledge", "luck", "difference"),
        [(label, tuple(part / sum(of) for part in of)) for label, of in parts],
    )


def shares_figure(shares: Sequence[Shares]) -> Figure:
    """Draw how much of the variance between patients' outcomes each part explains."""
    rows = [(f"{one.endpoint.replace('_', ' ')}, {one.arm}", tuple(map(float, one.value))) for one in shares]
    return stacked_shares(
        "shares",
        f"What decides whether a patient has the event within {shares[0].years:.3g} years",
        "Covariates: what is known of the patient at baseline. Hidden biology: how patients differ otherwise. "
        "Knowledge: draws of parameters. Luck: the same patient followed again.",
        PARTS,
        rows,
    )


def _rank_figure(card: Scorecard, place: int) -> Figure:
    """Draw in which part of their predictive distributions the published values lie."""
    counts = card.ranks(BINS)
    records = [{"from": k / BINS, "to": (k + 1) / BINS, "rows": count} for k, count in enumerate(counts)]

    def spec(size: Size) -> Spec:
        return {
            "data": {"values": records},
            "width": min(size.width - 80, 420),
            "height": 160,
            "mark": {"type": "bar", "color": COLOURS[0], "binSpacing": 1},
            "encoding": {
                "x": {
                    "field": "from",
                    "type": "quantitative",
                    "title": "share of predictions below the published value",
                    "scale": {"domain": [0, 1]},
                },
                "x2": {"field": "to"},
                "y": {"field": "rows", "type": "quantitative", "title": "rows", "axis": {"tickMinStep": 1}},
                "y2": {"datum": 0},
            },
        }

    wide, narrow = draw(spec, f"ranks{place}")
    return Figure(
        id=f"ranks{place}",
        title="Ranks of published values",
        caption="Flat is right. A hill: intervals too wide. A valley: too narrow. A slope: a shift.",
        alternative=f"Numbers of rows in tenths of the predictive distribution: {', '.join(map(str, counts))}.",
        wide_svg=wide,
        narrow_svg=narrow,
        header=("Share of predictions below", "Rows"),
        rows=tuple((f"{k / BINS:.1f} to {(k + 1) / BINS:.1f}", str(count)) for k, count in enumerate(counts)),
    )
