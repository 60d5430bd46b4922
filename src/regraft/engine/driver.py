"""The compiled loop over patients: as many at once as a vector has lanes, each with its own time, step and schedule.

All lanes try a step in one call. A lane where something happens (an event, a dose, the end, trouble) is then served on
its own; a lane whose patient has finished takes the next one at once. Nothing a patient does depends on another lane,
on the output times or on the width of the vector.
"""

from __future__ import annotations

import math

import numpy as np

from regraft.engine import book as b
from regraft.engine import layout as rows
from regraft.engine.book import Integers, floats, floats_of, integer_matrix, integers, integers_of, matrix
from regraft.engine.buffers import (
    CULPRIT,
    DOSED,
    END,
    FOLLOWS,
    IS_START,
    LENGTH,
    MAX_STEP,
    MAX_STEPS,
    MIN_STEP,
    OUTPUT,
    REJECTED,
    STEP,
    TAKEN,
    TARGET,
    TIME,
    TIME_TOLERANCE,
    WRITTEN,
)
from regraft.engine.calls import FLUSH_OFF, FLUSH_ON, KEEP, PREPARE_OUTPUTS, SHOW, STEP_ALL, call_block, next_number
from regraft.engine.jit import compiled, compiled_inner
from regraft.engine.jumps import broken_guard, locate, look
from regraft.engine.patient import begin, blank, count_output, finish, pass_instant, write
from regraft.engine.reducing import add_samples, reduce_step
from regraft.engine.status import DOMAIN, NON_FINITE, OK, STEP_LIMIT, STEP_TOO_SMALL
from regraft.engine.step import between, copy, fetch, prepare_between, put, rates_at, worst_state
from regraft.engine.tape import given_end, note

_SMALLEST_RELATIVE_STEP = 4.0 * np.finfo(np.float64).eps
_SLACK = 1.01


@compiled_inner
def _place(book: Integers, k: int) -> None:
    """Put a patient and all that may have changed into its lane."""
    put(book, rows.STATES, k, floats(book, b.Y))
    put(book, rows.TRUTH, k, floats(book, b.TRUTH))
    if integers_of(book, b.COUNTERS, k)[DOSED]:
        put(book, rows.CONSTANTS, k, floats_of(book, b.CONSTANT_TABLE, k))
        put(book, rows.INFUSION, k, floats_of(book, b.INFUSION, k))
        integers_of(book, b.COUNTERS, k)[DOSED] = 0


@compiled_inner
def _refill(book: Integers, k: int) -> None:
    """Load the next patient whose run goes on beyond its first instant into a lane; leave it empty if there is none."""
    row_of, order = integers(book, b.ROW), integers(book, b.ORDER)
    room = integers(book, b.LOG_PATIENT).size // 2  # all lanes may add as many events as they can hold
    row_of[k] = -1
    while integers(book, b.LOG_COUNT)[0] <= room:
        number = next_number(integers(book, b.COUNTER))
        if number >= order.size:
            return
        row = order[number]
        if integers(book, b.END_STATUS)[row] != OK:
            blank(book, row, 0)  # a continuation revives nobody
            continue
        status = begin(book, k, row)
        if status == OK:
            status = pass_instant(book, k, row, integers(book, b.COUNTS)[IS_START] != 0, False)
        if status == OK:
            row_of[k] = row
            _place(book, k)
            return
        finish(book, k, row, status)


@compiled_inner
def _plan_steps(book: Integers, lanes: int) -> None:
    """Choose the step that each lane tries next.

    A step that would almost reach the target reaches it; one that would leave a rest shorter than itself goes half
    the way.
    """
    clocks, block, layout = matrix(book, b.CLOCK), matrix(book, b.BLOCK), integers(book, b.LAYOUT)
    row_of = integers(book, b.ROW)
    time_row, step_row, end_row = layout[rows.TIME], layout[rows.STEP], layout[rows.END]
    for k in range(lanes):
        t, h, target = clocks[k, TIME], clocks[k, STEP], clocks[k, TARGET]
        rest = target - t
        length = h
        given = given_end(book, k, row_of[k], t)
        if given < target:
            length = given - t
        elif given < math.inf or h * _SLACK >= rest:
            length = rest
        elif 2.0 * h > rest:
            length = 0.5 * rest
        end = target if length == rest else min(given, t + length)
        clocks[k, LENGTH], clocks[k, END] = length, end
        block[time_row, k], block[step_row, k], block[end_row, k] = t, length, end


@compiled_inner
def _reject(book: Integers, k: int, error: float, growth: float) -> int:
    """Shorten the step of a lane; return the status."""
    clock, counters = floats_of(book, b.CLOCK, k), integers_of(book, b.COUNTERS, k)
    if counters[FOLLOWS]:
        counters[CULPRIT] = worst_state(book, k)
        return NON_FINITE
    counters[REJECTED] = 1
    clock[STEP] = clock[LENGTH] * growth
    if not math.isfinite(error):
        fetch(book, rows.STATES, k, floats(book, b.Y))
        if rates_at(book, k, clock[TIME]) != OK:
            return NON_FINITE
    if clock[STEP] < max(floats(book, b.NUMBERS)[MIN_STEP], _SMALLEST_RELATIVE_STEP * abs(clock[TIME])):
        counters[CULPRIT] = worst_state(book, k)
        return STEP_TOO_SMALL if math.isfinite(error) else NON_FINITE
    return OK


@compiled_inner
def _event(book: Integers, k: int) -> int:
    """Cut the step of a lane at its first event and pass that instant; return the status."""
    clock, counters, row = floats_of(book, b.CLOCK, k), integers_of(book, b.COUNTERS, k), integers(book, b.ROW)[k]
    t, length, end = clock[TIME], clock[LENGTH], clock[END]
    fetch(book, rows.TRUTH, k, floats(book, b.TRUTH))
    prepare_between(book, k)
    guard = broken_guard(book, k, end, floats(book, b.NEW))
    if guard >= 0:
        counters[CULPRIT] = floats(book, b.Y).size + floats(book, b.TRUTH).size + guard
        return DOMAIN
    look(book, k, end, floats(book, b.NEW))
    fraction = locate(book, k, t, length)
    end = end if fraction == 1.0 else t + fraction * length
    margin = floats(book, b.NUMBERS)[TIME_TOLERANCE] * max(1.0, abs(end))
    while clock[OUTPUT] < end - margin:
        moment = clock[OUTPUT]
        between(book, k, (moment - t) / length)
        write(book, k, row, moment, floats(book, b.BETWEEN))
    reduce_step(book, k, row, t, length, fraction)
    between(book, k, fraction)
    copy(floats(book, b.BETWEEN), floats(book, b.Y))
    clock[TIME] = end
    note(book, row, end)
    return pass_instant(book, k, row, False, True)


@compiled_inner
def _serve(book: Integers, k: int) -> int:
    """Do what a lane needs on its own after a step: reject it, or cut it at an event; return the status."""
    counters, block, layout = integers_of(book, b.COUNTERS, k), matrix(book, b.BLOCK), integers(book, b.LAYOUT)
    error, growth = block[layout[rows.ERROR], k], block[layout[rows.GROWTH], k]
    spent = counters[TAKEN] >= integers(book, b.COUNTS)[MAX_STEPS]
    if error <= 1.0:
        status = _event(book, k)
        if status == OK:
            _place(book, k)
        return STEP_LIMIT if status == OK and spent else status
    status = _reject(book, k, error, growth)
    if status == OK and spent:
        status = STEP_LIMIT
    if status != OK:
        fetch(book, rows.STATES, k, floats(book, b.Y))
        fetch(book, rows.TRUTH, k, floats(book, b.TRUTH))
    return status


@compiled_inner
def _judge_steps(book: Integers, lanes: int) -> None:
    """Accept or reject the step of every lane and choose the length of the next; serve lanes with an event."""
    clocks, counters, row_of = matrix(book, b.CLOCK), integer_matrix(book, b.COUNTERS), integers(book, b.ROW)
    block, kept, layout = matrix(book, b.BLOCK), integers(book, b.KEPT), integers(book, b.LAYOUT)
    error_row, growth_row, attention_row = layout[rows.ERROR], layout[rows.GROWTH], layout[rows.ATTENTION]
    mark, longest = layout[rows.KEPT], floats(book, b.NUMBERS)[MAX_STEP]
    for k in range(lanes):
        kept[k] = 0
        block[mark, k] = 0.0
        if row_of[k] < 0:
            continue
        counters[k, TAKEN] += 1
        if counters[k, FOLLOWS] and block[error_row, k] < math.inf:
            block[error_row, k] = 0.0  # the patient who chose this step was content
        accepted, growth = block[error_row, k] <= 1.0, block[growth_row, k]
        if accepted:
            length, h = clocks[k, LENGTH], clocks[k, STEP]
            proposed = length * (min(1.0, growth) if counters[k, REJECTED] else growth)
            # A step cut short by its target says little about the step that the patient can take.
            if length < h and growth >= 1.0:
                proposed = max(proposed, h)
            clocks[k, STEP] = min(proposed, longest)
            counters[k, REJECTED] = 0
        if accepted and block[attention_row, k] == 0.0:
            kept[k] = 1
            block[mark, k] = 1.0
            reduce_step(book, k, row_of[k], clocks[k, TIME], clocks[k, LENGTH], 1.0)
        else:
            status = _serve(book, k)
            if status != OK:
                _leave(book, k, status)


@compiled_inner
def _show(book: Integers, lanes: int) -> bool:
    """Write one output inside the step of every lane that has one; return whether any had."""
    clocks, block, layout = matrix(book, b.CLOCK), matrix(book, b.BLOCK), integers(book, b.LAYOUT)
    shown, kept, row_of = integers(book, b.SHOWN), integers(book, b.KEPT), integers(book, b.ROW)
    moment_row, fraction_row, some = layout[rows.MOMENT], layout[rows.FRACTION], False
    for k in range(lanes):
        moment = clocks[k, OUTPUT]
        shown[k] = kept[k] == 1 and moment < clocks[k, END]
        if shown[k]:
            block[moment_row, k] = moment
            block[fraction_row, k] = (moment - clocks[k, TIME]) / clocks[k, LENGTH]
            some = True
    if some:
        call_block(integers(book, b.ADDRESSES)[SHOW], block)
        width, counters = matrix(book, b.TIMES).shape[1], integer_matrix(book, b.COUNTERS)
        for k in range(lanes):
            if shown[k]:
                target = floats_of(book, b.RECORDED, row_of[k] * width + counters[k, WRITTEN])
                fetch(book, rows.SHOWN, k, target)
                count_output(book, k, row_of[k])
    return some


@compiled_inner
def _write_outputs_inside(book: Integers, lanes: int) -> None:
    """Write all outputs that lie inside accepted steps."""
    clocks, kept, inside = matrix(book, b.CLOCK), integers(book, b.KEPT), False
    for k in range(lanes):
        inside = inside or (kept[k] == 1 and clocks[k, OUTPUT] < clocks[k, END])
    if inside:
        call_block(integers(book, b.ADDRESSES)[PREPARE_OUTPUTS], matrix(book, b.BLOCK))
    while inside:
        inside = _show(book, lanes)


@compiled_inner
def _arrive(book: Integers, lanes: int) -> None:
    """Move every lane to the end of its accepted step; serve those where something is due."""
    clocks, counters, row_of = matrix(book, b.CLOCK), integer_matrix(book, b.COUNTERS), integers(book, b.ROW)
    kept, limit = integers(book, b.KEPT), integers(book, b.COUNTS)[MAX_STEPS]
    for k in range(lanes):
        if kept[k] == 0:
            continue
        end = clocks[k, END]
        clocks[k, TIME] = end
        note(book, row_of[k], end)
        spent = counters[k, TAKEN] >= limit
        if end < clocks[k, TARGET] and end < clocks[k, OUTPUT] and not spent:
            continue
        fetch(book, rows.STATES, k, floats(book, b.Y))
        fetch(book, rows.TRUTH, k, floats(book, b.TRUTH))
        status = pass_instant(book, k, row_of[k], False, False)
        if status == OK:
            _place(book, k)
            status = STEP_LIMIT if spent else OK
        if status != OK:
            _leave(book, k, status)


@compiled_inner
def _leave(book: Integers, k: int, status: int) -> None:
    """Keep the end of a patient and give the lane to the next."""
    finish(book, k, integers(book, b.ROW)[k], status)
    _refill(book, k)


@compiled_inner
def _take_step(book: Integers, lanes: int) -> None:
    """Let every lane try one step."""
    addresses, block = integers(book, b.ADDRESSES), matrix(book, b.BLOCK)
    _plan_steps(book, lanes)
    call_block(addresses[STEP_ALL], block)
    _judge_steps(book, lanes)
    _write_outputs_inside(book, lanes)
    call_block(addresses[KEEP], block)
    _arrive(book, lanes)


@compiled_inner
def _any_left(book: Integers, lanes: int) -> bool:
    """Whether any lane has a patient."""
    row_of, left = integers(book, b.ROW), False
    for k in range(lanes):
        left = left or row_of[k] >= 0
    return left


@compiled
def run_lanes(book: Integers) -> bool:
    """Run patients, numbered by a counter that threads share, until none is left or the log may overflow.

    Returns whether patients may be left; the log must then be emptied before the next call.
    """
    addresses, nothing = integers(book, b.ADDRESSES), floats(book, b.NOTHING)
    lanes = integers(book, b.ROW).size
    call_block(addresses[FLUSH_ON], nothing)
    for k in range(lanes):
        _refill(book, k)
    while _any_left(book, lanes):
        _take_step(book, lanes)
    call_block(addresses[FLUSH_OFF], nothing)
    return bool(integers(book, b.COUNTER)[0] < integers(book, b.ORDER).size)


@compiled
def start_alone(book: Integers, row: int) -> int:
    """Load one patient into the first lane, outside the vector, and pass the first instant; return the status."""
    status = begin(book, 0, row)
    if status == OK:
        status = pass_instant(book, 0, row, integers(book, b.COUNTS)[IS_START] != 0, False)
    return status


@compiled
def pass_alone(book: Integers, row: int, at_event: bool) -> int:
    """Pass an instant of the patient in the first lane; return the status."""
    return pass_instant(book, 0, row, False, at_event)


@compiled
def add_samples_alone(book: Integers, row: int, length: float) -> None:
    """Add a stretch of time, sampled into the book, to the reductions of the patient."""
    add_samples(book, row, length)


@compiled
def finish_alone(book: Integers, row: int, status: int) -> None:
    """Keep the end of the patient in the first lane."""
    finish(book, 0, row, status)
