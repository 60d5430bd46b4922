"""Changes of the disability score that hold for a period."""

from __future__ import annotations

import numpy as np

from regraft.trial.clinic import Clinic
from regraft.trial.observation import ObservedArm
from regraft.trial.statistics import Booleans, Floats

TOLERANCE = 1e-6  # scores are multiples of a half and months are computed: both compare with rounding errors


def first_confirmed(met: Booleans, months: Floats, period: float) -> Floats:
    """Find the first change that holds at every visit until the first visit at or after a period.

    Parameters
    ----------
    met : (patient, visit) bool, whether the change is there; False where there is no reading
    months : (visit,) ascending
    period : months

    Returns
    -------
    (patient,) position of the visit where the confirmed change was first seen, NaN without one. A change too late
    to be confirmed within follow-up does not count.
    """
    found = np.full(met.shape[0], np.nan)
    for visit in range(months.size - 1, -1, -1):
        confirming = np.flatnonzero(months >= months[visit] + period - TOLERANCE)
        if confirming.size:
            held = met[:, visit : confirming[0] + 1].all(axis=1)
            found[held] = visit
    return found


def day_confirmed(met: Booleans, arm: ObservedArm, clinic: Clinic) -> Floats:
    """Return the model day of the first visit after randomisation from which on something held, (patient,).

    Parameters
    ----------
    met : (patient, visit after randomisation) bool, whether it is there; False where there is no reading

    Returns
    -------
    day, NaN where it never held for the confirmation period
    """
    visits = arm.schedule.visits[1:]
    months = np.array([visit.month for visit in visits])
    days = np.array([visit.day for visit in visits])
    position = first_confirmed(met, months, clinic.months("confirmation_period"))
    return np.where(np.isnan(position), np.nan, days[np.nan_to_num(position).astype(int)])


def worsening_day(arm: ObservedArm, clinic: Clinic) -> Floats:
    """Return the model day on which confirmed worsening was first seen, NaN without one."""
    return arm.per_patient(lambda part: _worsening_day(part, clinic))


def improvement_day(arm: ObservedArm, clinic: Clinic) -> Floats:
    """Return the model day on which confirmed improvement was first seen, NaN without one."""
    return arm.per_patient(lambda part: _improvement_day(part, clinic))


def _worsening_day(arm: ObservedArm, clinic: Clinic) -> Floats:
    """Return the day of confirmed worsening; the step depends on the baseline."""
    baseline = arm.readings["edss"][:, 0]
    step = np.where(
        baseline < 1 - TOLERANCE,
        clinic.value("worsening_step_from_zero"),
        np.where(
            baseline >= clinic.value("worsening_high_baseline") - TOLERANCE,
            clinic.value("worsening_step_high"),
            clinic.value("worsening_step"),
        ),
    )
    return _confirmed_day(arm, clinic, least_change=step, sign=1)


def _improvement_day(arm: ObservedArm, clinic: Clinic) -> Floats:
    """Return the day of confirmed improvement."""
    step = np.full(arm.patients, clinic.value("improvement_step"))
    return _confirmed_day(arm, clinic, least_change=step, sign=-1)


def _confirmed_day(arm: ObservedArm, clinic: Clinic, *, least_change: Floats, sign: int) -> Floats:
    """Return the day of the first confirmed change from the baseline reading."""
    scores = arm.readings["edss"]
    change = sign * (scores[:, 1:] - scores[:, :1])
    return day_confirmed(np.where(np.isnan(change), -np.inf, change) >= least_change[:, None] - TOLERANCE, arm, clinic)
