"""Order of convergence of the steps and of the values between them, on problems with a known solution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regraft.engine import SolverSettings, compile_model, solve
from regraft.model import read_antimony

from .line import Line

Floats = NDArray[np.float64]
_LAST_DAY = 2.0
_COUNTS = np.array([10, 20, 40, 80])
# The method has order 5 and its dense output order 4; measured orders on few steps are a little lower.
_LEAST_ORDER, _LEAST_DENSE_ORDER = 4.7, 3.7
# Where steps are far longer than the fastest time scale any such method loses order, here with an error that is
# smaller by that ratio; it must not fall below 3.
_LEAST_STIFF_ORDER = 3.0


@dataclass(frozen=True)
class Exact:
    """A problem with its solution as (time, state)."""

    name: str
    text: str
    states: tuple[str, ...]
    solution: Callable[[Floats], Floats]
    least_order: float = _LEAST_ORDER


PROBLEMS = (
    Exact(
        "smooth (logistic growth, rotation)",
        "model smooth()\n  x' = 2*x*(1 - x); x = 0.1;\n  u' = 3*v; u = 0;\n  v' = -3*u; v = 1;\nend\n",
        ("x", "u", "v"),
        lambda t: np.stack([1 / (1 + 9 * np.exp(-2 * t)), np.sin(3 * t), np.cos(3 * t)], axis=-1),
    ),
    Exact(
        "time-dependent (growth by cos(3 t), decay by t)",
        "model driven()\n  x' = 3*x*cos(3*time); x = 1;\n  w' = -2*time*w^2; w = 1;\nend\n",
        ("x", "w"),
        lambda t: np.stack([np.exp(np.sin(3 * t)), 1 / (1 + t**2)], axis=-1),
    ),
    Exact(
        "stiff and time-dependent (drawn to sin(3 t) at 10,000 per day)",
        "model stiff()\n  x' = 10000*(sin(3*time) - x) + 3*cos(3*time); x = 0;\nend\n",
        ("x",),
        lambda t: np.sin(3 * t)[..., None],
        least_order=_LEAST_STIFF_ORDER,
    ),
)


def check_convergence(problems: tuple[Exact, ...] = PROBLEMS) -> list[Line]:
    """Take 10 to 80 equal steps and fit the order to the errors."""
    lines = []
    for problem in problems:
        kernel = compile_model(read_antimony(problem.text), problem.states)
        errors = np.array([_errors(kernel, problem, int(count)) for count in _COUNTS])
        for column, (what, least) in enumerate(
            (("the ends of steps", problem.least_order), ("the middle of steps", _LEAST_DENSE_ORDER))
        ):
            order = -float(np.polyfit(np.log(_COUNTS), np.log(errors[:, column]), 1)[0])
            figures = ", ".join(f"{error:.1e}" for error in errors[:, column])
            lines.append(
                Line(
                    f"order at {what}, {problem.name}",
                    f"{order:.2f} (at least {least}), errors with {', '.join(map(str, _COUNTS))} steps {figures}",
                    order >= least,
                )
            )
    return lines


def _errors(kernel, problem: Exact, count: int) -> tuple[float, float]:
    """Return the largest error at the ends and in the middle of steps, for a number of equal steps."""
    step = _LAST_DAY / count
    # The tolerance never limits a step, so the longest allowed step is taken throughout.
    settings = SolverSettings(rtol=1e-2, atol=1e9, max_step_days=step, first_step_days=step, threads=1)
    # the middle of the first step, its end, and so on
    times = 0.5 * step * np.arange(2 * count + 1)
    matrix = np.array([[p.value for p in kernel.equations.parameters]])
    result = solve(kernel, matrix, times=times, patient_ids=[0], seed=0, settings=settings)
    error = np.abs(result.values[0] - problem.solution(times)).max(axis=1)
    return float(error[2::2].max()), float(error[1::2].max())
