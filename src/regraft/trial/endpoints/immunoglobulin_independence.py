"""Patients who make enough immunoglobulin themselves."""

from __future__ import annotations

import numpy as np

from regraft.trial.endpoints.base import ArmEstimate, Endpoint, Findings
from regraft.trial.observation import ObservedTrial
from regraft.trial.statistics import share


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate the share of the living at each visit."""
    findings, limit = Findings(), observed.clinic.value("igg_independence")
    for arm in observed.arms:
        for visit, values in zip(arm.schedule.visits, arm.over_visits("igg_own"), strict=True):
            found = share(np.where(np.isfinite(values), values > limit, np.nan), arm.weights)
            label = f"Independent of immunoglobulin, {visit.name}"
            findings.estimates.append(ArmEstimate(arm.id, "independent", label, found, visit.month))
    return findings


ENDPOINT = Endpoint(
    id="immunoglobulin_independence",
    title="Independence of immunoglobulin",
    definition="Share of the living whose own plasma cells keep IgG above 4 g/L, at the visits.",
    needs=("igg_own",),
    evaluate=evaluate,
)
