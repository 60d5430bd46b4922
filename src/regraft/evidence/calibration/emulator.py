"""A quick stand-in for the forward model: for every row a Gaussian process on all runs so far, with its own doubt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.linalg import cho_solve, cholesky

from regraft.evidence.calibration.chance import Floats, Integers
from regraft.evidence.calibration.forward import Observations, Runs
from regraft.evidence.calibration.kernel import JITTER, Kernel, fit_kernel
from regraft.evidence.calibration.settings import (
    LARGEST_TRAINING,
    LARGEST_TUNING,
    NEIGHBOURS,
    Settings,
)

_FLAT = 1e-12  # variance below which the values of a row count as one number


class Surface(Protocol):
    """Gives every row's prediction at once for many draws."""

    def __call__(self, white: Floats) -> tuple[Floats, Floats, Floats]:
        """Return mean and variance, (draw, row), and the logarithm of the chance to run at all, (draw,).

        The variance holds all that makes the prediction uncertain: that of the stand-in and that of finite simulation.
        """
        ...


@dataclass(frozen=True)
class RowEmulator:
    """One row: kernel, scale of the values, and what the runs weigh."""

    kernel: Kernel
    centre: float
    scale: float
    inverse: Floats
    pull: Floats

    def predict(self, white: Floats, training: Floats) -> tuple[Floats, Floats]:
        """Return mean and variance without noise, (draw,) each."""
        if self.scale == 0:
            return np.full(len(white), self.centre), np.zeros(len(white))
        across = self.kernel.covariance(white, training)
        mean = self.centre + self.scale * (across @ self.pull)
        left = self.kernel.variance(white) - np.einsum("ij,ij->i", across @ self.inverse, across)
        return mean, self.scale**2 * np.maximum(left, 0.0)


@dataclass(frozen=True)
class Emulator:
    """Stand-in for all rows; call it as a ``Surface``.

    ``training`` are the white scores of the runs used, ``mc`` coefficients of the logarithm of the variance of finite
    simulation, one column per row, with the least and the largest value met.
    """

    rows: tuple[RowEmulator, ...]
    training: Floats
    mc: Floats
    mc_range: Floats
    common_luck: bool
    everyone: Floats
    failed: Floats

    def __call__(self, white: Floats) -> tuple[Floats, Floats, Floats]:
        """Return mean, variance and log chance to run; see ``Surface``."""
        pairs = [row.predict(white, self.training) for row in self.rows]
        mean = np.column_stack([mean for mean, _ in pairs])
        variance = np.column_stack([variance for _, variance in pairs])
        if self.common_luck:
            variance = variance + np.maximum(self.simulation_variance(white), self.roughness)
        return mean, variance, self.log_chance(white)

    @property
    def roughness(self) -> Floats:
        """(row,) variance of what no smooth function of the parameters explains."""
        return np.array([row.scale**2 * np.exp(row.kernel.noise) if row.scale else 0.0 for row in self.rows])

    def simulation_variance(self, white: Floats) -> Floats:
        """Return the variance of finite simulation, (draw, row)."""
        logarithm = np.clip(_planes(white) @ self.mc, self.mc_range[0], self.mc_range[1])
        return np.asarray(np.exp(logarithm), dtype=np.float64)

    def log_chance(self, white: Floats) -> Floats:
        """Return the logarithm of the share of the nearest runs that did not fail, (draw,)."""
        if not self.failed.any():
            return np.zeros(len(white))
        squares = np.sum(white**2, axis=1)[:, None] + np.sum(self.everyone**2, axis=1) - 2 * white @ self.everyone.T
        nearest = np.argpartition(squares, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        # half a run is added on either side: no place is impossible for want of a run beside it
        good = NEIGHBOURS - self.failed[nearest].sum(axis=1)
        return np.asarray(np.log((good + 0.5) / (NEIGHBOURS + 1)), dtype=np.float64)


def fit_emulator(
    runs: Runs,
    observations: Observations,
    settings: Settings,
    before: Emulator | None = None,
) -> Emulator:
    """Fit a stand-in to all runs that did not fail.

    Hyperparameters are tuned on the runs that lie closest to the published values; the prediction uses more of them.

    Parameters
    ----------
    runs : at least as many good ones as parameters
    before : an earlier stand-in; the search begins with its kernels

    Notes
    -----
    With common random numbers the luck of the simulated patients is the same in all runs, so that smoothing over runs
    does not remove it: its whole variance is added to every prediction. With fresh luck in each run it is noise, which
    smoothing does remove.
    """
    good = runs.good()
    misfit = np.sum((good.value - observations.y) ** 2 / (observations.variance + good.mc_variance), axis=1)
    order = np.sort(np.argsort(misfit, kind="stable")[:LARGEST_TRAINING])
    closest = np.sort(np.argsort(misfit[order], kind="stable")[:LARGEST_TUNING])
    white, values, mc = good.white[order], good.value[order], good.mc_variance[order]
    fresh = np.zeros_like(mc) if settings.common_luck else mc
    rows = tuple(
        _fit_row(
            white,
            values[:, k],
            fresh[:, k],
            closest,
            settings.smooth_remainder,
            before.rows[k].kernel if before else None,
        )
        for k in range(values.shape[1])
    )
    logarithm = np.log(np.maximum(mc, 1e-300))
    planes = _planes(white)
    ridge = planes.T @ planes + np.eye(planes.shape[1])
    coefficients = np.linalg.solve(ridge, planes.T @ (logarithm - logarithm.mean(axis=0)))
    coefficients[0] += logarithm.mean(axis=0)
    limits = np.vstack([logarithm.min(axis=0), logarithm.max(axis=0)])
    return Emulator(rows, white, coefficients, limits, settings.common_luck, runs.white, runs.failed.astype(np.float64))


def _fit_row(
    white: Floats, values: Floats, known: Floats, closest: Integers, remainder: bool, start: Kernel | None
) -> RowEmulator:
    """Fit one row."""
    centre, scale = float(np.mean(values[closest])), float(np.std(values[closest]))
    if scale**2 < _FLAT * (1 + centre**2):
        flat = start or Kernel(np.zeros(3), np.zeros(white.shape[1]), 0.0)
        return RowEmulator(flat, centre, 0.0, np.empty((0, 0)), np.empty(0))
    standard = (values - centre) / scale
    kernel = fit_kernel(white[closest], standard[closest], known[closest] / scale**2, remainder=remainder, start=start)
    total = kernel.covariance(white, white)
    total[np.diag_indices_from(total)] += np.exp(kernel.noise) + known / scale**2 + JITTER
    lower = cholesky(total, lower=True, check_finite=False)
    inverse = cho_solve((lower, True), np.eye(len(values)), check_finite=False)
    return RowEmulator(kernel, centre, scale, inverse, inverse @ standard)


def _planes(white: Floats) -> Floats:
    """Return a column of ones beside the scores."""
    return np.column_stack([np.ones(len(white)), white])


def log_likelihood(surface: Surface, observations: Observations, white: Floats) -> Floats:
    """Return the logarithm of the likelihood of all published rows, (draw,), up to a constant.

    Rows are independent given the parameters, and normal on their link scale.
    """
    mean, variance, chance = surface(white)
    total = variance + observations.variance
    return np.asarray(chance - 0.5 * np.sum((observations.y - mean) ** 2 / total + np.log(total), axis=1))
