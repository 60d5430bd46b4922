"""When patients are seen: visits with windows, and daily blood counts around engraftment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from regraft.errors import InvalidField
from regraft.trial.design import DAYS, TrialDesign

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

BASELINE = "Baseline"


@dataclass(frozen=True)
class Visit:
    """A planned visit. ``day`` and ``window`` are model days (day 0 = infusion or first dose); baseline is number 0."""

    name: str
    number: int
    month: float
    day: float
    window: tuple[float, float]


@dataclass(frozen=True)
class Schedule:
    """All times at which an arm is looked at, in model days."""

    randomisation_day: float
    end_day: float
    visits: tuple[Visit, ...]
    daily: Floats

    @cached_property
    def times(self) -> Floats:
        """Every day that is recorded, ascending; the first is randomisation, the last the end of follow-up."""
        return np.unique(np.concatenate([self.visit_days, self.daily, [self.randomisation_day, self.end_day]]))

    @cached_property
    def visit_days(self) -> Floats:
        """Day of each visit."""
        return np.array([visit.day for visit in self.visits])

    @cached_property
    def visit_columns(self) -> Integers:
        """Column of each visit in ``times``."""
        return np.searchsorted(self.times, self.visit_days)

    @cached_property
    def daily_columns(self) -> Integers:
        """Column of each daily sample in ``times``."""
        return np.searchsorted(self.times, self.daily)

    def visit_at(self, month: float) -> int | None:
        """Return the position of the visit planned at a month after day 0, or None."""
        for position, visit in enumerate(self.visits):
            if visit.number > 0 and abs(visit.month - month) < 1e-6:
                return position
        return None


def make_schedule(design: TrialDesign, *, daily_until: float) -> Schedule:
    """Lay out the visits of a design and daily samples from day 0 to ``daily_until`` (days).

    Raises
    ------
    InvalidField : a rule that ends before it starts or after the follow-up, has room for no visit, or more than one a
        day
    """
    end = design.follow_up.days
    months: list[float] = []
    names = [BASELINE]
    start = 0.0
    for number, rule in enumerate(design.visits):
        complaint = _complaint(rule.every.months, rule.until.months, start, end / DAYS["month"])
        if complaint:
            raise InvalidField(f"visits[{number}]: {complaint}")
        count = int(np.floor((rule.until.months - start) / rule.every.months + 1e-9))
        added = [start + (k + 1) * rule.every.months for k in range(count)]
        months += added
        names += [_name(month, rule.every.unit) for month in added]
        start = rule.until.months
    days = [design.randomisation_day, *(month * DAYS["month"] for month in months)]
    edges = _window_edges(days, end)
    visits = tuple(
        Visit(name, number, month, day, (edges[number], edges[number + 1]))
        for number, (name, month, day) in enumerate(zip(names, [0.0, *months], days, strict=True))
    )
    daily = np.arange(0.0, np.floor(min(daily_until, end)) + 1.0)
    return Schedule(design.randomisation_day, end, visits, daily)


def _name(months: float, unit: str) -> str:
    """Return the name of a visit: in weeks where its rule counts weeks, else in months."""
    if unit == "week":
        return f"Week {round(months * DAYS['month'] / DAYS['week'], 3):g}"
    return f"Month {round(months, 3):g}"


def _complaint(every: float, until: float, start: float, end: float) -> str:
    """Return what makes a rule impossible, in months, or nothing."""
    if until <= start:
        return f"'until' is month {until:g}, not after month {start:g} where the rule starts. Put rules in order."
    if until > end * (1 + 1e-9):
        return f"'until' is month {until:g}, but follow-up ends at month {end:g}. Shorten it or lengthen 'follow_up'."
    if every * DAYS["month"] < 1 - 1e-9:
        return f"'every' is {every * DAYS['month']:g} days; visits are at least one day apart. Lengthen it."
    if every > (until - start) * (1 + 1e-9):
        return f"'every' is {every:g} months, but the rule spans only {until - start:g} months. Shorten it."
    return ""


def _window_edges(days: list[float], end: float) -> list[float]:
    """Return the edges of visit windows: halfway between visits; baseline is its own day and all before treatment."""
    middles = [(a + b) / 2 for a, b in zip(days[1:-1], days[2:], strict=True)]
    return [days[0], 0.0, *middles, max(end, days[-1])]
