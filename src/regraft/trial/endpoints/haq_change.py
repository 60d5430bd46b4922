"""Change of the disability index of the Health Assessment Questionnaire."""

from __future__ import annotations

from regraft.trial.endpoints.base import ArmEstimate, Contrast, Endpoint, Findings
from regraft.trial.endpoints.core_set import POINTS, last_seen
from regraft.trial.observation import ObservedArm, ObservedTrial
from regraft.trial.statistics import Floats, mean, paired_difference


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate the mean change at every visit, and differences within patients at the last."""
    findings = Findings()
    for arm in observed.arms:
        change = _change(arm)
        for column, visit in enumerate(arm.schedule.visits[1:], start=1):
            found = mean(change[:, column], POINTS, arm.weights)
            findings.estimates.append(ArmEstimate(arm.id, "change", f"HAQ change, {visit.name}", found, visit.month))
    reference = _change(observed.reference_arm)[:, -1]
    for arm in observed.compared:
        difference = paired_difference(_change(arm)[:, -1], reference, POINTS, observed.weights)
        label = f"HAQ change, {observed.schedule.visits[-1].name}"
        findings.contrasts.append(Contrast(arm.id, observed.reference, label, "difference", difference, is_paired=True))
    return findings


def _change(arm: ObservedArm) -> Floats:
    """Return the change at each visit, (patient, visit)."""
    return last_seen(arm, arm.per_patient(lambda part: part.readings["haq"]))


ENDPOINT = Endpoint(
    id="haq_change",
    title="HAQ",
    definition=(
        "Change of the HAQ disability index since randomisation; the last reading before withdrawal or death is "
        "carried on."
    ),
    needs=("haq",),
    evaluate=evaluate,
)
