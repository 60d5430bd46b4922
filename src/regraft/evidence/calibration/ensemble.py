"""Ensemble Kalman inversion: lead an ensemble from the prior towards the published values in a few updates.

Perturbed observations, steps of temperature by the misfit [iglesias_yang_2021], correlations too small for the size of
the ensemble tapered away [luo_2018]. Exact for linear models and large ensembles only; here it brings runs to the right
neighbourhood, and the sample is drawn from the stand-in that is fitted to them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from regraft.evidence.calibration.chance import Floats, normals
from regraft.evidence.calibration.forward import Observations, Runs
from regraft.evidence.calibration.problems import CollapsedPosterior

_NOISE_WIDTH = 2.0  # standard errors of a correlation that count as chance
_LEAST_SPREAD = 1e-4  # of the prior's SD


def step_of_temperature(runs: Runs, observations: Observations, left: float, updates_left: int) -> float:
    """Return how much of the likelihood the next update takes in [iglesias_yang_2021], at least its even share.

    Parameters
    ----------
    runs : of the present ensemble
    left : exponent that is still to be taken in, in (0, 1]
    updates_left : how many updates may still be made; the last takes all that is left
    """
    good = runs.good()
    misfit = 0.5 * np.sum((good.value - observations.y) ** 2 / _noise(good, observations), axis=1)
    rows = len(observations.ids)
    by_mean = rows / (2 * max(float(np.mean(misfit)), 1e-300))
    by_spread = float(np.sqrt(rows / (2 * max(float(np.var(misfit)), 1e-300))))
    return min(max(by_mean, by_spread, left / updates_left), left)


def update(
    runs: Runs, observations: Observations, step: float, names: Sequence[str], *, seed: int, number: int
) -> Floats:
    """Return the white scores of the next ensemble, (draw, parameter).

    Failed members are drawn anew from a normal distribution with mean and covariance of the others.

    Parameters
    ----------
    runs : of the present ensemble
    step : exponent of the likelihood in this update
    number : of the update; keys the random numbers

    Raises
    ------
    CollapsedPosterior : the ensemble has lost its spread
    """
    good, members = runs.good(), np.arange(runs.count, dtype=np.int64)
    alive = members[~runs.failed]
    deviation = good.white - good.white.mean(axis=0)
    predicted = good.value - good.value.mean(axis=0)
    across = deviation.T @ predicted / (good.count - 1)
    inside = predicted.T @ predicted / (good.count - 1)
    noise = np.mean(_noise(good, observations), axis=0) / step
    across = across * _taper(deviation, predicted)
    perturbed = observations.y + np.sqrt(noise) * normals(seed, alive, observations.ids, f"ensemble {number}")
    innovation = np.linalg.solve(inside + np.diag(noise), (perturbed - good.value).T)
    moved = good.white + (across @ innovation).T
    _require_spread(moved, names)
    white = np.empty_like(runs.white)
    white[alive] = moved
    failed = members[runs.failed]
    if failed.size:
        covariance = np.cov(moved, rowvar=False).reshape(len(names), len(names)) + 1e-10 * np.eye(len(names))
        fresh = normals(seed, failed, names, f"replacement {number}")
        white[failed] = moved.mean(axis=0) + fresh @ np.linalg.cholesky(covariance).T
    return white


def _noise(runs: Runs, observations: Observations) -> Floats:
    """Return the variance of published minus predicted value, (draw, row)."""
    return np.asarray(observations.variance + runs.mc_variance, dtype=np.float64)


def _taper(deviation: Floats, predicted: Floats) -> Floats:
    """Return factors in [0, 1] that remove correlations which chance alone explains, (parameter, row)."""
    members = len(deviation)
    scale = np.outer(np.linalg.norm(deviation, axis=0), np.linalg.norm(predicted, axis=0))
    correlation = np.divide(deviation.T @ predicted, scale, out=np.zeros_like(scale), where=scale > 0)
    chance = _NOISE_WIDTH / np.sqrt(members)
    excess = np.maximum(1 - (chance / np.maximum(np.abs(correlation), 1e-12)) ** 2, 0.0)
    return np.asarray(excess, dtype=np.float64)


def _require_spread(white: Floats, names: Sequence[str]) -> None:
    """Refuse an ensemble without spread."""
    spread = np.std(white, axis=0)
    lost = np.flatnonzero(spread < _LEAST_SPREAD)
    if lost.size:
        raise CollapsedPosterior(
            f"The ensemble lost its spread in {names[lost[0]]!r}: {spread[lost[0]]:.2g} of the prior's. Look for a "
            "published row with a far too small standard error, or use more members ('ensemble')."
        )
