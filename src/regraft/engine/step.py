"""One step of the Rosenbrock method, and values between its ends."""

from __future__ import annotations

import math

from regraft.engine.buffers import CULPRIT, Floats, Limits, Model, Work
from regraft.engine.calls import FACTOR, JACOBIAN, RATES, SUBSTITUTE, call
from regraft.engine.jit import compiled_inner
from regraft.engine.status import NON_FINITE, OK

# Fraction of a state that the first step after a start or a dose may change it by.
_FIRST_CHANGE = 0.05
# Numbers below this slow the processor down (denormals) and mean nothing.
_ZERO = 1e-200
_LARGEST = 1e100


@compiled_inner
def rates_at(model: Model, work: Work, t: float, y: Floats, out: Floats) -> None:
    """Write the rates of the moving states, infusions included."""
    call(model.addresses[RATES], 0, t, y, work.constants, work.nothing, out)
    for k in range(model.continuous):
        out[k] += work.infusion[k]


@compiled_inner
def copy(source: Floats, target: Floats) -> None:
    """Copy a vector into the start of another."""
    for k in range(source.size):
        target[k] = source[k]


@compiled_inner
def prepare(model: Model, work: Work, t: float) -> int:
    """Compute rates and Jacobian at the start of a step; return the status, the state at fault in the counters."""
    rates_at(model, work, t, work.y, work.rates)
    for k in range(model.continuous):
        if not math.isfinite(work.rates[k]):
            work.counters[CULPRIT] = k
            return NON_FINITE
    call(model.addresses[JACOBIAN], 0, t, work.y, work.constants, work.slopes, work.jacobian)
    return OK


@compiled_inner
def first_step(model: Model, work: Work, limits: Limits) -> float:
    """Return a step in which no state changes by much, from the rates at its start."""
    step = limits.first_step
    for k in range(model.continuous):
        size = abs(work.y[k]) + limits.atol[k] / limits.rtol
        if abs(work.rates[k]) * step > _FIRST_CHANGE * size:
            step = _FIRST_CHANGE * size / abs(work.rates[k])
    return max(step, limits.min_step)


@compiled_inner
def attempt(model: Model, work: Work, limits: Limits, t: float, h: float) -> tuple[float, int]:
    """Try a step of length h from ``work.y`` to ``work.new``.

    Returns the error in units of the tolerance (the worst state; infinite where a value is not finite) and the
    state at fault. ``prepare`` must have been called at (t, y).
    """
    n, y, stage, u = model.continuous, work.y, work.stage, work.increments
    call(model.addresses[FACTOR], 0, 1.0 / (h * model.gamma), y, work.constants, work.jacobian, work.factors)
    stages = model.node.size
    for k in range(n, y.size):
        stage[k] = y[k]
    for i in range(stages):
        right = u[i]
        _right_side(model, work, t, h, i, right)
        call(model.addresses[SUBSTITUTE], 0, 0.0, y, work.constants, work.factors, right)
    return _finish(n, work, limits, u[stages - 1])


@compiled_inner
def _right_side(model: Model, work: Work, t: float, h: float, i: int, right: Floats) -> None:
    """Write the right-hand side of stage i."""
    n, y, stage, u = model.continuous, work.y, work.stage, work.increments
    if i == 0:
        copy(work.rates, right)
    else:
        for k in range(n):
            stage[k] = y[k]
        for j in range(i):
            weight = model.a[i, j]
            for k in range(n):
                stage[k] += weight * u[j, k]
        rates_at(model, work, t + model.node[i] * h, stage, right)
        for j in range(i):
            weight = model.c[i, j] / h
            for k in range(n):
                right[k] += weight * u[j, k]
    weight = h * model.time_derivative[i]
    if weight != 0.0:
        for k in range(n):
            right[k] += weight * work.slopes[k]


@compiled_inner
def _finish(n: int, work: Work, limits: Limits, last: Floats) -> tuple[float, int]:
    """Write the new state and return the scaled error and the worst state."""
    worst, error = 0, 0.0
    for k in range(n, work.y.size):
        work.new[k] = work.y[k]
    for k in range(n):
        value = work.stage[k] + last[k]
        if not abs(value) < _LARGEST:
            return math.inf, k
        work.new[k] = value if abs(value) > _ZERO else 0.0
        scaled = abs(last[k]) / (limits.atol[k] + limits.rtol * max(abs(work.y[k]), abs(value)))
        if scaled > error:
            worst, error = k, scaled
    return error, worst


@compiled_inner
def prepare_between(model: Model, work: Work) -> None:
    """Compute the coefficients of the dense output of the last accepted attempt."""
    for r in range(3):
        for k in range(model.continuous):
            work.dense[r, k] = 0.0
        for i in range(model.node.size):
            weight = model.dense[r, i]
            for k in range(model.continuous):
                work.dense[r, k] += weight * work.increments[i, k]


@compiled_inner
def between(model: Model, work: Work, s: float) -> None:
    """Write the state at a fraction s of the step into ``work.between``."""
    for k in range(model.continuous, work.y.size):
        work.between[k] = work.y[k]
    for k in range(model.continuous):
        inner = work.dense[0, k] + s * (work.dense[1, k] + s * work.dense[2, k])
        value = (1.0 - s) * work.y[k] + s * (work.new[k] + (1.0 - s) * inner)
        work.between[k] = value if abs(value) > _ZERO else 0.0
