"""Run a whole trial: plan, screen, arms, endpoints, tables."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from regraft.patients import Population
from regraft.patients.weights import Balance
from regraft.trial.arms import SimulatedArm, flow_of, simulate_arm
from regraft.trial.clinic import clinic_entries
from regraft.trial.design import TrialDesign
from regraft.trial.endpoints import ENDPOINTS
from regraft.trial.endpoints.base import EndpointResult
from regraft.trial.observation import ObservedTrial
from regraft.trial.plan import Plan, make_plan
from regraft.trial.provenance import Provenance, citations, trace
from regraft.trial.result import Consort, Screening, TrialResult
from regraft.trial.ribbons import ribbons
from regraft.trial.screening import Enrolled, Progress, screen
from regraft.trial.selection import weigh
from regraft.trial.statistics import Floats
from regraft.trial.tables import make_tables
from regraft.trial.weighting import Weights


@dataclass(frozen=True)
class Cohort:
    """Who was enrolled: covariates, what ADSL shows of each patient at randomisation, and who was not."""

    population: Population
    baseline: Mapping[str, Floats]
    screening: Screening


def run_trial(
    design: TrialDesign, *, seed: int | None = None, threads: int | None = None, progress: Progress | None = None
) -> TrialResult:
    """Run a virtual trial.

    The same patients, with the same parameters and luck, enter every arm: their disease is simulated once from onset
    to randomisation, and each arm goes on from there with its protocol until death or the end of follow-up.

    Parameters
    ----------
    design : from ``load_design``
    seed : replaces the seed of the design
    threads : cores to use, all if None; results do not depend on it
    progress : called with a stage, the work done and the work to do

    Returns
    -------
    TrialResult ; a patient whose run fails in an arm is in ``failures`` with the reason, missing in that arm's
    endpoints, and changes nobody else's numbers

    Raises
    ------
    InvalidField, UnknownEntry, InvalidModel, UnitMismatch : the design or something it names cannot be run
    UsageError : too few patients are eligible, or they cannot be weighted as the design asks
    """
    timings: dict[str, float] = {}
    with timed(timings, "plan"):
        plan = make_plan(design, seed=seed, threads=threads)
    with timed(timings, "screening"):
        people, screening = screen(plan, progress)
        # weights that cannot be had are refused before the arms are simulated
        weigh(plan.design, plan.selection, baseline_of(plan, people), people.patient_ids)
    arms = []
    for position, arm in enumerate(design.arms):
        with timed(timings, f"arm {arm.id}"):
            arms.append(simulate_arm(plan, people, position))
        if progress:
            progress("arms", position + 1, len(design.arms))
    return summarise(plan, people, screening, arms, timings=timings, progress=progress)


def summarise(
    plan: Plan,
    people: Enrolled,
    screening: Screening,
    arms: list[SimulatedArm],
    *,
    timings: dict[str, float] | None = None,
    progress: Progress | None = None,
) -> TrialResult:
    """Evaluate the endpoints of simulated arms and put everything into a result."""
    cohort = Cohort(people.population, baseline_of(plan, people), screening)
    return conclude(plan, cohort, arms, timings=timings, progress=progress)


def conclude(
    plan: Plan,
    cohort: Cohort,
    arms: list[SimulatedArm],
    *,
    timings: dict[str, float] | None = None,
    progress: Progress | None = None,
) -> TrialResult:
    """Do the same for arms that may be kept on disk."""
    timings = {} if timings is None else timings
    balance = weigh(plan.design, plan.selection, cohort.baseline, cohort.population.patient_ids)
    seen = tuple(replace(arm.observed, weights=_weights(plan, balance)) for arm in arms)
    observed = ObservedTrial(seen, plan.design.reference_arm, plan.clinic)
    with timed(timings, "endpoints"):
        endpoints = _evaluate(plan, observed, progress)
    for arm in seen:
        arm.events.forget()
    with timed(timings, "tables"):
        tables = make_tables(
            observed,
            endpoints,
            trial=plan.design.id,
            patient_ids=cohort.population.patient_ids,
            baseline=cohort.baseline,
        )
    return TrialResult(
        design=plan.design,
        population=cohort.population,
        consort=Consort(cohort.screening, tuple(flow_of(arm) for arm in arms)),
        observed=observed,
        endpoints=endpoints,
        tables=tables,
        curves=tuple(ribbon for arm in observed.arms for ribbon in ribbons(arm)),
        timelines={arm.observed.id: arm.timeline for arm in arms},
        failures=tuple(failure for arm in arms for failure in arm.failures),
        provenance=_provenance(plan),
        timings=timings,
        balance=balance,
    )


def _weights(plan: Plan, balance: Balance | None) -> Weights | None:
    """Return the weights as statistics use them."""
    rule = plan.design.weights
    return Weights(balance.weights, rule.smallest_effective_size) if balance is not None and rule is not None else None


def _provenance(plan: Plan) -> Provenance:
    """Return what stands behind the result, with the sources of ranges, enrolment and weights that were used."""
    found = trace(entries_used(plan), seed=plan.seed)
    further = [line for line in citations(plan.selection.sources) if line not in found.citations]
    return replace(found, citations=(*found.citations, *further))


def _evaluate(plan: Plan, observed: ObservedTrial, progress: Progress | None) -> dict[str, EndpointResult]:
    """Evaluate every endpoint of the design."""
    results = {}
    for done, name in enumerate(plan.design.endpoints, start=1):
        results[name] = ENDPOINTS[name].result(observed)
        if progress:
            progress("endpoints", done, len(plan.design.endpoints))
    return results


def baseline_of(plan: Plan, people: Enrolled) -> Mapping[str, Floats]:
    """Return what ADSL shows of each patient: covariates of the population and screening measures."""
    covariates = {name: people.population.values[name] for name in people.population.covariate_ids}
    duration = (plan.design.randomisation_day - people.onset) / 365.25
    return covariates | {"disease_duration": np.asarray(duration)} | dict(people.baseline)


def entries_used(plan: Plan) -> list[tuple[str, str]]:
    """Return kind and id of every entry that the trial uses."""
    used = [("models", model) for model in plan.design.models]
    used += [("populations", plan.design.population)]
    used += [("measurements", entry) for entry in clinic_entries(plan.design.measurements)]
    used += [("protocols", arm.protocol) for arm in plan.design.arms]
    used += [("treatments", name) for protocol in plan.protocols for name in protocol.treatment_ids]
    used += [("calibrations", plan.design.posterior)] if plan.design.posterior else []
    return used + [("trials", trial) for trial in plan.design.outcomes]


@contextmanager
def timed(timings: dict[str, float], stage: str) -> Iterator[None]:
    """Note how many seconds a stage took."""
    began = time.perf_counter()
    yield
    timings[stage] = time.perf_counter() - began
