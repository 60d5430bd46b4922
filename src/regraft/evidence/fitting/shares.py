"""Which part of what happens to patients follows from covariates, hidden biology, missing knowledge, and luck."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regraft.errors import InvalidArgument
from regraft.evidence.calibration.chance import Floats, Integers
from regraft.evidence.fitting.study import Study
from regraft.evidence.fitting.trial_model import run_endpoints
from regraft.streams import patient_uniforms
from regraft.trial.design import DAYS, TrialDesign
from regraft.trial.draws import StoredDraws
from regraft.trial.luck import other_luck
from regraft.trial.plan import Plan, make_plan
from regraft.trial.run import baseline_of
from regraft.trial.screening import Enrolled, screen
from regraft.trial.typical import with_typical

PATIENTS = 800
DRAWS = 6
FEWEST = 40  # patients who are eligible under two draws
FOLDS = 10  # of the regression on covariates, and of the jackknife
PARTS = ("covariates", "hidden biology", "knowledge", "luck")


@dataclass(frozen=True)
class Shares:
    """Shares of the variance of an outcome over patients, draws and luck, in the order of ``PARTS``.

    ``value`` and ``standard_error`` are (part,), shares of 1; NaN where nobody or everybody has the outcome.
    """

    endpoint: str
    arm: str
    years: float
    patients: int
    mean: float
    value: Floats
    standard_error: Floats


def outcome_shares(
    design: TrialDesign, draws: list[Mapping[str, float]], *, seed: int, patients: int = PATIENTS
) -> tuple[Shares, ...]:
    """Divide the variance of every time-to-event endpoint of a trial, as a yes or no at the end of follow-up.

    The same patients are followed under each draw twice, with other luck. Two runs of a patient under one draw differ
    by luck alone; two runs under different draws by luck and knowledge; what is left differs between patients, and
    the part of it that a regression on their baseline foresees in other patients is that of covariates.

    Parameters
    ----------
    design : its endpoints and arms
    patients : enrolled under each draw
    draws : at least two, parameter id (or id and ``.spread``) to value; knowledge is what differs between them

    Raises
    ------
    InvalidArgument : fewer than two draws, or too few patients who are eligible under two of them
    UsageError : too few candidates are eligible

    Notes
    -----
    Luck is that after randomisation; what happened before belongs to the patient. A patient's parameters keep their
    place among patients when a draw moves the typical value. Draws move eligibility too: two draws are compared in the
    patients who are enrolled under both.
    """
    if len(draws) < 2:
        raise InvalidArgument(f"{len(draws)} draw tells nothing of what is not known; give at least 2.")
    design = design.model_copy(update={"patients_per_arm": patients, "screening_limit": None})
    plan = make_plan(design, seed=seed, threads=None)
    runs = [_run(with_typical(plan, draw)) for draw in draws]
    years = design.follow_up.days / DAYS["year"]
    return tuple(_shares(key, years, [run.of(key) for run in runs]) for key in runs[0].outcomes)


def study_shares(study: Study, stored: StoredDraws, *, draws: int = DRAWS) -> tuple[Shares, ...]:
    """Divide the variance of outcomes in a trial of a fit; outcomes that all or none have are left out.

    Raises
    ------
    InvalidArgument, UsageError : as for ``outcome_shares``
    """
    found = outcome_shares(study.outcomes_of, [stored.values(draw) for draw in stored.first(draws)], seed=study.seed)
    return tuple(one for one in found if np.isfinite(one.value).all())


@dataclass(frozen=True)
class _Outcome:
    """One outcome under one draw: who, their baseline (patient, column), whether they had it (luck, patient)."""

    ids: Integers
    fold: Integers
    baseline: Floats
    had: Floats

    def where(self, kept: NDArray[np.bool_]) -> _Outcome:
        """Return some of the patients."""
        return _Outcome(self.ids[kept], self.fold[kept], self.baseline[kept], self.had[:, kept])


@dataclass(frozen=True)
class _Run:
    """The trial under one draw: who, their baseline (patient, column), outcomes (luck, patient) by endpoint and arm."""

    ids: Integers
    fold: Integers
    baseline: Floats
    outcomes: Mapping[tuple[str, str], Floats]

    def of(self, key: tuple[str, str]) -> _Outcome:
        """Return an outcome of those in whom it is known."""
        had = self.outcomes[key]
        return _Outcome(self.ids, self.fold, self.baseline, had).where(np.asarray(np.isfinite(had).all(axis=0)))


def _run(plan: Plan) -> _Run:
    """Simulate the trial twice with other luck."""
    people, _ = screen(plan)
    columns = [values for _, values in sorted(baseline_of(plan, people).items())]
    pairs = [_outcomes(*other_luck(plan, people, number)) for number in (1, 2)]
    outcomes = {key: np.array([one[key] for one in pairs]) for key in pairs[0]}
    fold = (patient_uniforms(plan.seed, people.patient_ids, "shares of variance, folds") * FOLDS).astype(np.int64)
    return _Run(people.patient_ids, fold, np.column_stack(columns), outcomes)


def _outcomes(plan: Plan, people: Enrolled) -> Mapping[tuple[str, str], Floats]:
    """Return by endpoint and arm who had the event by the end of follow-up (1, 0, NaN unknown)."""
    found = {}
    for name, result in run_endpoints(plan, people).items():
        compete = any(curve.cause for curve in result.curves)  # then the first cause is what the endpoint is about
        for one in result.times:
            event = (one.cause == 1 if compete else one.cause > 0).astype(np.float64)
            found[name, one.arm] = np.where(np.isfinite(one.time), event, np.nan)
    return found


def _shares(key: tuple[str, str], years: float, runs: list[_Outcome]) -> Shares:
    """Divide the variance of one outcome, with errors by leaving out one fold of patients after the other."""
    whole = _divide(runs)
    parts = np.array([_divide([run.where(run.fold != k) for run in runs]) for k in range(FOLDS)])
    error = np.sqrt((FOLDS - 1) / FOLDS * np.sum((parts - parts.mean(axis=0)) ** 2, axis=0))
    patients = int(np.mean([run.ids.size for run in runs]))
    return Shares(*key, years, patients, float(np.mean([run.had.mean() for run in runs])), whole, error)


def _divide(runs: list[_Outcome]) -> Floats:
    """Return the shares of ``PARTS`` for an outcome under several draws."""
    total = float(np.var(np.concatenate([run.had.ravel() for run in runs])))
    if total == 0:
        return np.full(len(PARTS), np.nan)
    luck = 0.5 * float(np.mean([np.mean((run.had[0] - run.had[1]) ** 2) for run in runs]))
    knowledge = float(np.mean([_apart(one, other) for k, one in enumerate(runs) for other in runs[:k]]))
    knowledge = min(max(knowledge, 0.0), total - luck)
    patients = total - luck - knowledge
    foreseen = float(np.mean([_foreseen(run.had.mean(axis=0), run.baseline, run.fold) for run in runs]))
    covariates = min(foreseen, patients)
    parts = np.array([covariates, patients - covariates, knowledge, luck])
    return np.asarray(parts / parts.sum())


def _apart(one: _Outcome, other: _Outcome) -> float:
    """Return how far apart the outcomes of the same patients are under two draws, beyond luck."""
    _, mine, theirs = np.intersect1d(one.ids, other.ids, return_indices=True)
    if mine.size < FEWEST:
        raise InvalidArgument(
            f"Only {mine.size} patients are eligible under two draws; {FEWEST} are needed. Take more patients, or a "
            "design with wider eligibility."
        )
    here, there = one.had[:, mine], other.had[:, theirs]
    both = 0.5 * np.mean((here[0] - there[1]) ** 2)
    luck = 0.25 * (np.mean((here[0] - here[1]) ** 2) + np.mean((there[0] - there[1]) ** 2))
    return float(both - luck)


def _foreseen(mean: Floats, baseline: Floats, fold: Integers) -> float:
    """Return how much of the variance of patients' means a regression on other patients foresees."""
    centred = baseline - baseline.mean(axis=0)
    spread = centred.std(axis=0)
    columns = centred[:, spread > 0] / spread[spread > 0]
    design = np.column_stack([np.ones(mean.size), columns, columns**2])
    foretold = np.empty(mean.size)
    for k in np.unique(fold):
        kept = fold != k
        slopes, *_ = np.linalg.lstsq(design[kept], mean[kept], rcond=None)
        foretold[~kept] = design[~kept] @ slopes
    return max(float(np.var(mean) - np.mean((mean - foretold) ** 2)), 0.0)
