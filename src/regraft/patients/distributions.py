"""Inverse distribution functions: a number in (0, 1) becomes a value with the spread that a table row states."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtr, ndtri

from regraft.errors import InvalidField
from regraft.model.parameter_table import ParameterRow

Floats = NDArray[np.float64]


def quantile(row: ParameterRow, uniform: Floats) -> Floats:
    """Return values of one row for numbers in (0, 1).

    Bounds truncate: the numbers are squeezed into the probability that lies between them, so order is kept.

    Parameters
    ----------
    row : a checked table row; ``value`` is the mean, ``spread`` the CV (lognormal), the SD (normal) or the SD on the
        logit scale around the logit of ``value`` (logitnormal); for bernoulli ``value`` is the probability of 1
    uniform : (patient,) float in (0, 1)

    Returns
    -------
    (patient,) float in the row's unit

    Raises
    ------
    InvalidField : the bounds leave nothing of the distribution
    """
    if row.distribution == "fixed":
        return np.full(uniform.shape, row.value)
    if row.distribution == "bernoulli":
        return (uniform > 1.0 - row.value).astype(np.float64)
    if row.distribution == "uniform":
        low, high = float(row.lower or 0.0), float(row.upper or 0.0)
        return low + (high - low) * uniform
    forward, inverse = _normal_scale(row)
    low = ndtr(forward(row.lower)) if row.lower is not None else 0.0
    high = ndtr(forward(row.upper)) if row.upper is not None else 1.0
    if high - low < 1e-6:
        raise InvalidField(
            f"Row {row.id!r}: the bounds {row.lower} to {row.upper} leave almost nothing of a distribution with mean "
            f"{row.value:g} and spread {row.spread:g}. Widen the bounds."
        )
    values: Floats = inverse(ndtri(low + (high - low) * uniform))
    # rounding at the bound itself must not leave the allowed range
    return np.clip(
        values, row.lower if row.lower is not None else -np.inf, row.upper if row.upper is not None else np.inf
    )


def _normal_scale(row: ParameterRow) -> tuple[Callable[[float], float], Callable[[Floats], Floats]]:
    """Return the map of a row's values to standard normal scores, and back."""
    spread = float(row.spread or 0.0)
    if row.distribution == "normal":
        return (lambda x: (x - row.value) / spread), (lambda z: row.value + spread * z)
    if row.distribution == "lognormal":
        sigma = float(np.sqrt(np.log1p(spread**2)))
        mu = float(np.log(row.value)) - sigma**2 / 2
        return (lambda x: (np.log(x) - mu) / sigma if x > 0 else -np.inf), (lambda z: np.exp(mu + sigma * z))
    centre = float(logit(row.value))
    return (lambda x: (float(logit(x)) - centre) / spread), (lambda z: expit(centre + spread * z))
