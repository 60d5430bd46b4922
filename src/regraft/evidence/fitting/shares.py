"""Which part of what happens to patients follows from covariates, hidden biology, missing knowledge, and luck."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from regraft.errors import InvalidArgument
from regraft.evidence.calibration.chance import Floats, Integers
from regraft.evidence.fitting.study import Study
from regraft.streams import patient_uniforms
from regraft.trial.arms import simulate_arm
from regraft.trial.design import DAYS, TrialDesign
from regraft.trial.draws import StoredDraws
from regraft.trial.endpoints import ENDPOINTS
from regraft.trial.luck import other_luck
from regraft.trial.observation import ObservedTrial
from regraft.trial.plan import Plan, make_plan
from regraft.trial.run import baseline_of
from regraft.trial.screening import Enrolled, screen
from regraft.trial.typical import with_typical

PATIENTS = 400
DRAWS = 6
FEWEST = 50  # patients who are eligible under all draws
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
    InvalidArgument : fewer than two draws, or too few patients who are eligible under all of them
    UsageError : too few candidates are eligible

    Notes
    -----
    Luck is that after randomisation; what happened before belongs to the patient. A patient's parameters keep their
    place among patients when a draw moves the typical value.
    """
    if len(draws) < 2:
        raise InvalidArgument(f"{len(draws)} draw tells nothing of what is not known; give at least 2.")
    design = design.model_copy(update={"patients_per_arm": patients, "screening_limit": None})
    plan = make_plan(design, seed=seed, threads=None)
    runs = [_run(with_typical(plan, draw)) for draw in draws]
    common = runs[0].ids
    for run in runs[1:]:
        common = np.intersect1d(common, run.ids)
    if common.size < FEWEST:
        raise InvalidArgument(
            f"Only {common.size} patients are eligible under all {len(draws)} draws; {FEWEST} are needed. Take fewer "
            "draws, or a design with wider eligibility."
        )
    runs = [run.of(common) for run in runs]
    baseline = np.mean([run.baseline for run in runs], axis=0)
    fold = (patient_uniforms(seed, common, "shares of variance, folds") * FOLDS).astype(np.int64)
    found = []
    for (endpoint, arm), _ in runs[0].outcomes.items():
        values = np.array([run.outcomes[endpoint, arm] for run in runs])  # (draw, luck, patient)
        years = design.follow_up.days / DAYS["year"]
        found.append(_shares(endpoint, arm, years, values, baseline, fold))
    return tuple(found)


def study_shares(study: Study, stored: StoredDraws, *, draws: int = DRAWS) -> tuple[Shares, ...]:
    """Divide the variance of outcomes in the longest trial of a fit; outcomes that all or none have are left out.

    Raises
    ------
    InvalidArgument, UsageError : as for ``outcome_shares``
    """
    design = max(study.designs.values(), key=lambda one: one.follow_up.days)
    found = outcome_shares(design, [stored.values(draw) for draw in stored.first(draws)], seed=study.seed)
    return tuple(one for one in found if np.isfinite(one.value).all())


@dataclass(frozen=True)
class _Run:
    """The trial under one draw: who, their baseline (patient, column), outcomes (luck, patient) by endpoint and arm."""

    ids: Integers
    baseline: Floats
    outcomes: Mapping[tuple[str, str], Floats]

    def of(self, ids: Integers) -> _Run:
        """Return some of the patients."""
        rows = np.searchsorted(self.ids, ids)
        return _Run(ids, self.baseline[rows], {key: values[:, rows] for key, values in self.outcomes.items()})


def _run(plan: Plan) -> _Run:
    """Simulate the trial twice with other luck."""
    people, _ = screen(plan)
    columns = [values for _, values in sorted(baseline_of(plan, people).items())]
    pairs = [_outcomes(*other_luck(plan, people, number)) for number in (1, 2)]
    outcomes = {key: np.array([one[key] for one in pairs]) for key in pairs[0]}
    return _Run(people.patient_ids, np.column_stack(columns), outcomes)


def _outcomes(plan: Plan, people: Enrolled) -> Mapping[tuple[str, str], Floats]:
    """Return by endpoint and arm who had the event by the end of follow-up (1, 0, NaN unknown)."""
    arms = [simulate_arm(plan, people, k).observed for k in range(len(plan.design.arms))]
    observed = ObservedTrial(tuple(arms), plan.design.reference_arm, plan.clinic)
    found = {}
    for name in plan.design.endpoints:
        for one in ENDPOINTS[name].result(observed).times:
            event = (one.cause > 0).astype(np.float64)
            found[name, one.arm] = np.where(np.isfinite(one.time), event, np.nan)
    return found


def _shares(endpoint: str, arm: str, years: float, values: Floats, baseline: Floats, fold: Integers) -> Shares:
    """Divide the variance of one outcome, with errors by leaving out one fold of patients after the other."""
    known = np.isfinite(values).all(axis=(0, 1))
    values, baseline, fold = values[:, :, known], baseline[known], fold[known]
    whole = _divide(values, baseline, fold)
    parts = np.array([_divide(values[:, :, fold != k], baseline[fold != k], fold[fold != k]) for k in range(FOLDS)])
    error = np.sqrt((FOLDS - 1) / FOLDS * np.sum((parts - parts.mean(axis=0)) ** 2, axis=0))
    return Shares(endpoint, arm, years, int(known.sum()), float(values.mean()), whole, error)


def _divide(values: Floats, baseline: Floats, fold: Integers) -> Floats:
    """Return the shares of ``PARTS`` for outcomes (draw, luck, patient)."""
    draws = values.shape[0]
    total = float(np.var(values))
    if total == 0:
        return np.full(len(PARTS), np.nan)
    luck = 0.5 * float(np.mean((values[:, 0] - values[:, 1]) ** 2))
    pairs = [(i, k) for i in range(draws) for k in range(i)]
    both = 0.5 * float(np.mean([np.mean((values[i, 0] - values[k, 1]) ** 2) for i, k in pairs]))
    knowledge = max(both - luck, 0.0)
    patients = max(total - luck - knowledge, 0.0)
    covariates = min(_foreseen(values.mean(axis=(0, 1)), baseline, fold), patients)
    parts = np.array([covariates, patients - covariates, knowledge, luck])
    return np.asarray(parts / parts.sum())


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
