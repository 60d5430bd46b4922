"""What the compiled driver works on, grouped so that few arguments travel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from regraft.engine.kernel import Kernel
from regraft.engine.settings import SolverSettings
from regraft.engine.tableau import rodas5p

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


# Places in ``Work.counters`` and ``Work.clock``: where a patient's run stands.
# CULPRIT counts through the states (engine order), then the events, then the domain guards.
CURSOR, WRITTEN, TAKEN, LOGGED, CULPRIT = range(5)
TIME, STEP = range(2)


class Model(NamedTuple):
    """A kernel and a method as plain arrays and numbers."""

    addresses: Integers
    gamma: float
    order: int
    a: Floats
    c: Floats
    node: Floats
    time_derivative: Floats
    dense: Floats
    continuous: int
    events: int
    guards: int
    initial_targets: Integers
    initial_codes: Integers
    initial_code_counts: Integers
    initial_streams: Integers
    targets: Integers
    target_counts: Integers
    codes: Integers
    code_counts: Integers
    streams: Integers
    initially_true: Integers
    persistent: Integers
    trigger_values: Integers
    terminal: Integers


class Limits(NamedTuple):
    """Tolerances and limits; ``atol`` per state in engine order."""

    rtol: float
    atol: Floats
    first_step: float
    max_step: float
    min_step: float
    time_tolerance: float
    max_steps: int
    max_cascade: int


class Work(NamedTuple):
    """Arrays of one patient's run, reused for the next patient of the chunk."""

    y: Floats
    new: Floats
    stage: Floats
    between: Floats
    rates: Floats
    infusion: Floats
    infusions: Integers
    slopes: Floats
    jacobian: Floats
    factors: Floats
    increments: Floats
    dense: Floats
    constants: Floats
    truth: Floats
    fresh: Floats
    pending: Integers
    values: Floats
    arguments: Floats
    draws: Floats
    priorities: Floats
    occurrence: Integers
    counters: Integers
    clock: Floats
    log_event: Integers
    log_time: Floats
    nothing: Floats


def driver_model(kernel: Kernel, terminal: Integers) -> Model:
    """Return the driver's view of a kernel."""
    method, initial, events = rodas5p(), kernel.initial, kernel.events
    flags = [(e.initial_value, e.persistent, e.use_trigger_values) for e in kernel.equations.events]
    table = np.array(flags, dtype=np.int64).reshape(len(flags), 3)
    return Model(
        kernel.addresses,
        method.gamma,
        method.order,
        method.a,
        method.c,
        method.node,
        method.time_derivative,
        method.dense,
        kernel.continuous,
        len(flags),
        len(kernel.guard_states),
        initial.targets,
        initial.codes,
        initial.code_counts,
        initial.streams,
        events.targets,
        events.target_counts,
        events.codes,
        events.code_counts,
        events.streams,
        table[:, 0].copy(),
        table[:, 1].copy(),
        table[:, 2].copy(),
        terminal,
    )


def driver_limits(kernel: Kernel, settings: SolverSettings) -> Limits:
    """Return the settings with one absolute tolerance per state, in engine order."""
    by_state = settings.absolute_tolerances([state.id for state in kernel.equations.states])
    return Limits(
        settings.rtol,
        by_state[kernel.state_order],
        settings.first_step_days,
        settings.max_step_days,
        settings.min_step_days,
        settings.event_time_tolerance,
        settings.max_steps,
        settings.max_cascade,
    )


def work_space(kernel: Kernel, settings: SolverSettings, stages: int) -> Work:
    """Allocate the arrays of one thread."""
    states, moving = kernel.state_order.size, kernel.continuous
    events, guards = len(kernel.event_ids), len(kernel.guard_states)
    draws = max(kernel.initial.codes.shape[1], kernel.events.codes.shape[1])
    floats = np.zeros

    def integers(size: int) -> Integers:
        return np.zeros(size, dtype=np.int64)

    return Work(
        y=floats(states),
        new=floats(states),
        stage=floats(states),
        between=floats(states),
        rates=floats(moving),
        infusion=floats(moving),
        infusions=integers(moving),
        slopes=floats(moving),
        jacobian=floats(kernel.jacobian_entries),
        factors=floats(kernel.factor_entries),
        increments=floats((stages, moving)),
        dense=floats((3, moving)),
        constants=floats(kernel.constants),
        truth=floats(events),
        fresh=floats(events + guards),
        pending=integers(events),
        values=floats((events, kernel.events.targets.shape[1])),
        arguments=floats(2 * draws),
        draws=floats(draws),
        priorities=floats(events),
        occurrence=integers(events),
        counters=integers(5),
        clock=floats(2),
        log_event=integers(settings.max_events),
        log_time=floats(settings.max_events),
        nothing=floats(1),
    )
