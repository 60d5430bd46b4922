"""The end of each patient's exact simulation: kept for the next run, and said in a sentence where it failed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regraft.engine.administrations import Administrations
from regraft.engine.result import Snapshot
from regraft.engine.status import Status
from regraft.engine.stochastic_buffers import DOSE, REMAINDER, Ends, Inputs
from regraft.engine.stochastic_kernel import NetworkKernel
from regraft.errors import InvalidArgument

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def check_start(kernel: NetworkKernel, start: Snapshot, ids: Integers, grid: Floats) -> None:
    """Refuse a snapshot of other patients, another model, another solver or another time."""
    if not np.array_equal(start.patient_ids, ids):
        raise InvalidArgument(
            "The snapshot holds other patients, or the same in another order; use Snapshot.take(rows)."
        )
    shape = (ids.size, len(kernel.network.species))
    if start.states.shape != shape or start.trigger_truth.shape[1] != 2 or start.occurrence.shape[1] != 1:
        raise InvalidArgument(
            f"The snapshot comes from another model or from solve: states {start.states.shape}, this network {shape}."
        )
    wrong = (start.status == Status.OK) & (start.time != grid[:, 0])
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InvalidArgument(
            f"Patient {ids[row]}: the snapshot was taken at day {start.time[row]} but times start at {grid[row, 0]}."
        )


def make_ends(kernel: NetworkKernel, patients: int, start: Snapshot | None) -> Ends:
    """Allocate what is kept per patient, filled from a snapshot if there is one."""
    ends = Ends(
        y=np.full((patients, len(kernel.network.species)), np.nan),
        parameters=np.full((patients, len(kernel.equations.parameters)), np.nan),
        reaction_clock=np.zeros((patients, 2)),
        since=np.zeros(patients),
        fired=np.zeros(patients, dtype=np.int64),
        time=np.full(patients, np.nan),
        status=np.zeros(patients, dtype=np.int64),
        steps=np.zeros(patients, dtype=np.int64),
        fault=np.zeros(patients, dtype=np.int64),
        place=np.zeros(patients, dtype=np.int64),
        value=np.zeros(patients),
    )
    if start is not None:
        ends.y[:] = start.states[:, kernel.laws.state_order]
        ends.reaction_clock[:], ends.fired[:] = start.trigger_truth, start.occurrence[:, 0]
        ends.since[:], ends.time[:], ends.status[:] = start.step, start.time, start.status
    return ends


def make_snapshot(
    kernel: NetworkKernel,
    inputs: Inputs,
    ends: Ends,
    details: NDArray[np.object_],
    table: Administrations,
    start: Snapshot | None,
) -> Snapshot:
    """Return the end of a run as the start of the next; ``step`` and ``trigger_truth`` keep the reaction clock."""
    states = np.empty_like(ends.y)
    states[:, kernel.laws.state_order] = ends.y
    switched = np.full_like(inputs.parameters, np.nan) if start is None else start.switched.copy()
    index = kernel.equations.parameter_index
    for k in np.flatnonzero(table.time <= ends.time[table.patient_row]):
        if table.target[k] in index:
            row, column = table.patient_row[k], index[table.target[k]]
            switched[row, column] = ends.parameters[row, column]
    return Snapshot(
        inputs.ids,
        ends.time,
        states,
        switched,
        ends.reaction_clock,
        ends.fired[:, None],
        ends.since,
        ends.status,
        details,
        Administrations.empty(),
    )


def sentences(kernel: NetworkKernel, ids: Integers, ends: Ends, start: Snapshot | None) -> NDArray[np.object_]:
    """Return a sentence per failed patient, empty for the others."""
    details = np.full(ids.size, "", dtype=object)
    for row in np.flatnonzero(ends.status > Status.ENDED):
        if start is not None and start.status[row] != Status.OK:
            details[row] = start.status_detail[row]
        else:
            details[row] = f"Patient {ids[row]}: {_reason(kernel, ends, int(row))}"
    return details


def _reason(kernel: NetworkKernel, ends: Ends, row: int) -> str:
    """Return what went wrong with a patient."""
    status, fault, place, value = Status(ends.status[row]), ends.fault[row], ends.place[row], ends.value[row]
    day = f"day {ends.time[row]:.6g}"
    species = [kernel.network.species[k] for k in kernel.laws.state_order]
    if fault > REMAINDER:
        what = "amount after an administration" if fault == DOSE else "initial amount"
        return f"the {what} of {species[place]!r} is {value:.10g} at {day}; it must be a whole number from 0 to 2**53."
    reaction = repr(kernel.reaction_ids[place])
    if fault == REMAINDER:
        least = int(np.argmin(ends.y[row]))
        return (
            f"reaction {reaction} would leave {ends.y[row, least]:g} of {species[least]!r} at {day}; its law must be "
            "zero where too few are there."
        )
    reasons = {
        Status.NON_FINITE: f"the rate of reaction {reaction} is not finite at {day} ({value:g} per day).",
        Status.DOMAIN: (
            f"the rate of reaction {reaction} is below zero at {day} ({value:g} per day); write a reversible reaction "
            "as two."
        ),
        Status.STEP_LIMIT: (
            f"the limit of {ends.steps[row]} reactions was reached at {day}; the fastest was {reaction} with "
            f"{value:.6g} per day. Raise max_steps, or use solve where numbers are large."
        ),
        Status.EVENT_LOG_FULL: f"too many kept reactions by {day}, the last {reaction}; raise max_events if meant.",
    }
    return reasons[status]
