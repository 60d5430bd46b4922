"""Simulate patients from disease onset to randomisation until enough are eligible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from regraft.engine import Administrations, Result, Snapshot, Status, solve
from regraft.errors import InvalidField, UsageError
from regraft.patients import Population, sample_population
from regraft.trial.design import DAYS
from regraft.trial.eligibility import ELIGIBLE, count_failed, first_failed, measure_all
from regraft.trial.events import EventLog, join_logs
from regraft.trial.measurement import Readings
from regraft.trial.measures import Screened
from regraft.trial.observation import BLOOD_COUNTS
from regraft.trial.plan import Plan
from regraft.trial.result import Screening
from regraft.trial.statistics import Floats, Integers
from regraft.trial.visits import BASELINE

Progress = Callable[[str, int, int], None]

LARGEST_BATCH = 2000
DURATION = "disease_duration"  # years from onset to randomisation, a covariate of the population
RUN_IN_FAILED = -2


@dataclass(frozen=True)
class Enrolled:
    """The patients who enter every arm, as they are at randomisation.

    ``parameters`` is (patient, parameter); ``baseline`` maps each screening measure to (patient,) values.
    """

    population: Population
    parameters: Floats
    snapshot: Snapshot
    events: EventLog
    onset: Floats
    baseline: Mapping[str, Floats]

    @property
    def patient_ids(self) -> Integers:
        """Ids of the patients, (patient,)."""
        return self.snapshot.patient_ids


@dataclass(frozen=True)
class _Batch:
    """Screened patients in the order of their ids: position of the first criterion failed, and run-in status."""

    failed: NDArray[np.int64]
    status: Integers
    snapshot: Snapshot
    events: EventLog
    onset: Floats
    baseline: Mapping[str, Floats]


def screen(plan: Plan, progress: Progress | None = None) -> tuple[Enrolled, Screening]:
    """Screen patients 0, 1, 2, ... until enough are eligible.

    Who is enrolled depends on the design and the seed only, not on the size of the batches: screening ends with the
    patient who completes the trial.

    Raises
    ------
    UsageError : the limit was reached; the message tells how many were found and who failed what
    """
    wanted, limit = plan.design.patients_per_arm, plan.design.most_screened
    batches: list[_Batch] = []
    screened = found = 0
    while found < wanted:
        if screened >= limit:
            raise UsageError(_too_few(plan, batches, found, screened))
        size = _next_size(wanted, found, screened, limit)
        batches.append(_screen_batch(plan, np.arange(screened, screened + size)))
        screened += size
        found += int((batches[-1].failed == ELIGIBLE).sum())
        if progress:
            progress("screening", min(found, wanted), wanted)
    return _enrol(plan, batches, wanted)


def _next_size(wanted: int, found: int, screened: int, limit: int) -> int:
    """Return how many to screen next: what the share found so far makes likely to suffice."""
    share = max(found / screened, 0.02) if screened else 0.5
    likely = int(1.1 * (wanted - found) / share) + 8
    return min(likely, LARGEST_BATCH, limit - screened)


def _screen_batch(plan: Plan, ids: Integers) -> _Batch:
    """Simulate the run-in of some patients and check who is eligible."""
    day = plan.design.randomisation_day
    population = sample_population(plan.population, plan.model.parameter_rows, ids, plan.seed)
    onset = day - run_in_years(plan, population) * DAYS["year"]
    result = solve(
        plan.kernel,
        population.parameter_matrix(plan.equations),
        times=np.column_stack([onset, np.full(ids.size, day)]),
        patient_ids=ids,
        seed=plan.seed,
        settings=plan.settings,
    )
    people = Screened(
        day=day,
        onset=onset,
        covariates=population.values,
        readings=_readings_at_randomisation(plan, result),
        events=EventLog.of(result),
        groups=plan.groups,
    )
    measured = measure_all(plan.design.eligibility, people)
    failed = first_failed(plan.design.eligibility, measured, ids.size)
    failed[result.status != Status.OK] = RUN_IN_FAILED
    return _Batch(failed, result.status, result.snapshot, people.events, onset, measured)


def run_in_years(plan: Plan, population: Population) -> Floats:
    """Return the length of each patient's run-in: the covariate ``disease_duration``, or the design's ``run_in``.

    Raises
    ------
    InvalidField : neither exists
    """
    if DURATION in population.values:
        return np.asarray(population.values[DURATION], dtype=np.float64)
    if plan.design.run_in is None:
        raise InvalidField(
            f"population {plan.design.population!r} has no covariate {DURATION!r}, so the run-in from onset to "
            "randomisation has no length. Add 'run_in: {value: 5, unit: year}' to the design, or the covariate."
        )
    return np.full(population.patient_ids.size, plan.design.run_in.days / DAYS["year"])


def _readings_at_randomisation(plan: Plan, result: Result) -> dict[str, Floats]:
    """Measure at the baseline visit; the same readings start every arm."""
    readings = Readings(result.patient_ids, plan.seed, plan.clinic)
    taken: dict[str, Floats] = {}
    for name in result.output_ids:
        truth = np.where(result.failed, np.nan, result.output(name)[:, -1])[:, None]
        if name == "edss":
            taken[name] = readings.edss(truth, [BASELINE])[:, 0]
        elif name in BLOOD_COUNTS:
            taken[name] = readings.level(name, truth, [BASELINE])[:, 0]
    return taken


def _enrol(plan: Plan, batches: list[_Batch], wanted: int) -> tuple[Enrolled, Screening]:
    """Take the first eligible patients of all batches, and count everyone up to the last of them."""
    failed = np.concatenate([batch.failed for batch in batches])
    rows = np.flatnonzero(failed == ELIGIBLE)[:wanted]
    counted = int(rows[-1]) + 1
    status = np.concatenate([batch.status for batch in batches])[:counted]
    screening = Screening(
        screened=counted,
        failed_criteria=count_failed(plan.design.eligibility, failed[:counted]),
        run_in_failures=_count_failures(status),
        enrolled=rows.size,
    )
    snapshot = _join_snapshots([batch.snapshot for batch in batches]).take(rows)
    population = sample_population(plan.population, plan.model.parameter_rows, snapshot.patient_ids, plan.seed)
    enrolled = Enrolled(
        population=population,
        parameters=population.parameter_matrix(plan.equations),
        snapshot=snapshot,
        events=join_logs([batch.events for batch in batches]).take(rows),
        onset=np.concatenate([batch.onset for batch in batches])[rows],
        baseline={
            name: np.concatenate([batch.baseline[name] for batch in batches])[rows] for name in batches[0].baseline
        },
    )
    return enrolled, screening


def _count_failures(status: Integers) -> tuple[tuple[str, int], ...]:
    """Count run-ins that could not be solved, by reason."""
    counts = Counter(status[status != Status.OK].tolist())
    return tuple((Status(code).name.lower().replace("_", " "), count) for code, count in sorted(counts.items()))


def _join_snapshots(parts: list[Snapshot]) -> Snapshot:
    """Put snapshots of different patients one after the other; nothing is being infused in a run-in."""
    joined = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Snapshot)
        if field.name != "infusions"
    }
    return Snapshot(**joined, infusions=Administrations.empty())


def _too_few(plan: Plan, batches: list[_Batch], found: int, screened: int) -> str:
    """Say how far screening came, and which criterion stopped most."""
    counts = count_failed(plan.design.eligibility, np.concatenate([batch.failed for batch in batches]))
    failures = _count_failures(np.concatenate([batch.status for batch in batches]))
    counts += tuple((f"run-in not solved, {reason}", count) for reason, count in failures)
    reasons = ", ".join(f"{text}: {count}" for text, count in counts if count)
    return (
        f"Only {found} of {plan.design.patients_per_arm} patients were found among {screened} screened "
        f"(first criterion not met: {reasons or 'none'}). Loosen 'eligibility', ask for fewer 'patients_per_arm', "
        "or raise 'screening_limit'."
    )
