"""Change of the modified total Sharp score at films, once a year."""

from __future__ import annotations

import numpy as np

from regraft.trial.clinic import Clinic
from regraft.trial.design import DAYS
from regraft.trial.endpoints.base import ArmEstimate, Contrast, Endpoint, Findings
from regraft.trial.endpoints.core_set import POINTS, on_study
from regraft.trial.measurement import SHARP_SCORE
from regraft.trial.observation import ObservedArm, ObservedTrial
from regraft.trial.statistics import Floats, mean, paired_difference, share
from regraft.trial.visits import Schedule


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate the mean change and the share with progression at the visit next to each year."""
    findings = Findings()
    threshold = observed.clinic.value("progression_threshold")
    columns = film_columns(observed.schedule, observed.clinic.days("film_window"))
    for arm in observed.arms:
        change = sharp_change(arm, observed.clinic)
        for column in columns:
            visit, values = arm.schedule.visits[column], change[:, column]
            found = mean(values, POINTS, arm.weights)
            label = f"Change of the modified total Sharp score, {visit.name}"
            findings.estimates.append(ArmEstimate(arm.id, "change", label, found, visit.month))
            stayed = mean(np.where(on_study(arm)[:, column], values, np.nan), POINTS, arm.weights)
            label = f"Change of the modified total Sharp score of who stayed, {visit.name}"
            findings.estimates.append(ArmEstimate(arm.id, "change of who stayed", label, stayed, visit.month))
            progressed = share(np.where(np.isfinite(values), values > threshold, np.nan), arm.weights)
            label = f"Change above {threshold:g} points, {visit.name}"
            findings.estimates.append(ArmEstimate(arm.id, "progression", label, progressed, visit.month))
    for arm in observed.compared if columns else ():
        one, other = (sharp_change(each, observed.clinic)[:, columns[-1]] for each in (arm, observed.reference_arm))
        difference = paired_difference(one, other, POINTS, observed.weights)
        label = f"Change of the modified total Sharp score, {arm.schedule.visits[columns[-1]].name}"
        findings.contrasts.append(Contrast(arm.id, observed.reference, label, "difference", difference, is_paired=True))
    return findings


def film_columns(schedule: Schedule, window: float) -> list[int]:
    """Return the positions of visits with films: the one next to each whole year, at most ``window`` days away."""
    years = range(1, int((schedule.end_day + window) / DAYS["year"]) + 1)
    nearest = [int(np.argmin(np.abs(schedule.visit_days - year * DAYS["year"]))) for year in years]
    return [
        column
        for year, column in zip(years, nearest, strict=True)
        if column > 0 and abs(schedule.visit_days[column] - year * DAYS["year"]) <= window
    ]


def sharp_change(arm: ObservedArm, clinic: Clinic) -> Floats:
    """Return the change of the score at each visit; for who left, the change until then drawn on in a straight line.

    Returns
    -------
    (patient, visit) float in points; NaN for the missing, and for who left before the first film that counts
    """
    score = arm.per_patient(lambda part: part.readings[SHARP_SCORE])
    days = np.maximum(arm.schedule.visit_days - arm.schedule.randomisation_day, 0.0)
    seen = on_study(arm)
    last = np.maximum(seen.sum(axis=1) - 1, 0)
    rows = np.arange(score.shape[0])
    change = score - score[:, :1]
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.where(days[last] >= clinic.days("first_film"), change[rows, last] / days[last], np.nan)
    found = np.where(seen, change, slope[:, None] * days[None, :])
    return np.where(arm.is_missing[:, None], np.nan, found)


ENDPOINT = Endpoint(
    id="radiographic_progression",
    title="Joint damage on films",
    definition=(
        "Change of the modified total Sharp score since randomisation, once a year; for who withdrew or died after 24 "
        "weeks the change until then is drawn on in a straight line; also of those alone who stayed. Progression is a "
        "change above half a point."
    ),
    needs=(SHARP_SCORE,),
    evaluate=evaluate,
)
