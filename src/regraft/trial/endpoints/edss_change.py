"""Change of the disability score since randomisation."""

from __future__ import annotations

import numpy as np

from regraft.trial.design import DAYS
from regraft.trial.endpoints.base import ArmEstimate, Contrast, Endpoint, Findings
from regraft.trial.observation import ObservedArm, ObservedTrial
from regraft.trial.statistics import Floats, mean, paired_difference

UNIT, SLOPE_UNIT = "edss", "edss/year"


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate the mean change at whole years, and the mean slope over the whole follow-up."""
    findings = Findings()
    for arm in observed.arms:
        for year in observed.years:
            change = mean(_change(arm, 12.0 * year), UNIT, arm.weights)
            label = f"EDSS change from randomisation to month {12 * year}"
            findings.estimates.append(ArmEstimate(arm.id, "change", label, change, 12.0 * year))
        slope = mean(slopes(arm), SLOPE_UNIT, arm.weights)
        findings.estimates.append(ArmEstimate(arm.id, "slope", "EDSS slope after day 0", slope))
    for compared in observed.compared:
        pair = slopes(compared), slopes(observed.reference_arm)
        difference = paired_difference(*pair, SLOPE_UNIT, observed.weights)
        findings.contrasts.append(
            Contrast(compared.id, observed.reference, "EDSS slope", "difference", difference, is_paired=True)
        )
    return findings


def slopes(arm: ObservedArm) -> Floats:
    """Return each patient's least-squares slope over the visits after day 0, (patient,); NaN with fewer than two."""
    return arm.per_patient(_slopes)


def _slopes(arm: ObservedArm) -> Floats:
    """Return the slopes of patients who are in memory."""
    days = arm.schedule.visit_days
    years = np.where(days > 0, days / DAYS["year"], np.nan)
    scores = arm.readings["edss"]
    known = np.isfinite(scores) & np.isfinite(years)
    count = known.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        time = np.where(known, years, 0.0)
        centred = np.where(known, time - (time.sum(axis=1) / count)[:, None], 0.0)
        slope = (centred * np.where(known, scores, 0.0)).sum(axis=1) / (centred**2).sum(axis=1)
    return np.where(count >= 2, slope, np.nan)


def _change(arm: ObservedArm, months: float) -> Floats:
    """Return score at a visit minus score at randomisation, NaN without either."""
    position = arm.schedule.visit_at(months)
    if position is None:
        return np.full(arm.patients, np.nan)
    return arm.per_patient(lambda part: part.readings["edss"][:, position] - part.readings["edss"][:, 0])


ENDPOINT = Endpoint(
    id="edss_change",
    title="Disability score",
    definition=(
        "Measured EDSS: change from randomisation at whole years, and least-squares slope over the visits after day 0, "
        "among patients with readings."
    ),
    needs=("edss",),
    evaluate=evaluate,
)
