"""The model in SciPy: LSODA (odeint) with a compiled right-hand side and Jacobian, and Radau as the reference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy
from scipy.integrate import odeint, solve_ivp

from ..compiled_rates import CompiledRates
from ..immune_model import Floats, Problem
from .segmented import over_patients

VERSION = scipy.__version__
_MOST_STEPS = 100_000


def prepare(problem: Problem, rtol: float, atol: float, *, compiled: CompiledRates) -> Callable[[int], Floats]:
    """Return a function that solves the first n patients."""
    rates, slopes = _callbacks(compiled, len(problem.states))

    def stretch(row: int, moments: Floats, y: Floats) -> Floats:
        arguments = (compiled.constants[row],)
        rows, report = odeint(
            rates, y, moments, arguments, slopes, tfirst=True, rtol=rtol, atol=atol, mxstep=_MOST_STEPS, full_output=1
        )
        if report["message"] != "Integration successful.":
            raise RuntimeError(report["message"])
        return rows

    return over_patients(problem, stretch)


def radau(problem: Problem, rtol: float, atol: float, *, compiled: CompiledRates) -> Callable[[int], Floats]:
    """Return a function that solves the first n patients with SciPy's Radau, for the reference."""
    rates, slopes = _callbacks(compiled, len(problem.states))

    def stretch(row: int, moments: Floats, y: Floats) -> Floats:
        result = solve_ivp(
            rates,
            (moments[0], moments[-1]),
            y,
            method="Radau",
            t_eval=moments,
            args=(compiled.constants[row],),
            jac=slopes,
            rtol=rtol,
            atol=atol,
        )
        if not result.success:
            raise RuntimeError(result.message)
        return result.y.T

    return over_patients(problem, stretch)


def _callbacks(compiled: CompiledRates, states: int) -> tuple[Callable[..., Floats], Callable[..., Floats]]:
    """Return right-hand side and Jacobian as SciPy calls them."""

    def rates(t, y, constants):
        out = np.empty(states)
        compiled.rates(t, y, constants, out)
        return out

    def slopes(t, y, constants):
        out = np.zeros((states, states))
        compiled.jacobian(t, y, constants, out)
        return out

    return rates, slopes
