"""Donor or corrected cells among the cells of each line, at the visits."""

from __future__ import annotations

import numpy as np

from regraft.trial.endpoints.base import ArmEstimate, Endpoint, Findings
from regraft.trial.observation import CHIMERISM, ObservedArm, ObservedTrial
from regraft.trial.statistics import Floats, median, share

LABELS = {
    "myeloid_chimerism": "myeloid cells",
    "t_chimerism": "T cells",
    "b_chimerism": "B cells",
    "nk_chimerism": "NK cells",
}


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate medians, and the shares of patients with full, mixed and no chimerism, by line and visit."""
    findings = Findings()
    full, least = (observed.clinic.value(name) for name in ("full_chimerism", "mixed_chimerism"))
    for arm in observed.arms:
        for quantity in CHIMERISM:
            _add(findings, arm, quantity, full=full, least=least)
    return findings


def _add(findings: Findings, arm: ObservedArm, quantity: str, *, full: float, least: float) -> None:
    """Add what one line shows at each visit."""
    line = LABELS[quantity]
    for visit, values in zip(arm.schedule.visits, arm.over_visits(quantity), strict=True):
        found = median(values, "dimensionless", arm.weights)
        label = f"Not the patient's own among {line}, {visit.name}"
        findings.estimates.append(ArmEstimate(arm.id, quantity, label, found, visit.month))
        for name, holds in (
            ("full", values > full),
            ("mixed", (values > least) & (values <= full)),
            ("none", values <= least),
        ):
            counted = share(_known(holds, values), arm.weights)
            label = f"{name.capitalize()} chimerism of {line}, {visit.name}"
            findings.estimates.append(ArmEstimate(arm.id, f"{quantity}: {name}", label, counted, visit.month))


def _known(holds: np.ndarray, values: Floats) -> Floats:
    """Return 1 and 0, NaN where there is no reading."""
    return np.where(np.isfinite(values), holds, np.nan)


ENDPOINT = Endpoint(
    id="chimerism",
    title="Chimerism",
    definition=(
        "Share of donor or corrected cells among myeloid, T, B and NK cells at the visits, of the living: median, and "
        "patients with full (above 95 %), mixed and no (5 % or less) chimerism."
    ),
    needs=CHIMERISM,
    evaluate=evaluate,
)
