from __future__ import annotations

import numpy as np
import pytest

from regraft.evidence.calibration.chance import effective_size, systematic
from regraft.evidence.calibration.problems import CollapsedPosterior
from regraft.evidence.calibration.tempering import sample_posterior

NAMES = ("a", "b", "c", "d")
SLOPES = np.array([[1.0, 0.5, 0.0, 0.0], [1.0, -1.0, 0.3, 0.0], [0.0, 1.0, 1.0, 0.0]])
Y, SD = np.array([1.0, -0.5, 0.8]), 0.2


def linear(white):
    return -0.5 * np.sum(((Y - white @ SLOPES.T) / SD) ** 2, axis=1)


def test_linear_model_gives_the_posterior_in_closed_form():
    covariance = np.linalg.inv(SLOPES.T @ SLOPES / SD**2 + np.eye(4))
    mean = covariance @ SLOPES.T @ Y / SD**2
    sample = sample_posterior(linear, NAMES, seed=1, particles=3000, purpose="test")
    sd = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(sample.white.mean(axis=0), mean, atol=0.12 * sd.max())
    np.testing.assert_allclose(
        np.cov(sample.white, rowvar=False) / np.outer(sd, sd), covariance / np.outer(sd, sd), atol=0.1
    )
    np.testing.assert_allclose(sample.log_likelihood, linear(sample.white))
    assert sample.temperatures[-1] == 1.0 and len(sample.temperatures) > 1


def test_two_separate_places_keep_their_shares():
    def two(white):
        return np.logaddexp(-0.5 * ((white[:, 0] - 2) / 0.2) ** 2, -0.5 * ((white[:, 0] + 2) / 0.2) ** 2)

    sample = sample_posterior(two, ("a",), seed=4, particles=2000, purpose="test")
    assert 0.4 < np.mean(sample.white > 0) < 0.6


def test_same_seed_same_sample_and_another_seed_or_purpose_another():
    one, same, seed, purpose = (
        sample_posterior(linear, NAMES, seed=s, particles=100, purpose=p).white
        for s, p in ((1, "x"), (1, "x"), (2, "x"), (1, "y"))
    )
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, seed) and not np.allclose(one, purpose)


def test_a_likelihood_that_is_nowhere_finite_is_refused():
    with pytest.raises(CollapsedPosterior, match="finite at no draw"):
        sample_posterior(lambda white: np.full(len(white), np.nan), NAMES, seed=1, particles=100, purpose="test")


def test_a_likelihood_of_single_points_is_refused():
    def jagged(white):
        return 1e7 * np.sin(1e9 * white[:, 0])

    with pytest.raises(CollapsedPosterior, match="far too small standard error"):
        sample_posterior(jagged, NAMES, seed=1, particles=100, purpose="test")


def test_systematic_resampling_takes_each_draw_as_often_as_it_weighs():
    counts = np.bincount(systematic(np.array([1.0, 0.0, 2.0, 5.0]), 80, 0.3), minlength=4)
    assert counts.tolist() == [10, 0, 20, 50]


def test_effective_size_of_equal_one_sided_and_no_weights():
    assert effective_size(np.zeros(8)) == pytest.approx(8)
    assert effective_size(np.array([0.0, -1e9, -1e9])) == pytest.approx(1)
    assert effective_size(np.full(3, -np.inf)) == 0.0
