"""Change of the modified total Sharp score at films, once a year."""

from __future__ import annotations

import numpy as np

from regraft.trial.design import DAYS
from regraft.trial.endpoints.base import ArmEstimate, Contrast, Endpoint, Findings
from regraft.trial.endpoints.core_set import POINTS
from regraft.trial.measurement import SHARP_SCORE
from regraft.trial.observation import ObservedArm, ObservedTrial
from regraft.trial.statistics import Floats, mean, paired_difference, share
from regraft.trial.visits import Schedule

CLOSE = 15.0  # days within which a visit is that of a whole year


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate the mean change and the share with progression at the visit next to each year."""
    findings = Findings()
    threshold = observed.clinic.value("progression_threshold")
    columns = film_columns(observed.schedule)
    for arm in observed.arms:
        change = _change(arm)
        for column in columns:
            visit, values = arm.schedule.visits[column], change[:, column]
            found = mean(values, POINTS, arm.weights)
            label = f"Change of the modified total Sharp score, {visit.name}"
            findings.estimates.append(ArmEstimate(arm.id, "change", label, found, visit.month))
            progressed = share(np.where(np.isfinite(values), values > threshold, np.nan), arm.weights)
            label = f"Change above {threshold:g} points, {visit.name}"
            findings.estimates.append(ArmEstimate(arm.id, "progression", label, progressed, visit.month))
    for arm in observed.compared if columns else ():
        pair = _change(arm)[:, columns[-1]], _change(observed.reference_arm)[:, columns[-1]]
        difference = paired_difference(*pair, POINTS, observed.weights)
        label = f"Change of the modified total Sharp score, {arm.schedule.visits[columns[-1]].name}"
        findings.contrasts.append(Contrast(arm.id, observed.reference, label, "difference", difference, is_paired=True))
    return findings


def film_columns(schedule: Schedule) -> list[int]:
    """Return the positions of visits at which films are taken: the one next to each whole year."""
    years = range(1, int((schedule.end_day + CLOSE) / DAYS["year"]) + 1)
    nearest = [int(np.argmin(np.abs(schedule.visit_days - year * DAYS["year"]))) for year in years]
    return [
        column
        for year, column in zip(years, nearest, strict=True)
        if column > 0 and abs(schedule.visit_days[column] - year * DAYS["year"]) <= CLOSE
    ]


def _change(arm: ObservedArm) -> Floats:
    """Return the change of the score at each visit, (patient, visit)."""
    return arm.per_patient(lambda part: part.readings[SHARP_SCORE] - part.readings[SHARP_SCORE][:, :1])


ENDPOINT = Endpoint(
    id="radiographic_progression",
    title="Joint damage on films",
    definition=(
        "Change of the modified total Sharp score since randomisation, once a year, of the living; films are taken from "
        "those who withdrew too. Progression is a change above half a point."
    ),
    needs=(SHARP_SCORE,),
    evaluate=evaluate,
)
