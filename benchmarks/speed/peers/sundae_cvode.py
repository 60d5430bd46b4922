"""The model in scikit-sundae: CVODE with a compiled right-hand side and a compiled Jacobian."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

import sksundae

from ..compiled_rates import CompiledRates
from ..immune_model import Floats, Problem
from .segmented import over_patients

VERSION = version("scikit-sundae")
_MOST_STEPS = 100_000


def prepare(problem: Problem, rtol: float, atol: float, *, compiled: CompiledRates) -> Callable[[int], Floats]:
    """Return a function that solves the first n patients."""
    rates, jacobian = compiled.rates, compiled.jacobian
    current = {"constants": compiled.constants[0]}

    def right_side(t, y, out):
        rates(t, y, current["constants"], out)

    def slopes(t, y, rate, out):
        out[:] = 0.0
        jacobian(t, y, current["constants"], out)

    solver = sksundae.cvode.CVODE(
        right_side, rtol=rtol, atol=atol, method="BDF", max_num_steps=_MOST_STEPS, jacfn=slopes
    )

    def stretch(row: int, moments: Floats, y: Floats) -> Floats:
        current["constants"] = compiled.constants[row]
        result = solver.solve(moments, y)
        if not result.success:
            raise RuntimeError(str(result.message))
        return result.y

    return over_patients(problem, stretch)
