"""This engine, with all its lanes or with one."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from regraft.engine import Administrations, Kernel, Kind, SolverSettings, compile_model, solve

from ..immune_model import Floats, Problem


def has_lanes() -> bool:
    """Whether this version of the engine lets the number of lanes be chosen."""
    return "lanes" in inspect.signature(compile_model).parameters


def administrations(problem: Problem, patients: int) -> Administrations:
    """Return the doses of the schedule for every patient."""
    days, states, amounts = zip(*problem.doses, strict=True)
    count = len(days)
    return Administrations(
        np.repeat(np.arange(patients), count),
        np.tile(days, patients),
        states * patients,
        np.full(count * patients, Kind.BOLUS),
        np.tile(amounts, patients),
        np.zeros(count * patients),
    )


class Runner:
    """Solves the first n patients; keeps the number of steps of the last call, and the memory of its values."""

    def __init__(self, problem: Problem, kernel: Kernel, settings: SolverSettings) -> None:
        self.problem, self.kernel, self.settings = problem, kernel, settings
        self.steps_per_patient = 0.0
        self._tables: dict[int, Administrations] = {}
        self._values: dict[int, Floats] = {}

    def __call__(self, patients: int) -> Floats:
        """Return the recorded values as (patient, time, output)."""
        if patients not in self._tables:
            self._tables[patients] = administrations(self.problem, patients)
        result = solve(
            self.kernel,
            self.problem.parameters[:patients],
            times=self.problem.times,
            patient_ids=np.arange(patients),
            seed=1,
            administrations=self._tables[patients],
            settings=self.settings,
            into=self._values.get(patients),
        )
        self._values[patients] = result.values
        self.steps_per_patient = float(result.steps.mean())
        return result.values


def prepare(
    problem: Problem,
    rtol: float,
    atol: float,
    *,
    threads: int = 1,
    lanes: int | None = None,
    outputs: Sequence[str] = (),
) -> Runner:
    """Return a function that solves the first n patients; all states are recorded unless outputs are named."""
    chosen: dict[str, Any] = {} if lanes is None else {"lanes": lanes}
    kernel = compile_model(problem.equations, outputs or problem.states, **chosen)
    return Runner(problem, kernel, SolverSettings(rtol=rtol, atol=atol, threads=threads))
