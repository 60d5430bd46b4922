"""Derivatives agree with closed forms and with finite differences of much tighter runs."""

from __future__ import annotations

import numpy as np
import pytest
from tests.engine.models import event, model, parameter_matrix

from regraft.engine import Administrations, SolverSettings, compile_model, solve, solve_with_gradient
from regraft.errors import InvalidArgument

TIMES = np.linspace(0.0, 20.0, 41)
DECAY = model({"x": (2, "s - k * x")}, {"s": 0.5, "k": 0.3})
LOOP = model(
    {"x": (1, "s - k * x * y / (1 + x ** n)"), "y": (0.5, "x - y + 0.1 * sin(time)"), "count": (0, 0)},
    {"s": 1.0, "k": 2.0, "n": 1.5},
    events=[event("reset", "x > 1.2", {"x": "0.4 * x", "count": "count + 1"})],
)
CHANCE = model(
    {"x": (1, "s - k * x"), "h": (0, "0.3 * x"), "e": ("exponential(1)", 0), "count": (0, 0)},
    {"s": 1.0, "k": 0.7},
    events=[event("hit", "h >= e", {"e": "e + exponential(1)", "x": "x + uniform(0, 1)", "count": "count + 1"})],
)


def gradient(equations, outputs, by, patients=12, rtol=1e-6, lanes=None, threads=1, **varied):
    kernel = compile_model(equations, outputs, lanes=lanes)
    return solve_with_gradient(
        kernel,
        parameter_matrix(equations, patients, **varied),
        by=by,
        times=TIMES,
        patient_ids=np.arange(patients),
        seed=3,
        settings=SolverSettings(rtol=rtol, atol=rtol * 1e-3, threads=threads),
    )


def differences(equations, outputs, name, patients=12, rtol=1e-12, change=1e-5, **varied):
    """Central differences of runs that choose their own steps."""
    kernel = compile_model(equations, outputs)
    column = equations.parameter_index[name]
    runs, sizes = [], []
    for sign in (1, -1):
        matrix = parameter_matrix(equations, patients, **varied)
        before = matrix[:, column].copy()
        matrix[:, column] *= 1 + sign * change
        sizes.append(matrix[:, column] - before)
        settings = SolverSettings(rtol=rtol, atol=rtol * 1e-3, threads=1)
        runs.append(solve(kernel, matrix, times=TIMES, patient_ids=np.arange(patients), seed=3, settings=settings))
    return (runs[0].values - runs[1].values) / (sizes[0] - sizes[1])[:, None, None]


def scaled(found, wanted):
    """Largest difference per patient, relative to the largest derivative of that patient."""
    axes = (1, 2)
    return np.nanmax(np.abs(found - wanted), axis=axes) / np.nanmax(np.abs(wanted), axis=axes)


def test_closed_form():
    rates = np.linspace(0.1, 2.0, 12)
    found = gradient(DECAY, ["x"], ["k", "s"], k=rates)
    k, t, s = rates[:, None], TIMES[None], 0.5
    fall = np.exp(-k * t)
    by_s = (1 - fall) / k
    by_k = -2.0 * t * fall + s * (t * fall * k - (1 - fall)) / k**2
    np.testing.assert_allclose(found.of("x", "s"), by_s, atol=2e-5)
    np.testing.assert_allclose(found.of("x", "k"), by_k, atol=2e-5)


@pytest.mark.parametrize("name", ["s", "k", "n"])
def test_a_stiff_loop_with_an_event_that_moves(name):
    varied = {"k": np.linspace(0.5, 3, 12)}
    found = gradient(LOOP, ["x", "y"], [name], **varied)
    assert found.result.event_time.size > 12
    error = scaled(found.derivative[..., 0], differences(LOOP, ["x", "y"], name, **varied))
    assert np.median(error) < 1e-4
    assert error.max() < 5e-3


@pytest.mark.parametrize("name", ["s", "k"])
def test_random_events_move_with_the_parameter(name):
    found = gradient(CHANCE, ["x", "h"], [name])
    assert found.result.event_time.size > 12
    error = scaled(found.derivative[..., 0], differences(CHANCE, ["x", "h"], name, change=1e-6))
    assert np.median(error) < 1e-4


@pytest.mark.parametrize("options", [{"lanes": 1}, {"lanes": 2}, {"threads": 2}])
def test_lanes_and_threads_change_no_bit(options):
    one, other = gradient(CHANCE, ["x"], ["s", "k"]), gradient(CHANCE, ["x"], ["s", "k"], **options)
    np.testing.assert_array_equal(one.derivative, other.derivative)


def test_more_steps_than_the_first_tape_holds():
    fast = model({"x": (1, "cos(300 * time) - k * x"), "z": (0, "x")}, {"k": 1.0})
    found = gradient(fast, ["z"], ["k"], patients=3)
    assert found.result.steps.min() > 1024
    np.testing.assert_allclose(
        found.derivative[..., 0], differences(fast, ["z"], "k", patients=3, rtol=1e-9), atol=1e-4
    )


def test_a_dose_is_differentiated_through():
    kernel = compile_model(DECAY, ["x"])
    doses = Administrations([0, 1], [5.0, 5.0], ["x", "x"], [0, 0], [3.0, 3.0], [0.0, 0.0])
    found = solve_with_gradient(
        kernel,
        parameter_matrix(DECAY, 2),
        by=["k"],
        times=[0.0, 5.0, 6.0],
        patient_ids=[0, 1],
        seed=0,
        administrations=doses,
        settings=SolverSettings(rtol=1e-8, atol=1e-11),
    )
    before, after = found.derivative[0, 1, 0, 0], found.derivative[0, 2, 0, 0]
    level, fall = found.result.values[0, 1, 0], np.exp(-0.3)
    wanted = before * fall - level * fall + 0.5 * (fall * 0.3 - (1 - fall)) / 0.3**2
    assert after == pytest.approx(wanted, abs=1e-5)


def test_a_failed_patient_has_no_derivative_and_disturbs_nobody():
    explosive = model({"x": (1, "k * x ** 2")}, {"k": 1.0})
    found = gradient(explosive, ["x"], ["k"], patients=3, k=np.array([0.01, 5.0, 0.01]))
    assert found.result.failed.tolist() == [False, True, False]
    assert np.isnan(found.derivative[1]).all()
    assert np.isfinite(found.derivative[[0, 2]]).all()


@pytest.mark.parametrize("by", [["speed"], [], ["k", "k"]])
def test_parameters_that_cannot_be_meant(by):
    with pytest.raises(InvalidArgument):
        gradient(DECAY, ["x"], by, patients=2)


def test_values_go_into_given_memory_and_wrong_memory_is_refused():
    kernel = compile_model(DECAY, ["x"])
    given = {"times": TIMES, "patient_ids": np.arange(3), "seed": 0}
    fresh = solve(kernel, parameter_matrix(DECAY, 3), **given)
    place = np.full(fresh.values.shape, 7.0)
    again = solve(kernel, parameter_matrix(DECAY, 3), into=place, **given)
    assert again.values is place
    np.testing.assert_array_equal(place, fresh.values)
    for wrong in (place[:2], place.astype(np.float32), [1.0], np.asfortranarray(np.ones((3, 41, 2)))):
        with pytest.raises(InvalidArgument, match="into must be"):
            solve(kernel, parameter_matrix(DECAY, 3), into=wrong, **given)
