"""Days to recovery of blood counts: what neutrophil and platelet engraftment share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from regraft.trial.design import DAYS
from regraft.trial.endpoints.base import ArmEstimate, Findings, TimeToEvent
from regraft.trial.endpoints.time_to_event import Horizon, add_incidence
from regraft.trial.observation import ObservedArm, ObservedTrial
from regraft.trial.statistics import Booleans, Estimate, Floats, median, missing, share
from regraft.trial.weighted import quantiles
from regraft.trial.weighting import Weights

REPORT_DAYS = (28, 60)


@dataclass(frozen=True)
class Recovery:
    """Which count must stay above which threshold for how many days in a row."""

    quantity: str
    threshold: float
    days_in_a_row: int


def recovery_of(observed: ObservedTrial, quantity: str) -> Recovery:
    """Read the definition from the measurement entry."""
    clinic = observed.clinic
    run = int(clinic.value(f"engraftment_{quantity}_run"))
    return Recovery(quantity, clinic.value(f"engraftment_{quantity}"), run)


def engraftment_day(counts: Floats, days: Floats, recovery: Recovery) -> Floats:
    """Find the first of consecutive days above the threshold after the nadir.

    Parameters
    ----------
    counts : (patient, day) measured daily; NaN after death
    days : (day,) days after infusion

    Returns
    -------
    (patient,) day; NaN for patients who did not recover within the days, inf for those who never fell below
    """
    filled = np.where(np.isnan(counts), np.inf, counts)
    nadir = filled.argmin(axis=1)
    with np.errstate(invalid="ignore"):
        above = counts > recovery.threshold
    length = recovery.days_in_a_row
    found = np.full(counts.shape[0], np.nan)
    if days.size >= length:
        runs = np.lib.stride_tricks.sliding_window_view(above, length, axis=1).all(axis=2)
        runs &= np.arange(runs.shape[1]) >= nadir[:, None]
        found = np.where(runs.any(axis=1), days[runs.argmax(axis=1)], np.nan)
    return np.where(_never_low(counts, recovery), np.inf, found)


def _never_low(counts: Floats, recovery: Recovery) -> Booleans:
    """Return whether no known count is below the threshold."""
    with np.errstate(invalid="ignore"):
        low = counts <= recovery.threshold
    return np.asarray(~low.any(axis=1))


def evaluate_engraftment(observed: ObservedTrial, recovery: Recovery, *, code: str, title: str) -> Findings:
    """Evaluate every arm: median day among those who engraft, range, share by some days with death competing.

    Patients whose counts never fell below the threshold have nothing to recover and are not part of it.
    """
    findings = Findings()
    days = observed.schedule.daily
    for arm in observed.arms:
        day = arm.per_patient(lambda part: engraftment_day(part.daily[recovery.quantity], days, recovery))
        low = ~np.isinf(day) & ~arm.is_missing
        engrafted = np.where(low, day, np.nan)
        findings.estimates += _estimates(arm, engrafted, low)
        one = _times(arm, engrafted, low, last=float(days[-1]), names=(code, title))
        horizons = [Horizon(k / DAYS["month"], float(k)) for k in REPORT_DAYS if k <= days[-1]]
        add_incidence(findings, [one], label=title, horizons=horizons, statistic="engrafted", weights=arm.weights)
    return findings


def _estimates(arm: ObservedArm, engrafted: Floats, low: Booleans) -> list[ArmEstimate]:
    """Return the median day, the range that holds nine in ten, and the share that engrafted."""
    weights, known = arm.weights, np.isfinite(engrafted)
    if not low.any():
        middle = missing(0, "day", "median", "counts never fell below the threshold")
        return [ArmEstimate(arm.id, "median day", "Median day of engraftment", middle)]
    rows = [ArmEstimate(arm.id, "median day", "Median day of engraftment", median(engrafted, "day", weights))]
    if known.any():
        spread = _range(engrafted[known], weights.at(known) if weights is not None else None)
        rows.append(ArmEstimate(arm.id, "range", "Days that hold nine in ten patients", spread))
    engrafts = share(np.where(low, known, np.nan), weights)
    return [*rows, ArmEstimate(arm.id, "share engrafted", "Engrafted", engrafts)]


def _range(days: Floats, weights: Weights | None) -> Estimate:
    """Return the median and the days between which nine in ten patients engraft."""
    shares, method, n = (0.05, 0.5, 0.95), "5 to 95 % of patients", int(days.size)
    if weights is None or not weights.matter():
        low, middle, high = np.quantile(days, shares)
        return Estimate(float(middle), float(low), float(high), n, "day", method)
    if weights.lack():
        return missing(n, "day", method, weights.lack())
    low, middle, high = quantiles(days, np.array(shares), weights.values)
    size = weights.effective_size
    return Estimate(float(middle), float(low), float(high), n, "day", f"{method}, weighted", effective_size=size)


def _times(arm: ObservedArm, engrafted: Floats, low: Booleans, *, last: float, names: tuple[str, str]) -> TimeToEvent:
    """Return times from infusion to engraftment, with death competing; NaN for those who are not part of it."""
    with np.errstate(invalid="ignore"):
        died = np.isnan(engrafted) & (arm.death_day <= last) & (arm.death_day > 0)
    time = np.where(np.isfinite(engrafted), engrafted, np.where(died, arm.death_day, last))
    cause = np.where(np.isfinite(engrafted), 1, np.where(low & died, 2, 0)).astype(np.int8)
    time = np.where(low, np.maximum(time, 1e-3), np.nan)
    code, title = names
    return TimeToEvent(arm.id, code, title, 0.0, time, cause, ("engrafted", "death"))
