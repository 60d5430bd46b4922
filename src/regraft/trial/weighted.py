"""Weighted estimates: shares, means, medians, rates and their ratio.

Weights say how often a patient would be met in the group that is meant. Standard errors are robust: they come from
each patient's own influence on the estimate (w times deviation, squared and summed) and take the weights as known,
which overstates them for what goes along with the balanced covariates. With equal weights each formula becomes that of
``statistics``, except for the rate ratio, where Poisson's takes the place of the negative binomial.
"""

from __future__ import annotations

import math

import numpy as np

from regraft.trial.estimates import LEVEL, Booleans, Estimate, Floats, missing, normal_quantile
from regraft.trial.weighting import Weights

TIE = 1e-9  # share of all weight by which sums of weights may round


def share(values: Floats, weights: Weights) -> Estimate:
    """Estimate a share in percent from values 0 and 1, all known, with Wilson's interval for the effective size."""
    method, n, size = "Wilson, weighted", int(values.size), weights.effective_size
    why = weights.lack() or ("" if n else "no patient could be assessed")
    if why:
        return missing(n, "%", method, why)
    from statsmodels.stats.proportion import proportion_confint

    total = weights.values.sum()
    value = float(weights.values[values > 0].sum() / total)  # exactly 1 where everybody has it
    error = float(np.sqrt(np.sum(np.square(weights.values * (values - value)))) / total)
    # weights that go along with the outcome make it known less well than Kish's size says
    known_as = min(size, value * (1 - value) / error**2) if error > 0 else size
    lower, upper = (100 * float(x) for x in proportion_confint(value * known_as, known_as, 1 - LEVEL, method="wilson"))
    bounds = (0.0 if value == 0 else lower, 100.0 if value == 1 else upper)
    return Estimate(100 * value, *bounds, n, "%", method, 100 * error, effective_size=size)


def mean(values: Floats, unit: str, weights: Weights) -> Estimate:
    """Estimate a mean with Student's interval; NaN values are left out."""
    method, chosen = "mean, t interval, weighted", np.isfinite(values)
    known, kept = values[chosen], weights.at(chosen)
    n, size = int(known.size), kept.effective_size
    why = kept.lack() or ("" if n > 1 else "fewer than two patients")
    if why:
        return missing(n, unit, method, why)
    total = kept.values.sum()
    value = float(kept.values @ known / total)
    error = float(np.sqrt(np.sum(np.square(kept.values * (known - value))) * n / (n - 1)) / total)
    if size <= 1:  # one patient carries all: there is no spread to learn from
        return Estimate(value, math.nan, math.nan, n, unit, method, error, "one patient carries all weight", size)
    from scipy.stats import t

    half = float(t.ppf(0.5 + LEVEL / 2, size - 1)) * error
    return Estimate(value, value - half, value + half, n, unit, method, error, effective_size=size)


def quantiles(values: Floats, shares: Floats, weights: Floats) -> Floats:
    """Return the values below which given shares of all weight lie; halfway between two where a share falls on a step.

    Parameters
    ----------
    values : (patient,) float, known and not none
    shares : (share,) float in [0, 1]
    weights : (patient,) float
    """
    order = np.argsort(values, kind="stable")
    found, below = values[order], np.cumsum(weights[order])
    below = below / below[-1]
    first = np.minimum(np.searchsorted(below, shares - TIE), found.size - 1)
    last = np.minimum(np.searchsorted(below, shares + TIE), found.size - 1)
    return np.asarray((found[first] + found[last]) / 2)


def median(values: Floats, unit: str, weights: Weights) -> Estimate:
    """Estimate a median with the interval of order statistics for the effective size; NaN values are left out."""
    method, chosen = "median, order statistics, weighted", np.isfinite(values)
    known, kept = values[chosen], weights.at(chosen)
    n, size = int(known.size), kept.effective_size
    why = kept.lack() or ("" if n else "no patient could be assessed")
    if why:
        return missing(n, unit, method, why)
    from scipy.stats import binom

    centre = float(quantiles(known, np.array([0.5]), kept.values)[0])
    first = int(binom.ppf((1 - LEVEL) / 2, math.floor(size), 0.5))
    if first < 1:
        note = "too few patients for an interval"
        return Estimate(centre, math.nan, math.nan, n, unit, method, math.nan, note, size)
    tail = first / math.floor(size)
    order = np.argsort(known, kind="stable")
    lower = _reached(known[order], kept.values[order], tail)
    upper = _reached(known[order][::-1], kept.values[order][::-1], tail)
    return Estimate(centre, lower, upper, n, unit, method, (upper - lower) / (2 * normal_quantile()), "", size)


def _reached(values: Floats, weights: Floats, share: float) -> float:
    """Return the first of ordered values with which a share of all weight is reached."""
    below = np.cumsum(weights)
    return float(values[min(int(np.searchsorted(below, (share - TIE) * below[-1])), values.size - 1)])


def event_rate(events: Floats, person_time: Floats, unit: str, weights: Weights) -> Estimate:
    """Estimate events per person-time of patients who are all known and at risk; bounds as without weights."""
    method, n, size = "events / person-time, robust, weighted", int(events.size), weights.effective_size
    why = weights.lack() or ("" if n else "no time at risk")
    if why:
        return missing(n, unit, method, why)
    w = weights.values
    total, time = float(w @ events), float(w @ person_time)
    rate = total / time
    if np.allclose(events, rate * person_time):
        return _exact_rate(rate, person_time, unit, weights)
    error = _log_rate_error(events, person_time, w, rate) * math.sqrt(n / (n - 1))
    half = normal_quantile() * error
    bounds = (rate * math.exp(-half), rate * math.exp(half))
    return Estimate(rate, *bounds, n, unit, method, rate * error, effective_size=size)


def _exact_rate(rate: float, person_time: Floats, unit: str, weights: Weights) -> Estimate:
    """Return a rate that is the same in all patients, with Poisson's bounds for the effective person-time."""
    from statsmodels.stats.rates import confint_poisson

    w = weights.values
    time = float(w @ person_time) ** 2 / float(np.square(w) @ person_time)
    total = rate * time
    lower, upper = (float(bound) for bound in confint_poisson(total, time, method="exact-c", alpha=1 - LEVEL))
    note = "all patients have the same rate" if total else "no event"
    error, size = math.sqrt(total) / time, weights.effective_size
    bounds = (lower if total else 0.0, upper)
    return Estimate(rate, *bounds, int(w.size), unit, "exact Poisson, weighted", error, note, size)


def _log_rate_error(events: Floats, person_time: Floats, w: Floats, rate: float) -> float:
    """Return the robust standard error of the logarithm of a rate."""
    return float(np.sqrt(np.sum(np.square(w * (events - rate * person_time)))) / (w @ events))


def rate_ratio(events: Floats, person_time: Floats, treated: Booleans, weights: Weights) -> tuple[Estimate, float]:
    """Compare the event rates of two groups of different people: Poisson's model with robust errors."""
    method, n = "Poisson, robust, weighted", int(events.size)
    why = weights.lack(treated, ~treated)
    if not why and not all((weights.values[group] @ events[group]) > 0 for group in (treated, ~treated)):
        why = "a group without events"
    if why:
        return missing(n, "ratio", method, why), math.nan
    logs, variance = [], 0.0
    for group in (treated, ~treated):
        counts, time, w = events[group], person_time[group], weights.values[group]
        rate = float(w @ counts / (w @ time))
        own = _log_rate_error(counts, time, w, rate) ** 2 * n / (n - 2)
        # where all have the same rate there is no spread to learn from; Poisson's error takes its place
        variance += own if not np.allclose(counts, rate * time) else _poisson_variance(rate, time, w)
        logs.append(math.log(rate))
    from scipy.special import ndtr

    value, error = logs[0] - logs[1], math.sqrt(variance)
    half, ratio = normal_quantile() * error, math.exp(value)
    size = min(weights.at(group).effective_size for group in (treated, ~treated))
    bounds = (math.exp(value - half), math.exp(value + half))
    found = Estimate(ratio, *bounds, n, "ratio", method, ratio * error, effective_size=size)
    return found, float(2 * ndtr(-abs(value) / error))


def _poisson_variance(rate: float, person_time: Floats, w: Floats) -> float:
    """Return the variance of the logarithm of a rate if counts were Poisson's."""
    return float(np.square(w) @ person_time / (w @ person_time) ** 2 / rate)
