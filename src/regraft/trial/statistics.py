"""Estimates and tests, all from statsmodels, with one typed result each.

Arms hold the same virtual patients with the same luck. Tests for independent samples (log-rank, Cox, rate ratio)
therefore overstate the error of a contrast: they are conservative, and answer what a trial with different people
in each arm would have seen. ``paired_difference`` uses the pairs. The interval of an estimate covers the choice of
patients and their luck (``standard_error`` is the Monte Carlo error; four times the patients halve it), and not
what is unknown about the model. Each statistic takes the weights of the patients too; where they differ, ``weighted``
does the work.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from regraft.memory import give_back
from regraft.trial import weighted
from regraft.trial.estimates import LEVEL as LEVEL
from regraft.trial.estimates import Booleans as Booleans
from regraft.trial.estimates import Codes as Codes
from regraft.trial.estimates import Estimate as Estimate
from regraft.trial.estimates import Floats as Floats
from regraft.trial.estimates import Integers as Integers
from regraft.trial.estimates import StepCurve as StepCurve
from regraft.trial.estimates import Test as Test
from regraft.trial.estimates import missing as missing
from regraft.trial.estimates import normal_quantile as normal_quantile
from regraft.trial.weighting import Weights

MANY = 10_000  # patients of whom a fit leaves megabytes behind


def release(patients: int) -> None:
    """Free what a fit to many patients left behind: results of statsmodels hold themselves in circles."""
    if patients > MANY:
        give_back()


def proportion(successes: int, n: int) -> Estimate:
    """Estimate a proportion, in percent, with Wilson's interval."""
    method = "Wilson"
    if n == 0:
        return missing(0, "%", method, "no patient could be assessed")
    from statsmodels.stats.proportion import proportion_confint

    lower, upper = proportion_confint(successes, n, alpha=1 - LEVEL, method="wilson")
    share = successes / n
    error = math.sqrt(share * (1 - share) / n)
    # Rounding leaves a bound of 1e-18 where it is 0.
    bounds = (0.0 if successes == 0 else 100 * float(lower), 100.0 if successes == n else 100 * float(upper))
    return Estimate(100 * share, *bounds, n, "%", method, 100 * error)


def share(values: Floats, weights: Weights | None = None) -> Estimate:
    """Estimate how many patients have something, in percent.

    Parameters
    ----------
    values : (patient,) float, 1 = has it, 0 = has it not, NaN = unknown, left out
    """
    known = np.isfinite(values)
    if weights is not None and weights.matter(known):
        return weighted.share(values[known], weights.at(known))
    return proportion(int(values[known].sum()), int(known.sum()))


def mean(values: Floats, unit: str, weights: Weights | None = None) -> Estimate:
    """Estimate a mean with Student's interval; NaN values are left out."""
    if weights is not None and weights.matter(np.isfinite(values)):
        return weighted.mean(values, unit, weights)
    method = "mean, t interval"
    known = values[np.isfinite(values)]
    if known.size < 2:
        return missing(int(known.size), unit, method, "fewer than two patients")
    from statsmodels.stats.weightstats import DescrStatsW

    summary = DescrStatsW(known)
    error = float(summary.std_mean)
    lower, upper = summary.tconfint_mean(alpha=1 - LEVEL) if error > 0 else (summary.mean, summary.mean)
    return Estimate(float(summary.mean), float(lower), float(upper), int(known.size), unit, method, error)


def paired_difference(treated: Floats, reference: Floats, unit: str, weights: Weights | None = None) -> Estimate:
    """Estimate the mean difference within patients, treated minus reference.

    Parameters
    ----------
    treated, reference : (patient,) float, the same patients in the same order; NaN = missing, the pair is left out
    """
    found = mean(treated - reference, unit, weights)
    return replace(found, method=found.method.replace("mean,", "mean difference within patients,"))


def median(values: Floats, unit: str, weights: Weights | None = None) -> Estimate:
    """Estimate a median with the distribution-free interval of order statistics; NaN values are left out."""
    if weights is not None and weights.matter(np.isfinite(values)):
        return weighted.median(values, unit, weights)
    method = "median, order statistics"
    known = np.sort(values[np.isfinite(values)])
    n = int(known.size)
    if n == 0:
        return missing(0, unit, method, "no patient could be assessed")
    from scipy.stats import binom

    first = int(binom.ppf((1 - LEVEL) / 2, n, 0.5))
    centre = float(np.median(known))
    if first < 1:
        return Estimate(centre, math.nan, math.nan, n, unit, method, math.nan, "too few patients for an interval")
    lower, upper = float(known[first - 1]), float(known[n - first])
    return Estimate(centre, lower, upper, n, unit, method, (upper - lower) / (2 * normal_quantile()))


def event_rate(events: Floats, person_time: Floats, unit: str, weights: Weights | None = None) -> Estimate:
    """Estimate events per person-time; patients differ, so the interval is not a Poisson one.

    Parameters
    ----------
    events, person_time : (patient,) float; NaN or no time at risk = left out

    Returns
    -------
    events / person-time with a robust (sandwich) interval on the log scale; exact Poisson bounds without events, and
    where all patients have the same rate, so that there is no spread between them to learn from
    """
    keep = np.isfinite(events) & (person_time > 0)
    if weights is not None and weights.matter(keep):
        return weighted.event_rate(events[keep], person_time[keep], unit, weights.at(keep))
    events, person_time = events[keep], person_time[keep]
    n, total, time = int(events.size), float(events.sum()), float(person_time.sum())
    if n == 0 or time <= 0:
        return missing(n, unit, "events / person-time", "no time at risk")
    rate = total / time
    if np.allclose(events, rate * person_time):
        from statsmodels.stats.rates import confint_poisson

        lower, upper = (float(bound) for bound in confint_poisson(total, time, method="exact-c", alpha=1 - LEVEL))
        note = "all patients have the same rate" if total else "no event"
        return Estimate(rate, lower if total else 0.0, upper, n, unit, "exact Poisson", math.sqrt(total) / time, note)
    fit = _poisson_fit(events, person_time, np.ones((n, 1)))
    release(n)
    error = float(fit.bse[0])
    half = normal_quantile() * error
    method = "events / person-time, robust"
    return Estimate(rate, rate * math.exp(-half), rate * math.exp(half), n, unit, method, rate * error)


def rate_ratio(
    events: Floats, person_time: Floats, treated: Booleans, weights: Weights | None = None
) -> tuple[Estimate, float]:
    """Compare the event rates of two groups of different people by negative binomial regression.

    Where the counts show no more spread than Poisson's, the negative binomial does not exist and a Poisson model
    with robust errors takes its place, with Poisson's own errors where there is no spread at all within the groups;
    ``method`` says which.

    Returns
    -------
    the rate ratio treated / others with a Wald interval on the log scale, and its p value
    """
    keep = np.isfinite(events) & (person_time > 0)
    if weights is not None and weights.matter(keep & treated, keep & ~treated):
        return weighted.rate_ratio(events[keep], person_time[keep], treated[keep], weights.at(keep))
    events, person_time, treated = events[keep], person_time[keep], treated[keep]
    n = int(events.size)
    for group in (treated, ~treated):
        if not group.any() or events[group].sum() == 0:
            return missing(n, "ratio", "negative binomial", "a group without events"), math.nan
    fit, method = _fit_two_groups(events, person_time, treated)
    release(n)
    value, error = float(fit.params[1]), float(fit.bse[1])
    half = normal_quantile() * error
    ratio = math.exp(value)
    bounds = (math.exp(value - half), math.exp(value + half))
    return Estimate(ratio, *bounds, n, "ratio", method, ratio * error), float(fit.pvalues[1])


def _fit_two_groups(events: Floats, person_time: Floats, treated: Booleans) -> tuple[_Fit, str]:
    """Fit the rates of two groups that both have events, and name the method."""
    totals = [(events[group].sum(), person_time[group].sum()) for group in (~treated, treated)]
    rates = [count / time for count, time in totals]
    if np.allclose(events, np.where(treated, rates[1], rates[0]) * person_time):
        params = np.array([math.log(rates[0]), math.log(rates[1] / rates[0])])
        return _wald(params, np.sqrt([1 / totals[0][0], 1 / totals[0][0] + 1 / totals[1][0]])), "Poisson"
    design = np.column_stack([np.ones(events.size), treated.astype(np.float64)])
    fit = _negative_binomial_fit(events, person_time, design)
    if fit is not None:
        return fit, "negative binomial"
    return _poisson_fit(events, person_time, design), "Poisson, robust"


def _poisson_fit(events: Floats, person_time: Floats, design: Floats) -> _Fit:
    """Fit a Poisson rate with robust errors, corrected for few patients (HC1)."""
    import statsmodels.api as sm

    model = sm.GLM(events, design, family=sm.families.Poisson(), offset=np.log(person_time))
    fit = _fit_of(model.fit(cov_type="HC0"))
    n, columns = design.shape  # statsmodels leaves the correction out of its HC1 for this kind of model
    return _wald(fit.params, fit.bse * math.sqrt(n / (n - columns)))


def _negative_binomial_fit(events: Floats, person_time: Floats, design: Floats) -> _Fit | None:
    """Fit a negative binomial rate, or return None where it has no maximum inside its range."""
    import warnings

    from statsmodels.discrete.discrete_model import NegativeBinomial

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fit that fails is told by its result, and the Poisson model follows
        try:
            result = NegativeBinomial(events, design, offset=np.log(person_time)).fit(disp=0, maxiter=200)
        except (np.linalg.LinAlgError, ValueError, FloatingPointError):
            return None
        fit = _fit_of(result)
    known = np.isfinite(fit.params).all() and np.isfinite(fit.bse).all()
    inside = bool(result.mle_retvals["converged"]) and float(fit.params[-1]) > 1e-6
    return fit if known and inside else None


@dataclass(frozen=True)
class _Fit:
    """What is read from a fitted model."""

    params: Floats
    bse: Floats
    pvalues: Floats


def _wald(params: Floats, errors: Floats) -> _Fit:
    """Return a fit with the p values of normal coefficients."""
    from scipy.special import ndtr

    return _Fit(params, errors, 2 * ndtr(-np.abs(params) / errors))


def _fit_of(result: object) -> _Fit:
    """Return coefficients, errors and p values of a statsmodels result."""
    return _Fit(*(np.asarray(getattr(result, name), dtype=np.float64) for name in ("params", "bse", "pvalues")))
