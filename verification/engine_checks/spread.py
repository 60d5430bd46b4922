"""Patients drawn far too widely: every run ends, every failure has a status and a reason, no neighbour is touched."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regraft.engine import Administrations, Kernel, Kind, Result, SolverSettings, Status, compile_model, solve
from regraft.model import read_antimony

from .line import Line

MODEL_FILE = Path(__file__).resolve().parents[2] / "benchmarks" / "models" / "immune_35.ant"
_SEED, _LAST_DAY = 7, 1825.0
_LOG_SD, _SPOILED_LOG_SD, _SPOILED_EVERY = 0.7, 4.0, 25
_LONGEST_SECONDS = 600.0
_MOST_STEPS = 50_000
_DOSES = (
    *((30.0 + k, "CYC", 5.0) for k in range(4)),
    *((31.0 + k, "ATG", 1.0) for k in range(4)),
    (36.0, "HSCg", 0.08),
)


def check_spread(patients: int, rtol: float = 1e-6) -> list[Line]:
    """Run the 35-state model on parameters of log-SD 0.7, then again with some patients spoiled by a log-SD of 4."""
    equations = read_antimony(MODEL_FILE.read_text(encoding="utf-8"))
    kernel = compile_model(equations, [state.id for state in equations.states])
    nominal = np.array([p.value for p in equations.parameters])
    rng = np.random.default_rng(_SEED)
    draws = rng.standard_normal((patients, nominal.size))
    draws[:, equations.parameter_index["cell"]] = 0.0
    wide = nominal * np.exp(_LOG_SD * draws)
    spoiled = wide.copy()
    spoiled[::_SPOILED_EVERY] = nominal * np.exp(_SPOILED_LOG_SD * draws[::_SPOILED_EVERY])
    lines = _check_population(f"log-SD {_LOG_SD}", kernel, wide, rtol)
    lines += _check_population(
        f"log-SD {_LOG_SD}, one in {_SPOILED_EVERY} of {_SPOILED_LOG_SD:g}", kernel, spoiled, rtol
    )
    return lines


def _check_population(name: str, kernel: Kernel, matrix: NDArray[np.float64], rtol: float) -> list[Line]:
    """Run everybody, then the survivors alone."""
    patients = len(matrix)
    begin = time.perf_counter()
    result = _run(kernel, matrix, np.arange(patients), rtol)
    seconds = time.perf_counter() - begin
    failed = result.failed
    codes = {status.name: int((result.status == status).sum()) for status in Status}
    counted = ", ".join(f"{count} {code}" for code, count in codes.items() if count)
    finite = np.isfinite(result.values).all(axis=(1, 2))
    told = all(bool(text) == bad for text, bad in zip(result.status_detail, failed, strict=True))
    survivors = np.flatnonzero(~failed)
    alone = _run(kernel, matrix[survivors], survivors, rtol)
    same = np.array_equal(alone.values, result.values[survivors]) and np.array_equal(
        alone.steps, result.steps[survivors]
    )
    return [
        Line(
            f"{name}: the run ends",
            f"{patients} patients in {seconds:.0f} s (at most {_LONGEST_SECONDS:g}), most steps {result.steps.max()}",
            seconds <= _LONGEST_SECONDS,
        ),
        Line(
            f"{name}: each failure has a status and a reason, and nobody else has a gap",
            f"{counted}; values missing for {np.sum(~finite)}",
            told and sum(codes.values()) == patients and bool((finite == ~failed).all()),
        ),
        Line(
            f"{name}: no failure changes a neighbour",
            f"{survivors.size} survivors alone, bit for bit {'the same' if same else 'DIFFERENT'}",
            same and bool((alone.status == Status.OK).all()),
        ),
    ]


def _run(kernel: Kernel, matrix: NDArray[np.float64], ids: NDArray[np.int64], rtol: float) -> Result:
    """Run the transplant schedule."""
    days, states, amounts = zip(*_DOSES, strict=True)
    count, patients = len(days), len(matrix)
    table = Administrations(
        np.repeat(np.arange(patients), count),
        np.tile(days, patients),
        states * patients,
        np.full(count * patients, Kind.BOLUS),
        np.tile(amounts, patients),
        np.zeros(count * patients),
    )
    return solve(
        kernel,
        matrix,
        times=np.linspace(0.0, _LAST_DAY, 26),
        patient_ids=ids,
        seed=_SEED,
        administrations=table,
        settings=SolverSettings(rtol=rtol, atol=rtol * 1e-3, max_steps=_MOST_STEPS),
    )
