"""Stiff and nonlinear models against independent solvers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from tests.engine.models import model, parameter_matrix

from regraft.engine import SolverSettings, compile_model, solve

ROBERTSON = model(
    {
        "a": (1, "-k1 * a + k3 * b * c"),
        "b": (0, "k1 * a - k3 * b * c - k2 * b ** 2"),
        "c": (0, "k2 * b ** 2"),
    },
    {"k1": 0.04, "k2": 3e7, "k3": 1e4},
)


def run(equations, times, rtol, atol):
    kernel = compile_model(equations, [state.id for state in equations.states])
    return solve(
        kernel,
        parameter_matrix(equations, 1),
        times=times,
        patient_ids=[0],
        seed=0,
        settings=SolverSettings(rtol=rtol, atol=atol, max_step_days=1e6, threads=1),
    )


@pytest.mark.parametrize(("rtol", "bound"), [(1e-4, 1e-3), (1e-8, 1e-6)])
def test_robertson_agrees_with_radau(rtol, bound):
    times = np.array([0, 0.4, 40, 4e3, 1e5])
    result = run(ROBERTSON, times, rtol, rtol * 1e-6)

    def rates(_, y):
        slow, fast, both = 0.04 * y[0], 3e7 * y[1] ** 2, 1e4 * y[1] * y[2]
        return [-slow + both, slow - both - fast, fast]

    reference = solve_ivp(rates, (0, 1e5), [1, 0, 0], "Radau", times, rtol=1e-11, atol=1e-15).y.T
    np.testing.assert_allclose(result.values[0, 1:], reference[1:], rtol=bound)
    assert result.steps[0] < 1000


def test_mass_is_conserved():
    result = run(ROBERTSON, np.geomspace(1, 1e5, 30), 1e-4, 1e-10)
    np.testing.assert_allclose(result.values[0].sum(axis=1), 1, rtol=1e-9)


def test_piecewise_rates_with_powers_agree_with_radau():
    equations = model(
        {
            "x": (0.2, "s * piecewise(1, time < 3, 0.2) - x ** n / (k + x ** n) - 0.1 * x"),
            "y": (1, "x * (1 - y / 4) * y - min(y, 0.5) * tanh(x)"),
        },
        {"s": 1.2, "n": 2.3, "k": 0.4},
    )
    times = np.array([0, 2.0, 3.0, 5.0, 12.0])
    result = run(equations, times, 1e-9, 1e-12)

    def rates(t, v):
        x, y = v
        hill = x**2.3 / (0.4 + x**2.3)
        return [1.2 * (1 if t < 3 else 0.2) - hill - 0.1 * x, x * (1 - y / 4) * y - min(y, 0.5) * np.tanh(x)]

    first = solve_ivp(rates, (0, 3), [0.2, 1], "Radau", [2.0, 3.0], rtol=1e-10, atol=1e-13).y.T
    second = solve_ivp(
        lambda t, v: rates(max(t, 3.0), v), (3, 12), first[-1], "Radau", [5.0, 12.0], rtol=1e-10, atol=1e-13
    ).y.T
    np.testing.assert_allclose(result.values[0, 1:], np.vstack([first, second]), rtol=3e-7)


def test_loose_tolerance_costs_fewer_steps_than_tight():
    steps = [run(ROBERTSON, [0.0, 1e4], rtol, rtol * 1e-6).steps[0] for rtol in (1e-3, 1e-6, 1e-9)]
    assert steps == sorted(steps)
    assert steps[0] < steps[2]


def test_jacobian_is_exact_enough_for_a_large_step_on_a_stiff_linear_model():
    # An error in one entry of the Jacobian would make the error estimate reject such steps.
    equations = model({"x": (1, "1000 * (y - x)"), "y": (1, "0.1 * (z - y)"), "z": (1, "1000 * (sin(0.1 * time) - z)")})
    assert run(equations, [0.0, 30.0], 1e-4, 1e-8).steps[0] < 200
