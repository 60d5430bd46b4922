"""What a call to the solver is given: checked, and laid out for the driver."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regraft.engine.administrations import Administrations, make_schedule
from regraft.engine.kernel import Kernel
from regraft.engine.result import Snapshot
from regraft.engine.run import Ends, Inputs
from regraft.engine.status import Status
from regraft.errors import InvalidArgument, near_matches

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_LARGEST_ID = 2**32


def make_inputs(
    kernel: Kernel,
    parameters: ArrayLike,
    times: ArrayLike,
    patient_ids: ArrayLike,
    seed: int,
    administrations: Administrations | None,
    start: Snapshot | None,
) -> tuple[Inputs, Administrations]:
    """Return what the driver is given, and all administrations with those that were still running at the start.

    Raises
    ------
    InvalidArgument : a shape, order, id or value that is not allowed; the message names it
    """
    ids = check_ids(patient_ids, seed)
    matrix = check_parameters(kernel, parameters, ids)
    grid, counts = check_times(times, ids)
    given = [] if administrations is None else [administrations]
    if start is not None:
        check_start(kernel, start, ids, grid)
        matrix = np.where(np.isnan(start.switched), matrix, start.switched)
        given = [start.infusions, *given]
    table = Administrations.concatenate(given)
    schedule = make_schedule(kernel, table, grid[:, 0])
    inputs = Inputs(
        np.arange(ids.size),
        ids,
        matrix,
        grid,
        counts,
        schedule.offsets,
        schedule.time,
        schedule.kind,
        schedule.index,
        schedule.amount,
        int(seed),
        start is None,
    )
    return inputs, table


def check_ids(patient_ids: ArrayLike, seed: int) -> Integers:
    """Return patient ids as integers, unique and in range."""
    ids = np.asarray(patient_ids)
    if ids.ndim != 1 or ids.size == 0 or ids.dtype.kind not in "iu":
        raise InvalidArgument(
            f"patient_ids must be a non-empty list of whole numbers; got {ids.dtype} of shape {ids.shape}."
        )
    ids = np.ascontiguousarray(ids, dtype=np.int64)
    if ids.min() < 0 or ids.max() >= _LARGEST_ID:
        raise InvalidArgument(f"patient_ids must be from 0 to {_LARGEST_ID - 1}; got {ids.min()} to {ids.max()}.")
    if np.unique(ids).size != ids.size:
        raise InvalidArgument("patient_ids holds the same patient twice; both would have the same luck.")
    if not 0 <= int(seed) < 2**63:
        raise InvalidArgument(f"seed is {seed}; it must be from 0 to 2**63 - 1.")
    return ids


def check_parameters(kernel: Kernel, parameters: ArrayLike, ids: Integers) -> Floats:
    """Return the parameter matrix, finite and of the right shape."""
    matrix = np.ascontiguousarray(parameters, dtype=np.float64)
    names = [parameter.id for parameter in kernel.equations.parameters]
    if matrix.shape != (ids.size, len(names)):
        raise InvalidArgument(
            f"parameters has shape {matrix.shape}; it must be (patient, parameter) = ({ids.size}, {len(names)})."
        )
    wrong = np.argwhere(~np.isfinite(matrix))
    if wrong.size:
        row, column = wrong[0]
        raise InvalidArgument(
            f"Parameter {names[column]!r} of patient {ids[row]} is {matrix[row, column]}; it must be finite."
        )
    return matrix


def check_times(times: ArrayLike, ids: Integers) -> tuple[Floats, Integers]:
    """Return times as (patient, time) and how many of each row are given."""
    grid = np.asarray(times, dtype=np.float64)
    if grid.ndim == 1:
        grid = np.broadcast_to(grid, (ids.size, grid.size))
    if grid.ndim != 2 or grid.shape[0] != ids.size or grid.shape[1] < 1:
        raise InvalidArgument(
            f"times has shape {grid.shape}; it must be (time,) or (patient, time) with {ids.size} patients."
        )
    grid = np.ascontiguousarray(grid)
    given = ~np.isnan(grid)
    counts = given.sum(axis=1).astype(np.int64)
    ragged = (given != (np.arange(grid.shape[1]) < counts[:, None])).any(axis=1)
    wrong = ragged | (counts < 1) | np.isinf(grid).any(axis=1) | (np.diff(grid, axis=1) < 0).any(axis=1)
    if wrong.any():
        raise InvalidArgument(
            f"times of patient {ids[np.argmax(wrong)]} must be finite and ascending, with NaN only at the end; "
            f"got {grid[np.argmax(wrong)]}."
        )
    return grid, counts


def place_for_values(shape: tuple[int, int, int], into: Floats | None) -> Floats:
    """Return the array that receives the values."""
    if into is None:
        return np.empty(shape)
    sound = isinstance(into, np.ndarray) and into.dtype == np.float64 and into.flags.c_contiguous
    if not sound or into.shape != shape or not into.flags.writeable:
        told = f"{into.dtype} of shape {into.shape}" if isinstance(into, np.ndarray) else type(into).__name__
        raise InvalidArgument(
            f"into must be a writeable float64 array in C order of shape (patient, time, output) = {shape}; got {told}."
        )
    return into


def check_start(kernel: Kernel, start: Snapshot, ids: Integers, grid: Floats) -> None:
    """Refuse a snapshot of other patients, another model or another time."""
    if not np.array_equal(start.patient_ids, ids):
        raise InvalidArgument(
            "The snapshot holds other patients, or the same in another order; use Snapshot.take(rows)."
        )
    shape = (ids.size, len(kernel.equations.states))
    if start.states.shape != shape or start.trigger_truth.shape[1] != len(kernel.event_ids):
        raise InvalidArgument(
            f"The snapshot comes from another model: states {start.states.shape}, this model {shape}."
        )
    wrong = (start.status == Status.OK) & (start.time != grid[:, 0])
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InvalidArgument(
            f"Patient {ids[row]}: the snapshot was taken at day {start.time[row]} but times start at {grid[row, 0]}."
        )


def terminal_flags(kernel: Kernel, terminal_events: Sequence[str]) -> Integers:
    """Return one flag per event."""
    for name in terminal_events:
        if name not in kernel.event_ids:
            hint = near_matches(name, kernel.event_ids)
            raise InvalidArgument(f"The terminal event {name!r} is not in the model. {hint}")
    return np.array([name in set(terminal_events) for name in kernel.event_ids], dtype=np.int64)


def make_ends(kernel: Kernel, patients: int, start: Snapshot | None) -> Ends:
    """Allocate what is kept per patient, filled from a snapshot if there is one."""
    states, events = len(kernel.equations.states), len(kernel.event_ids)
    ends = Ends(
        y=np.full((patients, states), np.nan),
        parameters=np.full((patients, len(kernel.equations.parameters)), np.nan),
        truth=np.zeros((patients, events)),
        occurrence=np.zeros((patients, events), dtype=np.int64),
        step=np.zeros(patients),
        time=np.full(patients, np.nan),
        status=np.zeros(patients, dtype=np.int64),
        steps=np.zeros(patients, dtype=np.int64),
        culprit=np.full((patients, 2), -1, dtype=np.int64),
        rate=np.zeros(patients),
        reduced=np.full((patients, len(kernel.reductions)), np.nan),
    )
    if start is not None:
        ends.y[:] = start.states[:, kernel.state_order]
        ends.truth[:], ends.occurrence[:] = start.trigger_truth, start.occurrence
        ends.step[:], ends.time[:], ends.status[:] = start.step, start.time, start.status
    return ends
