"""A clone with two kinds of cells, a network at rest, and how tests run them."""

from __future__ import annotations

import numpy as np
from tests.engine.models import parameter_matrix

from regraft.engine import Administrations, SolverSettings, compile_network, solve_exactly
from regraft.model import read_antimony_reactions


def network(text, outputs=("A",), events=()):
    return compile_network(read_antimony_reactions(text), outputs, events)


CLONE = network(
    "substanceOnly species A, B; A = n; B = 0; born: A -> 2 A; b*A; gone: A -> ; d*A; turn: A -> B; m*A;"
    "back: B -> A; 0.3*B; n = 6; b = 0.5; d = 0.45; m = 0.05; total := A + B",
    ["A", "B", "total", "turn"],
    ["turn", "back"],
)
N = 150
IDS = np.arange(500, 500 + N)
TIMES = np.linspace(0.0, 20.0, 9)
MATRIX = parameter_matrix(CLONE.equations, N, b=np.linspace(0.3, 0.55, N))


def doses(*rows):
    """Return administrations from rows of (patient row, time, target, kind, amount)."""
    patient, time, target, kind, amount = zip(*rows, strict=True)
    return Administrations(patient, time, target, kind, amount, np.zeros(len(rows)))


GIVEN = doses((3, 5.0, "A", 0, 4.0), (3, 12.0, "b", 2, 0.1), (60, 5.0, "B", 2, 9.0))


def run(rows=slice(None), times=TIMES, matrix=MATRIX, threads=1, kernel=CLONE, ids=IDS, **options):
    settings = options.pop("settings", SolverSettings(threads=threads))
    return solve_exactly(kernel, matrix[rows], times=times, patient_ids=ids[rows], seed=9, settings=settings, **options)


def one(kernel, times=(0.0, 10.0), settings=None, **options):
    """Run one patient with the parameters of the model."""
    matrix = parameter_matrix(kernel.equations, 1)
    return run(times=times, matrix=matrix, kernel=kernel, ids=np.array([7]), settings=settings, **options)


STILL = network("substanceOnly species A; A = 2; gone: A -> ; d*A; d = 0")
