"""The loop over patients and stretches between doses that the Python solvers share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..immune_model import Floats, Problem, stretches

# (row of the patient, moments from begin to end, state at begin) -> (moment, state)
Stretch = Callable[[int, Floats, Floats], Floats]


def over_patients(problem: Problem, stretch: Stretch) -> Callable[[int], Floats]:
    """Return a function that solves the first n patients; a patient whose solver fails is NaN."""
    parts = stretches(problem)

    def one(row: int, values: Floats) -> None:
        y = problem.initial[row].copy()
        for part, moments, places in parts:
            if part.end > part.begin:
                rows = stretch(row, moments, y)
                values[part.first_output : part.first_output + part.outputs] = rows[places]
                y = np.array(rows[-1])
            if part.state >= 0:
                y[part.state] += part.amount

    def run(patients: int) -> Floats:
        values = np.full((patients, problem.times.size, len(problem.states)), np.nan)
        for row in range(patients):
            try:
                one(row, values[row])
            except RuntimeError:
                values[row] = np.nan
        return values

    return run
