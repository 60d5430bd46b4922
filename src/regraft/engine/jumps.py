"""What happens at an instant: initial values, triggers, and events with their random draws."""

from __future__ import annotations

import math

from regraft.engine.book import (
    ADDRESSES,
    ARGUMENTS,
    BETWEEN,
    BROKEN,
    CODE_COUNTS,
    CODES,
    CONSTANT_TABLE,
    COUNTERS,
    COUNTS,
    DRAWN,
    FRESH,
    GAPS,
    INITIAL_CODE_COUNTS,
    INITIAL_CODES,
    INITIAL_STREAMS,
    INITIAL_TARGETS,
    LANE_LOG_EVENT,
    LANE_LOG_TIME,
    NOTHING,
    NUMBERS,
    OCCURRENCE,
    PENDING,
    PERSISTENT,
    PRIORITY,
    STREAMS,
    TARGET_COUNTS,
    TARGETS,
    TERMINAL,
    TRIGGER_VALUES,
    TRUTH,
    VALUES,
    Floats,
    Integers,
    Y,
    floats,
    floats_of,
    integer_matrix,
    integers,
    integers_of,
)
from regraft.engine.buffers import CONTINUOUS, CULPRIT, LOGGED, MAX_CASCADE, SEED, TIME_TOLERANCE
from regraft.engine.calls import (
    EVENT_ARGUMENTS,
    EVENT_VALUES,
    GUARDS,
    INITIAL_ARGUMENTS,
    INITIAL_VALUE,
    PRIORITIES,
    TRIGGERS,
    call,
)
from regraft.engine.draws import draw
from regraft.engine.jit import compiled_inner
from regraft.engine.status import DOMAIN, ENDED, EVENT_LOG_FULL, EVENT_STORM, NON_FINITE, OK
from regraft.engine.step import watch

_FINEST = 1e-15  # part of a step below which fractions are not told apart


@compiled_inner
def _draw_all(book: Integers, codes: Integers, count: int, patient: int, stream: int, occurrence: int) -> None:
    """Make the draws of a jump from their arguments."""
    arguments, drawn, seed = floats(book, ARGUMENTS), floats(book, DRAWN), integers(book, COUNTS)[SEED]
    for i in range(count):
        drawn[i] = draw(codes[i], arguments[2 * i], arguments[2 * i + 1], seed, patient, stream, occurrence, i)


@compiled_inner
def set_initial_values(book: Integers, lane: int, t: float, patient: int) -> int:
    """Set every state to its initial value, in dependency order; return the state that is not finite, or -1."""
    addresses, y, constants = integers(book, ADDRESSES), floats(book, Y), floats_of(book, CONSTANT_TABLE, lane)
    targets, counts = integer_matrix(book, INITIAL_TARGETS), integers(book, INITIAL_CODE_COUNTS)
    for j in range(targets.shape[0]):
        target = targets[j, 0]
        if counts[j] > 0:
            call(addresses[INITIAL_ARGUMENTS], j, t, y, constants, floats(book, NOTHING), floats(book, ARGUMENTS))
            codes, stream = integers_of(book, INITIAL_CODES, j), integers(book, INITIAL_STREAMS)[j]
            _draw_all(book, codes, counts[j], patient, stream, 0)
        call(addresses[INITIAL_VALUE], j, t, y, constants, floats(book, DRAWN), y[target : target + 1])
        if not math.isfinite(y[target]):
            return int(target)
    return -1


@compiled_inner
def look(book: Integers, lane: int, t: float, y: Floats) -> None:
    """Evaluate all triggers into the pages FRESH and GAPS."""
    fresh, constants = floats(book, FRESH), floats_of(book, CONSTANT_TABLE, lane)
    call(integers(book, ADDRESSES)[TRIGGERS], 0, t, y, constants, floats(book, GAPS), fresh)


@compiled_inner
def broken_guard(book: Integers, lane: int, t: float, y: Floats) -> int:
    """Return the first domain that a state has left, or -1."""
    broken, constants = floats(book, BROKEN), floats_of(book, CONSTANT_TABLE, lane)
    call(integers(book, ADDRESSES)[GUARDS], 0, t, y, constants, floats(book, NOTHING), broken)
    for g in range(broken.size):
        if broken[g] != 0.0:
            return g
    return -1


@compiled_inner
def any_turned_true(book: Integers) -> bool:
    """Whether a trigger holds now that did not hold before."""
    fresh, truth, found = floats(book, FRESH), floats(book, TRUTH), False
    for e in range(truth.size):
        found = found or (fresh[e] != 0.0 and truth[e] == 0.0)
    return found


@compiled_inner
def _largest_gap(book: Integers) -> float:
    """Return how near the nearest of the triggers that did not hold before is to holding."""
    gaps, truth, largest = floats(book, GAPS), floats(book, TRUTH), -math.inf
    for e in range(truth.size):
        if truth[e] == 0.0 and not gaps[e] <= largest:
            largest = gaps[e]
    return largest


@compiled_inner
def _propose(low: float, high: float, at_low: float, at_high: float, turn: int) -> float:
    """Return where a line between both ends crosses zero, at every third turn and in case of doubt the middle."""
    middle = 0.5 * (low + high)
    if turn % 3 == 2 or not (at_low <= 0.0 and at_high >= 0.0 and at_high > at_low):
        return middle
    crossing = high - (high - low) * at_high / (at_high - at_low)
    return crossing if low <= crossing <= high else middle


@compiled_inner
def locate(book: Integers, lane: int, t: float, h: float) -> float:
    """Return the fraction of the step, to tolerance, at which the first trigger turns true, on the dense output.

    ``look`` must have been called at the end of the step. The search keeps a bracket whose upper end is always a point
    where a trigger holds; an end that stays twice counts half (the Illinois rule).
    """
    low, high, turn, stayed = 0.0, 1.0, 0, 0
    tolerance = max(floats(book, NUMBERS)[TIME_TOLERANCE] * max(1.0, abs(t)) / h, _FINEST)
    at_high = _largest_gap(book)
    look(book, lane, t, floats(book, Y))
    at_low = _largest_gap(book)
    while high - low > tolerance:
        point = _propose(low, high, at_low, at_high, turn)
        point = min(max(point, low + 0.5 * tolerance), high - 0.5 * tolerance)
        watch(book, point)
        look(book, lane, t + point * h, floats(book, BETWEEN))
        if any_turned_true(book):
            high, at_high = point, _largest_gap(book)
            at_low *= 0.5 if stayed == 1 else 1.0
            stayed = 1
        else:
            low, at_low = point, _largest_gap(book)
            at_high *= 0.5 if stayed == 2 else 1.0
            stayed = 2
        turn += 1
    return high


@compiled_inner
def _compute_values(book: Integers, lane: int, t: float, patient: int, e: int) -> None:
    """Draw an event's random numbers and compute the values it will assign."""
    addresses, y, constants = integers(book, ADDRESSES), floats(book, Y), floats_of(book, CONSTANT_TABLE, lane)
    count = integers(book, CODE_COUNTS)[e]
    if count > 0:
        call(addresses[EVENT_ARGUMENTS], e, t, y, constants, floats(book, NOTHING), floats(book, ARGUMENTS))
        codes, stream = integers_of(book, CODES, e), integers(book, STREAMS)[e]
        _draw_all(book, codes, count, patient, stream, integers_of(book, OCCURRENCE, lane)[e])
    call(addresses[EVENT_VALUES], e, t, y, constants, floats(book, DRAWN), floats_of(book, VALUES, e))


@compiled_inner
def _queue(book: Integers, lane: int, t: float, patient: int) -> int:
    """Look at all triggers, queue the events that turned true, drop cancelled ones; return how many wait."""
    fresh, truth, pending = floats(book, FRESH), floats(book, TRUTH), integers(book, PENDING)
    look(book, lane, t, floats(book, Y))
    waiting = 0
    for e in range(truth.size):
        if fresh[e] != 0.0 and truth[e] == 0.0:
            pending[e] = 1
            if integers(book, TRIGGER_VALUES)[e]:
                _compute_values(book, lane, t, patient, e)
        elif pending[e] and fresh[e] == 0.0 and not integers(book, PERSISTENT)[e]:
            pending[e] = 0
        truth[e] = fresh[e]
        waiting += pending[e]
    return waiting


@compiled_inner
def _first_pending(book: Integers, lane: int, t: float, waiting: int) -> int:
    """Return the waiting event of highest priority, the first in the model among equals."""
    pending, priority = integers(book, PENDING), floats(book, PRIORITY)
    if waiting > 1:
        constants, nothing = floats_of(book, CONSTANT_TABLE, lane), floats(book, NOTHING)
        call(integers(book, ADDRESSES)[PRIORITIES], 0, t, floats(book, Y), constants, nothing, priority)
    best = -1
    for e in range(pending.size):
        if pending[e] and (best < 0 or (waiting > 1 and priority[e] > priority[best])):
            best = e
    return best


@compiled_inner
def _fire(book: Integers, lane: int, t: float, e: int) -> tuple[int, bool]:
    """Make an event's assignments and log it; return the status and whether a moving state jumped."""
    y, values, counters = floats(book, Y), floats_of(book, VALUES, e), integers_of(book, COUNTERS, lane)
    targets, moved = integers_of(book, TARGETS, e), False
    for k in range(integers(book, TARGET_COUNTS)[e]):
        target, value = targets[k], values[k]
        if not math.isfinite(value):
            return (DOMAIN if integers(book, CODE_COUNTS)[e] > 0 else NON_FINITE), moved
        moved = moved or (target < integers(book, COUNTS)[CONTINUOUS] and value != y[target])
        y[target] = value
    integers(book, PENDING)[e] = 0
    integers_of(book, OCCURRENCE, lane)[e] += 1
    logged = counters[LOGGED]
    integers_of(book, LANE_LOG_EVENT, lane)[logged] = e
    floats_of(book, LANE_LOG_TIME, lane)[logged] = t
    counters[LOGGED] = logged + 1
    return (ENDED if integers(book, TERMINAL)[e] else OK), moved


@compiled_inner
def settle(book: Integers, lane: int, t: float, patient: int) -> tuple[int, bool]:
    """Fire all events due at an instant until none is left.

    Returns the status and whether a moving state jumped; leaves the event at fault in the counters.
    """
    pending, counters = integers(book, PENDING), integers_of(book, COUNTERS, lane)
    limit, room = integers(book, COUNTS)[MAX_CASCADE], floats_of(book, LANE_LOG_TIME, lane).size
    fired, moved = 0, False
    for e in range(pending.size):
        pending[e] = 0
    waiting = _queue(book, lane, t, patient)
    while waiting > 0:
        e = _first_pending(book, lane, t, waiting)
        counters[CULPRIT] = floats(book, Y).size + e
        if fired >= limit:
            return EVENT_STORM, moved
        if counters[LOGGED] >= room:
            return EVENT_LOG_FULL, moved
        if not integers(book, TRIGGER_VALUES)[e]:
            _compute_values(book, lane, t, patient, e)
        status, jumped = _fire(book, lane, t, e)
        moved = moved or jumped
        fired += 1
        if status != OK:
            return status, moved
        waiting = _queue(book, lane, t, patient)
    counters[CULPRIT] = -1
    return OK, moved
