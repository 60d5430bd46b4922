"""This engine, with all its lanes or with one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from immune_model import Floats, Problem

from regraft.engine import Administrations, Kind, SolverSettings, compile_model, solve


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


def prepare(
    problem: Problem,
    rtol: float,
    atol: float,
    *,
    threads: int = 1,
    lanes: int | None = None,
    outputs: Sequence[str] = (),
) -> Callable[[int], Floats]:
    """Return a function that solves the first n patients; all states are recorded unless outputs are named."""
    chosen: dict[str, Any] = {} if lanes is None else {"lanes": lanes}
    kernel = compile_model(problem.equations, outputs or problem.states, **chosen)
    settings = SolverSettings(rtol=rtol, atol=atol, threads=threads)
    tables: dict[int, Administrations] = {}

    def run(patients: int) -> Floats:
        if patients not in tables:
            tables[patients] = administrations(problem, patients)
        result = solve(
            kernel,
            problem.parameters[:patients],
            times=problem.times,
            patient_ids=np.arange(patients),
            seed=1,
            administrations=tables[patients],
            settings=settings,
        )
        return result.values

    return run
