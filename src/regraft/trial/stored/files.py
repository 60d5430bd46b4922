"""Where the files of a chunk are, and what an arm's file holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from regraft.trial.arms import SimulatedArm
from regraft.trial.events import EventLog
from regraft.trial.observation import DAILY_COUNTS, LESIONS, LYMPHOCYTES, RECORDED, scan_months
from regraft.trial.plan import Plan
from regraft.trial.result import Failure
from regraft.trial.screening import Enrolled
from regraft.trial.statistics import Floats, Integers
from regraft.trial.stored.parquet import Column, column, event_columns, write_whole

READING, DAILY, SCAN, BASELINE = "reading_", "daily_", "scan_", "baseline_"
DIED, LATE = "worker died", "time limit"
WHY_LOST = {
    DIED: "the process that computed this patient ended without a message each time it was tried",
    LATE: "this patient alone took longer than --patient-seconds allows, each time it was tried",
}


@dataclass(frozen=True)
class Lost:
    """A patient who is not tried again in a stage (the run-in or an arm), and why: ``DIED`` or ``LATE``."""

    stage: str
    patient: int
    status: str = DIED


@dataclass(frozen=True)
class ChunkFiles:
    """The files of one range of candidates, which starts with the id ``first``."""

    folder: Path
    first: int

    @property
    def screened(self) -> Path:
        """What became of each candidate; written after ``people``."""
        return self.folder / f"{self.first:010d}-screened.parquet"

    @property
    def people(self) -> Path:
        """The eligible as they are at randomisation."""
        return self.folder / f"{self.first:010d}-people.parquet"

    def arm(self, key: str) -> Path:
        """Name the file of what the trial saw of the eligible in one arm."""
        return self.folder / f"{self.first:010d}-arm-{key}.parquet"


def write_arm(
    plan: Plan, arm: SimulatedArm | None, people: Enrolled, kept: Integers, path: Path, *, lost: Mapping[int, str]
) -> None:
    """Write what a trial saw of an arm, one row for each of ``people``.

    Parameters
    ----------
    arm : of the patients in the rows ``kept``; None if there are none
    people : the eligible of the chunk
    lost : status of those who are not kept, by id
    """
    patients = people.patient_ids.size
    blank = _blank(plan, [lost.get(int(patient), DIED) for patient in people.patient_ids])
    nothing = np.empty(0, dtype=np.int64)
    log = EventLog(patients, plan.kernel.event_ids, nothing, nothing, np.empty(0))
    if arm is not None:
        seen = _seen(arm, people.patient_ids[kept])
        for name, values in seen.items():
            blank[name][kept] = values
        events = arm.observed.events
        assert isinstance(events, EventLog)  # a simulated arm is in memory
        after = slice(people.events.take(kept).row.size, None)  # events of the run-in come first
        log = EventLog(patients, events.ids, kept[events.row[after]], events.index[after], events.day[after])
    columns = {"patient_id": column(people.patient_ids)} | {name: column(values) for name, values in blank.items()}
    write_whole(columns | event_columns(log), path, events=log.ids)


def quantities(outputs: Sequence[str]) -> list[str]:
    """Return what is read at visits where the model records some outputs, in the order of ``observe``."""
    names = [name for name in RECORDED if name in outputs]
    derived = {"cd4_naive": ("cd4", "naive_share"), "lymphocytes": LYMPHOCYTES}
    return [*names, *(name for name, parts in derived.items() if set(parts) <= set(outputs))]


def _blank(plan: Plan, status: Sequence[str]) -> dict[str, Column]:
    """Return the columns of patients of whom nothing is known but a status each."""
    patients = len(status)
    visits, days = len(plan.schedule.visits), plan.schedule.daily.size
    scans = scan_months(plan.schedule, plan.clinic).size
    columns: dict[str, Column] = {
        "is_missing": np.ones(patients, dtype=np.bool_),
        "status": np.array(status, dtype=object),
        "failed_day": np.full(patients, np.nan),
        "reason": np.array([WHY_LOST[one] for one in status], dtype=object),
        "last_day": np.full(patients, np.nan),
        "death_day": np.full(patients, np.nan),
        "death_cause": np.full(patients, "", dtype=object),
    }
    names = quantities(plan.kernel.output_ids)
    columns |= {READING + name: np.full((patients, visits), np.nan) for name in names}
    columns |= {DAILY + name: np.full((patients, days), np.nan) for name in DAILY_COUNTS if name in names}
    return columns | ({SCAN + LESIONS: np.full((patients, scans), np.nan)} if scans else {})


def _seen(arm: SimulatedArm, ids: Integers) -> dict[str, Column]:
    """Return the columns of simulated patients."""
    observed = arm.observed
    status, day = _failures(arm.failures, ids)
    columns: dict[str, Column] = {
        "is_missing": observed.is_missing,
        "status": status,
        "failed_day": day,
        "reason": observed.reason.astype(object),
        "last_day": observed.last_day,
        "death_day": observed.death_day,
        "death_cause": observed.death_cause,
    }
    columns |= {READING + name: values for name, values in observed.readings.items()}
    columns |= {DAILY + name: values for name, values in observed.daily.items()}
    return columns | ({SCAN + LESIONS: observed.scans.seen} if observed.scans.days.size else {})


def _failures(failures: tuple[Failure, ...], ids: Integers) -> tuple[Column, Floats]:
    """Return status and last day of those who failed, nothing and NaN for the others."""
    status, day = np.full(ids.size, "", dtype=object), np.full(ids.size, np.nan)
    row_of = {int(patient): row for row, patient in enumerate(ids)}
    for failure in failures:
        row = row_of[failure.patient_id]
        status[row], day[row] = failure.status, failure.day
    return status, day
