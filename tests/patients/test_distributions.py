from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import logit
from tests.patients.rows import row

from regraft.errors import InvalidField
from regraft.patients.distributions import quantile

LEVELS = np.array([1e-6, 0.01, 0.25, 0.5, 0.75, 0.99, 1 - 1e-6])
# evenly spaced levels stand for a sample without noise
GRID = (np.arange(200_000) + 0.5) / 200_000


def lognormal(mean: float, cv: float):
    sigma = np.sqrt(np.log(1 + cv**2))
    return stats.lognorm(s=sigma, scale=mean * np.exp(-(sigma**2) / 2))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (row("x", 5, "normal", spread=2), stats.norm(5, 2).ppf(LEVELS)),
        (row("x", 5, "lognormal", spread=0.4), lognormal(5, 0.4).ppf(LEVELS)),
        (row("x", 5, "uniform", lower=2, upper=8), stats.uniform(2, 6).ppf(LEVELS)),
        (row("x", 0.2, "logitnormal", spread=0.7), 1 / (1 + np.exp(-stats.norm(logit(0.2), 0.7).ppf(LEVELS)))),
        (row("x", 5, "normal", spread=2, lower=3, upper=9), stats.truncnorm(-1, 2, 5, 2).ppf(LEVELS)),
        (row("x", 5, "normal", spread=2, lower=3), stats.truncnorm(-1, np.inf, 5, 2).ppf(LEVELS)),
        (row("x", 5), np.full(7, 5.0)),
    ],
)
def test_quantiles_agree_with_scipy(given, expected) -> None:
    # ndtri of the last level loses six digits of 1 - u: 1e-9 is what is left
    np.testing.assert_allclose(quantile(given, LEVELS), expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("given", "mean", "deviation"),
    [
        (row("x", 5, "normal", spread=2), 5, 2),
        (row("x", 5, "lognormal", spread=0.4), 5, 2),
        (row("x", 40, "lognormal", spread=1.5), 40, 60),
        (row("x", 5, "uniform", lower=2, upper=8), 5, 6 / np.sqrt(12)),
        (row("x", 0.3, "bernoulli"), 0.3, np.sqrt(0.21)),
    ],
)
def test_value_is_the_mean_and_spread_is_what_the_table_says(given, mean: float, deviation: float) -> None:
    values = quantile(given, GRID)
    assert values.mean() == pytest.approx(mean, rel=2e-3)
    # the grid misses the outermost tail, where most of a wide lognormal's variance is
    assert values.std() == pytest.approx(deviation, rel=2e-2)


def test_the_median_of_a_logitnormal_is_its_value() -> None:
    assert quantile(row("x", 0.2, "logitnormal", spread=0.7), np.array([0.5]))[0] == pytest.approx(0.2, rel=1e-12)


@pytest.mark.parametrize(
    "given",
    [
        row("x", 5, "normal", spread=2, lower=3, upper=9),
        row("x", 5, "lognormal", spread=2, lower=1, upper=6),
        row("x", 0.3, "lognormal", spread=2, lower=0, upper=0.5),
        row("x", 0.5, "logitnormal", spread=3, lower=0.1, upper=0.9),
        row("x", 0.5, "logitnormal", spread=3, lower=0, upper=1),
        row("x", 5, "uniform", lower=2, upper=8),
    ],
)
def test_bounds_are_kept_and_order_too(given) -> None:
    values = quantile(given, np.concatenate([[2.0**-54], GRID, [1 - 2.0**-53]]))
    assert values.min() >= given.lower
    assert values.max() <= given.upper
    assert (np.diff(values) >= 0).all()
    assert np.unique(values).size > 1000


@pytest.mark.parametrize("distribution", ["normal", "lognormal"])
def test_bounds_that_leave_nothing_are_refused(distribution: str) -> None:
    with pytest.raises(InvalidField, match="Row 'x': the bounds 50 to 60 leave almost nothing.*mean 5 and spread 0.1"):
        quantile(row("x", 5, distribution, spread=0.1, lower=50, upper=60), LEVELS)


@pytest.mark.parametrize(("probability", "share"), [(0.0, 0.0), (1.0, 1.0), (0.25, 0.25)])
def test_a_bernoulli_gives_zeros_and_ones_in_the_right_share(probability: float, share: float) -> None:
    values = quantile(row("x", probability, "bernoulli"), GRID)
    assert set(values) <= {0.0, 1.0}
    # a high number means yes, so that a positive correlation means what it says
    assert (np.diff(values) >= 0).all()
    assert values.mean() == pytest.approx(share, abs=1e-5)


def test_a_higher_probability_only_turns_zeros_into_ones() -> None:
    low, high = (quantile(row("x", p, "bernoulli"), GRID) for p in (0.3, 0.6))
    assert (high >= low).all()
