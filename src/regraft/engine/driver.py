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
from regraft.engine.book import Integers, floats, floats_of, integers, integers_of, matrix
from regraft.engine.buffers import (
    CULPRIT,
    END,
    IS_START,
    LENGTH,
    MAX_STEP,
    MAX_STEPS,
    MIN_STEP,
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
from regraft.engine.jumps import any_turned_true, locate, look
from regraft.engine.patient import begin, finish, pass_instant, write
from regraft.engine.status import DOMAIN, NON_FINITE, OK, STEP_LIMIT, STEP_TOO_SMALL
from regraft.engine.step import between, copy, fetch, prepare_between, put, rates_at, worst_state

_SMALLEST_RELATIVE_STEP = 4.0 * np.finfo(np.float64).eps
_SLACK = 1.01


@compiled_inner
def _place(book: Integers, k: int) -> None:
    """Put a patient and all that may have changed into its lane."""
    put(book, rows.STATES, k, floats(book, b.Y))
    put(book, rows.TRUTH, k, floats(book, b.TRUTH))
    put(book, rows.CONSTANTS, k, floats_of(book, b.CONSTANT_TABLE, k))
    put(book, rows.INFUSION, k, floats_of(book, b.INFUSION, k))


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
            continue  # a continuation revives nobody
        status = begin(book, k, row)
        if status == OK:
            status = pass_instant(book, k, row, integers(book, b.COUNTS)[IS_START] != 0, False)
        if status == OK:
            row_of[k] = row
            _place(book, k)
            return
        finish(book, k, row, status)


@compiled_inner
def _plan(book: Integers, k: int) -> None:
    """Choose the step that a lane tries next.

    A step that would almost reach the target reaches it; one that would leave a rest shorter than itself goes half
    the way.
    """
    clock, block, layout = floats_of(book, b.CLOCK, k), matrix(book, b.BLOCK), integers(book, b.LAYOUT)
    t, h, target = clock[TIME], clock[STEP], clock[TARGET]
    rest = target - t
    length = h
    if h * _SLACK >= rest:
        length = rest
    elif 2.0 * h > rest:
        length = 0.5 * rest
    clock[LENGTH] = length
    clock[END] = target if length == rest else t + length
    block[layout[rows.TIME], k] = t
    block[layout[rows.STEP], k] = length
    block[layout[rows.END], k] = clock[END]


@compiled_inner
def _reject(book: Integers, k: int, error: float, growth: float) -> int:
    """Shorten the step of a lane; return the status."""
    clock, counters = floats_of(book, b.CLOCK, k), integers_of(book, b.COUNTERS, k)
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
def _accept(book: Integers, k: int, growth: float) -> None:
    """Choose the length of the step after an accepted one."""
    clock, counters = floats_of(book, b.CLOCK, k), integers_of(book, b.COUNTERS, k)
    length, h = clock[LENGTH], clock[STEP]
    proposed = length * (min(1.0, growth) if counters[REJECTED] else growth)
    # A step cut short by its target says little about the step that the patient can take.
    if length < h and growth >= 1.0:
        proposed = max(proposed, h)
    clock[STEP] = min(proposed, floats(book, b.NUMBERS)[MAX_STEP])
    counters[REJECTED] = 0


@compiled_inner
def _event(book: Integers, k: int) -> int:
    """Cut the step of a lane at its first event and pass that instant; return the status."""
    clock, counters, row = floats_of(book, b.CLOCK, k), integers_of(book, b.COUNTERS, k), integers(book, b.ROW)[k]
    t, length, end = clock[TIME], clock[LENGTH], clock[END]
    times, count = floats_of(book, b.TIMES, row), integers(book, b.TIME_COUNTS)[row]
    fetch(book, rows.TRUTH, k, floats(book, b.TRUTH))
    prepare_between(book, k)
    guard = look(book, k, end, floats(book, b.NEW))
    if guard >= 0:
        counters[CULPRIT] = floats(book, b.Y).size + floats(book, b.TRUTH).size + guard
        return DOMAIN
    assert any_turned_true(book)
    fraction = locate(book, k, t, length)
    end = end if fraction == 1.0 else t + fraction * length
    margin = floats(book, b.NUMBERS)[TIME_TOLERANCE] * max(1.0, abs(end))
    while counters[WRITTEN] < count and times[counters[WRITTEN]] < end - margin:
        moment = times[counters[WRITTEN]]
        between(book, (moment - t) / length)
        write(book, k, row, moment, floats(book, b.BETWEEN))
    between(book, fraction)
    copy(floats(book, b.BETWEEN), floats(book, b.Y))
    clock[TIME] = end
    return pass_instant(book, k, row, False, True)


@compiled_inner
def _judge(book: Integers, k: int) -> int:
    """Accept or reject the step of a lane; serve an event at once. Returns the status."""
    counters, block, layout = integers_of(book, b.COUNTERS, k), matrix(book, b.BLOCK), integers(book, b.LAYOUT)
    error, growth = block[layout[rows.ERROR], k], block[layout[rows.GROWTH], k]
    counters[TAKEN] += 1
    spent = counters[TAKEN] >= integers(book, b.COUNTS)[MAX_STEPS]
    if error <= 1.0:
        _accept(book, k, growth)
        if block[layout[rows.ATTENTION], k] == 0.0:
            integers(book, b.KEPT)[k] = 1
            return OK
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
def _has_output_inside(book: Integers, k: int) -> bool:
    """Whether the next output time of a lane lies inside its accepted step."""
    row, written = integers(book, b.ROW)[k], integers_of(book, b.COUNTERS, k)[WRITTEN]
    if integers(book, b.KEPT)[k] == 0 or written >= integers(book, b.TIME_COUNTS)[row]:
        return False
    return bool(floats_of(book, b.TIMES, row)[written] < floats_of(book, b.CLOCK, k)[END])


@compiled_inner
def _show(book: Integers, lanes: int) -> bool:
    """Write one output inside the step of every lane that has one; return whether any had."""
    block, layout, shown = matrix(book, b.BLOCK), integers(book, b.LAYOUT), integers(book, b.SHOWN)
    row_of, some = integers(book, b.ROW), False
    for k in range(lanes):
        shown[k] = _has_output_inside(book, k)
        if shown[k]:
            clock = floats_of(book, b.CLOCK, k)
            moment = floats_of(book, b.TIMES, row_of[k])[integers_of(book, b.COUNTERS, k)[WRITTEN]]
            block[layout[rows.MOMENT], k] = moment
            block[layout[rows.FRACTION], k] = (moment - clock[TIME]) / clock[LENGTH]
            some = True
    if not some:
        return False
    call_block(integers(book, b.ADDRESSES)[SHOW], block)
    width = matrix(book, b.TIMES).shape[1]
    for k in range(lanes):
        if shown[k]:
            counters = integers_of(book, b.COUNTERS, k)
            fetch(book, rows.SHOWN, k, floats_of(book, b.RECORDED, row_of[k] * width + counters[WRITTEN]))
            counters[WRITTEN] += 1
    return True


@compiled_inner
def _arrive(book: Integers, k: int) -> int:
    """Move a lane to the end of its accepted step; serve it if something is due there. Returns the status."""
    row, clock, counters = integers(book, b.ROW)[k], floats_of(book, b.CLOCK, k), integers_of(book, b.COUNTERS, k)
    clock[TIME] = clock[END]
    written = counters[WRITTEN]
    due = clock[END] >= clock[TARGET]
    if written < integers(book, b.TIME_COUNTS)[row]:
        due = due or floats_of(book, b.TIMES, row)[written] <= clock[END]
    spent = counters[TAKEN] >= integers(book, b.COUNTS)[MAX_STEPS]
    if not (due or spent):
        return OK
    fetch(book, rows.STATES, k, floats(book, b.Y))
    fetch(book, rows.TRUTH, k, floats(book, b.TRUTH))
    status = pass_instant(book, k, row, False, False)
    if status == OK:
        _place(book, k)
    return STEP_LIMIT if status == OK and spent else status


@compiled_inner
def _write_outputs_inside(book: Integers, lanes: int) -> None:
    """Write all outputs that lie inside accepted steps."""
    inside = False
    for k in range(lanes):
        inside = inside or _has_output_inside(book, k)
    if inside:
        call_block(integers(book, b.ADDRESSES)[PREPARE_OUTPUTS], matrix(book, b.BLOCK))
    while inside:
        inside = _show(book, lanes)


@compiled_inner
def _leave(book: Integers, k: int, status: int) -> None:
    """Keep the end of a patient and give the lane to the next."""
    finish(book, k, integers(book, b.ROW)[k], status)
    _refill(book, k)


@compiled_inner
def _take_step(book: Integers, lanes: int) -> None:
    """Let every lane try one step."""
    row_of, kept, addresses = integers(book, b.ROW), integers(book, b.KEPT), integers(book, b.ADDRESSES)
    block, mark = matrix(book, b.BLOCK), integers(book, b.LAYOUT)[rows.KEPT]
    for k in range(lanes):
        kept[k] = 0
        if row_of[k] >= 0:
            _plan(book, k)
    call_block(addresses[STEP_ALL], block)
    # First all that the step itself decides, then what happens where it ends.
    for arriving in range(2):
        for k in range(lanes):
            status = OK
            if arriving and kept[k]:
                status = _arrive(book, k)
            elif not arriving and row_of[k] >= 0:
                status = _judge(book, k)
                block[mark, k] = kept[k]
            if status != OK:
                _leave(book, k, status)
        if not arriving:
            _write_outputs_inside(book, lanes)
            call_block(addresses[KEEP], block)


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
