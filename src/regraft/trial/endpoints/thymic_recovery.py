"""T cells and receptor excision circles at the times that reports of transplants name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from regraft.trial.endpoints.base import ArmEstimate, Endpoint, Findings
from regraft.trial.observation import ObservedTrial
from regraft.trial.statistics import median
from regraft.trial.visits import Visit

TIMES = "thymic_recovery_"  # rows of the clinic's table that begin so
TOLERANCE = "named_time_tolerance"
LABELS = {
    "cd3": "T cells",
    "cd4": "CD4 T cells",
    "cd4_naive": "Naive CD4 T cells",
    "trec": "Receptor excision circles",
}


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate every arm; a time without a visit near it is left out."""
    findings, visits = Findings(), observed.schedule.visits
    chosen = list(_chosen(observed))
    for arm in observed.arms:
        for quantity, label in LABELS.items():
            readings = list(arm.over_visits(quantity))
            for position, time in chosen:
                found = median(readings[position], "cells/uL", arm.weights)
                row = ArmEstimate(arm.id, quantity, f"{label}, {time}", found, visits[position].month)
                findings.estimates.append(row)
    return findings


def _distance(visits: Sequence[Visit], day: float, position: int) -> float:
    """Return how far a visit lies from a day, in days."""
    return abs(visits[position].day - day)


def _chosen(observed: ObservedTrial) -> Iterator[tuple[int, str]]:
    """Yield the visit nearest to each named time, by position, with the name of the time; none where none is near."""
    clinic, visits = observed.clinic, observed.schedule.visits
    for name in sorted((name for name in clinic.values if name.startswith(TIMES)), key=clinic.days):
        day, number, unit = clinic.days(name), clinic.value(name), clinic.units[name]
        position = min(range(1, len(visits)), key=partial(_distance, visits, day), default=None)
        if position is not None and _distance(visits, day, position) <= clinic.value(TOLERANCE) * day:
            yield position, f"{number:g} {unit}" + ("s" if number > 1 else "")


ENDPOINT = Endpoint(
    id="thymic_recovery",
    title="T cells and thymic output",
    definition=(
        "Measured T cells (CD3), CD4, naive CD4 and receptor excision circles in naive CD4 T cells (copies/uL), median "
        "of the living, at 100 days, 6 months, 1, 2 and 5 years: at the nearest visit, where one is near."
    ),
    needs=("cd3", "cd4", "naive_share", "trec"),
    evaluate=evaluate,
)
