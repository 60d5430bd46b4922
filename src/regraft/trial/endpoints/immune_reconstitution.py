"""Lymphocyte counts at the visits."""

from __future__ import annotations

import numpy as np

from regraft.trial.endpoints.base import ArmEstimate, Contrast, Endpoint, Findings
from regraft.trial.observation import ObservedArm, ObservedTrial
from regraft.trial.statistics import median, paired_difference, share

LABELS = {
    "cd4": "CD4 T cells",
    "cd4_naive": "Naive CD4 T cells",
    "naive_share": "Naive share of CD4",
    "cd8": "CD8 T cells",
    "b_cells": "B cells",
    "nk": "NK cells",
}
UNITS = {name: "dimensionless" if name == "naive_share" else "cells/uL" for name in LABELS}


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate medians among the living at every visit, low CD4 shares, and differences within patients by year."""
    findings = Findings()
    for arm in observed.arms:
        for quantity, unit in UNITS.items():
            _add_medians(findings, arm, quantity, unit)
        _add_low_cd4(findings, arm, observed.clinic.value("cd4_low"))
        _add_naive_fold(findings, arm)
    for arm in observed.compared:
        for quantity in UNITS:
            _add_differences(findings, arm, observed, quantity)
    return findings


def _add_medians(findings: Findings, arm: ObservedArm, quantity: str, unit: str) -> None:
    """Add the median of one count at each visit; the baseline has month 0."""
    for visit, values in zip(arm.schedule.visits, arm.over_visits(quantity), strict=True):
        value = median(values, unit, arm.weights)
        findings.estimates.append(
            ArmEstimate(arm.id, quantity, f"{LABELS[quantity]}, {visit.name}", value, visit.month)
        )


def _add_low_cd4(findings: Findings, arm: ObservedArm, limit: float) -> None:
    """Add the share of the living with few CD4 T cells at each visit."""
    for visit, counts in zip(arm.schedule.visits, arm.over_visits("cd4"), strict=True):
        low = share(np.where(np.isfinite(counts), counts < limit, np.nan), arm.weights)
        label = f"CD4 below {limit:g}/uL, {visit.name}"
        findings.estimates.append(ArmEstimate(arm.id, "cd4 low", label, low, visit.month))


def _add_naive_fold(findings: Findings, arm: ObservedArm) -> None:
    """Add the naive share relative to the patient's own at randomisation: median, and share of patients above it."""
    shares = arm.over_visits("naive_share")
    first = next(shares)
    baseline = np.where(first > 0, first, np.nan)
    for visit, values in zip(arm.schedule.visits[1:], shares, strict=True):
        ratio = values / baseline
        fold = median(ratio, "dimensionless", arm.weights)
        label = f"Naive share of CD4 relative to randomisation, {visit.name}"
        findings.estimates.append(ArmEstimate(arm.id, "naive share fold", label, fold, visit.month))
        risen = share(np.where(np.isfinite(ratio), ratio > 1, np.nan), arm.weights)
        label = f"Naive share above that at randomisation, {visit.name}"
        findings.estimates.append(ArmEstimate(arm.id, "naive share risen", label, risen, visit.month))


def _add_differences(findings: Findings, arm: ObservedArm, observed: ObservedTrial, quantity: str) -> None:
    """Add mean differences at whole years within patients who live in both arms."""
    found = {12.0 * year: observed.schedule.visit_at(12.0 * year) for year in observed.years}
    positions = {months: position for months, position in found.items() if position is not None}
    chosen = list(positions.values())
    treated, reference = (
        one.per_patient(lambda part: part.readings[quantity][:, chosen]) for one in (arm, observed.reference_arm)
    )
    for column, months in enumerate(positions):
        label = f"{LABELS[quantity]} at month {months:g}"
        pair = treated[:, column], reference[:, column]
        difference = paired_difference(*pair, UNITS[quantity], observed.weights)
        findings.contrasts.append(Contrast(arm.id, observed.reference, label, "difference", difference, is_paired=True))


ENDPOINT = Endpoint(
    id="immune_reconstitution",
    title="Immune reconstitution",
    definition="Measured counts at the visits among living patients: medians, and the share with CD4 below 400/uL.",
    needs=("cd4", "naive_share", "cd8", "b_cells", "nk"),
    evaluate=evaluate,
)
