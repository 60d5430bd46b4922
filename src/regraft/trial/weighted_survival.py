"""Weighted time to event: Kaplan-Meier, cumulative incidence, log-rank and Cox.

A patient of weight w stands for w patients with the same history. Standard errors are robust: each patient's influence
on the estimate is worked out (the derivative with respect to the weight), times w, squared and summed. With equal
weights those of the curves become Greenwood's and the delta method's; those of log-rank and Cox are the sandwich of
[lin_wei_1989].
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from regraft.trial.estimates import (
    LEVEL,
    Booleans,
    Codes,
    Estimate,
    Floats,
    Integers,
    StepCurve,
    Test,
    flat,
    from_zero,
    log_log_bounds,
    normal_quantile,
)
from regraft.trial.weighting import Weights

ROUNDING = 1e-9  # of a sum of shares of weight
MOST_STEPS = 100  # of Newton's method for one coefficient
CLOSE = 1e-10


@dataclass(frozen=True)
class _Counts:
    """Weight at risk and with an event of any cause at each of the ordered times, and the time of each patient."""

    times: Floats
    place: Integers
    at_risk: Floats
    every: Floats

    @property
    def shares(self) -> Floats:
        """Share of the weight at risk that has an event; 1 exactly where everybody left has one."""
        raw = self.every / self.at_risk
        return np.where(raw > 1 - ROUNDING, 1.0, raw)


def _sums(place: Integers, values: Floats, times: int) -> Floats:
    """Return the sum of values at each place."""
    return np.bincount(place, values, minlength=times).astype(np.float64)


def _count(time: Floats, event: Booleans, w: Floats) -> _Counts:
    """Count the weight at risk and with an event at each time."""
    times, place = np.unique(time, return_inverse=True)
    leaving = _sums(place, w, times.size)
    at_risk = np.cumsum(leaving[::-1])[::-1]
    every = _sums(place[event], w[event], times.size)
    return _Counts(times, place, np.maximum(at_risk, np.finfo(np.float64).tiny), every)


@dataclass(frozen=True)
class _Influence:
    """Influence of a unit of weight on the logarithm of survival.

    ``common`` holds, at each time, that of all who are still at risk after it; ``own`` is (patient,), final once the
    patient's time has passed.
    """

    common: Floats
    own: Floats


def _influence(counts: _Counts, event: Booleans) -> _Influence:
    """Return the influence on the logarithm of survival."""
    shares = counts.shares
    left = 1 - shares
    step = np.where(left > 0, shares / (counts.at_risk * np.where(left > 0, left, 1.0)), 0.0)
    common = np.cumsum(step)
    before = common - step
    at_end = np.where(event, -1 / counts.at_risk[counts.place], step[counts.place])
    at_end = np.where(left[counts.place] > 0, at_end, 0.0)  # survival is 0 from there on
    return _Influence(common, before[counts.place] + at_end)


def _summed(counts: _Counts, values: Floats) -> Floats:
    """Return sums over the patients whose time has passed, at each time."""
    return np.cumsum(_sums(counts.place, values, counts.times.size))


def kaplan_meier(time: Floats, event: Booleans, w: Floats) -> StepCurve:
    """Estimate the probability of no event yet; ``w`` is (patient,), see ``survival.kaplan_meier``."""
    counts = _count(time, event, w)
    value = np.asarray(np.cumprod(1 - counts.shares), dtype=np.float64)
    influence = _influence(counts, event)
    squares = np.square(w)
    passed = _summed(counts, squares)
    variance = np.square(influence.common) * (squares.sum() - passed)
    variance += _summed(counts, squares * np.square(influence.own))
    error = np.asarray(np.where(value > 0, value * np.sqrt(np.maximum(variance, 0.0)), 0.0), dtype=np.float64)
    keep = counts.every > 0
    lower, upper = log_log_bounds(value, error)
    return from_zero(counts.times[keep], value[keep], lower[keep], upper[keep], error[keep], first=1.0)


def cumulative_incidence(time: Floats, cause: Codes, causes: int, w: Floats) -> tuple[StepCurve, ...]:
    """Estimate the incidence of competing causes (Aalen-Johansen), see ``survival.cumulative_incidence``."""
    counts = _count(time, cause > 0, w)
    influence = _influence(counts, cause > 0)
    free = np.cumprod(1 - counts.shares)
    before = np.concatenate([[1.0], free[:-1]])
    curves = []
    for k in range(1, causes + 1):
        own = _sums(counts.place[cause == k], w[cause == k], counts.times.size)
        if not own.any():
            curves.append(flat(0.0))
            continue
        hazard = own / counts.at_risk
        value = np.cumsum(before * hazard)
        value = np.where(value > 1 - ROUNDING, 1.0, value)
        variance = _incidence_variance(counts, influence, (before, hazard, value), (cause == k, w))
        error = np.where(value == 1.0, 0.0, np.sqrt(np.maximum(variance, 0.0)))
        curves.append(from_zero(counts.times, value, *log_log_bounds(value, error), error, first=0.0))
    return tuple(curves)


def _incidence_variance(
    counts: _Counts,
    influence: _Influence,
    curve: tuple[Floats, Floats, Floats],
    patients: tuple[Booleans, Floats],
) -> Floats:
    """Return the variance of an incidence at each time.

    Who is still at risk has moved it by ``joint``. Who left at T had moved it by ``fixed`` until then, and moves each
    later step by the same share: fixed + own (F(t) - F(T)), which is a part without t and one times F(t).
    """
    (before, hazard, value), (is_cause, w) = curve, patients
    earlier = np.concatenate([[0.0], influence.common[:-1]])  # on survival just before each time
    step = before * hazard * (earlier - 1 / counts.at_risk)
    joint = np.cumsum(step)
    fixed = joint[counts.place] + np.where(is_cause, (before / counts.at_risk)[counts.place], 0.0)
    constant = fixed - influence.own * value[counts.place]
    squares = np.square(w)
    variance = np.square(joint) * (squares.sum() - _summed(counts, squares))
    variance += _summed(counts, squares * np.square(constant))
    variance += 2 * value * _summed(counts, squares * constant * influence.own)
    variance += np.square(value) * _summed(counts, squares * np.square(influence.own))
    return np.asarray(variance, dtype=np.float64)


def at_horizon(read: tuple[float, float, float, float], n: int, method: str, weights: Weights) -> Estimate:
    """Return a reading of a curve (value, bounds, error) in percent, see ``survival.at_horizon``."""
    method, size, why = f"{method}, weighted", weights.effective_size, weights.lack()
    value, lower, upper, error = read
    if why:
        return Estimate(math.nan, math.nan, math.nan, n, "%", method, math.nan, why)
    if value in (0.0, 1.0):
        from statsmodels.stats.proportion import proportion_confint

        bounds = proportion_confint(value * size, size, alpha=1 - LEVEL, method="beta")
        lower, upper = (float(np.nan_to_num(bound, nan=value)) for bound in bounds)
        method = f"{method}, exact binomial bounds"
    return Estimate(100 * value, 100 * lower, 100 * upper, n, "%", method, 100 * error, effective_size=size)


@dataclass(frozen=True)
class _Deaths:
    """One entry for each event: ``part`` of those with an event at its time is taken out of those at risk (Efron).

    Of the pair in front of each sum, the first counts the reference and the second the treated.
    """

    place: Integers
    part: Floats
    weight: Floats
    at_risk: tuple[Floats, Floats]
    with_event: tuple[Floats, Floats]
    treated: Floats


def _deaths(time: Floats, event: Booleans, treated: Booleans, w: Floats) -> tuple[_Deaths, Integers, int]:
    """Return the events in the order of time, and the place of each patient's time among all times."""
    times, place = np.unique(time, return_inverse=True)
    at_risk, with_event = [], []
    for group in (~treated, treated):
        leaving = _sums(place[group], w[group], times.size)
        at_risk.append(np.cumsum(leaving[::-1])[::-1])
        chosen = group & event
        with_event.append(_sums(place[chosen], w[chosen], times.size))
    number = np.bincount(place[event], minlength=times.size)
    where = np.repeat(np.arange(times.size), number)
    rank = np.arange(where.size) - np.repeat(np.cumsum(number) - number, number)
    mean = (with_event[0] + with_event[1])[where] / number[where]
    found = _Deaths(
        where,
        rank / number[where],
        mean,
        (at_risk[0][where], at_risk[1][where]),
        (with_event[0][where], with_event[1][where]),
        with_event[1][where] / number[where],
    )
    return found, place, int(times.size)


def _score(deaths: _Deaths, slope: float) -> tuple[float, float, Floats, Floats]:
    """Return score and information at a log hazard ratio, and the share of treated and all risk at each event."""
    treated = math.exp(slope) * (deaths.at_risk[1] - deaths.part * deaths.with_event[1])
    everybody = deaths.at_risk[0] - deaths.part * deaths.with_event[0] + treated
    mean = treated / everybody
    score = float(np.sum(deaths.treated - deaths.weight * mean))
    return score, float(np.sum(deaths.weight * mean * (1 - mean))), mean, everybody


def _residuals(
    deaths: _Deaths, slope: float, place: Integers, patients: tuple[Booleans, Booleans], times: int
) -> Floats:
    """Return each patient's part of the score per unit of weight, (patient,) [lin_wei_1989]."""
    event, treated = patients
    _, _, mean, everybody = _score(deaths, slope)
    hazard = deaths.weight / everybody
    z = treated.astype(np.float64)
    risk = np.where(treated, math.exp(slope), 1.0)
    sums = {
        name: _sums(deaths.place, values, times)
        for name, values in {
            "hazard": hazard,
            "mean": hazard * mean,
            "kept hazard": hazard * deaths.part,
            "kept mean": hazard * mean * deaths.part,
            "events": np.ones_like(mean),
            "means": mean,
        }.items()
    }
    until, until_mean = (np.cumsum(sums[name])[place] for name in ("hazard", "mean"))
    # who has the event at a time is at risk there for a part of it only
    until = until - np.where(event, sums["kept hazard"][place], 0.0)
    until_mean = until_mean - np.where(event, sums["kept mean"][place], 0.0)
    centre = np.where(event, sums["means"][place] / np.maximum(sums["events"][place], 1), 0.0)
    return np.where(event, z - centre, 0.0) - risk * (z * until - until_mean)


def log_rank(time: Floats, event: Booleans, treated: Booleans, weights: Weights) -> Test:
    """Compare two groups of different people: the score test of Cox's model with its robust variance."""
    method, n, w = "log-rank, robust, weighted", int(time.size), weights.values
    nothing = Test(math.nan, math.nan, n, method)
    if weights.lack(treated, ~treated) or not event.any() or not treated.any() or treated.all():
        return nothing
    deaths, place, times = _deaths(time, event, treated, w)
    score = _score(deaths, 0.0)[0]
    variance = float(np.sum(np.square(w * _residuals(deaths, 0.0, place, (event, treated), times))))
    if variance <= 0:
        return nothing
    from scipy.stats import chi2

    statistic = score**2 / variance
    return Test(statistic, float(chi2.sf(statistic, 1)), n, method)


def hazard_ratio(time: Floats, event: Booleans, treated: Booleans, weights: Weights) -> Estimate:
    """Estimate the hazard ratio treated / others; both have events while both are at risk (Efron's ties)."""
    w = weights.values
    deaths, place, times = _deaths(time, event, treated, w)
    slope = _maximum(deaths)
    information = _score(deaths, slope)[1]
    meat = float(np.sum(np.square(w * _residuals(deaths, slope, place, (event, treated), times))))
    error = math.sqrt(meat) / information
    half, ratio = normal_quantile() * error, math.exp(slope)
    size = min(weights.at(group).effective_size for group in (treated, ~treated))
    bounds = (math.exp(slope - half), math.exp(slope + half))
    method = "Cox, Efron ties, robust, weighted"
    return Estimate(ratio, *bounds, int(time.size), "ratio", method, ratio * error, effective_size=size)


def _maximum(deaths: _Deaths) -> float:
    """Return the log hazard ratio of greatest likelihood, by Newton's method with short steps."""
    slope = 0.0
    for _ in range(MOST_STEPS):
        score, information, _, _ = _score(deaths, slope)
        step = float(np.clip(score / information, -1.0, 1.0))
        slope += step
        if abs(step) < CLOSE:
            break
    return slope
