"""Quick forward models with known answers, and the settings that tests fit them with."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from regraft.evidence.calibration.forward import Observations, Prediction
from regraft.evidence.calibration.priors import Prior, Priors
from regraft.evidence.calibration.settings import Settings

QUICK = Settings(draws=200, particles=200, ensemble=40, runs=100, round_runs=20, batch=7)
RATES = Priors(tuple(Prior(name, "1/day", "lognormal", centre=1.0, spread=0.7) for name in ("gain", "loss", "idle")))
ROWS = Observations(
    ("level", "share"), np.array([0.45, -0.2]), np.array([0.1, 0.15]), np.array([0.0, 0.05]), ("log", "logit")
)


def rows_of(*values, se=0.1):
    """Rows with given published values."""
    y = np.array(values, dtype=float)
    return Observations(tuple(f"row_{k}" for k in range(y.size)), y, np.full(y.size, se), np.zeros(y.size))


@dataclass(frozen=True)
class Rates:
    """Two rows that depend on the product of two rates only; the third rate does nothing."""

    def __call__(self, theta, draws):
        level = np.log(theta[:, 0] * theta[:, 1])
        value = np.column_stack([level, -0.5 * level + 0.1 * level**2])
        return Prediction(value, np.full_like(value, 1e-4), np.zeros(len(theta), dtype=bool))


@dataclass(frozen=True)
class Vanishing(Rates):
    """The same; where the third rate is high, nothing is left of the level, and of its logarithm nothing is known."""

    def __call__(self, theta, draws):
        answer = super().__call__(theta, draws)
        gone = theta[:, 2] > 3
        answer.value[gone, 0], answer.mc_variance[gone, 0] = -317.0, 1e268
        return answer


@dataclass(frozen=True)
class Ring:
    """A row that is met on a circle around the middle of the prior, and at no place inside it."""

    def __call__(self, theta, draws):
        scores = np.log(theta[:, :2]) / 0.7
        value = np.sum(scores**2, axis=1)[:, None]
        return Prediction(value, np.full_like(value, 1e-4), np.zeros(len(theta), dtype=bool))


@dataclass(frozen=True)
class DyingRates(Rates):
    """The same; its process is killed when it has answered a number of batches, counted in a file."""

    counter: Path
    after: int

    def __call__(self, theta, draws):
        done = len(self.counter.read_bytes()) if self.counter.exists() else 0
        if done == self.after:
            os.kill(os.getpid(), signal.SIGKILL)
        self.counter.write_bytes(b"." * (done + 1))
        return super().__call__(theta, draws)


@dataclass(frozen=True)
class DeadlyDraw(Rates):
    """The same; one draw kills the process that computes it."""

    deadly: int

    def __call__(self, theta, draws):
        if self.deadly in draws:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(theta, draws)


@dataclass(frozen=True)
class Changed(Rates):
    """The same, with some entries of the answer changed: constant, NaN, failed, or with a threshold."""

    constant: int | None = None
    empty: int | None = None
    failed_share: float = 0.0
    sharp: bool = False

    def __call__(self, theta, draws):
        answer = super().__call__(theta, draws)
        value = answer.value.copy()
        if self.sharp:
            value[:, 1] += 2 * np.tanh(6 * np.log(theta[:, 0] / theta[:, 2]))
        if self.constant is not None:
            value[:, self.constant] = 1.0
        if self.empty is not None:
            value[:, self.empty] = np.nan
        return Prediction(value, answer.mc_variance, theta[:, 2] > np.quantile(theta[:, 2], 1 - self.failed_share))
