"""What happens at an instant: initial values, triggers, and events with their random draws."""

from __future__ import annotations

import math

from regraft.engine.buffers import CULPRIT, LOGGED, Floats, Limits, Model, Work
from regraft.engine.calls import (
    EVENT_ARGUMENTS,
    EVENT_VALUES,
    INITIAL_ARGUMENTS,
    INITIAL_VALUE,
    PRIORITIES,
    TRIGGERS,
    call,
)
from regraft.engine.draws import draw
from regraft.engine.jit import compiled_inner
from regraft.engine.status import DOMAIN, ENDED, EVENT_LOG_FULL, EVENT_STORM, NON_FINITE, OK
from regraft.engine.step import between


@compiled_inner
def set_initial_values(model: Model, work: Work, t: float, seed: int, patient: int) -> int:
    """Set every state to its initial value, in dependency order; return the state that is not finite, or -1."""
    for j in range(model.initial_targets.shape[0]):
        target = model.initial_targets[j, 0]
        if model.initial_code_counts[j] > 0:
            call(model.addresses[INITIAL_ARGUMENTS], j, t, work.y, work.constants, work.nothing, work.arguments)
        for k in range(model.initial_code_counts[j]):
            work.draws[k] = draw(
                model.initial_codes[j, k],
                work.arguments[2 * k],
                work.arguments[2 * k + 1],
                seed,
                patient,
                model.initial_streams[j],
                0,
                k,
            )
        call(model.addresses[INITIAL_VALUE], j, t, work.y, work.constants, work.draws, work.y[target : target + 1])
        if not math.isfinite(work.y[target]):
            return int(target)
    return -1


@compiled_inner
def look(model: Model, work: Work, t: float, y: Floats) -> int:
    """Evaluate all triggers into ``work.fresh``; return the first domain guard that is broken, or -1."""
    call(model.addresses[TRIGGERS], 0, t, y, work.constants, work.nothing, work.fresh)
    for g in range(model.guards):
        if work.fresh[model.events + g] != 0.0:
            return g
    return -1


@compiled_inner
def any_turned_true(model: Model, work: Work) -> bool:
    """Whether a trigger holds now that did not hold before."""
    found = False
    for e in range(model.events):
        found = found or (work.fresh[e] != 0.0 and work.truth[e] == 0.0)
    return found


@compiled_inner
def locate(model: Model, work: Work, limits: Limits, t: float, h: float) -> float:
    """Return the fraction of the step at which the first trigger turns true, by bisection on the dense output."""
    low, high = 0.0, 1.0
    tolerance = limits.time_tolerance * max(1.0, abs(t))
    while (high - low) * h > tolerance:
        middle = 0.5 * (low + high)
        between(model, work, middle)
        look(model, work, t + middle * h, work.between)
        if any_turned_true(model, work):
            high = middle
        else:
            low = middle
    return high


@compiled_inner
def _compute_values(model: Model, work: Work, t: float, seed: int, patient: int, e: int) -> None:
    """Draw an event's random numbers and compute the values it will assign."""
    if model.code_counts[e] > 0:
        call(model.addresses[EVENT_ARGUMENTS], e, t, work.y, work.constants, work.nothing, work.arguments)
    for k in range(model.code_counts[e]):
        work.draws[k] = draw(
            model.codes[e, k],
            work.arguments[2 * k],
            work.arguments[2 * k + 1],
            seed,
            patient,
            model.streams[e],
            work.occurrence[e],
            k,
        )
    call(model.addresses[EVENT_VALUES], e, t, work.y, work.constants, work.draws, work.values[e])


@compiled_inner
def _queue(model: Model, work: Work, t: float, seed: int, patient: int) -> int:
    """Look at all triggers, queue the events that turned true, drop cancelled ones; return how many wait."""
    look(model, work, t, work.y)
    waiting = 0
    for e in range(model.events):
        if work.fresh[e] != 0.0 and work.truth[e] == 0.0:
            work.pending[e] = 1
            if model.trigger_values[e]:
                _compute_values(model, work, t, seed, patient, e)
        elif work.pending[e] and work.fresh[e] == 0.0 and not model.persistent[e]:
            work.pending[e] = 0
        work.truth[e] = work.fresh[e]
        waiting += work.pending[e]
    return waiting


@compiled_inner
def _first_pending(model: Model, work: Work, t: float, waiting: int) -> int:
    """Return the waiting event of highest priority, the first in the model among equals."""
    if waiting > 1:
        call(model.addresses[PRIORITIES], 0, t, work.y, work.constants, work.nothing, work.priorities)
    best = -1
    for e in range(model.events):
        if work.pending[e] and (best < 0 or (waiting > 1 and work.priorities[e] > work.priorities[best])):
            best = e
    return best


@compiled_inner
def settle(model: Model, work: Work, limits: Limits, t: float, seed: int, patient: int) -> tuple[int, bool]:
    """Fire all events due at an instant until none is left.

    Returns the status and whether a moving state jumped; leaves the event at fault in the counters.
    """
    fired, moved = 0, False
    for e in range(model.events):
        work.pending[e] = 0
    waiting = _queue(model, work, t, seed, patient)
    while waiting > 0:
        e = _first_pending(model, work, t, waiting)
        work.counters[CULPRIT] = work.y.size + e
        if fired >= limits.max_cascade:
            return EVENT_STORM, moved
        if work.counters[LOGGED] >= work.log_time.size:
            return EVENT_LOG_FULL, moved
        if not model.trigger_values[e]:
            _compute_values(model, work, t, seed, patient, e)
        for k in range(model.target_counts[e]):
            target, value = model.targets[e, k], work.values[e, k]
            if not math.isfinite(value):
                return (DOMAIN if model.code_counts[e] > 0 else NON_FINITE), moved
            moved = moved or (target < model.continuous and value != work.y[target])
            work.y[target] = value
        work.pending[e] = 0
        work.occurrence[e] += 1
        work.log_event[work.counters[LOGGED]], work.log_time[work.counters[LOGGED]] = e, t
        work.counters[LOGGED] += 1
        fired += 1
        if model.terminal[e]:
            return ENDED, moved
        waiting = _queue(model, work, t, seed, patient)
    work.counters[CULPRIT] = -1
    return OK, moved
