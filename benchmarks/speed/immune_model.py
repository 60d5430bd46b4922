"""The benchmark's model, patients, doses and error measure: the same for every tool."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regraft.model import read_antimony
from regraft.model.equations import Equations

Floats = NDArray[np.float64]
MODEL_FILE = Path(__file__).resolve().parents[1] / "models" / "immune_35.ant"
LAST_DAY, OUTPUT_EVERY_DAYS = 1825.0, 7.0
# Variation of the parameters and initial values; the two Hill exponents vary less, as in the study.
VARIATION, EXPONENT_VARIATION, EXPONENTS = 0.3, 0.08, ("n6", "nTN")
# An error counts relative to the value, or to this where the value is small.
ERROR_FLOOR = 1e-3

Dose = tuple[float, str, float]
SCHEDULES: dict[str, list[Dose]] = {
    # four days of a cyclophosphamide-like and of an antibody-like drug, then the graft
    "hsct": sorted(
        [(30.0 + k, "CYC", 5.0) for k in range(4)] + [(31.0 + k, "ATG", 1.0) for k in range(4)] + [(36.0, "HSCg", 0.08)]
    ),
    # the antibody-like drug every 28 days for five years
    "soc": [(28.0 * (k + 1) + 0.5, "ATG", 0.15) for k in range(65)],
}


@dataclass(frozen=True)
class Segment:
    """A stretch without doses: from, to, which outputs lie in it, and the dose at its end (state -1: none)."""

    begin: float
    end: float
    first_output: int
    outputs: int
    state: int
    amount: float


@dataclass(frozen=True)
class Problem:
    """One schedule for one population; ``parameters`` is (patient, parameter), ``initial`` (patient, state)."""

    schedule: str
    text: str
    equations: Equations
    states: tuple[str, ...]
    parameters: Floats
    initial: Floats
    times: Floats

    @property
    def doses(self) -> list[Dose]:
        """All doses in order of time."""
        return SCHEDULES[self.schedule]

    def segments(self) -> list[Segment]:
        """Return the stretches between doses; an output at a dose's day would show the state after it."""
        found, begin = [], 0.0
        for day, state, amount in [*self.doses, (LAST_DAY, "", 0.0)]:
            inside = (self.times >= begin) & ((self.times < day) | (day == LAST_DAY))
            first = int(np.argmax(inside)) if inside.any() else 0
            place = self.states.index(state) if state else -1
            found.append(Segment(begin, day, first, int(inside.sum()), place, amount))
            begin = day
        return found


def make_problem(schedule: str, patients: int, seed: int = 1) -> Problem:
    """Return a population of the model with lognormal parameters and initial values of the given variation."""
    text = MODEL_FILE.read_text(encoding="utf-8")
    equations = read_antimony(text)
    states = tuple(state.id for state in equations.states)
    names = [parameter.id for parameter in equations.parameters]
    nominal = np.array([parameter.value for parameter in equations.parameters])
    variation = np.array([EXPONENT_VARIATION if name in EXPONENTS else VARIATION for name in names])
    spread = np.sqrt(np.log1p(variation**2))
    spread[names.index("cell")] = 0.0
    # One row of draws per patient, so that the first patients are the same in a larger population.
    draws = np.random.default_rng(seed).standard_normal((patients, len(names)))
    parameters = nominal * np.exp(spread * draws - 0.5 * spread**2)
    initial = parameters[:, [names.index(f"{state}_0") for state in states]]
    times = np.arange(0.0, LAST_DAY + 1e-9, OUTPUT_EVERY_DAYS)
    return Problem(schedule, text, equations, states, parameters, np.ascontiguousarray(initial), times)


def stretches(problem: Problem) -> list[tuple[Segment, Floats, NDArray[np.int64]]]:
    """Return each segment with the moments from its begin to its end, and the places of the outputs among them."""
    found = []
    for part in problem.segments():
        inside = problem.times[part.first_output : part.first_output + part.outputs]
        moments = np.unique([part.begin, *inside, part.end])
        found.append((part, moments, np.searchsorted(moments, inside)))
    return found


def patient_errors(values: Floats, reference: Floats) -> Floats:
    """Return each patient's largest error over all times and states; infinite where a value is missing."""
    error = np.abs(values - reference) / (ERROR_FLOOR + np.abs(reference))
    return np.where(np.isfinite(error), error, np.inf).max(axis=(1, 2))
