"""How well baseline covariates foresee death in the simulated trials of a fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from regraft.evidence.calibration.chance import Floats
from regraft.evidence.fitting.study import Study
from regraft.evidence.predictability import Concordance, mortality_concordance
from regraft.trial.arms import simulate_arm
from regraft.trial.plan import make_plan
from regraft.trial.screening import screen
from regraft.trial.typical import with_typical

PATIENTS = 1000  # enough for some twenty deaths where one in fifty dies


@dataclass(frozen=True)
class Budget:
    """The concordance in each arm of the trial whose outcomes are looked at."""

    design: str
    arms: tuple[tuple[str, Concordance], ...]


def mortality_budget(study: Study, theta: Floats, *, patients: int = PATIENTS) -> Budget:
    """Simulate the trial whose outcomes are looked at once, at the median draw, and see who dies.

    Parameters
    ----------
    theta : (draw, parameter) posterior draws in the order of the study's priors
    patients : per arm

    Raises
    ------
    UsageError : too few candidates are eligible
    """
    design = study.outcomes_of.model_copy(update={"patients_per_arm": patients, "screening_limit": None})
    middle = dict(zip(study.priors.names, map(float, np.median(theta, axis=0)), strict=True))
    plan = with_typical(make_plan(design, seed=study.seed, threads=None), middle)
    people, _ = screen(plan)
    covariates = {name: people.population.values[name] for name in people.population.covariate_ids}
    arms = [simulate_arm(plan, people, k).observed for k in range(len(design.arms))]
    found = [(arm.id, _concordance(covariates, arm.death_day, design.follow_up.days, study.seed)) for arm in arms]
    return Budget(design.id, tuple(found))


def _concordance(covariates: dict[str, Floats], death_day: Floats, follow_up: float, seed: int) -> Concordance:
    """Return the concordance of one arm; who did not die was followed to the end."""
    died = np.isfinite(death_day) & (death_day <= follow_up)
    # Day 0 may come after randomisation; a death before it is early all the same.
    time = np.where(died, death_day, follow_up)
    return mortality_concordance(covariates, time - min(0.0, float(time.min())), died, seed=seed)


def sentences(budget: Budget, limit: float) -> Sequence[str]:
    """Return one sentence per arm."""
    told = []
    for arm, found in budget.arms:
        if not np.isfinite(found.value):
            told.append(f"{budget.design}, arm {arm}: {found.events} deaths in {found.patients} patients are too few.")
            continue
        verdict = "below" if found.value <= limit else "above, but not beyond chance,"
        verdict = "TOO HIGH: beyond chance above" if found.lower > limit else verdict
        told.append(
            f"{budget.design}, arm {arm}: baseline covariates tell who dies with a concordance of {found.value:.2f} "
            f"(standard error {found.standard_error:.2f}, {found.events} deaths in {found.patients} patients): "
            f"{verdict} the {limit:g} that scores reach in real life."
        )
    return told
