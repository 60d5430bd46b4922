"""One patient's rates, first step and values between the ends of a step, outside the vector."""

from __future__ import annotations

import math

from regraft.engine import layout as rows
from regraft.engine.book import (
    ADDRESSES,
    ATOL,
    BETWEEN,
    BLOCK,
    CONSTANT_TABLE,
    COUNTERS,
    COUNTS,
    DENSE,
    DENSE_WEIGHTS,
    INFUSION,
    LAYOUT,
    NEW,
    NOTHING,
    NUMBERS,
    RATE,
    WATCHED,
    Floats,
    Integers,
    Y,
    floats,
    floats_of,
    integers,
    integers_of,
    matrix,
)
from regraft.engine.buffers import CONTINUOUS, CULPRIT, FIRST_STEP, MIN_STEP, RTOL
from regraft.engine.calls import RATES, call
from regraft.engine.jit import compiled_inner
from regraft.engine.status import NON_FINITE, OK

# Fraction of a state that the first step after a start or a dose may change it by.
_FIRST_CHANGE = 0.05


@compiled_inner
def copy(source: Floats, target: Floats) -> None:
    """Copy a vector into the start of another."""
    for k in range(source.size):
        target[k] = source[k]


@compiled_inner
def fetch(book: Integers, what: int, lane: int, target: Floats) -> None:
    """Copy a column of the block out."""
    block, first = matrix(book, BLOCK), integers(book, LAYOUT)[what]
    for k in range(target.size):
        target[k] = block[first + k, lane]


@compiled_inner
def put(book: Integers, what: int, lane: int, source: Floats) -> None:
    """Copy a column into the block."""
    block, first = matrix(book, BLOCK), integers(book, LAYOUT)[what]
    for k in range(source.size):
        block[first + k, lane] = source[k]


@compiled_inner
def rates_at(book: Integers, lane: int, t: float) -> int:
    """Compute the rates of the moving states, infusions included; return the status, the state at fault counted."""
    rate, infusion = floats(book, RATE), floats_of(book, INFUSION, lane)
    constants, nothing = floats_of(book, CONSTANT_TABLE, lane), floats(book, NOTHING)
    call(integers(book, ADDRESSES)[RATES], 0, t, floats(book, Y), constants, nothing, rate)
    for k in range(rate.size):
        rate[k] += infusion[k]
    for k in range(rate.size):
        if not math.isfinite(rate[k]):
            integers_of(book, COUNTERS, lane)[CULPRIT] = k
            return NON_FINITE
    return OK


@compiled_inner
def first_step(book: Integers) -> float:
    """Return a step in which no state changes by much, from the rates at its start."""
    numbers, y, rate, atol = floats(book, NUMBERS), floats(book, Y), floats(book, RATE), floats(book, ATOL)
    step = numbers[FIRST_STEP]
    for k in range(rate.size):
        size = abs(y[k]) + atol[k] / numbers[RTOL]
        if abs(rate[k]) * step > _FIRST_CHANGE * size:
            step = _FIRST_CHANGE * size / abs(rate[k])
    return float(max(step, numbers[MIN_STEP]))


@compiled_inner
def worst_state(book: Integers, lane: int) -> int:
    """Return the state with the largest scaled error in the last step, the first that is not finite."""
    block, layout, atol = matrix(book, BLOCK), integers(book, LAYOUT), floats(book, ATOL)
    moving, rtol = integers(book, COUNTS)[CONTINUOUS], floats(book, NUMBERS)[RTOL]
    last = layout[rows.FACTORS] - moving  # the increments of the last stage end where the factors begin
    worst, largest = 0, 0.0
    for k in range(moving):
        size = max(abs(block[layout[rows.STATES] + k, lane]), abs(block[layout[rows.NEW] + k, lane]))
        scaled = abs(block[last + k, lane]) / (atol[k] + rtol * size)
        if not math.isfinite(scaled):
            return k
        if scaled > largest:
            worst, largest = k, scaled
    return worst


@compiled_inner
def prepare_between(book: Integers, lane: int) -> None:
    """Fetch the last step of a lane and compute the coefficients of its dense output, for the watched states."""
    y, new, watched, dense = floats(book, Y), floats(book, NEW), integers(book, WATCHED), matrix(book, DENSE)
    block, first, weights = matrix(book, BLOCK), integers(book, LAYOUT)[rows.INCREMENTS], matrix(book, DENSE_WEIGHTS)
    moving = integers(book, COUNTS)[CONTINUOUS]
    fetch(book, rows.STATES, lane, y)
    fetch(book, rows.STATES, lane, new)
    fetch(book, rows.NEW, lane, new[:moving])
    copy(new, floats(book, BETWEEN))
    for place in range(watched.size):
        first_sum = second_sum = third_sum = 0.0
        for i in range(weights.shape[1]):
            increment = block[first + i * moving + watched[place], lane]
            first_sum += weights[0, i] * increment
            second_sum += weights[1, i] * increment
            third_sum += weights[2, i] * increment
        dense[0, place], dense[1, place], dense[2, place] = first_sum, second_sum, third_sum


@compiled_inner
def watch(book: Integers, s: float) -> None:
    """Write the watched states at a fraction s of the step into the page BETWEEN."""
    y, new, target, watched = floats(book, Y), floats(book, NEW), floats(book, BETWEEN), integers(book, WATCHED)
    dense = matrix(book, DENSE)
    for place in range(watched.size):
        k = watched[place]
        inner = dense[0, place] + s * (dense[1, place] + s * dense[2, place])
        target[k] = (1.0 - s) * y[k] + s * (new[k] + (1.0 - s) * inner)


@compiled_inner
def between(book: Integers, lane: int, s: float) -> None:
    """Write all states at a fraction s of the step into the page BETWEEN."""
    y, new, target, block = floats(book, Y), floats(book, NEW), floats(book, BETWEEN), matrix(book, BLOCK)
    first, weights, moving = (
        integers(book, LAYOUT)[rows.INCREMENTS],
        matrix(book, DENSE_WEIGHTS),
        integers(book, COUNTS)[CONTINUOUS],
    )
    for k in range(moving):
        target[k] = (1.0 - s) * y[k] + s * new[k]
    for i in range(weights.shape[1]):
        weight = s * (1.0 - s) * (weights[0, i] + s * (weights[1, i] + s * weights[2, i]))
        for k in range(moving):
            target[k] += weight * block[first + i * moving + k, lane]
