from __future__ import annotations

import numpy as np
import pytest
from tests.evidence.calibration.models import rows_of

from regraft.evidence.calibration.chance import normals
from regraft.evidence.calibration.ensemble import _taper, step_of_temperature, update
from regraft.evidence.calibration.forward import Runs
from regraft.evidence.calibration.problems import CollapsedPosterior

NAMES = ("a", "b")
SLOPES = np.array([[1.0, 0.5], [0.3, -1.0]])


def runs_of(white, failed=None):
    value = white @ SLOPES.T
    return Runs(white, value, np.zeros_like(value), np.zeros(len(white), bool) if failed is None else failed)


def test_updates_of_a_linear_model_lead_to_the_posterior():
    rows, taken, number = rows_of(0.8, -0.4, se=0.5), 0.0, 0
    white = normals(1, np.arange(4000), NAMES, "prior")
    while taken < 1:
        step = step_of_temperature(runs_of(white), rows, 1 - taken, 5 - number)
        white = update(runs_of(white), rows, step, NAMES, seed=2, number=number)
        taken, number = taken + step, number + 1
    covariance = np.linalg.inv(SLOPES.T @ SLOPES / 0.25 + np.eye(2))
    mean = covariance @ SLOPES.T @ rows.y / 0.25
    assert number <= 5
    np.testing.assert_allclose(white.mean(axis=0), mean, atol=0.04)
    np.testing.assert_allclose(np.cov(white, rowvar=False), covariance, atol=0.04)


def test_the_last_update_takes_in_all_that_is_left():
    white = 5 * normals(1, np.arange(100), NAMES, "prior")
    assert step_of_temperature(runs_of(white), rows_of(0.0, 0.0), 0.7, 1) == 0.7
    assert step_of_temperature(runs_of(white), rows_of(0.0, 0.0), 0.7, 7) == pytest.approx(0.1, rel=0.2)


def test_failed_members_are_drawn_anew_among_the_others():
    white = normals(1, np.arange(300), NAMES, "prior")
    failed = np.arange(300) % 3 == 0
    lost = np.where(failed[:, None], 50.0, white)
    runs = Runs(lost, np.where(failed[:, None], np.nan, white @ SLOPES.T), np.zeros((300, 2)), failed)
    after = update(runs, rows_of(0.8, -0.4, se=0.5), 1.0, NAMES, seed=2, number=0)
    assert np.isfinite(after).all() and np.abs(after).max() < 5
    assert len(np.unique(after[failed], axis=0)) == failed.sum()


def test_an_ensemble_that_loses_its_spread_is_refused_by_name():
    white = normals(1, np.arange(200), NAMES, "prior")
    white[:, 0] = 0.3 + 1e-6 * white[:, 0]
    with pytest.raises(CollapsedPosterior, match="lost its spread in 'a': 9"):
        update(runs_of(white), rows_of(0.8, -0.4), 1.0, NAMES, seed=2, number=0)


def test_correlations_of_the_size_of_chance_are_tapered_away():
    deviation = normals(1, np.arange(100), ["x"], "one")
    other = normals(1, np.arange(100), ["y"], "two")
    assert _taper(deviation, other)[0, 0] == 0.0
    assert _taper(deviation, deviation)[0, 0] > 0.9
