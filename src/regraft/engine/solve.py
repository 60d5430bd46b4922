"""Run a compiled model for many patients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regraft.engine.administrations import Administrations, Kind, make_schedule
from regraft.engine.kernel import Kernel
from regraft.engine.rescue import rescue
from regraft.engine.result import Result, Snapshot
from regraft.engine.run import Ends, Inputs, run
from regraft.engine.settings import SolverSettings
from regraft.engine.status import Status
from regraft.errors import InvalidArgument, near_matches

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_LARGEST_ID = 2**32
_REASONS = {
    Status.NON_FINITE: "{culprit} gave a value or rate that is not finite at {day}; {rate}.",
    Status.STEP_TOO_SMALL: "no step was short enough for {culprit} at {day}; {rate}.",
    Status.STEP_LIMIT: "the limit of {steps} steps was reached at {day}; {rate}. Raise max_steps or rtol.",
    Status.EVENT_STORM: "{culprit} was due again and again at {day}; its jump must undo its trigger.",
    Status.EVENT_LOG_FULL: "too many events by {day}, the last {culprit}; raise max_events if this is meant.",
    Status.DOMAIN: (
        "at {day} a negative number met a root or fractional power, or a draw had impossible arguments: {culprit}."
    ),
}


def solve(
    kernel: Kernel,
    parameters: ArrayLike,
    *,
    times: ArrayLike,
    patient_ids: ArrayLike,
    seed: int,
    administrations: Administrations | None = None,
    start: Snapshot | None = None,
    settings: SolverSettings | None = None,
    terminal_events: Sequence[str] = (),
) -> Result:
    """Solve a model for many patients, each with its own steps, administrations, events and random draws.

    Parameters
    ----------
    kernel : from ``compile_model``
    parameters : (patient, parameter) float, in the order and units of ``kernel.equations.parameters``
    times : (time,) or (patient, time) float, days, ascending; the first is the patient's start; rows may end in NaN
    patient_ids : (patient,) int, unique, 0 <= id < 2**32; with ``seed`` they fix all random draws
    seed : int, 0 <= seed < 2**63
    administrations : what is given; only rows that a patient lives to see are carried out
    start : snapshot of an earlier result with the same patients; the first time must be its time. Initial values are
        not computed again, parameters that administrations had set stay set, and infusions go on
    settings : tolerances and limits
    terminal_events : ids of events that end a patient's run

    Returns
    -------
    Result ; the same numbers, bit for bit, for any number of threads and whoever else is in the call

    Raises
    ------
    InvalidArgument : a shape, order, id or value that is not allowed; the message names it

    Notes
    -----
    An event fires when its trigger is false at one step's start and true at its end. It is located on the dense
    output. At one instant administrations act first, in table order, then events, by priority and order in the model.
    A patient for whom no step is short enough is tried again with tighter tolerances, then with SciPy.
    """
    settings = settings or SolverSettings()
    ids = _check_ids(patient_ids, seed)
    matrix = _check_parameters(kernel, parameters, ids)
    grid, counts = _check_times(times, ids)
    given = [] if administrations is None else [administrations]
    if start is not None:
        _check_start(kernel, start, ids, grid)
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
    ends, terminal = _ends(kernel, ids.size, start), _terminal_flags(kernel, terminal_events)
    # Each thread writes its own patients and blanks what they did not reach.
    values = np.empty((ids.size, grid.shape[1], len(kernel.output_ids)))
    log = run(kernel, settings, inputs, ends, values, terminal)
    found = (ends, values, log)
    log, attempt = rescue(kernel, settings, inputs, lambda: _ends(kernel, ids.size, start), found, terminal)
    details = _details(kernel, ids, ends)
    if start is not None:
        already = start.status != Status.OK
        details[already] = start.status_detail[already]
    return Result(
        ids,
        grid,
        kernel.output_ids,
        values,
        ends.status,
        details,
        ends.time,
        kernel.event_ids,
        *log,
        ends.steps,
        _snapshot(kernel, inputs, ends, details, table, start),
        attempt,
    )


def _check_ids(patient_ids: ArrayLike, seed: int) -> Integers:
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


def _check_parameters(kernel: Kernel, parameters: ArrayLike, ids: Integers) -> Floats:
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


def _check_times(times: ArrayLike, ids: Integers) -> tuple[Floats, Integers]:
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


def _check_start(kernel: Kernel, start: Snapshot, ids: Integers, grid: Floats) -> None:
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


def _terminal_flags(kernel: Kernel, terminal_events: Sequence[str]) -> Integers:
    """Return one flag per event."""
    for name in terminal_events:
        if name not in kernel.event_ids:
            hint = near_matches(name, kernel.event_ids)
            raise InvalidArgument(f"The terminal event {name!r} is not in the model. {hint}")
    return np.array([name in set(terminal_events) for name in kernel.event_ids], dtype=np.int64)


def _ends(kernel: Kernel, patients: int, start: Snapshot | None) -> Ends:
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
    )
    if start is not None:
        ends.y[:] = start.states[:, kernel.state_order]
        ends.truth[:], ends.occurrence[:] = start.trigger_truth, start.occurrence
        ends.step[:], ends.time[:], ends.status[:] = start.step, start.time, start.status
    return ends


def _snapshot(
    kernel: Kernel,
    inputs: Inputs,
    ends: Ends,
    details: NDArray[np.object_],
    table: Administrations,
    start: Snapshot | None,
) -> Snapshot:
    """Return the end of a run as the start of the next."""
    states = np.empty_like(ends.y)
    states[:, kernel.state_order] = ends.y
    switched = np.full_like(inputs.parameters, np.nan) if start is None else start.switched.copy()
    done = table.time <= ends.time[table.patient_row]
    index = kernel.equations.parameter_index
    for k in np.flatnonzero(done & (table.kind == Kind.SET)):
        if table.target[k] in index:
            row, column = table.patient_row[k], index[table.target[k]]
            switched[row, column] = ends.parameters[row, column]
    now = ends.time[table.patient_row]
    left = table.time + table.duration - now
    alive = ends.status[table.patient_row] == Status.OK
    running = np.flatnonzero(alive & done & (table.kind == Kind.INFUSION) & (left > 0))
    infusions = Administrations(
        table.patient_row[running],
        now[running],
        tuple(table.target[k] for k in running),
        table.kind[running],
        table.amount[running] * left[running] / table.duration[running],
        left[running],
    )
    return Snapshot(
        inputs.ids, ends.time, states, switched, ends.truth, ends.occurrence, ends.step, ends.status, details, infusions
    )


def _details(kernel: Kernel, ids: Integers, ends: Ends) -> NDArray[np.object_]:
    """Return a sentence per failed patient, empty for the others."""
    culprits = [repr(kernel.equations.states[k].id) for k in kernel.state_order]
    culprits += [f"event {name!r}" for name in kernel.event_ids]
    culprits += [", ".join(map(repr, names)) or "the time" for names in kernel.guard_states]
    details = np.full(ids.size, "", dtype=object)
    for row in np.flatnonzero(ends.status > Status.ENDED):
        rate = ""
        if kernel.continuous:
            rate = f"the largest rate there was {ends.rate[row]:.6g} per day, of {culprits[ends.culprit[row, 1]]}"
        sentence = _REASONS[Status(ends.status[row])].format(
            culprit=culprits[ends.culprit[row, 0]], day=f"day {ends.time[row]:.6g}", rate=rate, steps=ends.steps[row]
        )
        details[row] = f"Patient {ids[row]}: {sentence}"
    return details
