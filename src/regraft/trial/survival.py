"""Time to event: Kaplan-Meier, log-rank and Cox from statsmodels, and the cumulative incidence of competing causes.

Each takes the weights of the patients too; where they differ, ``weighted_survival`` does the work.
"""

from __future__ import annotations

import math

import numpy as np

from regraft.trial import weighted_survival as weighted
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
    missing,
    normal_quantile,
)
from regraft.trial.statistics import release
from regraft.trial.weighting import Weights

ROUNDING = 1e-9  # an incidence is a sum of shares and ends this close to 1 where everybody had the event


def kaplan_meier(time: Floats, event: Booleans, weights: Weights | None = None) -> StepCurve:
    """Estimate the probability of no event yet.

    Parameters
    ----------
    time : (patient,) float, time of the event or of censoring, > 0
    event : (patient,) bool, False = censored

    Returns
    -------
    a curve that starts at time 0 with 1; bounds on the log(-log) scale of Greenwood's error
    """
    if not event.any():
        return flat(1.0)
    if weights is not None and not weights.are_equal:
        return weighted.kaplan_meier(time, event, weights.values)
    from statsmodels.duration.survfunc import SurvfuncRight

    function = SurvfuncRight(time, event.astype(int))
    survival = np.asarray(function.surv_prob, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.where(survival > 0, function.surv_prob_se, 0.0)
        log = np.log(survival)
        half = np.where(survival > 0, normal_quantile() * error / (survival * np.abs(log)), 0.0)
        lower, upper = (np.where(survival > 0, np.exp(log * np.exp(sign * half)), 0.0) for sign in (1, -1))
    return from_zero(np.asarray(function.surv_times, dtype=np.float64), survival, lower, upper, error, first=1.0)


def numbers_at_risk(time: Floats, at: Floats) -> Integers:
    """Count the patients whose time is at or after each of the given times."""
    return np.asarray((time[:, None] >= at[None, :]).sum(axis=0), dtype=np.int64)


def log_rank(time: Floats, event: Booleans, treated: Booleans, weights: Weights | None = None) -> Test:
    """Compare two groups of different people; conservative where the arms hold the same patients.

    Returns
    -------
    NaN without events, with an empty group, and where all have the event at the same time
    """
    if weights is not None and weights.matter(treated, ~treated):
        return weighted.log_rank(time, event, treated, weights)
    from statsmodels.duration.survfunc import survdiff

    method, n = "log-rank", int(time.size)
    if not event.any() or not treated.any() or treated.all():
        return Test(math.nan, math.nan, n, method)
    try:
        statistic, p_value = survdiff(time, event.astype(int), treated.astype(int))
    except np.linalg.LinAlgError:  # nothing varies: its variance is zero
        return Test(math.nan, math.nan, n, method)
    return Test(float(statistic), float(p_value), n, method)


def hazard_ratio(time: Floats, event: Booleans, treated: Booleans, weights: Weights | None = None) -> Estimate:
    """Estimate the hazard ratio treated / others by Cox regression (Efron's ties), a summary even if hazards cross.

    Assumes groups of different people, so the interval is conservative where the arms hold the same patients. There
    is no estimate where one group had no event while both were at risk: the likelihood then has no maximum.
    """
    method, n = "Cox, Efron ties", int(time.size)
    is_weighted = weights is not None and weights.matter(treated, ~treated)
    why = (weights.lack(treated, ~treated) if weights is not None else "") or _no_ratio(time, event, treated)
    if why:
        return missing(n, "ratio", f"{method}, weighted" if is_weighted else method, why)
    if weights is not None and is_weighted:
        return weighted.hazard_ratio(time, event, treated, weights)
    from statsmodels.duration.hazard_regression import PHReg

    fit = PHReg(time, treated.astype(np.float64)[:, None], status=event.astype(int), ties="efron").fit()
    value, error = float(fit.params[0]), float(fit.bse[0])
    del fit
    release(n)
    half = normal_quantile() * error
    ratio = math.exp(value)
    return Estimate(ratio, math.exp(value - half), math.exp(value + half), n, "ratio", method, ratio * error)


def _no_ratio(time: Floats, event: Booleans, treated: Booleans) -> str:
    """Return why a hazard ratio has no estimate, nothing where it has one."""
    if not (event & treated).any() or not (event & ~treated).any():
        return "a group without events"
    comparable = event & (time <= min(time[treated].max(), time[~treated].max()))
    if not (comparable & treated).any() or not (comparable & ~treated).any():
        return "a group without events while both were at risk"
    return ""


def cumulative_incidence(
    time: Floats, cause: Codes, causes: int, weights: Weights | None = None
) -> tuple[StepCurve, ...]:
    """Estimate the incidence of each of several competing causes (Aalen-Johansen).

    Parameters
    ----------
    time : (patient,) float, time of the event or of censoring, > 0
    cause : (patient,) int, 0 = censored, k = k-th cause
    causes : number of causes; one without events has a curve that stays at 0

    Returns
    -------
    one curve per cause, from 0 at time 0; bounds on the log(-log) scale
    """
    if weights is not None and not weights.are_equal:
        return weighted.cumulative_incidence(time, cause, causes, weights.values)
    times, place = np.unique(time, return_inverse=True)
    at_risk = time.size - np.searchsorted(np.sort(time), times)
    events = [np.bincount(place[cause == k], minlength=times.size) for k in range(1, causes + 1)]
    curves = []
    for own in events:
        if not own.any():
            curves.append(flat(0.0))
            continue
        value, error = _aalen_johansen(at_risk, own, np.sum(events, axis=0))
        curves.append(from_zero(times, value, *log_log_bounds(value, error), error, first=0.0))
    return tuple(curves)


def at_horizon(curve: StepCurve, horizon: float, n: int, *, method: str, weights: Weights | None = None) -> Estimate:
    """Read a curve at a horizon, in percent.

    Where nobody or everybody had the event the curve has no variance; the bounds are then the exact binomial ones.
    """
    value, lower, upper, error = curve.at(horizon)
    if weights is not None and weights.matter():
        return weighted.at_horizon((value, lower, upper, error), n, method, weights)
    if n and value in (0.0, 1.0):
        from statsmodels.stats.proportion import proportion_confint

        bounds = proportion_confint(round(value * n), n, alpha=1 - LEVEL, method="beta")
        lower, upper = (100 * float(bound) for bound in bounds)
        return Estimate(100 * value, lower, upper, n, "%", f"{method}, exact binomial bounds", 100 * error)
    return Estimate(100 * value, 100 * lower, 100 * upper, n, "%", method, 100 * error)


def _aalen_johansen(at_risk: Integers, own: Integers, every: Integers) -> tuple[Floats, Floats]:
    """Return incidence and standard error (delta method) at each time, from counts of one cause and of all causes.

    Statsmodels has the same formula but no error at a time when the last patients at risk have their events.
    """
    free = np.cumprod(1 - every / at_risk)
    before = np.concatenate([[1.0], free[:-1]])
    value = np.cumsum(before * own / at_risk)
    value = np.where(value > 1 - ROUNDING, 1.0, value)
    left = at_risk - every
    # With nobody left the curve ends, and the term below is multiplied by a change of zero.
    any_cause = np.where(left > 0, every / (at_risk * np.maximum(left, 1)), 0.0)
    both = before * own / at_risk**2
    variance = value**2 * np.cumsum(any_cause) - 2 * value * np.cumsum(value * any_cause + both)
    variance += np.cumsum(value**2 * any_cause + 2 * value * both + before**2 * own * (at_risk - own) / at_risk**3)
    return value, np.where(value == 1.0, 0.0, np.sqrt(np.maximum(variance, 0.0)))
