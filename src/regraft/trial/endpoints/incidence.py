"""Incidence of an event of the model, and survival free of several: what endpoints of harm share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from regraft.trial.endpoints.base import Findings
from regraft.trial.endpoints.earliest import until_first
from regraft.trial.endpoints.time_to_event import add_incidence, add_survival, early_horizon, yearly_horizons
from regraft.trial.observation import ObservedArm, ObservedTrial
from regraft.trial.statistics import Floats

GRAFT_FAILURE = ("graft_rejected", "no_engraftment")  # events of the model
SECOND_GRAFT = ("second_graft",)


def competing(
    observed: ObservedTrial, days: Callable[[ObservedArm], Mapping[str, Floats]], *, label: str, code: str, title: str
) -> Findings:
    """Return the cumulative incidence of what happens first, by day 100 and whole years; all causes compete.

    Parameters
    ----------
    days : of an arm, the model day of each cause per patient, NaN without it; the first cause is the one asked for
    label : of the estimates
    code, title : in the ADTTE table
    """
    findings = Findings()
    times = [until_first(arm, days(arm), code=code, title=title) for arm in observed.arms]
    horizons = (early_horizon(observed), *yearly_horizons(observed))
    add_incidence(findings, times, label=label, horizons=horizons, statistic="incidence", weights=observed.weights)
    return findings


def first_event(observed: ObservedTrial, *events: str, name: str, label: str, code: str, title: str) -> Findings:
    """Return the cumulative incidence of a patient's first of some events, death without them competing.

    Parameters
    ----------
    events : ids of the model's events
    name : of the cause in the curves
    label : of the estimates
    code, title : in the ADTTE table
    """
    start = observed.schedule.randomisation_day

    def days(arm: ObservedArm) -> dict[str, Floats]:
        return {name: arm.events.first(events, start), "death": arm.death_day}

    return competing(observed, days, label=label, code=code, title=title)


def free_of(observed: ObservedTrial, events: Mapping[str, Sequence[str]], *, label: str, code: str) -> Findings:
    """Return survival free of several events.

    Parameters
    ----------
    events : name of each cause to the ids of the model's events; death comes on top
    label : of curves, estimates and the ADTTE table
    code : in the ADTTE table
    """
    findings, start = Findings(), observed.schedule.randomisation_day
    times = []
    for arm in observed.arms:
        days = {name: arm.events.first(ids, start) for name, ids in events.items()}
        times.append(until_first(arm, days | {"death": arm.death_day}, code=code, title=label))
    add_survival(findings, times, observed, label=label, statistic="event-free")
    return findings
