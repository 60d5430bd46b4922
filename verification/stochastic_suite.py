"""Run the cases of a stochastic test suite: published means and standard deviations of small reaction networks.

``python verification/stochastic_suite.py FOLDER`` runs the folder ``cases/stochastic`` of the SBML test suite (or one
laid out like it: per case a model and ``*-results.csv``) with 10,000 simulations a case. A case passes by the suite's
own ranges with up to one cell in fifty outside, which chance brings about.
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from regraft.engine import SolverSettings, compile_network, solve_exactly
from regraft.errors import RegraftError
from regraft.model import read_sbml_reactions

Floats = NDArray[np.float64]
SEED = 3
# Ranges of the suite: sqrt(n) (mean - theirs) / sd, and sqrt(n / 2) (variance / theirs - 1).
MEAN_RANGE, DEVIATION_RANGE = 3.0, 5.0
# Cells of one simulation are correlated, so those outside by chance come together.
CELLS_OUTSIDE = 0.02
# What the suite writes with five decimals.
_ROUNDING = 1e-4


@dataclass(frozen=True)
class Outcome:
    """How a case ended: ``kind`` is passed, wrong, refused or failed."""

    case: str
    kind: str
    detail: str


def read_results(path: Path) -> tuple[Floats, dict[str, Floats]]:
    """Return times and columns of a table of results; short lines at its end are left out."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    names = [name.strip() for name in rows[0]]
    table = np.array([row for row in rows[1:] if len(row) == len(names)], dtype=np.float64)
    return table[:, 0], {name: table[:, k] for k, name in enumerate(names) if k > 0}


def distances(sample: Floats, mean: Floats, deviation: Floats) -> tuple[Floats, Floats]:
    """Return the suite's two measures at each time; where theirs has no spread, ours may have none."""
    n, spread = sample.shape[0], deviation > 0
    safe = np.where(spread, deviation, 1.0)
    difference = sample.mean(axis=0) - mean
    z = np.where(spread, np.sqrt(n) * difference / safe, np.where(np.abs(difference) < _ROUNDING, 0.0, np.inf))
    ratio = np.sqrt(n / 2) * (sample.var(axis=0, ddof=1) / safe**2 - 1)
    none = np.where(sample.std(axis=0) < _ROUNDING, 0.0, np.inf)
    return np.abs(z), np.abs(np.where(spread, ratio, none))


def run_case(folder: Path, simulations: int) -> Outcome:
    """Run one case and judge it."""
    model = sorted(folder.glob("*-sbml-l*.xml"))[-1]
    times, columns = read_results(next(folder.glob("*-results.csv")))
    names = [name.removesuffix("-mean") for name in columns if name.endswith("-mean")]
    try:
        network = read_sbml_reactions(model)
        kernel = compile_network(network, names)
    except RegraftError as error:
        return Outcome(folder.name, "refused", str(error))
    values = np.tile([p.value for p in network.equations.parameters], (simulations, 1)).reshape(simulations, -1)
    result = solve_exactly(
        kernel,
        values,
        times=times,
        patient_ids=np.arange(simulations),
        seed=SEED,
        settings=SolverSettings(max_steps=10_000_000),
    )
    if result.failed.any():
        return Outcome(folder.name, "failed", next(text for text in result.status_detail if text))
    found = [distances(result.output(name), columns[f"{name}-mean"], columns[f"{name}-sd"]) for name in names]
    z, y = (np.concatenate([pair[k] for pair in found]) for k in (0, 1))
    outside = int((z >= MEAN_RANGE).sum() + (y >= DEVIATION_RANGE).sum())
    passed = outside <= CELLS_OUTSIDE * (z.size + y.size) and bool(np.isfinite([z.max(), y.max()]).all())
    detail = f"largest |z| {z.max():.2f}, |y| {y.max():.2f}, {outside} of {z.size + y.size} cells outside"
    return Outcome(folder.name, "passed" if passed else "wrong", detail)


def main(given: list[str] | None = None) -> int:
    """Run the cases, print their lines and return the exit code: 1 if one is wrong or failed."""
    parser = argparse.ArgumentParser(description="Run the cases of a stochastic test suite.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--simulations", type=int, default=10_000)
    options = parser.parse_args(given)
    outcomes = []
    for folder in sorted(path for path in options.folder.iterdir() if list(path.glob("*-results.csv"))):
        outcomes.append(run_case(folder, options.simulations))
        print(f"{outcomes[-1].kind:7} {outcomes[-1].case}: {outcomes[-1].detail}", flush=True)
    kinds = [outcome.kind for outcome in outcomes]
    print(f"passed {kinds.count('passed')} of {len(kinds)}, refused by name {kinds.count('refused')}")
    return 1 if {"wrong", "failed"} & set(kinds) else 0


if __name__ == "__main__":
    sys.exit(main())
