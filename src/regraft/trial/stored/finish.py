"""From finished chunks to the result of a trial, with memory for one quantity at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from regraft.errors import UsageError
from regraft.patients import Population, sample_population
from regraft.therapy import compile_protocol
from regraft.trial.arms import SimulatedArm
from regraft.trial.eligibility import ELIGIBLE
from regraft.trial.plan import Plan
from regraft.trial.result import Screening
from regraft.trial.run import Cohort
from regraft.trial.screening import count_screened, too_few
from regraft.trial.stored.files import BASELINE, ChunkFiles
from regraft.trial.stored.parquet import column_names, read
from regraft.trial.stored.reading import Piece, observed_arm
from regraft.trial.stored.repetition import Repetition
from regraft.trial.stored.store import Store


def stored_cohort(plan: Plan, store: Store, repetition: Repetition, chunks: int) -> tuple[Cohort, list[Piece]]:
    """Return who was enrolled in a repetition, and where; the key of the pieces is still to be filled in.

    Parameters
    ----------
    chunks : how many of them, from the first on, hold the trial

    Raises
    ------
    UsageError : too few are eligible; the message tells how many were found and who failed what
    """
    files = [ChunkFiles(store.place(repetition), number * store.chunk) for number in range(chunks)]
    screening, eligible = _screening(plan, files)
    pieces = [
        Piece(one, "", rows) for one, rows in zip(files, _cut(eligible, plan.design.patients_per_arm), strict=True)
    ]
    pieces = [piece for piece in pieces if piece.rows]
    stored = column_names(pieces[0].files.people)
    names = ["patient_id", *(name for name in stored if name.startswith(BASELINE))]
    parts = [read(piece.files.people, names, piece.rows) for piece in pieces]
    known = {name: np.concatenate([part[name] for part in parts]) for name in names}
    baseline = {name.removeprefix(BASELINE): values for name, values in known.items() if name != "patient_id"}
    spec = plan.population
    ids = (*(row.id for row in spec.covariates), *spec.sums)
    covariates = {name: baseline[name] for name in ids}
    population = Population(known["patient_id"], plan.seed, covariates, ids)
    return Cohort(population, baseline, screening), pieces


def stored_arms(plan: Plan, pieces: Sequence[Piece], keys: Sequence[tuple[str, str]]) -> list[SimulatedArm]:
    """Return all arms of a repetition."""
    arms = []
    first = np.array([int(read(pieces[0].files.people, ["patient_id"], 1)["patient_id"][0])])
    somebody = sample_population(plan.population, plan.model.parameter_rows, first, plan.seed)
    for position, (_, key) in enumerate(keys):
        own = [Piece(piece.files, key, piece.rows) for piece in pieces]
        observed, failures = observed_arm(plan, position, own)
        timeline = compile_protocol(plan.protocols[position], somebody, plan.equations).timeline
        arms.append(SimulatedArm(observed, timeline, failures))
    return arms


def _screening(plan: Plan, files: Sequence[ChunkFiles]) -> tuple[Screening, list[int]]:
    """Count who was screened, and the eligible of each chunk."""
    fates = [read(one.screened, ["failed", "run_in"]) for one in files]
    limit = plan.design.most_screened
    failed = np.concatenate([one["failed"] for one in fates])[:limit]
    reasons = np.concatenate([one["run_in"] for one in fates])[:limit]
    found = int((failed == ELIGIBLE).sum())
    if found < plan.design.patients_per_arm:
        raise UsageError(too_few(plan, failed, reasons, found))
    screening = count_screened(plan.design, failed, reasons, plan.design.patients_per_arm)
    return screening, [int((one["failed"] == ELIGIBLE).sum()) for one in fates]


def _cut(eligible: Sequence[int], wanted: int) -> list[int]:
    """Return how many patients of each chunk are enrolled: all, until the trial is full."""
    before = np.cumsum([0, *eligible[:-1]])
    return [int(min(found, max(wanted - earlier, 0))) for found, earlier in zip(eligible, before, strict=True)]
