"""The coefficients of the Rosenbrock method Rodas5P, read from ``rodas5p.csv``."""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Tableau(NamedTuple):
    """A stiffly accurate Rosenbrock method in the form that solves for increments ``u``.

    Stage i solves ``(1/(h gamma) - J) u_i = f(t + node_i h, y + sum_j a_ij u_j) + sum_j c_ij u_j / h + h d_i df/dt``.
    The new value is the argument of the last stage plus its increment, and that increment is the error estimate.
    Between steps: ``y(s) = (1-s) y0 + s (y1 + (1-s) (k0 + s k1 + s^2 k2))`` with ``k = dense @ u``.
    """

    order: int
    gamma: float
    a: NDArray[np.float64]
    c: NDArray[np.float64]
    node: NDArray[np.float64]
    time_derivative: NDArray[np.float64]
    dense: NDArray[np.float64]


@lru_cache(maxsize=1)
def rodas5p() -> Tableau:
    """Return the Rodas5P method [steinebach_2023]: eight stages, order five, L-stable, dense output of order four."""
    text = files("regraft.engine").joinpath("rodas5p.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    stages = sum(row["name"] == "node" for row in rows)
    single = {row["name"]: float(row["value"]) for row in rows if not row["row"]}
    # The last stages start where the one before ended, so their row of ``a`` repeats it with a one added.
    tables = {
        "a": np.zeros((stages, stages)),
        "c": np.zeros((stages, stages)),
        "dense": np.zeros((3, stages)),
        "node": np.zeros((stages, 1)),
        "time_derivative": np.zeros((stages, 1)),
    }
    for row in rows:
        if row["row"]:
            tables[row["name"]][int(row["row"]), int(row["column"] or 0)] = float(row["value"])
    last = 1 + max(int(row["row"]) for row in rows if row["name"] == "a")
    for stage in range(last, stages):
        tables["a"][stage] = tables["a"][stage - 1]
        tables["a"][stage, stage - 1] = 1.0
    return Tableau(
        int(single["order"]),
        single["gamma"],
        tables["a"],
        tables["c"],
        tables["node"][:, 0],
        tables["time_derivative"][:, 0],
        tables["dense"],
    )
