from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.optimize import check_grad
from tests.evidence.calibration.models import rows_of

from regraft.evidence.calibration.chance import normals
from regraft.evidence.calibration.emulator import fit_emulator, log_likelihood
from regraft.evidence.calibration.forward import Runs
from regraft.evidence.calibration.kernel import _misfit
from regraft.evidence.calibration.settings import Settings

WHITE = normals(1, np.arange(120), ["a", "b", "c"], "points")
AWAY = normals(2, np.arange(60), ["a", "b", "c"], "points")
COMMON, FRESH = Settings(), Settings(common_luck=False)


def curve(white):
    return np.column_stack([white[:, 0] * white[:, 1] + white[:, 0], np.tanh(2 * white[:, 0]) + 0.2 * white[:, 1]])


def runs_of(white, value, variance=0.0, failed=None):
    return Runs(white, value, np.full(value.shape, variance), np.zeros(len(white), bool) if failed is None else failed)


def test_gradient_of_the_misfit_agrees_with_differences():
    values = curve(WHITE)[:40, 1]
    standard = (values - values.mean()) / values.std()
    arguments = (WHITE[:40], WHITE[:40] @ WHITE[:40].T, standard, np.full(40, 0.01))
    x = np.array([-1.0, -2.0, -0.5, 0.3, 0.8, 1.2, -3.0])
    error = check_grad(lambda x: _misfit(x, *arguments)[0], lambda x: _misfit(x, *arguments)[1], x)
    assert error < 1e-4 * np.linalg.norm(_misfit(x, *arguments)[1])


def test_fresh_points_are_predicted_and_the_doubt_is_of_the_size_of_the_error():
    emulator = fit_emulator(runs_of(WHITE, curve(WHITE)), rows_of(0.0, 0.0), FRESH)
    mean, variance, _ = emulator(AWAY)
    error = mean - curve(AWAY)
    assert np.sqrt(np.mean(error**2, axis=0)) == pytest.approx([0.0, 0.0], abs=0.05)
    # the first row is a quadratic form: exact but for rounding
    assert np.abs(error[:, 0]).max() < 2e-3
    assert 0.3 < np.sqrt(np.mean(error[:, 1] ** 2 / variance[:, 1])) < 2.0


def test_a_quadratic_stand_in_cannot_follow_a_threshold_but_says_so():
    settings = dataclasses.replace(COMMON, smooth_remainder=False)
    emulator = fit_emulator(runs_of(WHITE, curve(WHITE)), rows_of(0.0, 0.0), settings)
    mean, variance, _ = emulator(AWAY)
    error = (mean - curve(AWAY))[:, 1]
    assert np.sqrt(np.mean(error**2)) > 0.1
    assert np.sqrt(np.mean(error**2 / variance[:, 1])) < 1.5


def test_doubt_grows_away_from_the_runs():
    emulator = fit_emulator(runs_of(WHITE, curve(WHITE)), rows_of(0.0, 0.0), FRESH)
    near, far = emulator(WHITE)[1][:, 1].mean(), emulator(6 * np.ones((1, 3)))[1][0, 1]
    assert far > 100 * near


def test_common_luck_stays_in_the_variance_and_fresh_luck_is_averaged_out():
    noise = 0.3 * normals(4, np.arange(120), ["x", "y"], "noise")
    common = fit_emulator(runs_of(WHITE, curve(WHITE), 0.09), rows_of(0.0, 0.0), COMMON)
    fresh = fit_emulator(runs_of(WHITE, curve(WHITE) + noise, 0.09), rows_of(0.0, 0.0), FRESH)
    assert common(AWAY)[1].min() >= 0.09 - 1e-9
    assert np.median(fresh(AWAY)[1][:, 0]) < 0.05
    assert np.sqrt(np.mean((fresh(AWAY)[0] - curve(AWAY))[:, 0] ** 2)) < 0.25


def test_runs_with_much_noise_weigh_less():
    variance = np.where(np.arange(120) % 2 == 0, 4.0, 1e-4)
    noise = np.sqrt(variance)[:, None] * normals(4, np.arange(120), ["x", "y"], "noise")
    runs = Runs(WHITE, curve(WHITE) + noise, np.column_stack([variance] * 2), np.zeros(120, bool))
    emulator = fit_emulator(runs, rows_of(0.0, 0.0), FRESH)
    assert np.sqrt(np.mean((emulator(AWAY)[0] - curve(AWAY))[:, 0] ** 2)) < 0.1


def test_variance_of_finite_simulation_follows_the_parameters():
    value = curve(WHITE)
    runs = Runs(WHITE, value, np.exp(-4 + 0.5 * np.column_stack([WHITE[:, 0]] * 2)), np.zeros(120, bool))
    emulator = fit_emulator(runs, rows_of(0.0, 0.0), COMMON)
    points = np.array([[1.0, 0, 0], [-1.0, 0, 0]])
    assert emulator.simulation_variance(points)[:, 0] == pytest.approx(np.exp([-3.5, -4.5]), rel=0.02)


def test_parameters_near_failed_runs_are_less_likely():
    failed = WHITE[:, 2] > 0.5
    emulator = fit_emulator(runs_of(WHITE, curve(WHITE), failed=failed), rows_of(0.0, 0.0), COMMON)
    chance = np.exp(emulator.log_chance(np.array([[0.0, 0.0, -1.0], [0.0, 0.0, 1.5]])))
    assert chance[0] > 0.9 and chance[1] < 0.3


def test_a_row_that_nothing_moves_is_predicted_as_it_is():
    value = curve(WHITE)
    value[:, 1] = 3.0
    emulator = fit_emulator(runs_of(WHITE, value), rows_of(0.0, 0.0), COMMON)
    mean, variance, _ = emulator(AWAY)
    assert (mean[:, 1] == 3.0).all() and (variance[:, 1] < 1e-12).all()


def test_likelihood_is_normal_with_the_variances_added():
    rows = rows_of(0.5, se=0.3)

    def surface(white):
        return white[:, :1], np.full((len(white), 1), 0.16), np.log(np.full(len(white), 0.5))

    # 0.09 + 0.16 = 0.5 ** 2
    found = log_likelihood(surface, rows, np.array([[1.0]]))
    assert found == pytest.approx([np.log(0.5) - 0.5 * (1.0 + np.log(0.25))])
