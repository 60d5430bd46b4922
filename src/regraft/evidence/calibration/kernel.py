"""Covariance of a row's prediction between two sets of parameters, and how likely it makes the runs.

The kernel is the sum of a constant, a plane, a quadratic form and a smooth remainder (squared exponential with one
length per parameter). Without the remainder it is Bayesian quadratic regression [rasmussen_williams_2006, ch. 2 and 5].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, cholesky
from scipy.optimize import minimize

from regraft.evidence.calibration.chance import Floats

CONSTANT = 1.0  # variance of the constant; predictions are standardised
JITTER = 1e-8
_SHAPES = 3  # plane, quadratic form, remainder
# Range of each logarithm: variances of the three shapes, lengths, variance of the noise.
_Range = tuple[float, float]
_RANGE_SHAPE: _Range = (-12, 5)
_RANGE_LENGTH: _Range = (-1, 5)
_RANGE_NOISE: _Range = (-12, 1)
_ABSENT = -100.0  # logarithm of the variance of a shape that is left out


@dataclass(frozen=True)
class Kernel:
    """Logarithms of the variances of plane, quadratic form and remainder, of the lengths, and of the noise."""

    shapes: Floats
    lengths: Floats
    noise: float

    def covariance(self, one: Floats, other: Floats) -> Floats:
        """Return the covariance of two sets of points, (point, parameter) each, without noise."""
        plane, quadratic, remainder = np.exp(self.shapes)
        product = one @ other.T
        total = CONSTANT + (plane + quadratic * product) * product
        if self.shapes[2] > _ABSENT:
            total += remainder * np.exp(-0.5 * self._distance(one, other))
        return np.asarray(total, dtype=np.float64)

    def variance(self, points: Floats) -> Floats:
        """Return the variance at each point, (point,), without noise."""
        plane, quadratic, remainder = np.exp(self.shapes)
        length = np.einsum("ij,ij->i", points, points)
        return np.asarray(CONSTANT + (plane + quadratic * length) * length + remainder, dtype=np.float64)

    def _distance(self, one: Floats, other: Floats) -> Floats:
        """Return squared distances in units of the lengths."""
        scale = np.exp(-self.lengths)
        left, right = one * scale, other * scale
        squares = np.sum(left**2, axis=1)[:, None] + np.sum(right**2, axis=1) - 2 * (left @ right.T)
        return np.asarray(np.maximum(squares, 0.0), dtype=np.float64)


def fit_kernel(points: Floats, values: Floats, known_noise: Floats, *, remainder: bool, start: Kernel | None) -> Kernel:
    """Return the kernel under which standardised values are most likely.

    Parameters
    ----------
    points : (run, parameter) white scores
    values : (run,) mean 0, variance 1
    known_noise : (run,) variance of each value that is known beforehand
    remainder : False leaves a quadratic regression
    start : where the search begins
    """
    size = points.shape[1]
    begin = start or Kernel(np.array([-1.0, -4, -2]), np.full(size, 1.0), -4)
    bounds = [_RANGE_SHAPE] * _SHAPES + [_RANGE_LENGTH] * size + [_RANGE_NOISE]
    first = np.concatenate([begin.shapes, begin.lengths, [begin.noise]])
    first = np.clip(first, [low for low, _ in bounds], [high for _, high in bounds])
    if not remainder:
        first[2] = _ABSENT
        bounds[2] = (_ABSENT, _ABSENT)
    products = points @ points.T
    found = minimize(
        _misfit,
        first,
        args=(points, products, values, known_noise),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 100, "ftol": 1e-6},
    )
    # Rounded, so that the last bits of a linear algebra library are not carried on.
    best = np.round(found.x, 2)
    return Kernel(best[:_SHAPES], best[_SHAPES:-1], float(best[-1]))


def _misfit(x: Floats, points: Floats, products: Floats, values: Floats, known_noise: Floats) -> tuple[float, Floats]:
    """Return minus the logarithm of the marginal likelihood, and its gradient [rasmussen_williams_2006, eq. 5.9]."""
    kernel = Kernel(x[:_SHAPES], x[_SHAPES:-1], float(x[-1]))
    plane, quadratic, remainder = np.exp(kernel.shapes)
    smooth = remainder * np.exp(-0.5 * kernel._distance(points, points))
    total = CONSTANT + (plane + quadratic * products) * products + smooth
    total[np.diag_indices_from(total)] += np.exp(kernel.noise) + known_noise + JITTER
    try:
        lower = cholesky(total, lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return 1e10, np.zeros_like(x)
    inverse = cho_solve((lower, True), np.eye(values.size), check_finite=False)
    pull = inverse @ values
    minus = 0.5 * float(values @ pull) + float(np.sum(np.log(np.diag(lower))))
    inner = 0.5 * (np.outer(pull, pull) - inverse)
    gradient = np.empty_like(x)
    gradient[0] = plane * np.sum(inner * products)
    gradient[1] = quadratic * np.sum(inner * products**2)
    weights = inner * smooth
    gradient[2] = np.sum(weights)
    scaled = points * np.exp(-kernel.lengths)
    rows = weights.sum(axis=1)
    gradient[_SHAPES:-1] = 2 * (rows @ scaled**2 - np.einsum("ij,ij->j", scaled, weights @ scaled))
    gradient[-1] = np.exp(kernel.noise) * np.trace(inner)
    return minus, -gradient
