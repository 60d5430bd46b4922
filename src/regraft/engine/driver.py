"""The compiled loop over patients: steps, administrations, events and outputs, one patient at a time.

Nothing a patient does depends on another patient, on the output times or on the chunk.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from regraft.engine.buffers import (
    CULPRIT,
    CURSOR,
    LOGGED,
    STEP,
    TAKEN,
    TIME,
    WRITTEN,
    Floats,
    Integers,
    Limits,
    Model,
    Work,
)
from regraft.engine.calls import CONSTANTS, OUTPUTS, borrow, call
from regraft.engine.jit import compiled, compiled_inner
from regraft.engine.jumps import any_turned_true, locate, look, set_initial_values, settle
from regraft.engine.status import DOMAIN, ENDED, NON_FINITE, OK, STEP_LIMIT, STEP_TOO_SMALL
from regraft.engine.step import attempt, between, copy, first_step, prepare, prepare_between

# Kinds of entries in a patient's schedule.
ADD, START_INFUSION, STOP_INFUSION, SET_STATE, SET_PARAMETER = range(5)
_SMALLEST_RELATIVE_STEP = 4.0 * np.finfo(np.float64).eps
_SLACK = 1.01
_SAFETY, _LARGEST_SHRINK, _LARGEST_GROWTH, _SMALLEST_ERROR = 0.9, 0.2, 6.0, 1e-10


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


@compiled_inner
def _administer(model: Model, work: Work, inputs: Inputs, row: int) -> bool:
    """Carry out all entries of the schedule due by now; return whether there were any."""
    cursor, t, switched = work.counters[CURSOR], work.clock[TIME], False
    while cursor < inputs.schedule_from[row + 1] and inputs.schedule_time[cursor] <= t:
        kind, index = inputs.schedule_kind[cursor], inputs.schedule_index[cursor]
        amount = inputs.schedule_amount[cursor]
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
    due = bool(cursor > work.counters[CURSOR])
    work.counters[CURSOR] = cursor
    return due


@compiled_inner
def _begin(model: Model, work: Work, inputs: Inputs, ends: Ends, row: int) -> int:
    """Load a patient at the start of a run; return the status."""
    copy(inputs.parameters[row], work.constants)
    t = inputs.times[row, 0]
    for k in range(model.continuous):
        work.infusion[k] = 0.0
        work.infusions[k] = 0
    work.counters[CURSOR], work.counters[WRITTEN], work.counters[TAKEN] = inputs.schedule_from[row], 0, 0
    work.counters[LOGGED], work.counters[CULPRIT] = 0, -1
    work.clock[TIME], work.clock[STEP] = t, math.inf if inputs.is_start else ends.step[row]
    call(model.addresses[CONSTANTS], 0, t, work.y, work.constants, work.nothing, work.nothing)
    if inputs.is_start:
        for e in range(model.events):
            work.truth[e] = model.initially_true[e]
            work.occurrence[e] = 0
        work.counters[CULPRIT] = set_initial_values(model, work, t, inputs.seed, inputs.ids[row])
        return OK if work.counters[CULPRIT] < 0 else NON_FINITE
    copy(ends.y[row], work.y)
    copy(ends.truth[row], work.truth)
    for e in range(model.events):
        work.occurrence[e] = ends.occurrence[row, e]
    return OK


@compiled_inner
def _accepted_step(model: Model, work: Work, limits: Limits, stop: float) -> tuple[int, float]:
    """Attempt steps until one is accepted; return the status and the length of the step.

    A step that would almost reach ``stop`` reaches it; one that would leave a rest shorter than itself goes half
    the way.
    """
    t, h, rejected = work.clock[TIME], work.clock[STEP], False
    rest = stop - t
    while work.counters[TAKEN] < limits.max_steps:
        length = h
        if h * _SLACK >= rest:
            length = rest
        elif 2.0 * h > rest:
            length = 0.5 * rest
        error, work.counters[CULPRIT] = attempt(model, work, limits, t, length)
        work.counters[TAKEN] += 1
        if error <= 1.0:
            factor = min(_LARGEST_GROWTH, _SAFETY * max(error, _SMALLEST_ERROR) ** (-1.0 / model.order))
            proposed = length * (min(1.0, factor) if rejected else factor)
            # A step cut short by ``stop`` says little about the step that the patient can take.
            if length < h and factor >= 1.0:
                proposed = max(proposed, h)
            work.clock[STEP] = min(proposed, limits.max_step)
            return OK, length
        rejected = True
        # An infinite error shrinks the step by the most allowed.
        h = length * max(_LARGEST_SHRINK, _SAFETY * error ** (-1.0 / model.order))
        if h < max(limits.min_step, _SMALLEST_RELATIVE_STEP * abs(t)):
            return (STEP_TOO_SMALL if math.isfinite(error) else NON_FINITE), 0.0
    return STEP_LIMIT, 0.0


@compiled_inner
def _write(model: Model, work: Work, t: float, y: Floats, values: Floats) -> None:
    """Write the next row of outputs."""
    call(model.addresses[OUTPUTS], 0, t, y, work.constants, work.nothing, values[work.counters[WRITTEN]])
    work.counters[WRITTEN] += 1


@compiled_inner
def _advance(
    model: Model, work: Work, limits: Limits, times: Floats, values: Floats, target: float
) -> tuple[int, bool]:
    """Take one step towards ``target``, cut at the first event; return the status and whether an event is due."""
    t = work.clock[TIME]
    status, length = _accepted_step(model, work, limits, target)
    if status != OK:
        return status, False
    end = target if length == target - t else t + length
    guard = look(model, work, end, work.new)
    if guard >= 0:
        work.counters[CULPRIT] = work.y.size + model.events + guard
        return DOMAIN, False
    at_event, margin = any_turned_true(model, work), 0.0
    if at_event or (work.counters[WRITTEN] < times.size and times[work.counters[WRITTEN]] < end):
        prepare_between(model, work)
    fraction = 1.0
    if at_event:
        fraction = locate(model, work, limits, t, length)
        end = end if fraction == 1.0 else t + fraction * length
        margin = limits.time_tolerance * max(1.0, abs(end))
    while work.counters[WRITTEN] < times.size and times[work.counters[WRITTEN]] < end - margin:
        moment = times[work.counters[WRITTEN]]
        between(model, work, (moment - t) / length)
        _write(model, work, moment, work.between, values)
    if at_event:
        between(model, work, fraction)
        copy(work.between, work.y)
    else:
        copy(work.new, work.y)
        for e in range(model.events):
            work.truth[e] = work.fresh[e]
    work.clock[TIME] = end
    return OK, at_event


@compiled_inner
def _run_patient(
    model: Model, work: Work, limits: Limits, inputs: Inputs, ends: Ends, values: Floats, row: int
) -> None:
    """Run one patient from the first to the last time; fill ``ends``, the outputs and the event log in ``work``."""
    times = inputs.times[row, : inputs.counts[row]]
    last, stop = times[times.size - 1], inputs.schedule_from[row + 1]
    status = _begin(model, work, inputs, ends, row)
    restart, at_event = inputs.is_start, False
    while status == OK:
        t = work.clock[TIME]
        due = _administer(model, work, inputs, row)
        restart = restart or due
        if restart or at_event:
            status, moved = settle(model, work, limits, t, inputs.seed, inputs.ids[row])
            restart = restart or moved
        if status > ENDED:
            break
        # At an event, outputs within the tolerance of its time show the state after it.
        reach = t + limits.time_tolerance * max(1.0, abs(t)) if at_event else t
        while work.counters[WRITTEN] < times.size and times[work.counters[WRITTEN]] <= reach:
            _write(model, work, t, work.y, values)
        if status == ENDED or t >= last:
            break
        status = prepare(model, work, t)
        if status != OK:
            break
        if restart:
            work.clock[STEP] = min(work.clock[STEP], first_step(model, work, limits))
        restart = False
        cursor = work.counters[CURSOR]
        target = min(last, inputs.schedule_time[cursor]) if cursor < stop else last
        status, at_event = _advance(model, work, limits, times, values, target)
    ends.status[row] = status
    _finish(model, work, ends, row)


@compiled_inner
def _finish(model: Model, work: Work, ends: Ends, row: int) -> None:
    """Keep the patient's end, and the largest rate there for a message."""
    for k in range(work.y.size):
        ends.y[row, k] = work.y[k]
    for k in range(ends.parameters.shape[1]):
        ends.parameters[row, k] = work.constants[k]
    for e in range(model.events):
        ends.truth[row, e] = work.truth[e]
        ends.occurrence[row, e] = work.occurrence[e]
    fastest = 0
    for k in range(model.continuous):
        if abs(work.rates[k]) > abs(work.rates[fastest]) or not math.isfinite(work.rates[k]):
            fastest = k
    ends.time[row], ends.step[row], ends.steps[row] = work.clock[TIME], work.clock[STEP], work.counters[TAKEN]
    ends.culprit[row, 0], ends.culprit[row, 1] = work.counters[CULPRIT], fastest
    ends.rate[row] = work.rates[fastest] if model.continuous > 0 else 0.0


@compiled
def run_row(model: Model, work: Work, limits: Limits, inputs: Inputs, ends: Ends, values: Floats, row: int) -> int:
    """Run one patient and return how many events its log in ``work`` holds; a continuation revives nobody."""
    if ends.status[row] != OK:
        return 0
    _run_patient(borrow(model), borrow(work), borrow(limits), borrow(inputs), borrow(ends), values, row)
    return int(work.counters[LOGGED])
