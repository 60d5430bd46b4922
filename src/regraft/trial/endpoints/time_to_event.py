"""The analysis that all time-to-event endpoints share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from regraft.trial.design import DAYS
from regraft.trial.endpoints.base import ArmCurve, ArmEstimate, Contrast, Findings, TimeToEvent
from regraft.trial.observation import ObservedTrial
from regraft.trial.statistics import Floats, paired_difference
from regraft.trial.survival import (
    at_horizon,
    cumulative_incidence,
    hazard_ratio,
    kaplan_meier,
    log_rank,
    numbers_at_risk,
)
from regraft.trial.weighting import Weights


HALF_YEAR = 6.0  # months
MONTHS_BY_DAY = 12  # earlier horizons are told by their day


@dataclass(frozen=True)
class Horizon:
    """A time at which curves are read: months after day 0 and days after the origin of the times."""

    months: float
    days: float

    @property
    def text(self) -> str:
        """The time as a reader writes it."""
        if self.months < MONTHS_BY_DAY:
            return f"day {self.months * DAYS['month']:.0f}"
        years = self.months / 12
        return f"{years:g} years" if years != 1 else "1 year"


def yearly_horizons(observed: ObservedTrial) -> tuple[Horizon, ...]:
    """Return the whole years after day 0, for times that count from randomisation."""
    start = observed.schedule.randomisation_day
    return tuple(Horizon(12.0 * year, year * DAYS["year"] - start) for year in observed.years)


def early_horizon(observed: ObservedTrial) -> Horizon:
    """Return the end of the early period after the infusion (day 100), for times that count from randomisation."""
    period = observed.clinic.days("early_death_period")
    return Horizon(period / DAYS["month"], period - observed.schedule.randomisation_day)


def visit_horizons(observed: ObservedTrial) -> tuple[Horizon, ...]:
    """Return the visits of the first half year after day 0, for what is seen at visits only."""
    schedule = observed.schedule
    return tuple(
        Horizon(visit.month, visit.month * DAYS["month"] - schedule.randomisation_day)
        for visit in schedule.visits
        if 0 < visit.month <= HALF_YEAR
    )


def add_survival(
    findings: Findings, times: Sequence[TimeToEvent], observed: ObservedTrial, *, label: str, statistic: str
) -> None:
    """Add Kaplan-Meier curves, event-free shares at whole years, and contrasts with the reference.

    All causes of an arm's ``TimeToEvent`` are one event here.
    """
    horizons = yearly_horizons(observed)
    for one in times:
        known = np.isfinite(one.time)
        time, event = one.time[known], one.cause[known] > 0
        if not time.size:
            continue
        weights = observed.weights.at(known) if observed.weights is not None else None
        curve = kaplan_meier(time, event, weights)
        risk_days = np.array([0.0, *(horizon.days for horizon in horizons)])
        if weights is None or not weights.lack():
            findings.curves.append(
                ArmCurve(one.arm, label, one.origin_day, curve, risk_days, numbers_at_risk(time, risk_days))
            )
        for horizon in horizons:
            read = at_horizon(curve, horizon.days, int(time.size), method="Kaplan-Meier", weights=weights)
            title = f"{label} at {horizon.text}"
            findings.estimates.append(ArmEstimate(one.arm, statistic, title, read, horizon.months))
    findings.times.extend(times)
    _add_contrasts(findings, times, observed, label=label)


def add_incidence(
    findings: Findings,
    times: Sequence[TimeToEvent],
    *,
    label: str,
    horizons: Sequence[Horizon],
    statistic: str,
    weights: Weights | None = None,
) -> None:
    """Add the cumulative incidence of each competing cause, and its value at some horizons."""
    for one in times:
        known = np.isfinite(one.time)
        time, cause = one.time[known], one.cause[known]
        if not time.size:
            continue
        risk_days = np.array([0.0, *(horizon.days for horizon in horizons)])
        at_risk = numbers_at_risk(time, risk_days)
        own = weights.at(known) if weights is not None else None
        curves = cumulative_incidence(time, cause, len(one.causes), own)
        for name, curve in zip(one.causes, curves, strict=True):
            if own is None or not own.lack():
                findings.curves.append(ArmCurve(one.arm, label, one.origin_day, curve, risk_days, at_risk, name))
            for horizon in horizons:
                read = at_horizon(curve, horizon.days, int(time.size), method="Aalen-Johansen", weights=own)
                kind = statistic if name == one.causes[0] else f"{statistic}: {name}"
                findings.estimates.append(ArmEstimate(one.arm, kind, f"{label}: {name}", read, horizon.months))
    findings.times.extend(times)


def _add_contrasts(findings: Findings, times: Sequence[TimeToEvent], observed: ObservedTrial, *, label: str) -> None:
    """Add the hazard ratio with the log-rank p value, and the difference within patients at the last whole year."""
    by_arm = {one.arm: one for one in times}
    reference = by_arm[observed.reference]
    for arm in observed.compared:
        one = by_arm[arm.id]
        time = np.concatenate([one.time, reference.time])
        event = np.concatenate([one.cause, reference.cause]) > 0
        treated = np.arange(time.size) < one.time.size
        known = np.isfinite(time)
        weights = observed.weights.twice().at(known) if observed.weights is not None else None
        test = log_rank(time[known], event[known], treated[known], weights)
        ratio = hazard_ratio(time[known], event[known], treated[known], weights)
        findings.contrasts.append(Contrast(arm.id, observed.reference, label, "hazard ratio", ratio, test.p_value))
        horizons = yearly_horizons(observed)
        if horizons:
            last = horizons[-1]
            pair = 100 * free_at(one, last.days), 100 * free_at(reference, last.days)
            difference = paired_difference(*pair, "percentage points", observed.weights)
            title = f"{label} at {last.text}"
            findings.contrasts.append(
                Contrast(arm.id, observed.reference, title, "difference", difference, is_paired=True)
            )


def free_at(one: TimeToEvent, days: float) -> Floats:
    """Return 1 for patients free of any event at a horizon, 0 for the others, NaN for missing or censored before."""
    with np.errstate(invalid="ignore"):
        happened = (one.cause > 0) & (one.time <= days)
        followed = one.time >= days - 1e-6
    return np.where(happened, 0.0, np.where(followed, 1.0, np.nan))
