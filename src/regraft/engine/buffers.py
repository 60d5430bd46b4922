"""The arrays of the compiled driver, by page of its book."""

from __future__ import annotations

import numpy as np

from regraft.engine import book as b
from regraft.engine.book import Floats, Integers
from regraft.engine.kernel import Kernel
from regraft.engine.reductions import KINDS
from regraft.engine.settings import SolverSettings
from regraft.engine.tableau import rodas5p

Arrays = dict[int, Floats | Integers]

# Places in the page COUNTS.
CONTINUOUS, EVENTS, GUARDS, MAX_STEPS, MAX_CASCADE, SEED, IS_START, TAPING = range(8)
# Places in the page NUMBERS.
RTOL, FIRST_STEP, MAX_STEP, MIN_STEP, TIME_TOLERANCE = range(5)
# Places in a lane's COUNTERS and CLOCK: where a patient's run stands.
# CULPRIT counts through the states (engine order), then the events, then the domain guards.
CURSOR, WRITTEN, TAKEN, LOGGED, CULPRIT, REJECTED, DOSED, TAPED, FOLLOWS = range(9)
# DOSED tells that constants or infusions may have changed since the lane was filled; TAPED counts the places of the
# tape that lie behind, and FOLLOWS tells that the step being tried was given by the tape.
# LENGTH is that of the step being tried, STEP the one wished for, TARGET a time that no step may pass,
# and OUTPUT the next time at which outputs are wanted.
TIME, STEP, TARGET, LENGTH, END, OUTPUT = range(6)
SAMPLES = 5  # of each step for reductions, evenly spaced, ends included: as many as its dense output has coefficients
_ALIGNMENT = 64  # bytes of the widest vector


def _integers(*shape: int) -> Integers:
    return np.zeros(shape, dtype=np.int64)


def model_arrays(
    kernel: Kernel, settings: SolverSettings, terminal: Integers, seed: int, *, is_start: bool, taping: int = 0
) -> Arrays:
    """Return the model, the tolerances and the limits of a call."""
    initial, events = kernel.initial, kernel.events
    flags = [(e.initial_value, e.persistent, e.use_trigger_values) for e in kernel.equations.events]
    table = np.array(flags, dtype=np.int64).reshape(len(flags), 3)
    counts = [kernel.continuous, len(flags), len(kernel.guard_states), settings.max_steps, settings.max_cascade]
    numbers = [
        settings.rtol,
        settings.first_step_days,
        settings.max_step_days,
        settings.min_step_days,
        settings.event_time_tolerance,
    ]
    return {
        b.ADDRESSES: kernel.addresses,
        b.LAYOUT: np.array(kernel.layout, dtype=np.int64),
        b.COUNTS: np.array([*counts, seed, is_start, taping], dtype=np.int64),
        b.NUMBERS: np.array(numbers),
        b.ATOL: settings.absolute_tolerances([s.id for s in kernel.equations.states])[kernel.state_order],
        b.DENSE_WEIGHTS: rodas5p().dense,
        b.INITIAL_TARGETS: initial.targets,
        b.INITIAL_CODES: initial.codes,
        b.INITIAL_CODE_COUNTS: initial.code_counts,
        b.INITIAL_STREAMS: initial.streams,
        b.TARGETS: events.targets,
        b.TARGET_COUNTS: events.target_counts,
        b.CODES: events.codes,
        b.CODE_COUNTS: events.code_counts,
        b.STREAMS: events.streams,
        b.INITIALLY_TRUE: table[:, 0].copy(),
        b.PERSISTENT: table[:, 1].copy(),
        b.TRIGGER_VALUES: table[:, 2].copy(),
        b.TERMINAL: terminal,
        b.WATCHED: kernel.watched,
        b.REDUCTION_KINDS: np.array([KINDS.index(r.kind) for r in kernel.reductions], dtype=np.int64),
        b.REDUCTION_THRESHOLDS: np.array([r.threshold for r in kernel.reductions], dtype=np.float64),
    }


def thread_arrays(kernel: Kernel, settings: SolverSettings) -> Arrays:
    """Allocate the arrays of one thread; its log has room for the events of twice the patients in its lanes."""
    moving, wide, events = kernel.continuous, kernel.lanes, len(kernel.event_ids)
    log = 2 * wide * settings.max_events
    by_lane: Arrays = {
        b.BLOCK: _block(kernel, settings),
        b.ROW: np.full(wide, -1, dtype=np.int64),
        b.KEPT: _integers(wide),
        b.SHOWN: _integers(wide),
        b.INFUSION: np.zeros((wide, moving)),
        b.INFUSIONS: _integers(wide, moving),
        b.CONSTANT_TABLE: np.zeros((wide, kernel.constants)),
        b.OCCURRENCE: _integers(wide, events),
        b.COUNTERS: _integers(wide, 9),
        b.CLOCK: np.zeros((wide, 6)),
        b.STOP_TIMES: np.zeros((wide, kernel.stops)),
        b.LANE_LOG_EVENT: _integers(wide, settings.max_events),
        b.LANE_LOG_TIME: np.zeros((wide, settings.max_events)),
        b.LOG_PATIENT: _integers(log),
        b.LOG_EVENT: _integers(log),
        b.LOG_TIME: np.zeros(log),
        b.LOG_COUNT: _integers(1),
    }
    return by_lane | _scratch(kernel)


def _scratch(kernel: Kernel) -> Arrays:
    """Allocate what is needed while one patient is served."""
    states, moving = kernel.state_order.size, kernel.continuous
    events, guards = len(kernel.event_ids), len(kernel.guard_states)
    draws = max(kernel.initial.codes.shape[1], kernel.events.codes.shape[1])
    return {
        b.Y: np.zeros(states),
        b.NEW: np.zeros(states),
        b.BETWEEN: np.zeros(states),
        b.RATE: np.zeros(moving),
        b.DENSE: np.zeros((3, kernel.watched.size)),
        b.TRUTH: np.zeros(events),
        b.FRESH: np.zeros(events),
        b.BROKEN: np.zeros(guards),
        b.GAPS: np.zeros(events),
        b.PENDING: _integers(events),
        b.VALUES: np.zeros((events, kernel.events.targets.shape[1])),
        b.ARGUMENTS: np.zeros(2 * draws),
        b.DRAWN: np.zeros(draws),
        b.PRIORITY: np.zeros(events),
        b.NOTHING: np.zeros(1),
        b.REDUCED_NOW: np.zeros(len(kernel.reductions)),
        b.REDUCED_SAMPLES: np.zeros((len(kernel.reductions), SAMPLES)),
    }


def _block(kernel: Kernel, settings: SolverSettings) -> Floats:
    """Return the memory of a vector of patients, aligned, with the tolerances in place."""
    layout, lanes, places = kernel.layout, kernel.lanes, _ALIGNMENT // 8
    rows = layout.constants + kernel.constants
    memory = np.zeros(rows * lanes + places)
    first = -(memory.ctypes.data // 8) % places
    block = memory[first : first + rows * lanes].reshape(rows, lanes)
    atol = settings.absolute_tolerances([s.id for s in kernel.equations.states])[kernel.state_order]
    block[layout.relative] = settings.rtol
    block[layout.absolute : layout.absolute + kernel.continuous] = atol[: kernel.continuous, None]
    return block
