"""Continue the same patients, with the same luck, under the protocol of each arm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from regraft.engine import Status, solve
from regraft.therapy import TimelineItem, compile_protocol
from regraft.trial.events import EventLog
from regraft.trial.observation import ArmRun, ObservedArm, observe
from regraft.trial.plan import Plan
from regraft.trial.result import ArmFlow, Failure
from regraft.trial.screening import Enrolled


@dataclass(frozen=True)
class SimulatedArm:
    """An arm as the trial saw it, its treatment, and who failed."""

    observed: ObservedArm
    timeline: tuple[TimelineItem, ...]
    failures: tuple[Failure, ...]


def simulate_arm(plan: Plan, people: Enrolled, position: int) -> SimulatedArm:
    """Run one arm from randomisation to the end of follow-up or death.

    Parameters
    ----------
    people : the enrolled; their snapshot at randomisation is where every arm starts
    position : place of the arm in the design
    """
    arm, protocol = plan.design.arms[position], plan.protocols[position]
    treatment = compile_protocol(protocol, people.population, plan.equations)
    result = solve(
        plan.kernel,
        people.parameters,
        times=plan.schedule.times,
        patient_ids=people.patient_ids,
        seed=plan.seed,
        administrations=treatment.administrations,
        start=people.snapshot,
        settings=plan.settings,
        terminal_events=plan.groups.death,
    )
    run = ArmRun(arm.id, arm.label, result, _with_run_in(people.events, EventLog.of(result)), people.onset)
    observed = observe(run, plan.schedule, groups=plan.groups, clinic=plan.clinic, seed=plan.seed)
    failures = tuple(
        Failure(
            patient_id=int(result.patient_ids[row]),
            arm=arm.id,
            status=Status(int(result.status[row])).name.lower().replace("_", " "),
            day=float(result.end_time[row]),
            reason=str(result.status_detail[row]),
        )
        for row in result.failed.nonzero()[0]
    )
    return SimulatedArm(observed, treatment.timeline, failures)


def flow_of(arm: SimulatedArm) -> ArmFlow:
    """Count what became of the patients of an arm."""
    died = int((arm.observed.death_day == arm.observed.death_day).sum())
    reasons: dict[str, int] = {}
    for failure in arm.failures:
        reasons[failure.status] = reasons.get(failure.status, 0) + 1
    enrolled, failed = arm.observed.patients, len(arm.failures)
    return ArmFlow(arm.observed.id, enrolled, enrolled - died - failed, died, failed, tuple(sorted(reasons.items())))


def _with_run_in(before: EventLog, after: EventLog) -> EventLog:
    """Return the events of the run-in and of the arm as one log of the same patients."""
    return EventLog(
        after.patients,
        after.ids,
        np.concatenate([before.row, after.row]),
        np.concatenate([before.index, after.index]),
        np.concatenate([before.day, after.day]),
    )
