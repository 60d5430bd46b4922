"""How likely a published number is, given a simulated one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammaln, logsumexp, xlogy

from regraft.errors import InvalidArgument
from regraft.evidence.links import (
    SHARES,
    TO_EDGE,
    YEARS_PER_UNIT,
    Counts,
    OnLink,
    jeffreys_logit,
    link,
    on_link,
    rate_counts,
    share_counts,
    slope,
)
from regraft.evidence.published_types import PublishedResult

Floats = NDArray[np.float64]
POINTS = 1000  # of the sum that stands for an integral over the link scale
REACH = 8  # standard deviations to each side that the sum covers


@dataclass(frozen=True)
class Simulated:
    """A simulated number in the unit of a published row.

    ``variance`` is its Monte Carlo variance, in the unit squared. ``patients`` simulated are needed where a share may
    come out as 0 or 100 %.
    """

    value: float
    variance: float = 0.0
    patients: int | None = None


def simulated_on_link(row: PublishedResult, simulated: Simulated) -> OnLink:
    """Return a simulated number on the link scale of a row, with its Monte Carlo error.

    Raises
    ------
    InvalidArgument : a number that is not finite, a negative variance, or a 0 or 100 % whose ``patients`` are unknown
    """
    if not (math.isfinite(simulated.value) and math.isfinite(simulated.variance) and simulated.variance >= 0):
        raise InvalidArgument(
            f"Simulated value of published row {row.id!r} is {simulated.value} with variance {simulated.variance}; "
            "both must be finite and the variance from 0 up."
        )
    share = simulated.value / 100
    if row.kind in SHARES and simulated.patients and not TO_EDGE < share < 1 - TO_EDGE:
        return jeffreys_logit(Counts(share * simulated.patients, float(simulated.patients)))
    y = link(row, simulated.value)
    return OnLink(y, math.sqrt(simulated.variance) * slope(row, simulated.value))


def log_likelihood(
    row: PublishedResult, simulated: Simulated, *, extra_sd: float = 0.0, se: float | None = None
) -> float:
    """Return the log-likelihood of a published row given a simulated value.

    Shares known by counts are binomial and rates known by counts are Poisson; where the simulated value is uncertain or
    the population differs, their logit or logarithm is spread by a normal law and the likelihood is averaged over
    it. All other rows are normal on their link scale, with the published, the Monte Carlo and the extra variance added.

    Parameters
    ----------
    row : with its numbers
    simulated : the same quantity from a model, in the unit of the row
    extra_sd : spread on the link scale for another population or definition
    se : standard error on the link scale to use instead of the row's own; makes every row normal

    Returns
    -------
    natural logarithm of a probability (binomial, Poisson; events may be real) or of a density on the link scale

    Raises
    ------
    InvalidField, InvalidArgument : as for ``on_link`` and ``simulated_on_link``; a standard error of 0
    """
    observed, expected = on_link(row, se=se), simulated_on_link(row, simulated)
    spread = math.hypot(expected.se, extra_sd)
    if not math.isfinite(extra_sd) or extra_sd < 0:
        raise InvalidArgument(f"extra_sd is {extra_sd}; a finite number from 0 up is allowed.")
    if se is None:
        shares, events = share_counts(row), rate_counts(row)
        if shares is not None:
            return _averaged(lambda y: _log_binomial(shares, y), expected.y, spread)
        if events is not None:
            unit = YEARS_PER_UNIT[row.unit]
            return _averaged(lambda y: _log_poisson(events, y - math.log(unit)), expected.y, spread)
    sd = math.hypot(observed.se, spread)
    if sd == 0:
        raise InvalidArgument(
            f"Published row {row.id!r} has no standard error at all: give 'se' or 'extra_sd' above 0."
        )
    return -0.5 * ((observed.y - expected.y) / sd) ** 2 - math.log(sd) - 0.5 * math.log(2 * math.pi)


def _log_binomial(counts: Counts, y: Floats) -> Floats:
    """Return the log-probability of k of n at logits; k may be real, the coefficient is then that of the beta law."""
    k, n = counts.events, counts.size
    chosen = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    share = expit(y)
    return np.asarray(chosen + xlogy(k, share) + xlogy(n - k, expit(-y)))


def _log_poisson(counts: Counts, y: Floats) -> Floats:
    """Return the log-probability of k events in some years at logarithms of the rate per year."""
    k = counts.events
    return np.asarray(k * (y + math.log(counts.size)) - np.exp(y) * counts.size - gammaln(k + 1))


def _averaged(log_probability: Callable[[Floats], Floats], y: float, sd: float) -> float:
    """Return the logarithm of a probability averaged over a normal law on the link scale."""
    if sd == 0:
        return float(log_probability(np.array([y]))[0])
    steps = np.linspace(-REACH, REACH, POINTS)
    weight = -0.5 * steps**2
    return float(logsumexp(log_probability(y + sd * steps) + weight) - logsumexp(weight))
