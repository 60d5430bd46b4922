"""Simulation-based calibration: a fit of made-up results finds the parameters that made them as often as it says.

Parameters are drawn from the prior, published rows are made up from them, and the posterior of those rows is sampled.
The rank of the true value among the posterior draws is then uniform [talts_2018]. A sample that is too narrow, too
wide or shifted shows in the ranks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from regraft.errors import InvalidArgument
from regraft.evidence.calibration.chance import Floats, Integers, normals, systematic, uniforms
from regraft.evidence.calibration.emulator import Surface, log_likelihood
from regraft.evidence.calibration.forward import Observations, Predict
from regraft.evidence.calibration.linear_algebra import one_thread
from regraft.evidence.calibration.priors import Priors
from regraft.evidence.calibration.tempering import sample_posterior

_NULL = 10_000  # simulated sets of uniform ranks behind a p-value: the level divided by 20 parameters can be reached
_LEAST_REPEATS = 20
_LEVEL = 0.01  # chance that a right fit fails for any of its parameters


@dataclass(frozen=True)
class CalibrationCheck:
    """Ranks of true values among posterior draws.

    Parameters
    ----------
    names : of the parameters
    ranks : (repeat, parameter) int, from 0 to ``draws``
    draws : posterior draws per repeat
    p_values : (parameter,) of uniform ranks
    contraction : (parameter,) mean over repeats: near 0, uniform ranks only say that the prior came back
    """

    names: tuple[str, ...]
    ranks: NDArray[np.int64]
    draws: int
    p_values: Floats
    contraction: Floats

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the parameters whose ranks are not uniform; a right fit has none in 99 of 100 checks."""
        limit = _LEVEL / len(self.names)
        return tuple(name for name, p in zip(self.names, self.p_values, strict=True) if p <= limit)

    def histogram(self, name: str, bins: int = 10) -> NDArray[np.int64]:
        """Return how many ranks of a parameter fall into bins of equal width, (bin,)."""
        if (self.draws + 1) % bins:
            raise InvalidArgument(
                f"{bins} bins do not divide the {self.draws + 1} possible ranks evenly; choose a divisor."
            )
        ranks = self.ranks[:, self.names.index(name)]
        return np.bincount(ranks * bins // (self.draws + 1), minlength=bins).astype(np.int64)


def simulation_based_calibration(
    priors: Priors,
    observations: Observations,
    surface: Surface,
    *,
    seed: int,
    truth: Surface | None = None,
    repeats: int = 200,
    draws: int = 99,
    particles: int = 200,
    progress: Callable[[int, int, str], None] | None = None,
) -> CalibrationCheck:
    """Return ranks of known true values among posterior draws of made-up results, and whether they are uniform.

    Parameters
    ----------
    priors : from which true values are drawn
    observations : standard errors and extra spread of the rows; their values are not used
    surface : what the posterior is sampled with; the stand-in of a fit, or ``surface_of`` a quick forward model
    seed : keys everything
    truth : what makes up the rows; ``surface`` if None. With the stand-in as both, its own error is *not* tested:
        give ``surface_of`` the forward model here to test that too (one forward run per repeat)
    repeats : made-up sets of rows
    draws : posterior draws that a true value is ranked among
    particles : of the sampler, at least ``draws``
    progress : told (done, repeats, stage)

    Raises
    ------
    InvalidArgument : too few repeats, or fewer particles than draws
    CollapsedPosterior : a posterior cannot be sampled
    """
    check_sizes(repeats, draws, particles)
    numbers = np.arange(repeats, dtype=np.int64)
    ranking = Ranking(priors, observations, seed, draws, particles)
    ranks, variances = [], []
    with one_thread():
        white = normals(seed, numbers, priors.names, "true values")
        mean, variance, _ = (truth or surface)(white)
        for number in range(repeats):
            rank, spread = ranking.rank(surface, white[number], mean[number], variance[number], number)
            ranks.append(rank)
            variances.append(spread)
            if progress is not None:
                progress(number + 1, repeats, "simulation-based calibration")
    return ranking.check(np.array(ranks), np.array(variances))


def check_sizes(repeats: int, draws: int, particles: int) -> None:
    """Refuse sizes from which nothing follows."""
    if repeats < _LEAST_REPEATS or particles < draws:
        raise InvalidArgument(
            f"'repeats' is {repeats} and 'particles' is {particles}; at least {_LEAST_REPEATS} repeats are needed, "
            f"and as many particles as draws ({draws})."
        )


@dataclass(frozen=True)
class Ranking:
    """Makes up rows from a truth, samples their posterior, and ranks the truth in it."""

    priors: Priors
    observations: Observations
    seed: int
    draws: int
    particles: int

    def rank(
        self, surface: Surface, white: Floats, mean: Floats, variance: Floats, number: int
    ) -> tuple[Integers, Floats]:
        """Return rank and posterior variance of each score.

        Parameters
        ----------
        white : (parameter,) true white scores
        mean, variance : (row,) what the forward model says of them
        number : of the repeat; keys the random numbers
        """
        names, key = self.priors.names, np.array([number])
        error = normals(self.seed, key, self.observations.ids, "made-up rows")[0]
        rows = dataclasses.replace(self.observations, y=mean + np.sqrt(variance + self.observations.variance) * error)
        posterior = _posterior(surface, rows, names, self.seed, self.particles, number)
        offset = float(uniforms(self.seed, key, "ranked draws")[0])
        chosen = posterior[systematic(np.ones(self.particles), self.draws, offset)] @ self.priors.factor.T
        true = (white @ self.priors.factor.T)[None, :]
        return np.sum(chosen < true, axis=0), np.var(chosen, axis=0, ddof=1)

    def check(self, ranks: NDArray[np.int64], variances: Floats) -> CalibrationCheck:
        """Return what all repeats say together."""
        names = self.priors.names
        p_values = np.array([uniformity(ranks[:, k], self.draws, self.seed) for k in range(len(names))])
        return CalibrationCheck(names, ranks, self.draws, p_values, 1 - variances.mean(axis=0))


def _posterior(
    surface: Surface, rows: Observations, names: tuple[str, ...], seed: int, particles: int, number: int
) -> Floats:
    """Return white scores of the posterior of one made-up set of rows."""

    def level(white: Floats) -> Floats:
        return log_likelihood(surface, rows, white)

    return sample_posterior(level, names, seed=seed, particles=particles, purpose=f"repeat {number}").white


def surface_of(predict: Predict, priors: Priors) -> Surface:
    """Return a forward model as a surface; draws that fail are impossible."""

    def surface(white: Floats) -> tuple[Floats, Floats, Floats]:
        answer = predict(priors.natural(white), np.arange(len(white), dtype=np.int64))
        chance = np.where(answer.failed, -np.inf, 0.0)
        return answer.value, answer.mc_variance, chance

    return surface


def uniformity(ranks: Integers, draws: int, seed: int) -> float:
    """Return a p-value of ranks being uniform on 0 ... ``draws``, simultaneous over the whole distribution.

    The statistic is the smallest two-sided binomial p-value of the cumulative counts; what it would be by chance is
    simulated [sailynoja_2022].
    """
    table = _tails(ranks.size, draws)
    chance = _by_chance(ranks.size, draws, seed)
    # a hair of tolerance: equal counts may differ in the last bit
    return float((1 + np.sum(chance <= _smallest(ranks, table) * (1 + 1e-9))) / (1 + chance.size))


def _tails(size: int, draws: int) -> Floats:
    """Return the two-sided binomial p-value of each cumulative count, (count, place)."""
    share = (np.arange(draws) + 1) / (draws + 1)
    counts = np.arange(size + 1)[:, None]
    return np.asarray(np.minimum(binom.cdf(counts, size, share), binom.sf(counts - 1, size, share)))


def _smallest(ranks: Integers, table: Floats) -> float:
    """Return the smallest p-value of a set of ranks."""
    draws = table.shape[1]
    cumulative = np.cumsum(np.bincount(ranks, minlength=draws + 1))[:draws]
    return float(np.min(table[cumulative, np.arange(draws)]))


@lru_cache(maxsize=4)
def _by_chance(size: int, draws: int, seed: int) -> Floats:
    """Return the smallest p-values of sets of uniform ranks."""
    table, numbers = _tails(size, draws), np.arange(size, dtype=np.int64)
    some = ((uniforms(seed, numbers, "uniform ranks", k) * (draws + 1)).astype(np.int64) for k in range(_NULL))
    return np.array([_smallest(ranks, table) for ranks in some])
