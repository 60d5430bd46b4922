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
from regraft.patients.plausibility import INSIDE, first_outside
from regraft.trial.design import DAYS, TrialDesign
from regraft.trial.eligibility import ELIGIBLE, count_failed, first_failed, measure_all
from regraft.trial.events import EventLog, join_logs
from regraft.trial.measurement import RHEUMATOLOGY, Readings
from regraft.trial.measures import MEASURES, Screened
from regraft.trial.observation import BLOOD_COUNTS
from regraft.trial.plan import Plan
from regraft.trial.result import Screening
from regraft.trial.selection import READINGS, courses, looks_at_run_in, ranges_of
from regraft.trial.statistics import Floats, Integers
from regraft.trial.visits import BASELINE

Progress = Callable[[str, int, int], None]

LARGEST_BATCH = 2000
DURATION = "disease_duration"  # years from onset to randomisation, a covariate of the population
# Why someone does not enter, beside the position of a criterion: the run-in, a course that left range k, no wish to.
RUN_IN_FAILED = -2
IMPLAUSIBLE = 1_000  # plus k
DECLINED = 10_000


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

    def take(self, plan: Plan, rows: Integers) -> Enrolled:
        """Return some of the patients."""
        snapshot = self.snapshot.take(rows)
        return Enrolled(
            population=sample_population(
                plan.population, plan.model.parameter_rows, snapshot.patient_ids, self.population.seed
            ),
            parameters=self.parameters[rows],
            snapshot=snapshot,
            events=self.events.take(rows),
            onset=self.onset[rows],
            baseline={name: values[rows] for name, values in self.baseline.items()},
        )


@dataclass(frozen=True)
class Batch:
    """Screened patients in the order of their ids: why each does not enter (``ELIGIBLE`` for none), and run-in status.

    ``failed`` holds the position of the first criterion not met, or one of the codes of this module.
    """

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
    batches: list[Batch] = []
    screened = found = 0
    while found < wanted:
        if screened >= limit:
            failed, reasons = (np.concatenate(column) for column in zip(*map(_fates, batches), strict=True))
            raise UsageError(too_few(plan, failed, reasons, found))
        size = _next_size(wanted, found, screened, limit)
        batches.append(screen_batch(plan, np.arange(screened, screened + size)))
        screened += size
        found += int((batches[-1].failed == ELIGIBLE).sum())
        if progress:
            progress("screening", min(found, wanted), wanted)
    return _enrol(plan, batches, wanted)


def screen_again(plan: Plan, ids: Integers) -> Enrolled:
    """Return the eligible as they are at randomisation; the run-in of nobody else is simulated.

    Parameters
    ----------
    ids : (patient,) of those whom an earlier screening under the same plan found eligible
    """
    return take_enrolled(plan, [screen_batch(plan, ids)], np.arange(ids.size))


def _next_size(wanted: int, found: int, screened: int, limit: int) -> int:
    """Return how many to screen next: what the share found so far makes likely to suffice."""
    share = max(found / screened, 0.02) if screened else 0.5
    likely = int(1.1 * (wanted - found) / share) + 8
    return min(likely, LARGEST_BATCH, limit - screened)


def screen_batch(plan: Plan, ids: Integers) -> Batch:
    """Simulate the run-in of some patients and check who is plausible, eligible and takes part."""
    day = plan.design.randomisation_day
    population = sample_population(plan.population, plan.model.parameter_rows, ids, plan.seed)
    onset = day - run_in_years(plan, population) * DAYS["year"]
    result = solve(
        plan.kernel,
        population.parameter_matrix(plan.equations),
        times=_recorded_days(plan, onset),
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
    measured |= {name: MEASURES[name].take(people) for name in plan.selection.measures}
    failed = first_failed(plan.design.eligibility, measured, ids.size)
    if plan.selection.enrolment is not None:
        # covariates come first: a measure of the same name is the same
        takes_part = plan.selection.enrolment.takes_part({**population.values, **measured}, ids, plan.seed)
        failed[(failed == ELIGIBLE) & ~takes_part] = DECLINED
    ranges = ranges_of(plan.design)
    outside = first_outside(ranges, *courses(ranges, result, people, plan.equations), ids.size)
    failed = np.where(outside == INSIDE, failed, IMPLAUSIBLE + outside)
    failed[result.status != Status.OK] = RUN_IN_FAILED
    return Batch(failed, result.status, result.snapshot, people.events, onset, measured)


def _recorded_days(plan: Plan, onset: Floats) -> Floats:
    """Return onset and randomisation, (patient, time), and days between them where a range asks for the course.

    Which days are recorded changes nothing else.
    """
    steps = READINGS if looks_at_run_in(plan.design) else 1
    last = np.full(onset.size, plan.design.randomisation_day)
    inner = [onset + (last - onset) * step / steps for step in range(1, steps)]
    return np.column_stack([onset, *inner, last])


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
        elif name in RHEUMATOLOGY:
            taken[name] = readings.rheumatology(name, truth, [BASELINE])[:, 0]
    return taken


def _enrol(plan: Plan, batches: list[Batch], wanted: int) -> tuple[Enrolled, Screening]:
    """Take the first eligible patients of all batches, and count everyone up to the last of them."""
    failed, reasons = (np.concatenate(column) for column in zip(*map(_fates, batches), strict=True))
    rows = np.flatnonzero(failed == ELIGIBLE)[:wanted]
    return take_enrolled(plan, batches, rows), count_screened(plan.design, failed, reasons, wanted)


def _fates(batch: Batch) -> tuple[Integers, NDArray[np.object_]]:
    """Return what became of each screened patient: first criterion failed, and how the run-in ended."""
    return batch.failed, status_names(batch.status)


def status_names(status: Integers) -> NDArray[np.object_]:
    """Return the engine's status codes in words."""
    codes, place = np.unique(status, return_inverse=True)
    return np.array([Status(int(code)).name.lower().replace("_", " ") for code in codes], dtype=object)[place]


def count_screened(design: TrialDesign, failed: Integers, reasons: NDArray[np.object_], wanted: int) -> Screening:
    """Count candidates up to the one who completes the trial.

    Parameters
    ----------
    failed : (candidate,) position of the first criterion not met, in the order of ids
    reasons : (candidate,) how the run-in ended; counted where ``failed`` says that it could not be solved
    wanted : patients per arm, at most as many as are eligible
    """
    counted = int(np.flatnonzero(failed == ELIGIBLE)[wanted - 1]) + 1
    failed, reasons = failed[:counted], reasons[:counted]
    lost = Counter(reasons[failed == RUN_IN_FAILED].tolist())
    return Screening(
        screened=counted,
        failed_criteria=count_failed(design.eligibility, failed),
        run_in_failures=tuple(sorted(lost.items())),
        enrolled=wanted,
        implausible=_count_implausible(design, failed),
        declined=int((failed == DECLINED).sum()),
    )


def _count_implausible(design: TrialDesign, failed: Integers) -> tuple[tuple[str, int], ...]:
    """Pair each range with the number of patients whose course left it first."""
    return tuple((one.text, int((failed == IMPLAUSIBLE + k).sum())) for k, one in enumerate(ranges_of(design)))


def fate(design: TrialDesign, failed: int) -> str:
    """Say in words what screening found of a patient."""
    if failed == ELIGIBLE:
        return "eligible"
    if failed == RUN_IN_FAILED:
        return "run-in not solved"
    if failed == DECLINED:
        return "eligible, did not take part"
    if failed >= IMPLAUSIBLE:
        return f"not plausible: {ranges_of(design)[failed - IMPLAUSIBLE].text} not met"
    return f"not eligible: {design.eligibility[failed].text} not met"


def take_enrolled(plan: Plan, batches: list[Batch], rows: Integers) -> Enrolled:
    """Return the patients in some rows of all batches together, as they are at randomisation."""
    snapshot = _join_snapshots([batch.snapshot for batch in batches]).take(rows)
    population = sample_population(plan.population, plan.model.parameter_rows, snapshot.patient_ids, plan.seed)
    return Enrolled(
        population=population,
        parameters=population.parameter_matrix(plan.equations),
        snapshot=snapshot,
        events=join_logs([batch.events for batch in batches]).take(rows),
        onset=np.concatenate([batch.onset for batch in batches])[rows],
        baseline={
            name: np.concatenate([batch.baseline[name] for batch in batches])[rows] for name in batches[0].baseline
        },
    )


def _join_snapshots(parts: list[Snapshot]) -> Snapshot:
    """Put snapshots of different patients one after the other; nothing is being infused in a run-in."""
    joined = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Snapshot)
        if field.name != "infusions"
    }
    return Snapshot(**joined, infusions=Administrations.empty())


def too_few(plan: Plan, failed: Integers, reasons: NDArray[np.object_], found: int) -> str:
    """Say how far screening came, and which criterion stopped most."""
    counts = count_failed(plan.design.eligibility, failed)
    lost = Counter(reasons[failed == RUN_IN_FAILED].tolist())
    counts += tuple((f"implausible, {text}", count) for text, count in _count_implausible(plan.design, failed))
    counts += (("eligible, did not take part", int((failed == DECLINED).sum())),)
    counts += tuple((f"run-in not solved, {reason}", count) for reason, count in sorted(lost.items()))
    told = ", ".join(f"{text}: {count}" for text, count in counts if count)
    return (
        f"Only {found} of {plan.design.patients_per_arm} patients were found among {failed.size} screened "
        f"(first criterion not met: {told or 'none'}). Loosen 'eligibility', ask for fewer 'patients_per_arm', "
        "or raise 'screening_limit'."
    )
