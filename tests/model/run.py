"""Models of the tests, run by the engine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from regraft.engine import Result, SolverSettings, compile_model, solve
from regraft.model import read_sbml
from regraft.model.equations import Equations

TIGHT = SolverSettings(rtol=1e-9, atol=1e-12, max_step_days=0.05, threads=1)


def result_of(model: str | Equations, outputs: Sequence[str], times: Sequence[float], *, seed: int = 1) -> Result:
    """Return the run of one patient of an SBML text or of equations."""
    equations = read_sbml(model) if isinstance(model, str) else model
    kernel = compile_model(equations, list(outputs))
    values = [[parameter.value for parameter in equations.parameters]]
    return solve(kernel, values, times=list(times), patient_ids=[1], seed=seed, settings=TIGHT)


def run(model: str | Equations, output: str, times: Sequence[float]) -> NDArray[np.float64]:
    """Return one output of one patient, who starts at time zero, at some times; the run must succeed."""
    result = result_of(model, [output], [0.0, *times])
    assert not result.failed[0], result.status_detail[0]
    return np.asarray(result.values[0, 1:, 0])
