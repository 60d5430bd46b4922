"""Problems with a known answer on which fits are compared: quick forward models, and how far draws are off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from regraft.evidence.calibration.chance import normals, uniforms
from regraft.evidence.calibration.forward import Observations, Prediction
from regraft.evidence.calibration.priors import Prior, Priors
from regraft.evidence.calibration.tempering import sample_posterior

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """A forward model with priors and rows. ``exact`` gives value and variance of finite simulation without luck."""

    name: str
    priors: Priors
    observations: Observations
    exact: Callable[[Floats], tuple[Floats, Floats]]
    noisy: Callable[[Floats, Floats, Floats], Floats] | None = None
    runs: list[int] = field(default_factory=list)

    def __call__(self, theta: Floats, draws: NDArray[np.int64]) -> Prediction:
        value, variance = self.exact(theta)
        if self.noisy is not None:
            value = self.noisy(theta, value, variance)
        self.runs.append(len(theta))
        return Prediction(value, variance, np.zeros(len(theta), dtype=bool))

    def log_likelihood(self, white: Floats) -> Floats:
        """Likelihood of the model itself, its luck and the variance of finite simulation as the fit has them."""
        theta = self.priors.natural(white)
        value, variance = self.exact(theta)
        value = value if self.noisy is None else self.noisy(theta, value, variance)
        total = variance + self.observations.variance
        return -0.5 * np.sum((self.observations.y - value) ** 2 / total + np.log(total), axis=1)

    def reference(self, particles: int = 4000, moves: int = 40) -> Floats:
        """White scores of a large sample of the true posterior."""
        sample = sample_posterior(
            self.log_likelihood, self.priors.names, seed=99, particles=particles, purpose="reference", moves=moves
        )
        return sample.white


def _numbers(count: int, purpose: str, seed: int = 5) -> Floats:
    return normals(seed, np.arange(count), ["value"], purpose)[:, 0]


def _rows(y: Floats, se: Floats) -> Observations:
    return Observations(tuple(f"row_{k}" for k in range(y.size)), y, se, np.zeros(y.size))


def _normal(count: int) -> Priors:
    return Priors(tuple(Prior(f"p{k}", "1", "normal", centre=0.0, spread=1.0) for k in range(count)))


def _none(value: Floats) -> Floats:
    return np.zeros_like(value)


def linear(parameters: int = 10, rows: int = 40) -> Problem:
    """Rows are sums of parameters: the posterior is known in closed form."""
    slopes = _numbers(parameters * rows, "slopes").reshape(rows, parameters) * (_numbers(rows, "size")[:, None] > 0)
    slopes[:, -1] = 0.0  # the last parameter moves nothing
    truth = 0.7 * _numbers(parameters, "truth")
    se = np.full(rows, 0.6)
    y = slopes @ truth + se * _numbers(rows, "error")
    return Problem(
        "linear", _normal(parameters), _rows(y, se), lambda theta: (theta @ slopes.T, _none(theta @ slopes.T))
    )


def linear_answer(problem: Problem) -> tuple[Floats, Floats]:
    """Mean and covariance of the posterior of the linear problem."""
    size = len(problem.priors.names)
    slopes = problem.exact(np.eye(size))[0].T
    weights = slopes.T / problem.observations.variance
    covariance = np.linalg.inv(weights @ slopes + np.eye(size))
    return covariance @ weights @ problem.observations.y, covariance


def banana() -> Problem:
    """Two of six parameters lie on a curve."""

    def exact(theta: Floats) -> tuple[Floats, Floats]:
        a, b = theta[:, 0], theta[:, 1]
        rows = [b + a**2 - 1.0, 0.5 * a, *(theta[:, k] + 0.3 * np.sin(theta[:, k]) for k in range(2, 6))]
        value = np.column_stack(rows)
        return value, _none(value)

    y = np.array([0.0, 0.1, 0.5, -0.5, 0.2, 1.0])
    return Problem("banana", _normal(6), _rows(y, np.array([0.15, 0.5, 0.5, 0.5, 0.5, 0.5])), exact)


def product() -> Problem:
    """Only the product of two rates is seen; a third has a row of its own."""
    priors = Priors(tuple(Prior(name, "1/day", "lognormal", centre=1.0, spread=0.7) for name in ("a", "b", "c")))

    def exact(theta: Floats) -> tuple[Floats, Floats]:
        a, b, c = theta.T
        value = np.column_stack([a * b, np.log(a * b), np.log(c + 0.2 * a * b)])
        return value, _none(value)

    return Problem("product", priors, _rows(np.array([1.6, 0.45, 0.3]), np.array([0.2, 0.1, 0.15])), exact)


def proportions(patients: int = 400, luck: int = 7) -> Problem:
    """Shares of a finite number of simulated patients, the same luck in every run."""
    parameters, rows = 5, 16
    slopes = 0.8 * _numbers(parameters * rows, "slopes of shares").reshape(rows, parameters)
    level = 0.8 * _numbers(rows, "levels")
    fates = np.column_stack([uniforms(luck, np.arange(patients), f"luck {k}") for k in range(rows)])

    def share(theta: Floats) -> Floats:
        bend = 0.3 * theta[:, :1] * theta[:, 1:2]
        return expit(level + theta @ slopes.T + bend)

    def exact(theta: Floats) -> tuple[Floats, Floats]:
        p = np.clip(share(theta), 1e-3, 1 - 1e-3)
        return logit(p), 1 / (patients * p * (1 - p))

    def noisy(theta: Floats, value: Floats, variance: Floats) -> Floats:
        events = np.array([(fates < one).sum(axis=0) for one in share(theta)])
        return logit((events + 0.5) / (patients + 1))

    truth = np.array([0.5, -0.3, 0.8, 0.0, -0.6])
    se = np.full(rows, 0.25)
    y = logit(share(truth[None])[0]) + se * _numbers(rows, "error of shares")
    return Problem("proportions", _normal(parameters), _rows(y, se), exact, noisy)


def trial(parameters: int = 12, rows: int = 40) -> Problem:
    """Like fitted trials: saturating effects, products of rates, thresholds, parameters that hardly matter."""
    slopes = _numbers(parameters * rows, "slopes of trial").reshape(rows, parameters)
    slopes *= _numbers(parameters * rows, "which").reshape(rows, parameters) > 0.6
    slopes[:, -2:] *= 0.05
    other = _numbers(parameters * rows, "others of trial").reshape(rows, parameters) * (slopes != 0)
    priors = Priors(tuple(Prior(f"k{k}", "1/day", "lognormal", centre=1.0, spread=0.5) for k in range(parameters)))

    def exact(theta: Floats) -> tuple[Floats, Floats]:
        scores = np.log(theta) / 0.5
        drive = scores @ slopes.T
        value = drive + 1.5 * np.tanh(0.7 * scores @ other.T) + 0.6 * np.log1p(np.exp(drive)) - 0.08 * drive**2
        return value, np.full_like(value, 0.01)

    truth = np.exp(0.5 * 0.8 * _numbers(parameters, "truth of trial"))
    se = np.where(np.arange(rows) % 3 == 0, 0.15, 0.4)
    y = exact(truth[None])[0][0] + se * _numbers(rows, "error of trial")
    return Problem("trial", priors, _rows(y, se), exact)


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "linear": linear,
    "banana": banana,
    "product": product,
    "proportions": proportions,
    "trial": trial,
}


@dataclass(frozen=True)
class Distance:
    """Largest error of a mean in posterior SDs, least and largest ratio of SDs, mean Wasserstein distance in SDs."""

    mean: float
    least_sd: float
    largest_sd: float
    wasserstein: float


def distance(white: Floats, reference: Floats, directions: int = 40) -> Distance:
    """Compare a sample of white scores with a large reference sample."""
    sd = reference.std(axis=0)
    ratio = white.std(axis=0, ddof=1) / sd
    mean = np.abs(white.mean(axis=0) - reference.mean(axis=0)) / sd
    size = white.shape[1]
    ways = _numbers(directions * size, "directions").reshape(directions, size) / sd
    places = (np.arange(200) + 0.5) / 200
    far = []
    for way in ways:
        one, two = np.quantile(white @ way, places), np.quantile(reference @ way, places)
        far.append(np.mean(np.abs(one - two)) / np.std(reference @ way))
    return Distance(float(mean.max()), float(ratio.min()), float(ratio.max()), float(np.mean(far)))
