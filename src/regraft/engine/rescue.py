"""A second and a third attempt for patients for whom no step was short enough.

First the same kernel with tighter tolerances, then an implicit Runge-Kutta method of SciPy on the same rates. Neither
changes anybody else, and a patient for whom both fail keeps the status and the numbers of the first attempt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import IntEnum
from typing import Any

import numpy as np

from regraft.engine.alone import run_alone
from regraft.engine.book import Floats, Integers
from regraft.engine.kernel import Kernel
from regraft.engine.run import Ends, Inputs, Log, run
from regraft.engine.settings import SolverSettings
from regraft.engine.status import ENDED, OK, STEP_TOO_SMALL

_TIGHTER, _TIGHTEST = 1e-2, 1e-12
_SHORTER = 1e-3

Again = Callable[[Inputs, Ends, Floats], Log]


class Attempt(IntEnum):
    """Which attempt gave a patient's numbers."""

    FIRST = 0
    TIGHTER = 1
    SCIPY = 2


def rescue(
    kernel: Kernel,
    settings: SolverSettings,
    inputs: Inputs,
    fresh: Callable[[], Ends],
    found: tuple[Ends, Floats, Log],
    terminal: Integers,
) -> tuple[Log, Integers]:
    """Try again where the step became too small; return the log of all events and the attempt that counts.

    Parameters
    ----------
    fresh : gives the ends as they were before the first attempt
    found : ends, recorded values and log of the first attempt; ends and values are replaced where an attempt succeeds
    """
    ends, values, log = found
    attempts = np.zeros(inputs.ids.size, dtype=np.int64)
    tight = tighter(settings)
    methods: dict[Attempt, Again] = {
        Attempt.TIGHTER: lambda some, of, into: run(kernel, tight, some, of, into, terminal),
        Attempt.SCIPY: lambda some, of, into: run_alone(kernel, settings, some, of, into, terminal),
    }
    for attempt, again in methods.items():
        rows = np.flatnonzero(ends.status == STEP_TOO_SMALL)
        if rows.size:
            before = fresh()
            rows = rows[before.status[rows] == OK]  # who had failed before this run is left alone
        if rows.size == 0:
            break
        columns: list[Any] = [np.ascontiguousarray(array[rows]) for array in before]
        part = Ends(*columns)
        recorded = np.full((rows.size, *values.shape[1:]), np.nan)
        more = again(subset(inputs, rows), part, recorded)
        solved = np.flatnonzero(part.status <= ENDED)
        for target, source in zip(ends, part, strict=True):
            target[rows[solved]] = source[solved]
        values[rows[solved]] = recorded[solved]
        attempts[rows[solved]] = attempt
        log = _merged(log, more, rows, solved)
    return log, attempts


def tighter(settings: SolverSettings) -> SolverSettings:
    """Return settings for a second attempt: a hundredth of the tolerances, a thousandth of the shortest steps."""
    given = settings.atol
    atol = {k: v * _TIGHTER for k, v in given.items()} if not isinstance(given, float | int) else given * _TIGHTER
    return replace(
        settings,
        rtol=max(settings.rtol * _TIGHTER, _TIGHTEST),
        atol=atol,
        default_atol=settings.default_atol * _TIGHTER,
        min_step_days=settings.min_step_days * _SHORTER,
        first_step_days=settings.first_step_days * _SHORTER,
    )


def subset(inputs: Inputs, rows: Integers) -> Inputs:
    """Return what is given for some patients, numbered anew."""
    first, last = inputs.schedule_from[rows], inputs.schedule_from[rows + 1]
    entries = np.concatenate([np.arange(a, z) for a, z in zip(first, last, strict=True)])
    return Inputs(
        np.arange(rows.size),
        inputs.ids[rows],
        inputs.parameters[rows],
        inputs.times[rows],
        inputs.counts[rows],
        np.concatenate([[0], np.cumsum(last - first)]),
        inputs.schedule_time[entries],
        inputs.schedule_kind[entries],
        inputs.schedule_index[entries],
        inputs.schedule_amount[entries],
        inputs.seed,
        inputs.is_start,
    )


def _merged(log: Log, more: Log, rows: Integers, solved: Integers) -> Log:
    """Replace the events of the patients that were solved, and keep the order by patient."""
    kept, new = ~np.isin(log[0], rows[solved]), np.isin(more[0], solved)
    patients = np.concatenate([log[0][kept], rows[more[0][new]]])
    order = np.argsort(patients, kind="stable")
    events, times = (np.concatenate([log[k][kept], more[k][new]])[order] for k in (1, 2))
    return patients[order], events, times
