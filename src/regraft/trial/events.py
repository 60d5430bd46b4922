"""The log of events, and which events of a model count as relapse, lesion, infection or death."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from regraft.engine import Result
from regraft.model.equations import Equations
from regraft.trial.statistics import Booleans, Floats, Integers

DEATH, INFECTION = "death_", "infection_"


@dataclass(frozen=True)
class EventGroups:
    """Ids of the events of each kind. What a state counts, the events that change it tell."""

    relapse: tuple[str, ...]
    lesion: tuple[str, ...]
    death: tuple[str, ...]
    infection: tuple[str, ...]
    withdrawal: tuple[str, ...] = ()


def find_groups(equations: Equations) -> EventGroups:
    """Sort the events of a model: by the state they change (relapses, lesions, alive, on_study), infections by name."""

    def changing(state: str) -> tuple[str, ...]:
        return tuple(event.id for event in equations.events if state in dict(event.assignments))

    infections = tuple(event.id for event in equations.events if event.id.startswith(INFECTION))
    return EventGroups(changing("relapses"), changing("lesions"), changing("alive"), infections, changing("on_study"))


class Events(ABC):
    """What can be asked of the events of some patients, in memory or on disk."""

    patients: int

    @abstractmethod
    def chosen(self, names: Sequence[str]) -> tuple[Integers, Floats]:
        """Return patient rows and days of the named events."""

    def count(self, names: Sequence[str], start: Floats | float, stop: Floats | float) -> Floats:
        """Count the named events of each patient in (start, stop], each one number or (patient,)."""
        row, day = self.chosen(names)
        begin, end = (np.broadcast_to(np.asarray(edge, dtype=np.float64), self.patients) for edge in (start, stop))
        inside = (day > begin[row]) & (day <= end[row])
        return np.bincount(row[inside], minlength=self.patients).astype(np.float64)

    def first(self, names: Sequence[str], after: float) -> Floats:
        """Return the day of each patient's first named event after a day, NaN where there is none."""
        row, day = self.chosen(names)
        found = np.full(self.patients, np.inf)
        late = day > after
        np.minimum.at(found, row[late], day[late])
        return np.where(np.isfinite(found), found, np.nan)

    def has(self, names: Sequence[str]) -> Booleans:
        """Return whether each patient had any of the named events."""
        return np.isin(np.arange(self.patients), self.chosen(names)[0])

    @abstractmethod
    def forget(self) -> None:
        """Free what was read from disk and kept; it is read again when it is asked for."""


@dataclass(frozen=True)
class EventLog(Events):
    """Every event: patient row, index into ``ids``, model day."""

    patients: int
    ids: tuple[str, ...]
    row: Integers
    index: Integers
    day: Floats

    @classmethod
    def of(cls, result: Result) -> EventLog:
        """Take the log out of a result."""
        return cls(
            result.patient_ids.size, result.event_ids, result.event_patient, result.event_index, result.event_time
        )

    def take(self, rows: Integers) -> EventLog:
        """Return the log of some patients, who are numbered anew."""
        new = np.full(self.patients, -1, dtype=np.int64)
        new[rows] = np.arange(rows.size)
        keep = new[self.row] >= 0
        return EventLog(rows.size, self.ids, new[self.row[keep]], self.index[keep], self.day[keep])

    def chosen(self, names: Sequence[str]) -> tuple[Integers, Floats]:
        """Return patient rows and days of the named events."""
        wanted = [position for position, name in enumerate(self.ids) if name in set(names)]
        keep = np.isin(self.index, wanted)
        return self.row[keep], self.day[keep]

    def forget(self) -> None:
        """Do nothing: these events are nowhere else."""


def join_logs(logs: Sequence[EventLog]) -> EventLog:
    """Put logs of different patients one after the other; rows are numbered on."""
    offsets = np.cumsum([0, *(log.patients for log in logs[:-1])])
    rows = np.concatenate([log.row + offset for log, offset in zip(logs, offsets, strict=True)])
    index = np.concatenate([log.index for log in logs])
    return EventLog(
        sum(log.patients for log in logs), logs[0].ids, rows, index, np.concatenate([log.day for log in logs])
    )
