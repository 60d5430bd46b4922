"""Observed arms built by hand: every reading, scan and event is stated, so that every answer is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from regraft.trial.clinic import Clinic
from regraft.trial.design import DAYS
from regraft.trial.events import EventGroups, EventLog
from regraft.trial.observation import ObservedArm, ObservedTrial, Scans
from regraft.trial.visits import Schedule, Visit

MONTH, YEAR = DAYS["month"], DAYS["year"]
QUARTERS = tuple(range(3, 25, 3))
GROUPS = EventGroups(
    relapse=("relapse",),
    lesion=("lesion",),
    death=("death_infection", "death_toxicity", "death_background", "death_gvhd"),
    infection=("infection_viral", "infection_bacterial"),
    withdrawal=("withdrawal",),
)
OF_GRAFTS = ("graft_rejected", "no_engraftment", "second_graft", "acute_gvhd", "severe_acute_gvhd", "chronic_gvhd")
EVENT_IDS = (*GROUPS.relapse, *GROUPS.lesion, *GROUPS.death, *GROUPS.infection, *GROUPS.withdrawal, *OF_GRAFTS)
NUMBERS = {
    "cd3_recovered": (1000.0, "cells/uL"),
    "cd4_early": (50.0, "cells/uL"),
    "cd4_early_period": (100.0, "day"),
    "cd4_low": (400.0, "cells/uL"),
    "confirmation_period": (6.0, "month"),
    "early_death_period": (100.0, "day"),
    "edss_rater_cv": (0.0, "dimensionless"),
    "edss_step": (0.5, "edss"),
    "engraftment_neutrophils": (500.0, "cells/uL"),
    "engraftment_neutrophils_run": (3.0, "dimensionless"),
    "engraftment_platelets": (20000.0, "cells/uL"),
    "engraftment_platelets_run": (7.0, "dimensionless"),
    "full_chimerism": (0.95, "dimensionless"),
    "igg_independence": (4.0, "g/L"),
    "improvement_baseline": (2.0, "edss"),
    "improvement_step": (1.0, "edss"),
    "named_time_tolerance": (0.15, "dimensionless"),
    "thymic_recovery_1": (100.0, "day"),
    "thymic_recovery_2": (6.0, "month"),
    "thymic_recovery_3": (1.0, "year"),
    "mixed_chimerism": (0.05, "dimensionless"),
    "mri_detection": (1.0, "dimensionless"),
    "mri_interval": (12.0, "month"),
    "mri_rebaseline": (6.0, "month"),
    "worsening_high_baseline": (5.5, "edss"),
    "worsening_step": (1.0, "edss"),
    "worsening_step_from_zero": (1.5, "edss"),
    "worsening_step_high": (0.5, "edss"),
}


def clinic(**changes: float) -> Clinic:
    """Return a clinic that errs nowhere, with some numbers changed or added."""
    values = {name: value for name, (value, _) in NUMBERS.items()} | changes
    return Clinic("made_up", values, {name: NUMBERS.get(name, (0, "dimensionless"))[1] for name in values})


def schedule(
    months: Sequence[float] = QUARTERS, *, start: float = -10.0, end: float | None = None, daily: int = 30
) -> Schedule:
    """Return visits at randomisation (``start``) and at some months, and daily samples; ``end`` in months."""
    last = (max(months) if end is None else end) * MONTH
    visits = [Visit("Baseline", 0, 0.0, start, (start, 0.0))]
    visits += [
        Visit(f"Month {month:g}", number, month, month * MONTH, (month * MONTH, month * MONTH))
        for number, month in enumerate(months, start=1)
    ]
    return Schedule(start, last, tuple(visits), np.arange(daily + 1.0))


def log(events: Iterable[tuple[int, str, float]], patients: int) -> EventLog:
    """Return a log of (patient row, event, model day)."""
    rows = list(events)
    return EventLog(
        patients,
        EVENT_IDS,
        np.array([row for row, _, _ in rows], dtype=np.int64),
        np.array([EVENT_IDS.index(name) for _, name, _ in rows], dtype=np.int64),
        np.array([day for _, _, day in rows], dtype=np.float64),
    )


def scans(seen: Sequence[Sequence[float]] = (), months: Sequence[float] = (6.0, 12.0, 24.0)) -> Scans:
    """Return scans that show the given lesions, (patient, scan)."""
    when = np.array(months, dtype=np.float64)
    return Scans(when, when * MONTH, {"lesions": np.array(seen, dtype=np.float64)})


def arm(
    name: str = "treated",
    patients: int = 1,
    *,
    plan: Schedule | None = None,
    missing: Sequence[int] = (),
    deaths: Mapping[int, tuple[float, str]] | None = None,
    events: Iterable[tuple[int, str, float]] = (),
    edss: Sequence[Sequence[float]] | None = None,
    readings: Mapping[str, Sequence[Sequence[float]]] | None = None,
    daily: Mapping[str, Sequence[Sequence[float]]] | None = None,
    seen: Sequence[Sequence[float]] | None = None,
) -> ObservedArm:
    """Return an arm; patients are alive, free of events and with a steady score of 3 unless told otherwise."""
    plan = plan or schedule()
    is_missing = np.isin(np.arange(patients), list(missing))
    death_day, cause = np.full(patients, np.nan), np.full(patients, "", dtype=object)
    for row, (day, why) in (deaths or {}).items():
        death_day[row], cause[row] = day, why
    last = np.where(np.isnan(death_day), plan.end_day, death_day)
    taken = {name: np.array(values, dtype=np.float64) for name, values in (readings or {}).items()}
    taken["edss"] = np.full((patients, len(plan.visits)), 3.0) if edss is None else np.array(edss, dtype=np.float64)
    taken = {name: np.where(is_missing[:, None], np.nan, values) for name, values in taken.items()}
    return ObservedArm(
        id=name,
        label=name.capitalize(),
        schedule=plan,
        is_missing=is_missing,
        reason=np.where(is_missing, "step limit", ""),
        onset=np.full(patients, plan.randomisation_day - 3 * YEAR),
        last_day=np.where(is_missing, np.nan, last),
        death_day=death_day,
        death_cause=cause,
        readings=taken,
        daily={name: np.array(values, dtype=np.float64) for name, values in (daily or {}).items()},
        scans=scans(np.zeros((patients, 3)) if seen is None else seen),
        events=log(events, patients),
        groups=GROUPS,
    )


def trial(*arms: ObservedArm, reference: str | None = None, **changes: float) -> ObservedTrial:
    """Return a trial of some arms; the last is the reference unless one is named."""
    return ObservedTrial(tuple(arms), reference or arms[-1].id, clinic(**changes))
