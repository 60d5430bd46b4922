"""Patients with weights for tests, and the two answers that weighted statistics must agree with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

N, DRAWN, BOOTSTRAPS = 300, 120_000, 400


def patients(seed: int = 1, n: int = N) -> dict[str, np.ndarray]:
    """Return outcomes that go along with the weights, so that weights matter."""
    rng = np.random.default_rng(seed)
    severity = rng.normal(0, 1, n)
    treated = np.arange(n) % 2 == 0
    time = rng.exponential(np.where(treated, 8.0, 5.0) * np.exp(-0.4 * severity)) + 0.01
    end = rng.uniform(2, 12, n)
    return {
        "w": np.exp(0.5 * severity + 0.3 * rng.normal(0, 1, n)),
        "treated": treated,
        "score": 3 + severity + rng.normal(0, 1, n),
        "has": (rng.random(n) < 1 / (1 + np.exp(-severity))) * 1.0,
        "events": rng.poisson(rng.gamma(2, 0.5, n) * np.exp(0.5 * severity) * np.where(treated, 1, 2)) * 1.0,
        "years": rng.uniform(1, 3, n),
        "time": np.minimum(time, end),
        "cause": np.where(time <= end, rng.integers(1, 3, n), 0),
    }


def take(people: dict[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
    """Return some patients."""
    return {name: values[rows] for name, values in people.items()}


def drawn(people: dict[str, np.ndarray], seed: int = 2) -> dict[str, np.ndarray]:
    """Return many patients, each drawn as often as its weight says."""
    w = people["w"] / people["w"].sum()
    return take(people, np.random.default_rng(seed).choice(w.size, DRAWN, p=w))


def bootstrap(people: dict[str, np.ndarray], statistic: Callable[[dict[str, np.ndarray]], float]) -> float:
    """Return the spread of a weighted statistic over other samples of as many patients with their weights."""
    rng = np.random.default_rng(3)
    size = people["w"].size
    return float(np.std([statistic(take(people, rng.integers(0, size, size))) for _ in range(BOOTSTRAPS)]))
