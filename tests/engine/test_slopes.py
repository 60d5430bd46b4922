"""Rates that are sound where the formula of their derivative gives no number."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from tests.engine.models import model

from regraft.engine import SolverSettings, compile_model, solve

SETTINGS = SolverSettings(rtol=1e-8, atol=1e-12, max_step_days=0.1, threads=1)


def end(equations, output, time):
    kernel = compile_model(equations, [output])
    result = solve(kernel, [[]], times=[0, time], patient_ids=[1], seed=1, settings=SETTINGS)
    assert not result.failed[0], result.status_detail[0]
    return result.values[0, 1, 0]


def test_a_steep_switch_far_from_its_place_has_the_slope_zero():
    # at the start the exponential is infinite, and so is its derivative
    switch = model({"x": (0, "1 / (1 + exp(1000 * (2 - time)))")})
    assert end(switch, "x", 3.0) == pytest.approx(1.0, rel=1e-6)


def test_a_power_of_one_over_a_state_that_starts_at_zero():
    equations = model({"x": (0, "1 - x"), "y": (0, "1 / (1 + (0.5 / x) ** 4)")})

    def rate(time):
        ratio = (1 - math.exp(-time)) / 0.5
        return ratio**4 / (1 + ratio**4)

    assert end(equations, "y", 2.0) == pytest.approx(quad(rate, 0, 2)[0], rel=1e-6)
    assert np.isfinite(end(equations, "x", 2.0))
