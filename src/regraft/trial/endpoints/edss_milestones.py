"""Times to the milestones of disability that natural histories report: EDSS 6 and EDSS 7, confirmed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from regraft.trial.clinic import Clinic
from regraft.trial.endpoints.base import Endpoint, Findings, TimeToEvent
from regraft.trial.endpoints.confirmation import TOLERANCE, day_confirmed
from regraft.trial.endpoints.earliest import until_first
from regraft.trial.endpoints.time_to_event import add_survival
from regraft.trial.observation import ObservedArm, ObservedTrial
from regraft.trial.statistics import Floats

MILESTONES = (6, 7)  # needs a stick to walk; hardly walks at all


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate every arm; patients who die below a milestone are censored at death."""
    findings = Findings()
    for score in MILESTONES:
        name = f"EDSS {score}"
        times = [_times(arm, observed.clinic, score) for arm in observed.arms]
        add_survival(findings, times, observed, label=f"Free of {name}", statistic=f"free of {name}")
    return findings


def milestone_day(arm: ObservedArm, clinic: Clinic, score: float) -> Floats:
    """Return the model day on which a confirmed score was first seen to be reached, (patient,), NaN without one."""
    return day_confirmed(np.nan_to_num(arm.readings["edss"][:, 1:]) >= score - TOLERANCE, arm, clinic)


def _times(arm: ObservedArm, clinic: Clinic, score: int) -> TimeToEvent:
    """Return times from randomisation to a milestone; NaN for those who have passed it before."""
    day = arm.per_patient(partial(milestone_day, clinic=clinic, score=score))
    name = f"EDSS {score}"
    found = until_first(arm, {name: day}, code=f"EDSS{score}", title=name)
    passed = arm.per_patient(lambda part: part.readings["edss"][:, 0]) >= score - TOLERANCE
    cause = np.where(passed, 0, found.cause).astype(np.int8)
    return replace(found, time=np.where(passed, np.nan, found.time), cause=cause)


ENDPOINT = Endpoint(
    id="edss_milestones",
    title="Milestones of disability",
    definition=(
        "Measured EDSS of 6 or more, and of 7 or more, at every visit for 6 months, from randomisation on. Patients "
        "who are there at randomisation are not part of it; patients who die are censored."
    ),
    needs=("edss",),
    evaluate=evaluate,
)
