"""Share of patients whose disability score improved, confirmed after 6 months."""

from __future__ import annotations

import numpy as np

from regraft.trial.endpoints.base import ArmEstimate, Contrast, Endpoint, Findings
from regraft.trial.endpoints.confirmation import TOLERANCE, improvement_day
from regraft.trial.endpoints.time_to_event import Horizon, yearly_horizons
from regraft.trial.observation import ObservedArm, ObservedTrial
from regraft.trial.statistics import Floats, paired_difference, share


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate every arm at whole years, among patients whose baseline leaves room to improve."""
    findings = Findings()
    for horizon in yearly_horizons(observed):
        improved = {arm.id: _improved(arm, observed, horizon) for arm in observed.arms}
        label = f"Confirmed improvement by {horizon.text}"
        for arm, values in improved.items():
            found = share(values, observed.weights)
            findings.estimates.append(ArmEstimate(arm, "improved", label, found, horizon.months))
        for compared in observed.compared:
            pair = 100 * improved[compared.id], 100 * improved[observed.reference]
            difference = paired_difference(*pair, "percentage points", observed.weights)
            findings.contrasts.append(
                Contrast(compared.id, observed.reference, label, "difference", difference, is_paired=True)
            )
    return findings


def _improved(arm: ObservedArm, observed: ObservedTrial, horizon: Horizon) -> Floats:
    """Return 1 for patients who improved by a horizon, 0 for others, NaN for missing and not assessable."""
    day = improvement_day(arm, observed.clinic)
    until = horizon.days + arm.schedule.randomisation_day
    with np.errstate(invalid="ignore"):
        improved = (day <= until + TOLERANCE).astype(np.float64)
        room = arm.per_patient(_baseline) >= observed.clinic.value("improvement_baseline") - TOLERANCE
    return np.where(room, arm.known(improved), np.nan)


def _baseline(arm: ObservedArm) -> Floats:
    """Return the score at randomisation, (patient,)."""
    return arm.readings["edss"][:, 0]


ENDPOINT = Endpoint(
    id="confirmed_improvement",
    title="Confirmed disability improvement",
    definition=(
        "Measured EDSS at least 1.0 below a baseline of 2 or more, at every visit for 6 months. "
        "Patients who die before count as not improved."
    ),
    needs=("edss",),
    evaluate=evaluate,
)
