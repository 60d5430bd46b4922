"""What the trial sees of one arm: readings at visits, scans, events and deaths, never the true state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regraft.engine import Result
from regraft.trial.clinic import Clinic
from regraft.trial.design import DAYS
from regraft.trial.events import DEATH, EventGroups, EventLog
from regraft.trial.measurement import Readings
from regraft.trial.statistics import Booleans, Floats
from regraft.trial.visits import Schedule

BLOOD_COUNTS = ("neutrophils", "platelets", "cd4", "cd8", "b_cells", "nk", "igg")
DAILY_COUNTS = ("neutrophils", "platelets")
RECORDED = ("edss", *BLOOD_COUNTS, "naive_share")


@dataclass(frozen=True)
class Scans:
    """MRI: month and model day of each scan, and the new lesions that it showed, (patient, scan).

    The first scan is the new baseline; NaN where the patient was dead or is missing.
    """

    months: Floats
    days: Floats
    seen: Floats


@dataclass(frozen=True)
class ObservedArm:
    """One arm as its trial records it; arrays are (patient,) or (patient, visit or day).

    A patient whose run failed is missing: ``is_missing`` is true, ``reason`` says why, all readings are NaN and no
    endpoint counts the patient. Model days count from infusion or first dose.
    """

    id: str
    label: str
    schedule: Schedule
    is_missing: Booleans
    reason: NDArray[np.object_]
    onset: Floats
    last_day: Floats
    death_day: Floats
    death_cause: NDArray[np.object_]
    readings: Mapping[str, Floats]
    daily: Mapping[str, Floats]
    scans: Scans
    events: EventLog
    groups: EventGroups

    @property
    def patients(self) -> int:
        """Number of patients, missing ones included."""
        return int(self.is_missing.size)

    def known(self, values: Floats) -> Floats:
        """Return values with NaN for missing patients."""
        return np.where(self.is_missing, np.nan, values)

    def since_randomisation(self, day: Floats | float) -> Floats:
        """Turn model days into days since randomisation, NaN for missing patients."""
        return self.known(np.asarray(day, dtype=np.float64) - self.schedule.randomisation_day)


@dataclass(frozen=True)
class ObservedTrial:
    """All arms, of which ``reference`` is the one that others are compared with."""

    arms: tuple[ObservedArm, ...]
    reference: str
    clinic: Clinic

    @property
    def schedule(self) -> Schedule:
        """The visits, the same in every arm."""
        return self.arms[0].schedule

    @property
    def reference_arm(self) -> ObservedArm:
        """The arm that others are compared with."""
        return next(arm for arm in self.arms if arm.id == self.reference)

    @property
    def compared(self) -> tuple[ObservedArm, ...]:
        """Every arm but the reference."""
        return tuple(arm for arm in self.arms if arm.id != self.reference)

    @property
    def years(self) -> tuple[int, ...]:
        """Whole years after day 0 within the follow-up, at which endpoints are reported."""
        return tuple(range(1, int(self.schedule.end_day / DAYS["year"] + 1e-9) + 1))


@dataclass(frozen=True)
class ArmRun:
    """A simulated arm before anyone looks: the engine's result and the log that starts with the run-in."""

    id: str
    label: str
    result: Result
    events: EventLog
    onset: Floats


def observe(run: ArmRun, schedule: Schedule, *, groups: EventGroups, clinic: Clinic, seed: int) -> ObservedArm:
    """Measure one arm.

    Parameters
    ----------
    run : result with ``schedule.times`` as its times
    groups : events that count as relapse, lesion, infection and death
    clinic, seed : how readings err

    Returns
    -------
    the arm with NaN for readings after death and for patients whose run failed
    """
    result = run.result
    is_missing = result.failed
    readings = Readings(result.patient_ids, seed, clinic)
    death_day, death_cause = _deaths(run, groups, is_missing)
    last_day = np.where(is_missing, np.nan, np.where(np.isnan(death_day), schedule.end_day, death_day))
    return ObservedArm(
        id=run.id,
        label=run.label,
        schedule=schedule,
        is_missing=is_missing,
        reason=np.where(is_missing, result.status_detail, ""),
        onset=run.onset,
        last_day=last_day,
        death_day=death_day,
        death_cause=death_cause,
        readings=_at_visits(result, schedule, readings),
        daily=_daily(result, schedule, readings),
        scans=_scan(run.events, groups, schedule, last_day=last_day, readings=readings),
        events=run.events,
        groups=groups,
    )


def _deaths(run: ArmRun, groups: EventGroups, is_missing: Booleans) -> tuple[Floats, NDArray[np.object_]]:
    """Return day and cause of death; NaN and no cause for those alive or missing."""
    day = np.full(run.result.patient_ids.size, np.nan)
    cause = np.full(day.size, "", dtype=object)
    for name in groups.death:
        row, when = run.events.chosen((name,))
        day[row], cause[row] = when, name.removeprefix(DEATH)
    day[is_missing], cause[is_missing] = np.nan, ""
    return day, cause


def _values(result: Result, name: str, columns: NDArray[np.int64]) -> Floats:
    """Return true values at some times, NaN for failed patients (also before they failed)."""
    return np.where(result.failed[:, None], np.nan, result.output(name)[:, columns])


def _at_visits(result: Result, schedule: Schedule, readings: Readings) -> dict[str, Floats]:
    """Measure all that the model has at the visits."""
    names = [visit.name for visit in schedule.visits]
    measured: dict[str, Floats] = {}
    if "edss" in result.output_ids:
        measured["edss"] = readings.edss(_values(result, "edss", schedule.visit_columns), names)
    for quantity in BLOOD_COUNTS:
        if quantity in result.output_ids:
            measured[quantity] = readings.level(quantity, _values(result, quantity, schedule.visit_columns), names)
    if "naive_share" in result.output_ids:
        share = _values(result, "naive_share", schedule.visit_columns)
        measured["naive_share"] = readings.share("naive_share", share, names)
        if "cd4" in measured:
            measured["cd4_naive"] = measured["cd4"] * measured["naive_share"]
    return measured


def _daily(result: Result, schedule: Schedule, readings: Readings) -> dict[str, Floats]:
    """Measure the counts that engraftment is read from."""
    names = [f"Day {day:g}" for day in schedule.daily]
    return {
        quantity: readings.level(quantity, _values(result, quantity, schedule.daily_columns), names)
        for quantity in DAILY_COUNTS
        if quantity in result.output_ids
    }


def _scan(events: EventLog, groups: EventGroups, schedule: Schedule, *, last_day: Floats, readings: Readings) -> Scans:
    """Read the scans: the new baseline, then one every interval from day 0 on."""
    first, interval = readings.clinic.months("mri_rebaseline"), readings.clinic.months("mri_interval")
    end = schedule.end_day / DAYS["month"] + 1e-6
    later = np.arange(1, int(end / interval) + 1) * interval
    months = np.array([first, *later[later > first]]) if first <= end else np.empty(0)
    days = months * DAYS["month"]
    edges = [schedule.randomisation_day, *days]
    new = np.empty((last_day.size, days.size))
    for k, day in enumerate(days):
        count = events.count(groups.lesion, edges[k], day)
        new[:, k] = np.where(last_day >= day - 1e-6, count, np.nan)
    return Scans(months, days, readings.lesions(new, [f"Scan month {month:g}" for month in months]))
