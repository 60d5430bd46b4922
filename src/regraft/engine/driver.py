"""The compiled loop over patients: steps, administrations, events and outputs, one patient at a time.

Nothing a patient does depends on another patient, on the output times or on the chunk.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from regraft.engine.buffers import Floats, Integers, Limits, Model, Work
from regraft.engine.calls import CONSTANTS, OUTPUTS, call
from regraft.engine.jumps import any_turned_true, locate, look, set_initial_values, settle
from regraft.engine.status import DOMAIN, ENDED, NON_FINITE, OK, STEP_LIMIT, STEP_TOO_SMALL
from regraft.engine.step import attempt, between, first_step, prepare, prepare_between

# Kinds of entries in a patient's schedule.
ADD, START_INFUSION, STOP_INFUSION, SET_STATE, SET_PARAMETER = range(5)
_SMALLEST_RELATIVE_STEP = 4.0 * np.finfo(np.float64).eps
_SLACK = 1.01


class Inputs(NamedTuple):
    """What is given per patient (rows), all patients of the call; the schedule is one list with offsets."""

    ids: Integers
    parameters: Floats
    times: Floats
    counts: Integers
    schedule_from: Integers
    schedule_time: Floats
    schedule_kind: Integers
    schedule_index: Integers
    schedule_amount: Floats
    seed: int
    is_start: bool


class Ends(NamedTuple):
    """What is kept per patient at the end of a run, and, at a continuation, found at its start."""

    y: Floats
    parameters: Floats
    truth: Floats
    occurrence: Integers
    step: Floats
    time: Floats
    status: Integers
    steps: Integers
    culprit: Integers
    rate: Floats


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]  # numba ships no types
def _administer(model: Model, work: Work, inputs: Inputs, cursor: int, stop: int, t: float) -> int:
    """Carry out all entries of the schedule due by now; return the cursor after them."""
    switched = False
    while cursor < stop and inputs.schedule_time[cursor] <= t:
        kind, index, amount = inputs.schedule_kind[cursor], inputs.schedule_index[cursor], inputs.schedule_amount[cursor]
        if kind == ADD:
            work.y[index] += amount
        elif kind == SET_STATE:
            work.y[index] = amount
        elif kind == SET_PARAMETER:
            work.constants[index] = amount
            switched = True
        else:
            work.infusions[index] += 1 if kind == START_INFUSION else -1
            work.infusion[index] += amount
            if work.infusions[index] == 0:
                work.infusion[index] = 0.0  # no rounding residue of a finished infusion
        cursor += 1
    if switched:
        call(model.addresses[CONSTANTS], 0, t, work.y, work.constants, work.nothing, work.nothing)
    return cursor


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]  # numba ships no types
def _begin(model: Model, work: Work, inputs: Inputs, ends: Ends, row: int) -> int:
    """Load a patient at the start of a run; return the state whose initial value is not finite, or -1."""
    parameters = inputs.parameters.shape[1]
    for k in range(parameters):
        work.constants[k] = inputs.parameters[row, k]
    t = inputs.times[row, 0]
    work.infusion[:] = 0.0
    work.infusions[:] = 0
    call(model.addresses[CONSTANTS], 0, t, work.y, work.constants, work.nothing, work.nothing)
    if inputs.is_start:
        for e in range(model.events):
            work.truth[e] = model.initially_true[e]
            work.occurrence[e] = 0
        return set_initial_values(model, work, t, inputs.seed, inputs.ids[row])
    work.y[:] = ends.y[row]
    work.truth[:] = ends.truth[row]
    work.occurrence[:] = ends.occurrence[row]
    return -1


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]  # numba ships no types
def _accepted_step(
    model: Model, work: Work, limits: Limits, t: float, stop: float, h: float, taken: int
) -> tuple[int, float, float, int, int]:
    """Attempt steps from t until one is accepted.

    Returns the status, the length of the step, the length proposed for the next one, the attempts so far and the
    worst state. A step that would almost reach ``stop`` reaches it; one that would leave a rest shorter than itself
    goes half the way.
    """
    rejected = False
    while True:
        if taken >= limits.max_steps:
            return STEP_LIMIT, 0.0, h, taken, -1
        length, rest = h, stop - t
        if h * _SLACK >= rest:
            length = rest
        elif 2.0 * h > rest:
            length = 0.5 * rest
        error, worst = attempt(model, work, limits, t, length)
        taken += 1
        if error <= 1.0:
            factor = min(6.0, 0.9 * max(error, 1e-10) ** (-1.0 / model.order))
            proposed = length * (min(1.0, factor) if rejected else factor)
            # A step cut short by ``stop`` says little about the step that the patient can take.
            if length < h and factor >= 1.0:
                proposed = max(proposed, h)
            return OK, length, min(proposed, limits.max_step), taken, worst
        rejected = True
        h = length * (max(0.2, 0.9 * error ** (-1.0 / model.order)) if math.isfinite(error) else 0.2)
        if h < max(limits.min_step, _SMALLEST_RELATIVE_STEP * abs(t)):
            return (STEP_TOO_SMALL if math.isfinite(error) else NON_FINITE), 0.0, h, taken, worst


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]  # numba ships no types
def _write_between(
    model: Model, work: Work, times: Floats, cursor: int, values: Floats, t: float, h: float, before: float
) -> int:
    """Write the outputs inside a step that lie strictly before a time; return the cursor after them."""
    while cursor < times.size and times[cursor] < before:
        between(model, work, (times[cursor] - t) / h)
        call(model.addresses[OUTPUTS], 0, times[cursor], work.between, work.constants, work.nothing, values[cursor])
        cursor += 1
    return cursor


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]  # numba ships no types
def _run_patient(
    model: Model, work: Work, limits: Limits, inputs: Inputs, ends: Ends, values: Floats, row: int
) -> int:
    """Run one patient from the first to the last time; fill ``ends`` and outputs; return the length of the event log.

    Longer than other functions because it is the one loop in which all parts of a run meet.
    """
    times = inputs.times[row, : inputs.counts[row]]
    cursor, stop = inputs.schedule_from[row], inputs.schedule_from[row + 1]
    seed, patient = inputs.seed, inputs.ids[row]
    t, last = times[0], times[-1]
    h = math.inf if inputs.is_start else ends.step[row]
    status, culprit, logged, taken, written = OK, -1, 0, 0, 0
    culprit = _begin(model, work, inputs, ends, row)
    if culprit >= 0:
        status = NON_FINITE
    fresh_start, at_event = inputs.is_start, False
    while status == OK:
        due = cursor < stop and inputs.schedule_time[cursor] <= t
        if due:
            cursor = _administer(model, work, inputs, cursor, stop, t)
        moved = False
        if due or at_event or fresh_start:
            status, culprit, logged, moved = settle(model, work, limits, t, seed, patient, logged)
            if status > ENDED:
                break
        # At an event, outputs within the tolerance of its time show the state after it.
        reach = t + limits.time_tolerance * max(1.0, abs(t)) if at_event else t
        while written < times.size and times[written] <= reach:
            call(model.addresses[OUTPUTS], 0, t, work.y, work.constants, work.nothing, values[written])
            written += 1
        if status == ENDED or t >= last:
            break
        culprit = prepare(model, work, t)
        if culprit >= 0:
            status = NON_FINITE
            break
        if due or moved or fresh_start:
            h = min(h, first_step(model, work, limits))
        fresh_start = False
        target = min(last, inputs.schedule_time[cursor]) if cursor < stop else last
        status, length, h, taken, culprit = _accepted_step(model, work, limits, t, target, h, taken)
        if status != OK:
            break
        end = target if length == target - t else t + length
        guard = look(model, work, end, work.new)
        if guard >= 0:
            status, culprit = DOMAIN, model.events + guard
            break
        at_event = any_turned_true(model, work)
        margin = 0.0
        if at_event or (written < times.size and times[written] < end):
            prepare_between(model, work)
        if at_event:
            fraction = locate(model, work, limits, t, length)
            end = end if fraction == 1.0 else t + fraction * length
            margin = limits.time_tolerance * max(1.0, abs(end))
        written = _write_between(model, work, times, written, values, t, length, end - margin)
        if at_event:
            between(model, work, fraction)
            work.y[:] = work.between
        else:
            work.y[:] = work.new
            work.truth[:] = work.fresh[: model.events]
        t = end
    _finish(model, work, inputs, ends, row, t)
    ends.step[row], ends.status[row], ends.steps[row], ends.culprit[row, 0] = h, status, taken, culprit
    return logged


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]  # numba ships no types
def _finish(model: Model, work: Work, inputs: Inputs, ends: Ends, row: int, t: float) -> None:
    """Keep the patient's end, and the largest rate there for a message."""
    ends.y[row] = work.y
    ends.parameters[row] = work.constants[: inputs.parameters.shape[1]]
    ends.truth[row] = work.truth
    ends.occurrence[row] = work.occurrence
    ends.time[row] = t
    fastest = 0
    for k in range(model.continuous):
        if abs(work.rates[k]) > abs(work.rates[fastest]) or not math.isfinite(work.rates[k]):
            fastest = k
    ends.culprit[row, 1] = fastest
    ends.rate[row] = work.rates[fastest] if model.continuous > 0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]  # numba ships no types
def run_rows(
    model: Model, work: Work, limits: Limits, inputs: Inputs, ends: Ends, values: Floats, first: int, last: int
) -> tuple[Integers, Integers, Floats]:
    """Run patients first..last-1; return the log of their events as rows, event numbers and times."""
    rows, events, times = np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64, np.float64)
    size = 0
    for row in range(first, last):
        if ends.status[row] != OK:
            continue  # a continuation does not revive those who ended or failed
        logged = _run_patient(model, work, limits, inputs, ends, values[row], row)
        while size + logged > rows.size:
            rows, events = np.append(rows, np.empty_like(rows)), np.append(events, np.empty_like(events))
            times = np.append(times, np.empty_like(times))
        rows[size : size + logged] = row
        events[size : size + logged] = work.log_event[:logged]
        times[size : size + logged] = work.log_time[:logged]
        size += logged
    return rows[:size], events[:size], times[:size]
