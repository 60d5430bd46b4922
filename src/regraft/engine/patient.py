"""One patient's start, administrations, instants and end, outside the vector."""

from __future__ import annotations

import math

import numpy as np

from regraft.engine import book as b
from regraft.engine.book import Floats, Integers, floats, floats_of, integers, integers_of
from regraft.engine.buffers import (
    CONTINUOUS,
    CULPRIT,
    CURSOR,
    DOSED,
    IS_START,
    LOGGED,
    OUTPUT,
    REJECTED,
    STEP,
    TAKEN,
    TAPED,
    TARGET,
    TIME,
    TIME_TOLERANCE,
    WRITTEN,
)
from regraft.engine.calls import CONSTANTS, OUTPUTS, STOPS, call
from regraft.engine.jit import compiled_inner
from regraft.engine.jumps import set_initial_values, settle
from regraft.engine.reducing import begin_reductions, lose_reductions, reduce_instant
from regraft.engine.status import DONE, ENDED, NON_FINITE, OK
from regraft.engine.step import copy, first_step, rates_at

# Kinds of entries in a patient's schedule.
ADD, START_INFUSION, STOP_INFUSION, SET_STATE, SET_PARAMETER = range(5)
_NEAR = 4.0 * np.finfo(np.float64).eps


@compiled_inner
def _compute_constants(book: Integers, lane: int, t: float) -> None:
    """Compute everything that depends on parameters alone."""
    nothing, constants = floats(book, b.NOTHING), floats_of(book, b.CONSTANT_TABLE, lane)
    addresses, y = integers(book, b.ADDRESSES), floats(book, b.Y)
    call(addresses[CONSTANTS], 0, t, y, constants, nothing, nothing)
    call(addresses[STOPS], 0, t, y, constants, nothing, floats_of(book, b.STOP_TIMES, lane))


@compiled_inner
def _cross_stop(book: Integers, lane: int, last: float) -> bool:
    """Move the clock from just before to just after a time at which rates change abruptly; return whether it did.

    No step may have such a time inside or at an end: some of its stages would see the rates on the other side.
    """
    clock, stops, crossed = floats_of(book, b.CLOCK, lane), floats_of(book, b.STOP_TIMES, lane), False
    for k in range(stops.size):
        near = _NEAR * max(1.0, abs(stops[k]))
        if stops[k] - near <= clock[TIME] < stops[k] + near < last:
            clock[TIME] = stops[k] + near
            crossed = True
    return crossed


@compiled_inner
def _next_target(book: Integers, lane: int, row: int, last: float) -> float:
    """Return the next time that no step may pass: the last, a dose, or an abrupt change of rates."""
    cursor, end = integers_of(book, b.COUNTERS, lane)[CURSOR], integers(book, b.SCHEDULE_FROM)[row + 1]
    target = min(last, floats(book, b.SCHEDULE_TIME)[cursor]) if cursor < end else last
    t, stops = floats_of(book, b.CLOCK, lane)[TIME], floats_of(book, b.STOP_TIMES, lane)
    for k in range(stops.size):
        before = stops[k] - _NEAR * max(1.0, abs(stops[k]))
        if before > t:
            target = min(target, before)
    return target


@compiled_inner
def begin(book: Integers, lane: int, row: int) -> int:
    """Load a patient at the start of a run; return the status."""
    counters, clock = integers_of(book, b.COUNTERS, lane), floats_of(book, b.CLOCK, lane)
    y, truth, occurrence = floats(book, b.Y), floats(book, b.TRUTH), integers_of(book, b.OCCURRENCE, lane)
    copy(floats_of(book, b.PARAMETERS, row), floats_of(book, b.CONSTANT_TABLE, lane))
    t, is_start = floats_of(book, b.TIMES, row)[0], integers(book, b.COUNTS)[IS_START]
    for k in range(integers(book, b.COUNTS)[CONTINUOUS]):
        floats_of(book, b.INFUSION, lane)[k] = 0.0
        integers_of(book, b.INFUSIONS, lane)[k] = 0
    counters[CURSOR], counters[WRITTEN], counters[TAKEN] = integers(book, b.SCHEDULE_FROM)[row], 0, 0
    counters[LOGGED], counters[CULPRIT], counters[REJECTED], counters[DOSED], counters[TAPED] = 0, -1, 0, 1, 0
    clock[TIME], clock[OUTPUT] = t, t
    clock[STEP] = math.inf if is_start else floats(book, b.END_STEP)[row]
    _compute_constants(book, lane, t)
    begin_reductions(book, row)
    if is_start:
        for e in range(truth.size):
            truth[e] = integers(book, b.INITIALLY_TRUE)[e]
            occurrence[e] = 0
        for k in range(y.size):
            y[k] = math.nan
        counters[CULPRIT] = set_initial_values(book, lane, t, integers(book, b.IDS)[row])
        return OK if counters[CULPRIT] < 0 else NON_FINITE
    copy(floats_of(book, b.END_Y, row), y)
    copy(floats_of(book, b.END_TRUTH, row), truth)
    for e in range(truth.size):
        occurrence[e] = integers_of(book, b.END_OCCURRENCE, row)[e]
    return OK


@compiled_inner
def _administer(book: Integers, lane: int, row: int) -> bool:
    """Carry out all entries of the schedule due by now; return whether there were any."""
    counters, t = integers_of(book, b.COUNTERS, lane), floats_of(book, b.CLOCK, lane)[TIME]
    y, constants = floats(book, b.Y), floats_of(book, b.CONSTANT_TABLE, lane)
    infusion, infusions = floats_of(book, b.INFUSION, lane), integers_of(book, b.INFUSIONS, lane)
    times, end = floats(book, b.SCHEDULE_TIME), integers(book, b.SCHEDULE_FROM)[row + 1]
    cursor, switched = counters[CURSOR], False
    while cursor < end and times[cursor] <= t:
        kind, index = integers(book, b.SCHEDULE_KIND)[cursor], integers(book, b.SCHEDULE_INDEX)[cursor]
        amount = floats(book, b.SCHEDULE_AMOUNT)[cursor]
        if kind == ADD:
            y[index] += amount
        elif kind == SET_STATE:
            y[index] = amount
        elif kind == SET_PARAMETER:
            constants[index] = amount
            switched = True
        else:
            infusions[index] += 1 if kind == START_INFUSION else -1
            infusion[index] += amount
            if infusions[index] == 0:
                infusion[index] = 0.0  # no rounding residue of a finished infusion
        cursor += 1
    if switched:
        _compute_constants(book, lane, t)
    due = bool(cursor > counters[CURSOR])
    if due:
        counters[DOSED] = 1
    counters[CURSOR] = cursor
    return due


@compiled_inner
def count_output(book: Integers, lane: int, row: int) -> None:
    """Go on to the next time at which outputs are wanted."""
    counters, clock = integers_of(book, b.COUNTERS, lane), floats_of(book, b.CLOCK, lane)
    counters[WRITTEN] += 1
    some_left = counters[WRITTEN] < integers(book, b.TIME_COUNTS)[row]
    clock[OUTPUT] = floats_of(book, b.TIMES, row)[counters[WRITTEN]] if some_left else math.inf


@compiled_inner
def write(book: Integers, lane: int, row: int, t: float, y: Floats) -> None:
    """Write the next row of outputs."""
    counters, width = integers_of(book, b.COUNTERS, lane), floats_of(book, b.TIMES, row).size
    target = floats_of(book, b.RECORDED, row * width + counters[WRITTEN])
    constants, nothing = floats_of(book, b.CONSTANT_TABLE, lane), floats(book, b.NOTHING)
    call(integers(book, b.ADDRESSES)[OUTPUTS], 0, t, y, constants, nothing, target)
    count_output(book, lane, row)


@compiled_inner
def pass_instant(book: Integers, lane: int, row: int, restart: bool, at_event: bool) -> int:
    """Do what is due now: administrations, events, outputs; then say how the run goes on.

    Returns OK to go on, DONE at the last time, ENDED at a terminal event, or what went wrong.
    """
    clock, counters = floats_of(book, b.CLOCK, lane), integers_of(book, b.COUNTERS, lane)
    last, status = floats_of(book, b.TIMES, row)[integers(book, b.TIME_COUNTS)[row] - 1], OK
    crossed = _cross_stop(book, lane, last)
    t = clock[TIME]
    due = _administer(book, lane, row)
    restart = restart or due or crossed
    if restart or at_event:
        status, moved = settle(book, lane, t, integers(book, b.IDS)[row])
        restart = restart or moved
    if status > ENDED:
        return status
    reduce_instant(book, lane, row, t)
    # At an event, outputs within the tolerance of its time show the state after it.
    reach = t + floats(book, b.NUMBERS)[TIME_TOLERANCE] * max(1.0, abs(t)) if at_event else t
    while clock[OUTPUT] <= reach:
        write(book, lane, row, t if at_event else clock[OUTPUT], floats(book, b.Y))
    if status == ENDED or t >= last:
        return ENDED if status == ENDED else DONE
    if restart:
        status = rates_at(book, lane, t)
        clock[STEP] = min(clock[STEP], first_step(book))
    clock[TARGET] = _next_target(book, lane, row, last)
    counters[REJECTED] = 0
    return status


@compiled_inner
def finish(book: Integers, lane: int, row: int, status: int) -> None:
    """Keep the patient's end and events, and the largest rate there for a message."""
    clock, counters = floats_of(book, b.CLOCK, lane), integers_of(book, b.COUNTERS, lane)
    integers(book, b.END_STATUS)[row] = OK if status == DONE else status
    copy(floats(book, b.Y), floats_of(book, b.END_Y, row))
    copy(floats(book, b.TRUTH), floats_of(book, b.END_TRUTH, row))
    parameters, constants = floats_of(book, b.END_PARAMETERS, row), floats_of(book, b.CONSTANT_TABLE, lane)
    for k in range(parameters.size):
        parameters[k] = constants[k]
    kept, occurrence = integers_of(book, b.END_OCCURRENCE, row), integers_of(book, b.OCCURRENCE, lane)
    for e in range(kept.size):
        kept[e] = occurrence[e]
    floats(book, b.END_TIME)[row], floats(book, b.END_STEP)[row] = clock[TIME], clock[STEP]
    integers(book, b.END_STEPS)[row] = counters[TAKEN]
    blank(book, row, counters[WRITTEN])
    if status > ENDED:
        _blame(book, lane, row)
        lose_reductions(book, row)
    count = integers(book, b.LOG_COUNT)
    for i in range(counters[LOGGED]):
        integers(book, b.LOG_PATIENT)[count[0] + i] = row
        integers(book, b.LOG_EVENT)[count[0] + i] = integers_of(book, b.LANE_LOG_EVENT, lane)[i]
        floats(book, b.LOG_TIME)[count[0] + i] = floats_of(book, b.LANE_LOG_TIME, lane)[i]
    count[0] += counters[LOGGED]


@compiled_inner
def blank(book: Integers, row: int, written: int) -> None:
    """Write NaN at all times of a patient from the given number on."""
    width = floats_of(book, b.TIMES, row).size
    for k in range(written, width):
        recorded = floats_of(book, b.RECORDED, row * width + k)
        for i in range(recorded.size):
            recorded[i] = math.nan


@compiled_inner
def _blame(book: Integers, lane: int, row: int) -> None:
    """Keep what was at fault, and the largest rate there."""
    rate, blamed = floats(book, b.RATE), integers_of(book, b.END_CULPRIT, row)
    blamed[0] = integers_of(book, b.COUNTERS, lane)[CULPRIT]
    rates_at(book, lane, floats_of(book, b.CLOCK, lane)[TIME])
    fastest = 0
    for k in range(rate.size):
        if abs(rate[k]) > abs(rate[fastest]) or not math.isfinite(rate[k]):
            fastest = k
    blamed[1] = fastest
    floats(book, b.END_RATE)[row] = rate[fastest] if rate.size > 0 else 0.0
