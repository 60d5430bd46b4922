"""What eligibility may ask for, measured at randomisation after the simulated run-in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from regraft.trial.design import DAYS
from regraft.trial.events import EventGroups, EventLog
from regraft.trial.statistics import Floats


@dataclass(frozen=True)
class Screened:
    """What is known of screened patients at randomisation.

    ``covariates`` and ``readings`` map a name to (patient,) numbers; ``readings`` are measured, NaN after a failure.
    """

    day: float
    onset: Floats
    covariates: Mapping[str, Floats]
    readings: Mapping[str, Floats]
    events: EventLog
    groups: EventGroups


@dataclass(frozen=True)
class Measure:
    """A named measure: unit, how to take it, and the model quantities that it reads."""

    unit: str
    take: Callable[[Screened], Floats]
    needs: tuple[str, ...] = ()
    is_count: bool = False


def _age(people: Screened) -> Floats:
    """Age at randomisation, from the age on day 0."""
    return _covariate("age_at_start")(people) + people.day / DAYS["year"]


def _duration(people: Screened) -> Floats:
    """Time since disease onset."""
    return (people.day - people.onset) / DAYS["year"]


def _recent(group: str, months: int) -> Callable[[Screened], Floats]:
    """Return a count of recorded events in the last months."""

    def count(people: Screened) -> Floats:
        names = getattr(people.groups, group)
        return people.events.count(names, people.day - months * DAYS["month"], people.day)

    return count


def _reading(name: str) -> Callable[[Screened], Floats]:
    """Return a measured quantity."""
    return lambda people: people.readings[name]


def _covariate(name: str) -> Callable[[Screened], Floats]:
    """Return a covariate, NaN for everyone where the population does not have it."""
    return lambda people: people.covariates.get(name, np.full(people.onset.size, np.nan))


MEASURES: Mapping[str, Measure] = {
    "age": Measure("year", _age),
    "disease_duration": Measure("year", _duration),
    "edss": Measure("edss", _reading("edss"), ("edss",)),
    "relapses_last_12_months": Measure("dimensionless", _recent("relapse", 12), ("relapses",), is_count=True),
    "relapses_last_24_months": Measure("dimensionless", _recent("relapse", 24), ("relapses",), is_count=True),
    "new_lesions_last_12_months": Measure("dimensionless", _recent("lesion", 12), ("lesions",), is_count=True),
    "infections_last_month": Measure("dimensionless", _recent("infection", 1), ("alive",), is_count=True),
    "infections_last_12_months": Measure("dimensionless", _recent("infection", 12), ("alive",), is_count=True),
    "neutrophils": Measure("cells/uL", _reading("neutrophils"), ("neutrophils",)),
    "platelets": Measure("cells/uL", _reading("platelets"), ("platelets",)),
    "tender_joints": Measure("dimensionless", _reading("tender_joints"), ("tender_joints",), is_count=True),
    "swollen_joints": Measure("dimensionless", _reading("swollen_joints"), ("swollen_joints",), is_count=True),
    "crp": Measure("mg/L", _reading("crp"), ("crp",)),
    "comorbidity": Measure("dimensionless", _covariate("comorbidity")),
    "body_weight": Measure("kg", _covariate("body_weight")),
}
