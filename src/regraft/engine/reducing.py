"""Extremes, integrals and times above a threshold, gathered while a patient is solved."""

from __future__ import annotations

import math

from regraft.engine import book as b
from regraft.engine.book import Floats, Integers, floats, floats_of, integers, matrix
from regraft.engine.buffers import SAMPLES
from regraft.engine.calls import REDUCED, call
from regraft.engine.jit import compiled_inner
from regraft.engine.reductions import KINDS
from regraft.engine.step import between, prepare_between

_MAXIMUM, _MINIMUM = KINDS.index("maximum"), KINDS.index("minimum")
_INTEGRAL, _ABOVE = KINDS.index("integral"), KINDS.index("time_above")
_PARTS = 16  # in which each step is searched for extremes and crossings
_HALVINGS = 40


@compiled_inner
def begin_reductions(book: Integers, row: int) -> None:
    """Put the value of an empty run into every reduction of a patient."""
    kinds, reduced = integers(book, b.REDUCTION_KINDS), floats_of(book, b.END_REDUCED, row)
    for i in range(kinds.size):
        reduced[i] = 0.0
        if kinds[i] == _MAXIMUM:
            reduced[i] = -math.inf
        elif kinds[i] == _MINIMUM:
            reduced[i] = math.inf


@compiled_inner
def lose_reductions(book: Integers, row: int) -> None:
    """Forget what was gathered for a patient whose run failed."""
    reduced = floats_of(book, b.END_REDUCED, row)
    for i in range(reduced.size):
        reduced[i] = math.nan


@compiled_inner
def reduce_instant(book: Integers, lane: int, row: int, t: float) -> None:
    """Let the state after a jump count for the extremes."""
    kinds, reduced, now = (
        integers(book, b.REDUCTION_KINDS),
        floats_of(book, b.END_REDUCED, row),
        floats(book, b.REDUCED_NOW),
    )
    if kinds.size == 0:
        return
    _quantities(book, lane, t, False)
    for i in range(kinds.size):
        if kinds[i] == _MAXIMUM:
            reduced[i] = max(reduced[i], now[i])
        elif kinds[i] == _MINIMUM:
            reduced[i] = min(reduced[i], now[i])


@compiled_inner
def _quantities(book: Integers, lane: int, t: float, inside: bool) -> None:
    """Compute the reduced quantities, of the state in the page Y or, inside a step, in the page BETWEEN."""
    y = floats(book, b.BETWEEN) if inside else floats(book, b.Y)
    constants, nothing = floats_of(book, b.CONSTANT_TABLE, lane), floats(book, b.NOTHING)
    call(integers(book, b.ADDRESSES)[REDUCED], 0, t, y, constants, nothing, floats(book, b.REDUCED_NOW))


@compiled_inner
def reduce_step(book: Integers, lane: int, row: int, t: float, length: float, part: float) -> None:
    """Add the first part (0 to 1) of the last step of a lane."""
    now, samples = floats(book, b.REDUCED_NOW), matrix(book, b.REDUCED_SAMPLES)
    if now.size == 0:
        return
    prepare_between(book, lane)
    for k in range(SAMPLES):
        s = part * k / (SAMPLES - 1)
        between(book, lane, s)
        _quantities(book, lane, t + s * length, True)
        for i in range(now.size):
            samples[i, k] = now[i]
    add_samples(book, row, part * length)


@compiled_inner
def add_samples(book: Integers, row: int, length: float) -> None:
    """Add a stretch of time to every reduction of a patient, from evenly spaced samples of the quantities."""
    kinds, thresholds = integers(book, b.REDUCTION_KINDS), floats(book, b.REDUCTION_THRESHOLDS)
    reduced, samples = floats_of(book, b.END_REDUCED, row), matrix(book, b.REDUCED_SAMPLES)
    for i in range(kinds.size):
        values, kind = samples[i], kinds[i]
        if kind == _MAXIMUM:
            reduced[i] = max(reduced[i], _largest(values, 1.0))
        elif kind == _MINIMUM:
            reduced[i] = min(reduced[i], -_largest(values, -1.0))
        elif kind == _INTEGRAL:
            ends, quarters = values[0] + values[4], values[1] + values[3]
            reduced[i] += length * (7.0 * ends + 32.0 * quarters + 12.0 * values[2]) / 90.0  # Boole's rule
        elif kind == _ABOVE:
            reduced[i] += length * _share_above(values, thresholds[i], 1.0)
        else:
            reduced[i] += length * _share_above(values, thresholds[i], -1.0)


@compiled_inner
def _polynomial(values: Floats, s: float) -> float:
    """Return the polynomial through the samples at a fraction s of the stretch (Newton's forward differences)."""
    u = s * (SAMPLES - 1)
    one, two, three = values[1] - values[0], values[2] - values[1], values[3] - values[2]
    four = values[4] - values[3]
    second, third = two - one, three - two
    higher = third - second
    highest = (four - three) - third - higher
    tail = higher + (u - 3.0) / 4.0 * highest
    return float(values[0] + u * (one + (u - 1.0) / 2.0 * (second + (u - 2.0) / 3.0 * tail)))


@compiled_inner
def _largest(values: Floats, sign: float) -> float:
    """Return the largest value of the polynomial times a sign."""
    best, place = -math.inf, 0
    for k in range(_PARTS + 1):
        value = sign * _polynomial(values, k / _PARTS)
        if value > best:
            best, place = value, k
    if 0 < place < _PARTS:
        low = sign * _polynomial(values, (place - 1) / _PARTS)
        high = sign * _polynomial(values, (place + 1) / _PARTS)
        bend = low - 2.0 * best + high
        if bend < 0.0:
            best = max(best, sign * _polynomial(values, (place + 0.5 * (low - high) / bend) / _PARTS))
    return best


@compiled_inner
def _share_above(values: Floats, threshold: float, sign: float) -> float:
    """Return the share of the stretch in which the polynomial lies above the threshold, below it for sign -1."""
    share, left = 0.0, sign * (_polynomial(values, 0.0) - threshold)
    for k in range(_PARTS):
        right = sign * (_polynomial(values, (k + 1) / _PARTS) - threshold)
        if left > 0.0 and right > 0.0:
            share += 1.0
        elif left > 0.0 or right > 0.0:
            crossing = _crossing(values, threshold, sign, k)
            share += crossing if left > 0.0 else 1.0 - crossing
        left = right
    return share / _PARTS


@compiled_inner
def _crossing(values: Floats, threshold: float, sign: float, k: int) -> float:
    """Return where in a part the polynomial crosses the threshold, as a fraction of the part."""
    low, high = 0.0, 1.0
    above = sign * (_polynomial(values, k / _PARTS) - threshold) > 0.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if (sign * (_polynomial(values, (k + middle) / _PARTS) - threshold) > 0.0) == above:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)
