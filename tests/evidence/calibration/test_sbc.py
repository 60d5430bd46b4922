from __future__ import annotations

import numpy as np
import pytest
from tests.evidence.calibration.models import RATES, ROWS, Rates, rows_of

from regraft.errors import InvalidArgument
from regraft.evidence.calibration.chance import uniforms
from regraft.evidence.calibration.priors import Prior, Priors
from regraft.evidence.calibration.sbc import CalibrationCheck, simulation_based_calibration, surface_of, uniformity

ONE = Priors(tuple(Prior(name, "1", "normal", centre=0.0, spread=1.0) for name in ("a", "b")))
TWO = rows_of(0.0, 0.0, se=0.5)


def surface(white, narrow=1.0, shift=0.0):
    return white + shift, np.full(white.shape, 0.2 * narrow), np.zeros(len(white))


def check(**more):
    return simulation_based_calibration(ONE, TWO, surface, seed=2, repeats=60, draws=49, particles=100, **more)


@pytest.fixture(scope="module")
def right():
    told = []
    return check(progress=lambda *news: told.append(news)), told


def test_ranks_of_a_right_fit_are_uniform(right):
    found, told = right
    assert found.failed == ()
    assert (found.p_values > 0.02).all()
    assert found.ranks.min() >= 0 and found.ranks.max() <= 49
    assert found.histogram("a").sum() == 60 and found.histogram("a").max() < 16
    assert told[-1] == (60, 60, "simulation-based calibration")


def test_contraction_tells_ranks_of_a_parameter_that_came_back_as_prior(right):
    # variances 1, 0.25 + 0.2: the posterior has 0.45 / 1.45 of the prior's variance
    assert right[0].contraction == pytest.approx([0.69, 0.69], abs=0.06)
    idle = simulation_based_calibration(RATES, ROWS, surface_of(Rates(), RATES), seed=1, repeats=20, particles=100)
    assert abs(idle.contraction[2]) < 0.15 and idle.failed == ()


def test_a_shifted_and_a_too_certain_fit_are_found():
    shifted = check(truth=lambda white: surface(white, shift=0.8))
    assert shifted.failed == ("a", "b")
    certain = check(truth=lambda white: surface(white, narrow=15.0))
    assert certain.failed == ("a", "b")
    assert certain.histogram("a")[[0, -1]].sum() > 25


def test_the_same_seed_gives_the_same_ranks(right):
    np.testing.assert_array_equal(check().ranks, right[0].ranks)


def test_p_values_of_uniform_ranks_are_seldom_small():
    numbers = np.arange(80)
    ranks = [(100 * uniforms(k, numbers, "test")).astype(int) for k in range(40)]
    p_values = np.array([uniformity(one, 99, 1) for one in ranks])
    assert 0.25 < p_values.mean() < 0.75 and np.mean(p_values < 0.05) < 0.15


@pytest.mark.parametrize("bent", [lambda u: u**1.6, lambda u: 0.5 + 0.6 * (u - 0.5), lambda u: (u + (u > 0.5)) / 2])
def test_ranks_that_are_not_uniform_have_a_small_p_value(bent):
    ranks = (100 * bent(uniforms(3, np.arange(200), "test"))).astype(int)
    assert uniformity(ranks, 99, 1) < 0.01


def test_too_few_repeats_and_uneven_bins_are_refused(right):
    with pytest.raises(InvalidArgument, match="'repeats' is 5"):
        simulation_based_calibration(ONE, TWO, surface, seed=2, repeats=5)
    with pytest.raises(InvalidArgument, match="7 bins do not divide the 50"):
        right[0].histogram("a", bins=7)


def test_one_of_many_parameters_can_fail():
    numbers = np.arange(100)
    good = [(100 * uniforms(k, numbers, "test")).astype(int) for k in range(19)]
    bad = np.full(100, 99)
    p_values = np.array([uniformity(one, 99, 1) for one in (*good, bad)])
    names = tuple(f"p{k}" for k in range(20))
    found = CalibrationCheck(names, np.column_stack([*good, bad]), 99, p_values, np.full(20, 0.5))
    assert found.failed == ("p19",)
