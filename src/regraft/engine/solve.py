"""Run a compiled model for many patients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regraft.engine.administrations import Administrations, Kind
from regraft.engine.inputs import make_ends, make_inputs, place_for_values, terminal_flags
from regraft.engine.kernel import Kernel
from regraft.engine.rescue import rescue
from regraft.engine.result import Result, Snapshot
from regraft.engine.run import Ends, Inputs, run
from regraft.engine.settings import SolverSettings
from regraft.engine.status import Status

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

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
    into: Floats | None = None,
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
    into : (patient, time, output) float64 in C order that receives the values, for example those of an earlier result
        that is no longer needed: large new memory costs as much time as solving. None makes a new array

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
    inputs, table = make_inputs(kernel, parameters, times, patient_ids, seed, administrations, start)
    ids, grid = inputs.ids, inputs.times
    ends, terminal = make_ends(kernel, ids.size, start), terminal_flags(kernel, terminal_events)
    # Each thread writes its own patients and blanks what they did not reach.
    values = place_for_values((ids.size, grid.shape[1], len(kernel.output_ids)), into)
    log = run(kernel, settings, inputs, ends, values, terminal)
    found = (ends, values, log)
    log, attempt = rescue(kernel, settings, inputs, lambda: make_ends(kernel, ids.size, start), found, terminal)
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
        tuple(reduction.id for reduction in kernel.reductions),
        ends.reduced,
    )


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
