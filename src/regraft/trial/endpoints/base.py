"""What every endpoint is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from regraft.trial.observation import ObservedTrial
from regraft.trial.statistics import Codes, Estimate, Floats, Integers, StepCurve


@dataclass(frozen=True)
class ArmEstimate:
    """An estimate of one arm. ``statistic`` tells kinds apart (``rate``, ``rate in year``, ``event-free``, ...).

    ``time_months`` counts from day 0; None where no time belongs to the estimate.
    """

    arm: str
    statistic: str
    label: str
    estimate: Estimate
    time_months: float | None = None


@dataclass(frozen=True)
class Contrast:
    """An arm against the reference. ``is_paired``: computed within patients, who are the same in both arms."""

    arm: str
    reference: str
    label: str
    measure: str
    estimate: Estimate
    p_value: float | None = None
    is_paired: bool = False


@dataclass(frozen=True)
class TimeToEvent:
    """Times of one arm for the ADTTE table and the curves.

    ``time`` is (patient,) days from ``origin_day`` (a model day), NaN for missing patients; ``cause`` is 0 where
    censored and k for the k-th of ``causes``.
    """

    arm: str
    code: str
    title: str
    origin_day: float
    time: Floats
    cause: Codes
    causes: tuple[str, ...]


@dataclass(frozen=True)
class ArmCurve:
    """A Kaplan-Meier curve (``cause`` empty) or the cumulative incidence of a cause, in days from ``origin_day``."""

    arm: str
    title: str
    origin_day: float
    curve: StepCurve
    risk_days: Floats
    at_risk: Integers
    cause: str = ""


@dataclass(frozen=True)
class EndpointResult:
    """All that an endpoint says about a trial."""

    id: str
    title: str
    definition: str
    estimates: tuple[ArmEstimate, ...]
    contrasts: tuple[Contrast, ...] = ()
    times: tuple[TimeToEvent, ...] = ()
    curves: tuple[ArmCurve, ...] = ()

    def estimate(self, arm: str, statistic: str, time_months: float | None = None) -> Estimate | None:
        """Return the estimate of an arm, or None where there is none of that kind and time."""
        for row in self.estimates:
            if (row.arm, row.statistic, row.time_months) == (arm, statistic, time_months):
                return row.estimate
        return None


@dataclass(frozen=True)
class Endpoint:
    """An endpoint by name: the model quantities it needs, and how to evaluate it."""

    id: str
    title: str
    definition: str
    needs: tuple[str, ...]
    evaluate: Callable[[ObservedTrial], Findings]

    def result(self, observed: ObservedTrial) -> EndpointResult:
        """Evaluate the endpoint and put its name on the findings."""
        found = self.evaluate(observed)
        return EndpointResult(
            self.id,
            self.title,
            self.definition,
            tuple(found.estimates),
            tuple(found.contrasts),
            tuple(found.times),
            tuple(found.curves),
        )


@dataclass
class Findings:
    """What an endpoint collects while it looks at one arm after the other."""

    estimates: list[ArmEstimate] = field(default_factory=list)
    contrasts: list[Contrast] = field(default_factory=list)
    times: list[TimeToEvent] = field(default_factory=list)
    curves: list[ArmCurve] = field(default_factory=list)
