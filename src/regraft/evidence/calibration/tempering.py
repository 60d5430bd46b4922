"""Sample a posterior whose likelihood is cheap: particles led from prior to posterior in small steps.

Sequential Monte Carlo with temperatures chosen so that half of the particles stay effective [del_moral_2006], and
Metropolis steps in between: random walks with the covariance of the particles, and differences of two particles of the
other half [ter_braak_2006]. The prior is standard normal in white scores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from regraft.evidence.calibration.chance import Floats, Integers, effective_size, normals, systematic, uniforms
from regraft.evidence.calibration.problems import CollapsedPosterior
from regraft.evidence.calibration.settings import MOVES

LogLikelihood = Callable[[Floats], Floats]
_LEAST_EFFECTIVE = 0.5  # share of particles that must stay effective in one step of temperature
_MOST_STEPS = 100
_OPTIMAL = 2.38  # scale of random walks in many dimensions [roberts_1997]
_AIM = 1 / 4  # share of accepted steps
_LEAST_MOVED = 0.01


@dataclass(frozen=True)
class Sample:
    """Particles of a posterior, equally weighted.

    Parameters
    ----------
    white : (particle, parameter) white scores
    log_likelihood : (particle,) float
    temperatures : exponents of the likelihood that were passed, ending with 1
    accepted : share of accepted steps at the last one
    """

    white: Floats
    log_likelihood: Floats
    temperatures: tuple[float, ...]
    accepted: float


def sample_posterior(
    log_likelihood: LogLikelihood, names: Sequence[str], *, seed: int, particles: int, purpose: str, moves: int = MOVES
) -> Sample:
    """Lead particles from the prior to the posterior.

    Parameters
    ----------
    log_likelihood : white scores (particle, parameter) to (particle,)
    names : of the parameters; random numbers are keyed by them
    purpose : keys the random numbers too; two samples with other purposes are independent

    Raises
    ------
    CollapsedPosterior : the likelihood is nowhere finite, the steps of temperature do not end, or nothing moves
    """
    ids = np.arange(particles, dtype=np.int64)
    white = normals(seed, ids, names, f"{purpose}, start")
    level = _finite(log_likelihood(white))
    temperature, scale, accepted = 0.0, 1.0, 0.0
    passed: list[float] = []
    while temperature < 1:
        if len(passed) == _MOST_STEPS:
            raise CollapsedPosterior(
                f"The posterior was not reached in {_MOST_STEPS} steps; the likelihood is too narrow for the priors. "
                "Look for a published row with a far too small standard error."
            )
        temperature, weights = _next_temperature(level, temperature)
        offset = float(uniforms(seed, np.array([len(passed)]), f"{purpose}, resample")[0])
        chosen = systematic(weights, particles, offset)
        white, level = white[chosen], level[chosen]
        walk = _Walk(log_likelihood, names, seed, purpose, temperature, len(passed))
        count = moves if temperature < 1 else 2 * moves
        white, level, accepted, scale = walk.run(white, level, scale, count)
        passed.append(temperature)
    if accepted < _LEAST_MOVED:
        raise CollapsedPosterior(
            f"Only {100 * accepted:.2g} % of the steps of the sampler were accepted: the sample would be copies of "
            "a few draws. Look for a published row with a far too small standard error."
        )
    return Sample(white, level, tuple(passed), accepted)


def _finite(level: Floats) -> Floats:
    """Return levels with -inf for NaN, and refuse a likelihood that is nowhere finite."""
    level = np.where(np.isnan(level), -np.inf, level)
    if not np.isfinite(level).any():
        raise CollapsedPosterior("The likelihood is finite at no draw of the prior. Check the published rows.")
    return level


def _next_temperature(level: Floats, temperature: float) -> tuple[float, Floats]:
    """Return the next exponent by halving, and the weights that lead to it."""
    wanted = _LEAST_EFFECTIVE * np.isfinite(level).sum()

    def weights_at(step: float) -> Floats:
        return np.where(np.isfinite(level), step * level, -np.inf)

    low, high = 0.0, 1.0 - temperature
    if effective_size(weights_at(high)) < wanted:
        for _ in range(100):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if effective_size(weights_at(middle)) >= wanted else (low, middle)
        step, reached = low, temperature + low
    else:
        step, reached = high, 1.0
    if not reached > temperature:
        raise CollapsedPosterior(
            "One draw of the prior is so much more likely than all others that no step towards the posterior is small "
            "enough. Look for a published row with a far too small standard error."
        )
    logarithm = weights_at(step)
    return reached, np.exp(logarithm - np.max(logarithm))


@dataclass(frozen=True)
class _Walk:
    """Metropolis steps of all particles at one temperature."""

    log_likelihood: LogLikelihood
    names: Sequence[str]
    seed: int
    purpose: str
    temperature: float
    stage: int

    def run(self, white: Floats, level: Floats, scale: float, moves: int) -> tuple[Floats, Floats, float, float]:
        """Move every particle; return particles, levels, share accepted and the scale that suits them."""
        size = white.shape[1]
        spread = np.cov(white, rowvar=False).reshape(size, size) + 1e-10 * np.eye(size)
        factor = np.asarray(np.linalg.cholesky(spread), dtype=np.float64)
        shares = []
        for move in range(moves):
            before = white
            for half in (0, 1):
                part = np.arange(half, len(white), 2)
                step = self._step(white, part, factor, move)
                white, level = self._accept(white, level, part, white[part] + scale * step, move)
            share = float(np.mean(np.any(white != before, axis=1)))
            shares.append(share)
            scale = float(np.clip(scale * np.exp(share - _AIM), 1e-3, 10.0))
        return white, level, float(np.mean(shares)), scale

    def _step(self, white: Floats, part: Integers, factor: Floats, move: int) -> Floats:
        """Return proposals of one half: random walk at even moves, differences within the other half at odd ones."""
        size = white.shape[1]
        key = f"{self.purpose}, move {self.stage}"
        walk = normals(self.seed, part, self.names, key, move) @ factor.T * (_OPTIMAL / np.sqrt(size))
        if move % 2 == 0:
            return np.asarray(walk, dtype=np.float64)
        others = np.setdiff1d(np.arange(len(white)), part)
        first = (uniforms(self.seed, part, f"{key}, first", move) * others.size).astype(np.int64)
        second = (uniforms(self.seed, part, f"{key}, second", move) * others.size).astype(np.int64)
        difference = white[others[first]] - white[others[second]]
        return np.asarray(difference * (_OPTIMAL / np.sqrt(2 * size)) + 0.01 * walk, dtype=np.float64)

    def _accept(
        self, white: Floats, level: Floats, part: Integers, proposed: Floats, move: int
    ) -> tuple[Floats, Floats]:
        """Take proposals by the rule of Metropolis; return particles and levels."""
        fresh = self.log_likelihood(proposed)
        fresh = np.where(np.isnan(fresh), -np.inf, fresh)
        old = self.temperature * level[part] - 0.5 * np.sum(white[part] ** 2, axis=1)
        new = self.temperature * fresh - 0.5 * np.sum(proposed**2, axis=1)
        luck = np.log(uniforms(self.seed, part, f"{self.purpose}, accept {self.stage}", move))
        take = luck < new - old
        white, level = white.copy(), level.copy()
        white[part[take]], level[part[take]] = proposed[take], fresh[take]
        return white, level
