"""Times to the first of several events of an observed arm."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from regraft.trial.endpoints.base import TimeToEvent
from regraft.trial.observation import ObservedArm
from regraft.trial.statistics import Floats

SHORTEST = 1e-3  # days; an event at the origin itself still needs a positive time


def until_first(arm: ObservedArm, days: Mapping[str, Floats], *, code: str, title: str) -> TimeToEvent:
    """Return times from randomisation to the first of some events.

    Parameters
    ----------
    arm : gives the end of observation, at which patients without event are censored
    days : model day of each event per patient, NaN without one; of two on one day the first named counts
    code, title : name in the ADTTE table
    """
    table = np.column_stack([np.where(np.isnan(day), np.inf, day) for day in days.values()])
    first = table.min(axis=1)
    with np.errstate(invalid="ignore"):
        happened = np.isfinite(first) & (first <= arm.last_day)
    end = np.where(happened, first, arm.last_day)
    cause = np.where(happened & ~arm.is_missing, table.argmin(axis=1) + 1, 0).astype(np.int8)
    time = np.maximum(arm.since_randomisation(end), SHORTEST)
    return TimeToEvent(arm.id, code, title, arm.schedule.randomisation_day, time, cause, tuple(days))
