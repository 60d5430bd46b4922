"""T cells and all lymphocytes after a transplant: counts at the visits, early recovery, and the day T cells are back."""

from __future__ import annotations

import numpy as np

from regraft.trial.endpoints.base import ArmEstimate, Endpoint, Findings
from regraft.trial.endpoints.earliest import until_first
from regraft.trial.endpoints.time_to_event import add_incidence, visit_horizons, yearly_horizons
from regraft.trial.observation import ObservedArm, ObservedTrial
from regraft.trial.statistics import Floats, median, share

COUNTS = {"cd3": "T cells", "lymphocytes": "Lymphocytes"}


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate every arm."""
    findings = Findings()
    limit, clinic = observed.clinic.value("cd3_recovered"), observed.clinic
    for arm in observed.arms:
        for quantity, name in COUNTS.items():
            for visit, values in zip(arm.schedule.visits, arm.over_visits(quantity), strict=True):
                found = median(values, "cells/uL", arm.weights)
                findings.estimates.append(ArmEstimate(arm.id, quantity, f"{name}, {visit.name}", found, visit.month))
        early = share(_early(arm, clinic.value("cd4_early"), clinic.days("cd4_early_period")), arm.weights)
        findings.estimates.append(ArmEstimate(arm.id, "early CD4", "CD4 above 50/uL at two visits by day 100", early))
    times = [
        until_first(
            arm,
            {"recovered": arm.per_patient(lambda part: _recovered(part, limit)), "death": arm.death_day},
            code="CD3REC",
            title=ENDPOINT.title,
        )
        for arm in observed.arms
    ]
    horizons = (*visit_horizons(observed), *yearly_horizons(observed))
    add_incidence(findings, times, label="T cells", horizons=horizons, statistic="recovered", weights=observed.weights)
    return findings


def _early(arm: ObservedArm, limit: float, period: float) -> Floats:
    """Return whether CD4 cells were above a limit at two visits in a row within a period; the dead were not."""
    days = arm.schedule.visit_days
    chosen = np.flatnonzero((days > 0) & (days <= period))
    above = arm.per_patient(lambda part: (part.readings["cd4"][:, chosen] > limit).astype(np.float64))
    twice = (above[:, 1:] * above[:, :-1] > 0).any(axis=1)
    return np.where(arm.is_missing, np.nan, twice)


def _recovered(arm: ObservedArm, limit: float) -> Floats:
    """Return the model day of the first visit after day 0 with T cells above a limit, NaN without one."""
    days = arm.schedule.visit_days
    with np.errstate(invalid="ignore"):
        above = (arm.readings["cd3"] > limit) & (days > 0)
    return np.where(above.any(axis=1), days[above.argmax(axis=1)], np.nan)


ENDPOINT = Endpoint(
    id="t_cell_recovery",
    title="T-cell recovery",
    definition=(
        "T cells (CD3) and all lymphocytes at the visits, median of the living; patients with CD4 above 50/uL at two visits in a row by "
        "day 100; first visit with CD3 above 1000/uL, death competes."
    ),
    needs=("cd3", "cd4", "b_cells", "nk"),
    evaluate=evaluate,
)
