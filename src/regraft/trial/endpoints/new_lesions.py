"""New or enlarging T2 lesions seen on scans."""

from __future__ import annotations

import numpy as np

from regraft.trial.endpoints.base import ArmEstimate, Endpoint, Findings
from regraft.trial.observation import ObservedArm, ObservedTrial
from regraft.trial.statistics import Floats, mean

UNIT = "lesions"


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate every arm at each scan, among patients scanned until then."""
    findings = Findings()
    for arm in observed.arms:
        whole, after = lesions_until_scan(arm), lesions_after_baseline_scan(arm)
        for position, month in enumerate(arm.scans.months):
            label = f"New T2 lesions per patient, baseline to month {month:g}"
            count = mean(whole[:, position], UNIT, arm.weights)
            findings.estimates.append(ArmEstimate(arm.id, "since baseline", label, count, float(month)))
            if position:
                label = f"New T2 lesions per patient, month {arm.scans.months[0]:g} to {month:g}"
                count = mean(after[:, position], UNIT, arm.weights)
                findings.estimates.append(ArmEstimate(arm.id, "since new baseline", label, count, float(month)))
    return findings


def lesions_until_scan(arm: ObservedArm) -> Floats:
    """Return lesions seen since randomisation, (patient, scan); NaN from the first missed scan on."""
    return arm.per_patient(lambda part: np.cumsum(part.scans.seen, axis=1))


def lesions_after_baseline_scan(arm: ObservedArm) -> Floats:
    """Return lesions seen since the first scan, the new baseline, (patient, scan)."""
    return arm.per_patient(lambda part: np.cumsum(part.scans.seen, axis=1) - part.scans.seen[:, :1])


ENDPOINT = Endpoint(
    id="new_lesions",
    title="New T2 lesions",
    definition=(
        "New or enlarging T2 lesions per patient that the scans show, since randomisation and since the new baseline "
        "at month 6, among patients scanned until then."
    ),
    needs=("lesions",),
    evaluate=evaluate,
)
