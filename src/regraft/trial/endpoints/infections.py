"""Infections per patient-year, by kind."""

from __future__ import annotations

import numpy as np

from regraft.trial.design import DAYS
from regraft.trial.endpoints.base import ArmEstimate, Contrast, Endpoint, Findings
from regraft.trial.events import INFECTION
from regraft.trial.observation import ObservedArm, ObservedTrial
from regraft.trial.statistics import Floats, event_rate, paired_difference

UNIT = "1/year"
YEAR = DAYS["year"]


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate every arm in the first year and since day 0, all infections and each kind."""
    findings = Findings()
    end = observed.schedule.end_day
    for arm in observed.arms:
        kinds = {"all": arm.groups.infection} | {name.removeprefix(INFECTION): (name,) for name in arm.groups.infection}
        for kind, names in kinds.items():
            for stop in dict.fromkeys((min(YEAR, end), end)):
                events, years = _counts(arm, names, stop)
                label = f"Infections ({kind}), day 0 to day {stop:.0f}"
                rate = event_rate(events, years, UNIT, arm.weights)
                findings.estimates.append(ArmEstimate(arm.id, f"rate: {kind}", label, rate, stop / DAYS["month"]))
    for arm in observed.compared:
        pair = _rate(arm, end), _rate(observed.reference_arm, end)
        difference = paired_difference(*pair, UNIT, observed.weights)
        label = "Infections, day 0 to end"
        findings.contrasts.append(Contrast(arm.id, observed.reference, label, "difference", difference, is_paired=True))
    return findings


def _counts(arm: ObservedArm, names: tuple[str, ...], stop: float) -> tuple[Floats, Floats]:
    """Return infections and years at risk from day 0."""
    last = np.minimum(arm.last_day, stop)
    return arm.known(arm.events.count(names, 0.0, np.nan_to_num(last))), np.maximum(last, 0.0) / YEAR


def _rate(arm: ObservedArm, stop: float) -> Floats:
    """Return each patient's infections per year, NaN without time at risk."""
    events, years = _counts(arm, arm.groups.infection, stop)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(years > 0, events / years, np.nan)


ENDPOINT = Endpoint(
    id="infections",
    title="Infections",
    definition="Infections per patient-year from day 0 to death or the end of follow-up, and in year 1, by kind.",
    needs=("alive",),
    evaluate=evaluate,
)
