"""What the trial sees of one arm: readings at visits, scans, events and deaths, never the true state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from regraft.engine import Result
from regraft.trial.clinic import Clinic
from regraft.trial.design import DAYS
from regraft.trial.events import DEATH, EventGroups, EventLog, Events
from regraft.trial.measurement import RHEUMATOLOGY, Readings
from regraft.trial.statistics import Booleans, Floats
from regraft.trial.visits import Schedule
from regraft.trial.weighting import Weights

BLOOD_COUNTS = (
    "neutrophils",
    "platelets",
    "cd4",
    "cd8",
    "b_cells",
    "nk",
    "igg",
    "cd3",
    "haemoglobin",
    "igg_own",
    "trec",
)
CHIMERISM = ("myeloid_chimerism", "t_chimerism", "b_chimerism", "nk_chimerism")
SHARES = ("naive_share", *CHIMERISM)
DAILY_COUNTS = ("neutrophils", "platelets")
RECORDED = ("edss", *BLOOD_COUNTS, *SHARES, *RHEUMATOLOGY)
LYMPHOCYTES = ("cd3", "b_cells", "nk")  # counted together where all three are
LESIONS = "lesions"
BLOCK = 1000  # patients whose values are in memory at once where an arm is kept on disk
VISITS_AT_ONCE = 10


@dataclass(frozen=True)
class Scans:
    """MRI: month and model day of each scan, and the new lesions that it showed, (patient, scan).

    The first scan is the new baseline; NaN where the patient was dead or is missing. ``counts`` holds the lesions
    under ``LESIONS``, read from disk when they are asked for where the arm is kept there.
    """

    months: Floats
    days: Floats
    counts: Mapping[str, Floats]

    @property
    def seen(self) -> Floats:
        """New lesions that each scan showed, (patient, scan)."""
        return self.counts[LESIONS]


@dataclass(frozen=True)
class ObservedArm:
    """One arm as its trial records it; arrays are (patient,) or (patient, visit or day).

    A patient whose run failed is missing: ``is_missing`` is true, ``reason`` says why, all readings are NaN and no
    endpoint counts the patient. Model days count from infusion or first dose. An arm that is kept on disk has
    ``parts``: each call reads some of its patients, in order, and mappings read a quantity when it is asked for.
    ``weights`` say how much each patient counts in statistics, None where all count alike.
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
    events: Events
    groups: EventGroups
    parts: tuple[Callable[[], ObservedArm], ...] = ()
    weights: Weights | None = None

    @property
    def patients(self) -> int:
        """Number of patients, missing ones included."""
        return int(self.is_missing.size)

    def per_patient(self, measure: Callable[[ObservedArm], Floats]) -> Floats:
        """Return what ``measure`` says of each patient, (patient, ...), with few patients in memory at once.

        Parameters
        ----------
        measure : from an arm to one row per patient, each of which depends on that patient only
        """
        return np.concatenate(list(self.in_blocks(measure)))

    def in_blocks(self, measure: Callable[[ObservedArm], Floats]) -> Iterator[Floats]:
        """Yield what ``per_patient`` returns, some thousand patients at a time; all at once from memory."""
        if not self.parts:
            yield measure(self)
            return
        held: list[Floats] = []
        for part in self.parts:
            held.append(measure(part()))
            if sum(len(values) for values in held) >= BLOCK:
                yield np.concatenate(held)
                held = []
        if held:
            yield np.concatenate(held)

    def over_visits(self, quantity: str) -> Iterator[Floats]:
        """Yield the readings of one visit after the other, (patient,) each."""
        return self._columns(lambda part: part.readings[quantity], len(self.schedule.visits))

    def over_days(self, quantity: str) -> Iterator[Floats]:
        """Yield the daily readings of one day after the other, (patient,) each."""
        return self._columns(lambda part: part.daily[quantity], self.schedule.daily.size)

    def _columns(self, table: Callable[[ObservedArm], Floats], width: int) -> Iterator[Floats]:
        """Yield the columns of a table, of which a few are in memory at once."""
        for first in range(0, width, VISITS_AT_ONCE):
            yield from self.per_patient(partial(_slice, table, slice(first, first + VISITS_AT_ONCE))).T

    def left_day(self) -> Floats:
        """Return the model day on which each patient withdrew or died, infinite for those who stayed, (patient,)."""
        day = np.fmin(self.death_day, np.inf)
        if self.groups.withdrawal:
            day = np.fmin(day, self.events.first(self.groups.withdrawal, self.schedule.randomisation_day))
        return day

    def known(self, values: Floats) -> Floats:
        """Return values with NaN for missing patients."""
        return np.where(self.is_missing, np.nan, values)

    def since_randomisation(self, day: Floats | float) -> Floats:
        """Turn model days into days since randomisation, NaN for missing patients."""
        return self.known(np.asarray(day, dtype=np.float64) - self.schedule.randomisation_day)


def _slice(table: Callable[[ObservedArm], Floats], chosen: slice, arm: ObservedArm) -> Floats:
    """Return some columns of a table of an arm."""
    return table(arm)[:, chosen]


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
    def weights(self) -> Weights | None:
        """How much each patient counts, the same in every arm."""
        return self.arms[0].weights

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
    # One order in memory, so that sums over times round alike for one patient and for many, from memory and disk.
    return np.ascontiguousarray(np.where(result.failed[:, None], np.nan, result.output(name)[:, columns]))


def _at_visits(result: Result, schedule: Schedule, readings: Readings) -> dict[str, Floats]:
    """Measure all that the model has at the visits."""
    names = [visit.name for visit in schedule.visits]
    measured: dict[str, Floats] = {}
    if "edss" in result.output_ids:
        measured["edss"] = readings.edss(_values(result, "edss", schedule.visit_columns), names)
    for quantity in BLOOD_COUNTS:
        if quantity in result.output_ids:
            measured[quantity] = readings.level(quantity, _values(result, quantity, schedule.visit_columns), names)
    for quantity in SHARES:
        if quantity in result.output_ids:
            share = _values(result, quantity, schedule.visit_columns)
            measured[quantity] = readings.share(quantity, share, names)
    for quantity in RHEUMATOLOGY:
        if quantity in result.output_ids:
            truth = _values(result, quantity, schedule.visit_columns)
            measured[quantity] = readings.rheumatology(quantity, truth, names)
    if {"cd4", "naive_share"} <= measured.keys():
        measured["cd4_naive"] = measured["cd4"] * measured["naive_share"]
    if set(LYMPHOCYTES) <= measured.keys():
        measured["lymphocytes"] = np.add.reduce([measured[name] for name in LYMPHOCYTES])
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
    months = scan_months(schedule, readings.clinic)
    days = months * DAYS["month"]
    edges = [schedule.randomisation_day, *days]
    new = np.empty((last_day.size, days.size))
    for k, day in enumerate(days):
        count = events.count(groups.lesion, edges[k], day)
        new[:, k] = np.where(last_day >= day - 1e-6, count, np.nan)
    seen = readings.lesions(new, [f"Scan month {month:g}" for month in months])
    return Scans(months, days, {LESIONS: seen})


def scan_months(schedule: Schedule, clinic: Clinic) -> Floats:
    """Return the months after day 0 at which everybody is scanned."""
    first, interval = clinic.months("mri_rebaseline"), clinic.months("mri_interval")
    end = schedule.end_day / DAYS["month"] + 1e-6
    later = np.arange(1, int(end / interval) + 1) * interval
    return np.array([first, *later[later > first]]) if first <= end else np.empty(0)
