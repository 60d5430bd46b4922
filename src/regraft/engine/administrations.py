"""What is given to whom and when, and the schedule the driver follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from regraft.engine.kernel import Kernel
from regraft.engine.patient import ADD, SET_PARAMETER, SET_STATE, START_INFUSION, STOP_INFUSION
from regraft.errors import InvalidArgument, near_matches

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
_COLUMNS: dict[str, type] = {
    "patient_row": np.int64,
    "time": np.float64,
    "kind": np.int64,
    "amount": np.float64,
    "duration": np.float64,
}


class Kind(IntEnum):
    """How an administration acts."""

    BOLUS = 0  # adds the amount to a state at once
    INFUSION = 1  # adds the amount to a state evenly over the duration
    SET = 2  # sets a state or a parameter to the amount


@dataclass(frozen=True)
class Administrations:
    """A table of administrations, one row each, in any order; rows at the same time act in the order of the table.

    Parameters
    ----------
    patient_row : (n,) int, row of the patient in the parameter matrix
    time : (n,) float, days
    target : (n,) ids of states (or, for ``Kind.SET``, parameters)
    kind : (n,) int, see ``Kind``
    amount : (n,) float, in the unit of the target
    duration : (n,) float, days; above 0 for infusions, 0 otherwise

    Raises
    ------
    InvalidArgument : columns of different length, NaN, a negative duration, an unknown kind; names the row
    """

    patient_row: Integers
    time: Floats
    target: tuple[str, ...]
    kind: Integers
    amount: Floats
    duration: Floats

    def __post_init__(self) -> None:
        """Convert the columns and refuse rows that mean nothing."""
        for name, dtype in _COLUMNS.items():
            object.__setattr__(self, name, np.atleast_1d(np.asarray(getattr(self, name), dtype=dtype)))
        object.__setattr__(self, "target", tuple(self.target))
        lengths = {name: len(getattr(self, name)) for name in (*_COLUMNS, "target")}
        if len(set(lengths.values())) > 1:
            raise InvalidArgument(f"The columns of the administrations differ in length: {lengths}.")
        self.refuse(~np.isin(self.kind, list(Kind)), "kind", "0 (bolus), 1 (infusion) or 2 (set)")
        self.refuse(~np.isfinite(self.time), "time", "a finite number of days")
        self.refuse(~np.isfinite(self.amount), "amount", "a finite number")
        infusion = self.kind == Kind.INFUSION
        lasting = (self.duration > 0) & np.isfinite(self.duration)
        self.refuse(infusion & ~lasting, "duration", "above 0 days for an infusion")
        self.refuse(~infusion & (self.duration != 0), "duration", "0 for a bolus or a set")

    def refuse(self, wrong: NDArray[np.bool_], column: str, allowed: str) -> None:
        """Raise for the first wrong row."""
        if wrong.any():
            row = int(np.argmax(wrong))
            value = getattr(self, column)[row]
            raise InvalidArgument(
                f"Administration {row} (patient row {self.patient_row[row]}, target {self.target[row]!r}): "
                f"{column} is {value}; it must be {allowed}."
            )

    def __len__(self) -> int:
        return len(self.target)

    @classmethod
    def empty(cls) -> Administrations:
        """Return a table without rows."""
        return cls(np.zeros(0, np.int64), np.zeros(0), (), np.zeros(0, np.int64), np.zeros(0), np.zeros(0))

    @classmethod
    def dose(
        cls, rows: Integers, day: float, target: str, amount: Floats, *, duration: float = 0.0, is_set: bool = False
    ) -> Administrations:
        """Return one dose of some patients on one day: an infusion where it takes time.

        Parameters
        ----------
        rows : (patient,) int, of the patients in the parameter matrix
        amount : (patient,) float, of these patients
        duration : days
        is_set : the amount replaces what is there
        """
        count = len(rows)
        kind = Kind.SET if is_set else Kind.INFUSION if duration > 0 else Kind.BOLUS
        return cls(rows, np.full(count, day), (target,) * count, np.full(count, kind), amount, np.full(count, duration))

    @classmethod
    def concatenate(cls, tables: Sequence[Administrations]) -> Administrations:
        """Return all rows of several tables, in order."""
        if not tables:
            return cls.empty()
        columns = {name: np.concatenate([getattr(table, name) for table in tables]) for name in _COLUMNS}
        return cls(target=tuple(t for table in tables for t in table.target), **columns)


@dataclass(frozen=True)
class Schedule:
    """Administrations as the driver reads them: entries of each patient sorted by time, infusions as start and stop."""

    offsets: Integers
    time: Floats
    kind: Integers
    index: Integers
    amount: Floats


def make_schedule(kernel: Kernel, table: Administrations, starts: Floats) -> Schedule:
    """Check administrations against a model and sort them per patient.

    Raises
    ------
    InvalidArgument : an unknown target or patient row, a time before the patient's start, an infusion into a state
        without a rate
    """
    patients = starts.size
    table.refuse((table.patient_row < 0) | (table.patient_row >= patients), "patient_row", f"from 0 to {patients - 1}")
    early = table.time < starts[table.patient_row] if len(table) else np.zeros(0, dtype=bool)
    table.refuse(early, "time", "at or after the first time of the patient")
    kinds, indices = _resolve(kernel, table)
    infusion = table.kind == Kind.INFUSION
    rate = np.where(infusion, table.amount / np.where(infusion, table.duration, 1.0), table.amount)
    rows = np.concatenate([table.patient_row, table.patient_row[infusion]])
    times = np.concatenate([table.time, table.time[infusion] + table.duration[infusion]])
    kind = np.concatenate([kinds, np.full(infusion.sum(), STOP_INFUSION)])
    index = np.concatenate([indices, indices[infusion]])
    amount = np.concatenate([rate, -rate[infusion]])
    order = np.lexsort((np.arange(rows.size), times, rows))
    offsets = np.searchsorted(rows[order], np.arange(patients + 1))
    return Schedule(offsets.astype(np.int64), times[order], kind[order].astype(np.int64), index[order], amount[order])


def _resolve(kernel: Kernel, table: Administrations) -> tuple[Integers, Integers]:
    """Return the driver's kind and index of every row; each pair of target and kind is looked up once."""
    number = {name: k for k, name in enumerate(dict.fromkeys(table.target))}
    targets = np.fromiter((number[name] for name in table.target), dtype=np.int64, count=len(table))
    pairs, first_rows, of_row = np.unique(targets * len(Kind) + table.kind, return_index=True, return_inverse=True)
    found = np.array([_meaning(kernel, table, int(row)) for row in first_rows], dtype=np.int64).reshape(pairs.size, 2)
    return found[of_row, 0], found[of_row, 1]


def _meaning(kernel: Kernel, table: Administrations, row: int) -> tuple[int, int]:
    """Return the driver's kind and index of one row."""
    target, kind = table.target[row], Kind(int(table.kind[row]))
    position = {kernel.equations.states[state].id: k for k, state in enumerate(kernel.state_order)}
    parameters = kernel.equations.parameter_index
    if target in position:
        if kind == Kind.INFUSION and position[target] >= kernel.continuous:
            raise InvalidArgument(
                f"Administration {row} infuses {target!r}, which has no rate. "
                "Name it in compile_model(..., infused=[...]) or give a bolus."
            )
        return {Kind.BOLUS: ADD, Kind.INFUSION: START_INFUSION, Kind.SET: SET_STATE}[kind], position[target]
    if target in parameters and kind == Kind.SET:
        return SET_PARAMETER, parameters[target]
    known = [*position, *parameters] if kind == Kind.SET else list(position)
    what = "a state or parameter" if kind == Kind.SET else "a state"
    raise InvalidArgument(f"Administration {row}: {target!r} is not {what} of the model. {near_matches(target, known)}")
