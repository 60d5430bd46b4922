"""Stored arms as the endpoints see them: a quantity or a kind of event is read when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from weakref import ReferenceType, ref

import numpy as np

from regraft.trial.design import DAYS
from regraft.trial.events import Events
from regraft.trial.observation import LESIONS, ObservedArm, Scans, scan_months
from regraft.trial.plan import Plan
from regraft.trial.result import Failure
from regraft.trial.statistics import Floats, Integers
from regraft.trial.stored.files import DAILY, READING, SCAN, ChunkFiles
from regraft.trial.stored.parquet import Column, column_names, read, read_events

PER_PATIENT = ("is_missing", "status", "failed_day", "reason", "last_day", "death_day", "death_cause")


@dataclass(frozen=True)
class Piece:
    """The first ``rows`` patients in the files of a chunk, as one arm has them."""

    files: ChunkFiles
    key: str
    rows: int

    def read(self, names: Sequence[str]) -> dict[str, Column]:
        """Read columns of the arm."""
        return read(self.files.arm(self.key), names, self.rows)

    def events(self, names: Sequence[str]) -> tuple[Integers, Floats]:
        """Read events, those of the run-in first."""
        found = [read_events(path, names, self.rows) for path in (self.files.people, self.files.arm(self.key))]
        return np.concatenate([row for row, _ in found]), np.concatenate([day for _, day in found])


class StoredColumns(Mapping[str, Floats]):
    """Quantities of an arm by name, (patient, time) each; the one read last is kept while somebody uses it."""

    def __init__(self, pieces: Sequence[Piece], prefix: str, names: Sequence[str]) -> None:
        self._pieces, self._prefix, self._names = pieces, prefix, tuple(names)
        self._last: tuple[str, ReferenceType[Floats]] | None = None

    def __getitem__(self, name: str) -> Floats:
        """Read one quantity of all patients."""
        if name not in self._names:
            raise KeyError(name)
        values = self._last[1]() if self._last is not None and self._last[0] == name else None
        if values is None:
            stored = self._prefix + name
            values = np.concatenate([piece.read([stored])[stored] for piece in self._pieces])
            self._last = name, ref(values)
        return values

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._names)

    def __len__(self) -> int:
        """Count the names."""
        return len(self._names)


class StoredEvents(Events):
    """Events of an arm; those read last are kept."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self.patients = sum(piece.rows for piece in pieces)
        self._last: tuple[tuple[str, ...], tuple[Integers, Floats]] | None = None

    def chosen(self, names: Sequence[str]) -> tuple[Integers, Floats]:
        """Return patient rows and days of the named events."""
        if self._last is None or self._last[0] != tuple(names):
            found, first = [], 0
            for piece in self._pieces:
                row, day = piece.events(names)
                found.append((row + first, day))
                first += piece.rows
            rows, days = (np.concatenate(part) for part in zip(*found, strict=True))
            self._last = tuple(names), (rows, days)
        return self._last[1]

    def forget(self) -> None:
        """Free the events read last."""
        self._last = None


def observed_arm(plan: Plan, position: int, pieces: Sequence[Piece]) -> tuple[ObservedArm, tuple[Failure, ...]]:
    """Return an arm that is kept in files, and who failed in it.

    Parameters
    ----------
    position : place of the arm in the design
    pieces : at least one, in the order of ids; none without patients
    """
    design = plan.design.arms[position]
    parts = [piece.read(PER_PATIENT) for piece in pieces]
    known = {name: np.concatenate([part[name] for part in parts]) for name in PER_PATIENT}
    onset = np.concatenate([read(piece.files.people, ["onset"], piece.rows)["onset"] for piece in pieces])
    lazy = _lazy(plan, pieces)
    whole = ObservedArm(
        id=design.id,
        label=design.label,
        schedule=plan.schedule,
        is_missing=known["is_missing"],
        reason=known["reason"],
        onset=onset,
        last_day=known["last_day"],
        death_day=known["death_day"],
        death_cause=known["death_cause"],
        readings=lazy.readings,
        daily=lazy.daily,
        scans=lazy.scans,
        events=lazy.events,
        groups=plan.groups,
    )
    edges = np.cumsum([0, *(piece.rows for piece in pieces)]).tolist()
    loaders = [
        partial(_part, plan, whole, slice(*edge), piece) for edge, piece in zip(pairwise(edges), pieces, strict=True)
    ]
    return replace(whole, parts=tuple(loaders)), _failures(design.id, known, pieces)


@dataclass(frozen=True)
class _Lazy:
    """The fields of an arm that are read when they are asked for."""

    readings: Mapping[str, Floats]
    daily: Mapping[str, Floats]
    scans: Scans
    events: Events


def _lazy(plan: Plan, pieces: Sequence[Piece]) -> _Lazy:
    """Return what reads the files of some chunks."""
    stored = column_names(pieces[0].files.arm(pieces[0].key))

    def names(prefix: str) -> list[str]:
        return [name.removeprefix(prefix) for name in stored if name.startswith(prefix)]

    months = scan_months(plan.schedule, plan.clinic)
    counts: Mapping[str, Floats] = StoredColumns(pieces, SCAN, [LESIONS])
    if not months.size:
        counts = {LESIONS: np.empty((sum(piece.rows for piece in pieces), 0))}
    scans = Scans(months, months * DAYS["month"], counts)
    readings, daily = (StoredColumns(pieces, prefix, names(prefix)) for prefix in (READING, DAILY))
    return _Lazy(readings, daily, scans, StoredEvents(pieces))


def _part(plan: Plan, whole: ObservedArm, rows: slice, piece: Piece) -> ObservedArm:
    """Return the patients of one chunk."""
    lazy = _lazy(plan, [piece])
    return replace(
        whole,
        is_missing=whole.is_missing[rows],
        reason=whole.reason[rows],
        onset=whole.onset[rows],
        last_day=whole.last_day[rows],
        death_day=whole.death_day[rows],
        death_cause=whole.death_cause[rows],
        readings=lazy.readings,
        daily=lazy.daily,
        scans=lazy.scans,
        events=lazy.events,
    )


def _failures(arm: str, known: Mapping[str, Column], pieces: Sequence[Piece]) -> tuple[Failure, ...]:
    """Return who failed, in the order of ids."""
    rows = np.flatnonzero(known["is_missing"])
    if not rows.size:
        return ()
    ids = np.concatenate([piece.read(["patient_id"])["patient_id"] for piece in pieces])
    return tuple(
        Failure(int(ids[row]), arm, known["status"][row], float(known["failed_day"][row]), known["reason"][row])
        for row in rows
    )
