"""What a trial gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from regraft.errors import InvalidArgument, near_matches
from regraft.patients import Population
from regraft.patients.weights import Balance
from regraft.therapy import TimelineItem
from regraft.trial.design import TrialDesign
from regraft.trial.endpoints.base import EndpointResult
from regraft.trial.knowledge import Known
from regraft.trial.observation import ObservedTrial
from regraft.trial.provenance import Provenance
from regraft.trial.ribbons import Ribbon
from regraft.trial.tables import Tables


@dataclass(frozen=True)
class Screening:
    """Patients from screening to enrolment; each screened patient is counted once.

    ``failed_criteria`` pairs each criterion with those for whom it was the first one not met,
    ``run_in_failures`` each reason with those whose run-in could not be solved, ``implausible`` each range with those
    whose untreated course left it first. ``declined`` were eligible and did not take part.
    """

    screened: int
    failed_criteria: tuple[tuple[str, int], ...]
    run_in_failures: tuple[tuple[str, int], ...]
    enrolled: int
    implausible: tuple[tuple[str, int], ...] = ()
    declined: int = 0

    @property
    def funnel(self) -> tuple[tuple[str, int], ...]:
        """How many were left after each step; eligible is not enrolled."""
        lost = sum(count for _, count in (*self.run_in_failures, *self.implausible))
        eligible = self.enrolled + self.declined
        steps = (self.screened, self.screened - lost, eligible, self.enrolled)
        return tuple(zip(("screened", "plausible", "eligible", "enrolled"), steps, strict=True))


@dataclass(frozen=True)
class ArmFlow:
    """What became of the patients of one arm. ``failures`` pairs each reason with its count."""

    arm: str
    enrolled: int
    completed: int
    died: int
    failed: int
    failures: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Failure:
    """A patient whose run failed in an arm, with the reason; missing there in all endpoints."""

    patient_id: int
    arm: str
    status: str
    day: float
    reason: str


@dataclass(frozen=True)
class Consort:
    """The flow of patients through the trial."""

    screening: Screening
    arms: tuple[ArmFlow, ...]


@dataclass(frozen=True)
class TrialResult:
    """A whole trial: everything that reports and comparisons read.

    ``population`` holds the enrolled patients, ``timelines`` the treatment of each arm, ``timings`` seconds by stage.
    ``balance`` holds the weights of the enrolled beside the published table they meet, None where all count alike.
    ``knowledge`` tells how estimates differ between posterior draws; empty where the trial was not repeated under any.
    """

    design: TrialDesign
    population: Population
    consort: Consort
    observed: ObservedTrial
    endpoints: Mapping[str, EndpointResult]
    tables: Tables
    curves: tuple[Ribbon, ...]
    timelines: Mapping[str, tuple[TimelineItem, ...]]
    failures: tuple[Failure, ...]
    provenance: Provenance
    timings: Mapping[str, float]
    balance: Balance | None = None
    knowledge: tuple[Known, ...] = ()

    def endpoint(self, name: str) -> EndpointResult:
        """Return one endpoint of the design."""
        if name not in self.endpoints:
            raise InvalidArgument(f"The trial does not report {name!r}. {near_matches(name, self.endpoints)}")
        return self.endpoints[name]
