"""Whether the table of published results is sound: small named checks, each of one row or of the table."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from regraft.entries import read_table
from regraft.errors import RegraftError
from regraft.evidence.clusters import Clusters, load_clusters
from regraft.evidence.links import RATIOS, SHARES
from regraft.evidence.match import EXACT_MONTHS, REPORTED_AS
from regraft.evidence.published import published_table, read_published
from regraft.evidence.published_types import Conversion, IntervalKind, Kind, PublishedResult, Role
from regraft.trial.design import DAYS

PERCENT = "%"
DEFINITIONS = ("same", "variant")
# Units in which the platform reports an endpoint; ratios have none.
ENDPOINT_UNITS = {
    "annualised_relapse_rate": "1/year",
    "annualised_relapse_rate_in_year": "1/year",
    "edss_slope": "edss/year",
    "new_t2_lesions": "lesions",
    "neutrophil_engraftment_day": "day",
    "platelet_engraftment_day": "day",
    "cd4_count": "cells/uL",
    "naive_cd4_count": "cells/uL",
    "naive_share_fold": "dimensionless",
    "infection_rate": "1/year",
    "lymphocyte_count": "cells/uL",
    "das28_esr_change": "points",
    "das28_crp_change": "points",
    "cdai_change": "points",
    "haq_change": "points",
    "sharp_score_change": "points",
    "sharp_score_change_of_completers": "points",
}


@dataclass(frozen=True)
class Problem:
    """Something wrong with a row. ``check`` names the rule, ``severity`` is ``error`` or ``warning``."""

    row: str
    check: str
    severity: str
    message: str


def check_published(path: Path | None = None) -> list[Problem]:
    """Run every check of the published results and return what was found.

    Parameters
    ----------
    path : another table than the catalog's, with ``clusters.csv``, ``overlaps.csv`` and ``terms.csv`` beside it
    """
    path = path or published_table()
    try:
        rows, clusters = read_published(path), load_clusters(path.parent)
        terms = {row["id"] for row in read_table(path.parent / "terms.csv", columns=("id", "definition"))}
    except RegraftError as error:
        return [Problem("table", "load", "error", str(error))]
    found = [
        Problem(row.id, name, "error", message)
        for row in rows
        for name, check in ROW_CHECKS.items()
        for message in check(row)
    ]
    found += [
        Problem(row.id, "term", "error", f"term {row.term!r} is not in terms.csv; add it there or correct it.")
        for row in rows
        if row.term not in terms
    ]
    return found + list(_cluster_problems(rows, clusters))


def _endpoint(row: PublishedResult) -> Iterator[str]:
    """Require an endpoint that a trial reports, in its unit, and word on whether its definition is the same."""
    if not row.endpoint_id:
        if row.conversion is not Conversion.NONE:
            yield f"conversion {row.conversion.value!r} without endpoint_id; leave the number as printed."
        return
    if row.endpoint_id not in REPORTED_AS:
        yield f"endpoint_id {row.endpoint_id!r} is reported by no trial; leave it empty until one does."
    if row.definition not in DEFINITIONS:
        yield f"definition is {row.definition!r}; say 'same' or 'variant'."
    unit = "dimensionless" if row.kind in RATIOS else ENDPOINT_UNITS.get(row.endpoint_id, PERCENT)
    if row.unit != unit:
        yield f"unit_id is {row.unit!r}, but a trial reports {row.endpoint_id!r} in {unit!r}."


def _kind(row: PublishedResult) -> Iterator[str]:
    """Require shares within 0 and 100 %, and ratios and rates from 0 up."""
    if row.kind in SHARES:
        if row.unit != PERCENT:
            yield f"kind {row.kind.value!r} needs unit_id '%', met {row.unit!r}."
        if row.value is not None and not 0 <= row.value <= 100:
            yield f"kind {row.kind.value!r} needs a value within 0 and 100, met {row.value:g}."
    if row.kind in (*RATIOS, Kind.RATE) and row.value is not None and row.value < 0:
        yield f"kind {row.kind.value!r} needs a value from 0 up, met {row.value:g}."
    if row.value is None and row.kind is not Kind.OTHER:
        yield f"has no value; then its kind is 'other', not {row.kind.value!r}."


def _median_time(row: PublishedResult) -> Iterator[str]:
    """Require that a median time is read as half free of the event at that time."""
    if row.conversion is not Conversion.MEDIAN_TIME:
        return
    if row.kind is not Kind.SURVIVAL or row.lower is not None:
        yield "a median time is read as half free of the event: kind 'survival', without bounds."
    if row.role is not Role.CALIBRATE:
        yield f"read_months gives the printed time away, and the role is {row.role.value!r}; use another conversion."
    days = float(row.printed.value or math.nan) * DAYS.get(row.printed.unit.removesuffix("s"), math.nan)
    months = days / DAYS["month"]
    if row.time_months is None or not abs(row.time_months - months) < EXACT_MONTHS:
        yield f"the printed time is {months:g} months, but read_months is {row.time_months}; both must be the same."


def _interval(row: PublishedResult) -> Iterator[str]:
    """Require that bounds or a spread have a kind, and a kind has bounds or a spread."""
    has_bounds = row.lower is not None or row.spread is not None
    if row.interval is IntervalKind.NONE and has_bounds:
        yield "has bounds but interval_kind 'none'; say what they are, or 'unknown'."
    if row.interval.level is not None and row.lower is None:
        yield f"interval_kind is {row.interval.value!r}, but there are no bounds."
    if row.spread is not None and row.interval not in (IntervalKind.SD, IntervalKind.SE):
        yield f"has a spread, so its interval_kind is 'sd' or 'se', not {row.interval.value!r}."


ROW_CHECKS: dict[str, Callable[[PublishedResult], Iterator[str]]] = {
    "endpoint": _endpoint,
    "kind": _kind,
    "median_time": _median_time,
    "interval": _interval,
}


def _cluster_problems(rows: tuple[PublishedResult, ...], clusters: Clusters) -> Iterator[Problem]:
    """Require that every row stands in a listed cluster, and a study in one cluster only."""
    of_study: dict[str, str] = {}
    for row in rows:
        if row.cluster not in clusters.meaning:
            message = f"cluster {row.cluster!r} is not in clusters.csv; add it there with its meaning."
            yield Problem(row.id, "cluster", "error", message)
        first = of_study.setdefault(row.study, row.cluster)
        if first != row.cluster:
            message = (
                f"study {row.study!r} stands in clusters {first!r} and {row.cluster!r}; its patients are the same."
            )
            yield Problem(row.id, "cluster", "error", message)
    for unused in sorted(set(clusters.meaning) - {row.cluster for row in rows}):
        yield Problem("table", "cluster", "warning", f"cluster {unused!r} of clusters.csv holds no row.")
