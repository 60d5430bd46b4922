"""What the published rows say about each parameter, and what they do not."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from regraft.evidence.calibration.chance import Floats
from regraft.evidence.calibration.priors import Priors

PRIOR_DRAWS = 10_000
_GAIN = 0.5  # share of the variance left by the better of two parameters that their product must take away


@dataclass(frozen=True)
class Combination:
    """A product or quotient of two parameters: ``first ** 1 * second ** exponent``, and the contraction of its log."""

    first: str
    second: str
    exponent: int
    contraction: float

    def __str__(self) -> str:
        """Return it as a formula."""
        return f"{self.first} {'*' if self.exponent > 0 else '/'} {self.second}"


@dataclass(frozen=True)
class Identifiability:
    """What the fit learned.

    Parameters
    ----------
    names : of the parameters
    contraction : (parameter,) 1 minus posterior over prior variance of the score: 0 nothing learned, 1 known exactly
    limit : contraction below which a parameter is called not identified
    correlation : (parameter, parameter) of posterior scores
    combinations : products and quotients that are known much better than either parameter
    """

    names: tuple[str, ...]
    contraction: Floats
    limit: float
    correlation: Floats
    combinations: tuple[Combination, ...]

    @property
    def not_identified(self) -> tuple[str, ...]:
        """Names of the parameters about which almost nothing was learned."""
        return tuple(name for name, one in zip(self.names, self.contraction, strict=True) if one < self.limit)


def identifiability(priors: Priors, natural: Floats, *, limit: float, seed: int) -> Identifiability:
    """Compare a posterior sample with the prior.

    Parameters
    ----------
    natural : (draw, parameter) posterior draws
    limit : contraction below which a parameter is not identified
    seed : of the prior draws with which products are compared

    Notes
    -----
    With n draws a contraction near 0 has a standard error of about sqrt(2 / n).

    References
    ----------
    betancourt_2018
    """
    scores = priors.scores(natural)
    contraction = 1 - np.var(scores, axis=0, ddof=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.atleast_2d(np.corrcoef(scores, rowvar=False))
    before = priors.sample(seed, np.arange(PRIOR_DRAWS, dtype=np.int64))
    found = _combinations(priors, before, natural, contraction, limit)
    return Identifiability(priors.names, contraction, limit, np.nan_to_num(correlation), found)


def _combinations(
    priors: Priors, before: Floats, after: Floats, contraction: Floats, limit: float
) -> tuple[Combination, ...]:
    """Return products and quotients that take away at least half of the variance that the better parameter has left."""
    positive = [k for k, member in enumerate(priors.members) if member.ends[0] >= 0]
    old, new = np.log(np.maximum(before, 1e-300)), np.log(np.maximum(after, 1e-300))
    found = []
    for i, k in combinations(positive, 2):
        for exponent in (1, -1):
            prior = float(np.var(old[:, i] + exponent * old[:, k], ddof=1))
            left = float(np.var(new[:, i] + exponent * new[:, k], ddof=1)) / prior
            best = 1 - max(contraction[i], contraction[k])
            if left < 1 - limit and left < _GAIN * best:
                found.append(Combination(priors.names[i], priors.names[k], exponent, 1 - left))
    return tuple(sorted(found, key=lambda one: (-one.contraction, one.first, one.second)))
