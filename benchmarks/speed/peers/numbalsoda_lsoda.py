"""The model in numbalsoda: LSODA with a compiled right-hand side, called from a compiled loop over patients."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numba
import numpy as np
from numbalsoda import lsoda, lsoda_sig

from ..compiled_rates import CompiledRates
from ..immune_model import Floats, Problem

VERSION = version("numbalsoda")
_MOST_STEPS = 100_000


def prepare(problem: Problem, rtol: float, atol: float, *, compiled: CompiledRates) -> Callable[[int], Floats]:
    """Return a function that solves the first n patients; a patient that fails is NaN."""
    states, constants = len(problem.states), compiled.constants.shape[1]
    rates = compiled.rates

    @numba.cfunc(lsoda_sig)
    def right_side(t, u, du, p):
        rates(t, numba.carray(u, (states,)), numba.carray(p, (constants,)), numba.carray(du, (states,)))

    address = right_side.address
    numbers, grids = _stretches(problem)

    solve_all = _compiled_loop(address, rtol, atol)

    def run(patients: int) -> Floats:
        values = np.empty((patients, problem.times.size, states))
        solve_all(patients, problem.initial, compiled.constants, numbers, grids, values)
        return values

    return run


def _stretches(problem: Problem) -> tuple[Floats, Floats]:
    """Return the stretches between doses as numbers, and the moments of each, padded."""
    parts = problem.segments()
    numbers = np.array([(p.begin, p.end, p.first_output, p.outputs, p.state, p.amount) for p in parts])
    grids = np.zeros((len(parts), problem.times.size + 2))
    for k, part in enumerate(parts):
        grids[k, 0] = part.begin
        grids[k, 1 : 1 + part.outputs] = problem.times[part.first_output : part.first_output + part.outputs]
        grids[k, 1 + part.outputs] = part.end
    return numbers, grids


def _compiled_loop(address: int, rtol: float, atol: float) -> Any:
    """Return the loop over patients and stretches, compiled."""

    @numba.njit
    def stretch(part, grid, y, constants, values):
        first, count = int(part[2]), int(part[3])
        # An output at the first or last moment of a stretch is not asked for twice.
        low = 1 if count > 0 and grid[1] == grid[0] else 0
        high = count + 1 if count > 0 and grid[count] == grid[count + 1] else count + 2
        moments = grid[low:high].copy()
        rows, success = lsoda(address, y, moments, constants, rtol=rtol, atol=atol, mxstep=_MOST_STEPS)
        for j in range(count):
            values[first + j] = rows[1 - low + j]
        return rows[-1].copy(), success

    @numba.njit
    def solve_all(patients, initial, constants, numbers, grids, values):
        for row in range(patients):
            y = initial[row].copy()
            for k in range(numbers.shape[0]):
                part, success = numbers[k], True
                if part[1] > part[0]:
                    y, success = stretch(part, grids[k], y, constants[row], values[row])
                if not success:
                    values[row] = np.nan
                    break
                if part[4] >= 0:
                    y[int(part[4])] += part[5]

    return solve_all
