"""One patient after the other with Radau of SciPy for the steps, and the engine's own code for all the rest."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from regraft.engine import book as b
from regraft.engine.book import Floats, Integers, make_book
from regraft.engine.buffers import (
    CULPRIT,
    END,
    OUTPUT,
    SAMPLES,
    TAKEN,
    TARGET,
    TIME,
    WRITTEN,
    Arrays,
    model_arrays,
    thread_arrays,
)
from regraft.engine.calls import OUTPUTS, RATES, REDUCED, TRIGGERS
from regraft.engine.driver import add_samples_alone, finish_alone, pass_alone, start_alone
from regraft.engine.kernel import Kernel
from regraft.engine.run import Ends, Inputs, Log, empty_log, no_tape, patient_arrays
from regraft.engine.settings import SolverSettings
from regraft.engine.status import OK, STEP_LIMIT, STEP_TOO_SMALL

_LANE = 0
_MOST_STEPS = 2_000  # a patient takes milliseconds per step here
_KIND = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_double, *[ctypes.c_void_p] * 4)


def run_alone(
    kernel: Kernel, settings: SolverSettings, inputs: Inputs, ends: Ends, values: Floats, terminal: Integers
) -> Log:
    """Run all patients as ``run`` does, some thousand times slower."""
    shared = model_arrays(kernel, settings, terminal, inputs.seed, is_start=inputs.is_start)
    own = thread_arrays(kernel, settings)
    book = make_book(shared, patient_arrays(inputs, ends, values, no_tape(inputs.ids.size)), own)
    logs = []
    for row in inputs.order:
        patient = _Patient(kernel, settings, own, inputs.times[row, : inputs.counts[row]], values[row])
        patient.gather = partial(add_samples_alone, book.pages, int(row))
        status = start_alone(book.pages, int(row))
        while status == OK:
            status, at_event = patient.go_on()
            if status == OK:
                status = pass_alone(book.pages, int(row), at_event)
        finish_alone(book.pages, int(row), status)
        logs.append(empty_log(own))
    patients, events, times = (np.concatenate([log[k] for log in logs]) for k in range(3))
    return patients, events, times


class _Patient:
    """The state of one patient's run, in the arrays that the engine's own code works on."""

    def __init__(self, kernel: Kernel, settings: SolverSettings, own: Arrays, times: Floats, recorded: Floats) -> None:
        self.kernel, self.settings, self.times, self.recorded = kernel, settings, times, recorded
        self.clock, self.counters = own[b.CLOCK][_LANE], own[b.COUNTERS][_LANE]
        self.constants, self.infusion = own[b.CONSTANT_TABLE][_LANE], own[b.INFUSION][_LANE]
        self.y, self.truth, self.fresh, self.rate = own[b.Y], own[b.TRUTH], own[b.FRESH], own[b.RATE]
        self.whole, self.most_steps = np.array(self.y), min(settings.max_steps, _MOST_STEPS)
        self.places = {page: own[page].ctypes.data for page in (b.FRESH, b.GAPS, b.RATE, b.NOTHING, b.REDUCED_NOW)}
        self.now, self.samples = own[b.REDUCED_NOW], own[b.REDUCED_SAMPLES]
        self.gather: Callable[[float], None] = lambda length: None
        self.given = (self.whole.ctypes.data, self.constants.ctypes.data)
        self.functions = {f: _KIND(int(kernel.addresses[f])) for f in (OUTPUTS, RATES, TRIGGERS, REDUCED)}
        atol = settings.absolute_tolerances([s.id for s in kernel.equations.states])
        self.atol = atol[kernel.state_order][: kernel.continuous]

    def go_on(self) -> tuple[int, bool]:
        """Go to the next event or target; return the status and whether it was an event."""
        from scipy.integrate import Radau

        moving, target = self.kernel.continuous, float(self.clock[TARGET])
        self.whole[:] = self.y
        solver: Any = Radau(
            self._rates,
            float(self.clock[TIME]),
            self.y[:moving].copy(),
            target,
            rtol=max(self.settings.rtol, 1e-10),
            atol=self.atol,
            max_step=self.settings.max_step_days,
        )
        while solver.status == "running":
            self.counters[TAKEN] += 1
            if self.counters[TAKEN] >= self.most_steps:
                return STEP_LIMIT, False
            if solver.step() is not None:
                self.counters[CULPRIT] = int(np.argmax(np.abs(self.rate))) if moving else 0
                return STEP_TOO_SMALL, False
            between = solver.dense_output()
            at_event = self._turned(solver.t, solver.y)
            end = self._locate(solver.t_old, solver.t, between) if at_event else solver.t
            margin = self.settings.event_time_tolerance * max(1.0, abs(end)) if at_event else 0.0
            self._write_before(end - margin, between)
            self._reduce(solver.t_old, end, between)
            self.y[:moving] = between(end) if at_event else solver.y
            self.clock[TIME] = self.clock[END] = end
            if at_event:
                return OK, True
            self.truth[:] = self.fresh
        return OK, False

    def _call(self, function: int, t: float, moving: Floats, a: int, out: int) -> None:
        """Call a function of the kernel at some values of the moving states."""
        self.whole[: moving.size] = moving
        self.functions[function](0, t, *self.given, a, out)

    def _rates(self, t: float, moving: Floats) -> Floats:
        self._call(RATES, t, moving, self.places[b.NOTHING], self.places[b.RATE])
        return np.asarray(self.rate + self.infusion, dtype=np.float64)

    def _turned(self, t: float, moving: Floats) -> bool:
        """Whether a trigger holds that did not hold before."""
        self._call(TRIGGERS, t, moving, self.places[b.GAPS], self.places[b.FRESH])
        return bool(((self.fresh != 0) & (self.truth == 0)).any())

    def _locate(self, low: float, high: float, between: Callable[[float], Floats]) -> float:
        """Return the first time at which a trigger holds, by bisection."""
        tolerance = self.settings.event_time_tolerance * max(1.0, abs(low))
        while high - low > tolerance:
            middle = 0.5 * (low + high)
            if self._turned(middle, between(middle)):
                high = middle
            else:
                low = middle
        return high

    def _reduce(self, begin: float, end: float, between: Callable[[float], Floats]) -> None:
        """Add a stretch of time to the reductions."""
        if self.now.size:
            for k, moment in enumerate(np.linspace(begin, end, SAMPLES)):
                self._call(REDUCED, float(moment), between(moment), self.places[b.NOTHING], self.places[b.REDUCED_NOW])
                self.samples[:, k] = self.now
            self.gather(end - begin)

    def _write_before(self, end: float, between: Callable[[float], Floats]) -> None:
        """Write all outputs before a time."""
        while self.clock[OUTPUT] < end:
            moment, written = float(self.clock[OUTPUT]), int(self.counters[WRITTEN])
            self._call(OUTPUTS, moment, between(moment), self.places[b.NOTHING], self.recorded[written].ctypes.data)
            self.counters[WRITTEN] += 1
            self.clock[OUTPUT] = self.times[written + 1] if written + 1 < self.times.size else np.inf
