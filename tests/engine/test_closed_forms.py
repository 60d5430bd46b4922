"""Runs whose answer is known on paper."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.engine.models import model, parameter_matrix

from regraft.engine import Administrations, Kind, SolverSettings, compile_model, solve

TIGHT = SolverSettings(rtol=1e-9, atol=1e-13, threads=1)
# The dense output is of order four, one less than the steps, so values between steps are a little less exact.
RELATIVE = 1e-7


def run(equations, outputs, times, *, patients=1, settings=TIGHT, **options):
    kernel = compile_model(equations, outputs)
    return solve(
        kernel,
        parameter_matrix(equations, patients),
        times=times,
        patient_ids=np.arange(patients),
        seed=7,
        settings=settings,
        **options,
    )


def given(*rows):
    patient, time, target, kind, amount, duration = zip(*rows, strict=True)
    return Administrations(patient, time, target, kind, amount, duration)


def test_decay_is_exponential():
    times = np.linspace(0, 12, 49)
    result = run(model({"x": (3, "-k * x")}, {"k": 0.7}), ["x"], times)
    np.testing.assert_allclose(result.output("x")[0], 3 * np.exp(-0.7 * times), rtol=RELATIVE)


def test_time_dependent_rate_is_integrated():
    times = np.linspace(0, 9, 31)
    result = run(model({"x": (0, "cos(w * time)")}, {"w": 2.0}), ["x"], times)
    np.testing.assert_allclose(result.output("x")[0], np.sin(2 * times) / 2, atol=1e-8)


def test_assigned_quantity_is_recorded():
    equations = model({"x": (1, "-x")}, assignments={"double": "2 * x", "shown": "double + time"})
    result = run(equations, ["shown"], [0.0, 1.0])
    np.testing.assert_allclose(result.output("shown")[0], [2, 2 / math.e + 1], rtol=RELATIVE)


def test_infusion_reaches_its_steady_state_and_decays():
    # 100 units a day for 10 days into a pool with a loss of 2 a day.
    times = np.array([0.0, 1.0, 10.0, 11.0])
    result = run(
        model({"x": (0, "-k * x")}, {"k": 2.0}), ["x"], times, administrations=given((0, 0, "x", 1, 1000.0, 10.0))
    )
    end = 50 * (1 - math.exp(-20))
    np.testing.assert_allclose(
        result.output("x")[0], [0, 50 * (1 - math.exp(-2)), end, end * math.exp(-2)], rtol=RELATIVE
    )


def test_overlapping_infusions_add_up():
    table = given((0, 1.0, "x", 1, 6.0, 3.0), (0, 2.0, "x", 1, 4.0, 4.0))
    result = ()
    equations = model({"x": (0, "zero * x")}, {"zero": 0.0})
    result = run(equations, ["x"], [0.0, 1, 2, 3, 4, 6, 8], administrations=table)
    np.testing.assert_allclose(result.output("x")[0], [0, 0, 2, 5, 8, 10, 10], rtol=RELATIVE)


def test_bolus_adds_at_once_and_output_at_its_time_is_the_value_after():
    result = run(
        model({"x": (1, "-k * x")}, {"k": 1.0}),
        ["x"],
        [0.0, 1.0, 2.0],
        administrations=given((0, 1.0, "x", 0, 5.0, 0.0)),
    )
    after = math.exp(-1) + 5
    np.testing.assert_allclose(result.output("x")[0], [1, after, after * math.exp(-1)], rtol=RELATIVE)


def test_set_of_a_parameter_changes_everything_computed_from_it():
    equations = model({"x": (1, "-sqrt(k * k) * x")}, {"k": 1.0}, assignments={"shown": "k * 2"})
    result = run(equations, ["x", "shown"], [0.0, 1.0, 2.0], administrations=given((0, 1.0, "k", Kind.SET, 3.0, 0.0)))
    np.testing.assert_allclose(result.output("x")[0], [1, math.exp(-1), math.exp(-4)], rtol=RELATIVE)
    np.testing.assert_array_equal(result.output("shown")[0], [2, 6, 6])


def test_set_of_a_parameter_in_one_patient_leaves_the_next_alone():
    equations = model({"x": (1, "-k * x")}, {"k": 1.0})
    result = run(equations, ["x"], [0.0, 2.0], patients=2, administrations=given((0, 1.0, "k", Kind.SET, 3.0, 0.0)))
    np.testing.assert_allclose(result.output("x")[:, 1], [math.exp(-4), math.exp(-2)], rtol=RELATIVE)


def test_set_of_a_state_replaces_it():
    equations = model({"x": (1, "-x"), "held": (4, 0)})
    table = given((0, 1.0, "held", Kind.SET, 9.0, 0.0), (0, 1.0, "x", Kind.SET, 2.0, 0.0))
    result = run(equations, ["x", "held"], [0.0, 1.0, 2.0], administrations=table)
    np.testing.assert_allclose(result.output("x")[0], [1, 2, 2 / math.e], rtol=RELATIVE)
    np.testing.assert_array_equal(result.output("held")[0], [4, 9, 9])


def test_initial_values_may_use_parameters_assignments_and_each_other():
    equations = model({"a": ("b + 1", "-a"), "b": ("2 * half", 0)}, {"k": 8.0}, assignments={"half": "k / 2"})
    result = run(equations, ["a", "b"], [0.0])
    np.testing.assert_array_equal(result.values[0, 0], [9, 8])


@pytest.mark.parametrize("steps", [20, 40])
def test_steps_converge_at_order_five(steps):
    # Fixed steps: the tolerance is out of reach of the controller, the largest step decides.
    equations = model({"x": (1, "x * cos(time)"), "v": (0, "-x * v + sin(x)")})

    def end(count):
        settings = SolverSettings(rtol=1e-2, atol=1e9, max_step_days=2 / count, first_step_days=2 / count, threads=1)
        return run(equations, ["x", "v"], [0.0, 2.0], settings=settings).values[0, -1]

    exact = run(equations, ["x", "v"], [0.0, 2.0], settings=SolverSettings(rtol=1e-12, atol=1e-15, threads=1)).values[
        0, -1
    ]
    ratio = np.abs(end(steps) - exact) / np.abs(end(2 * steps) - exact)
    assert (np.log2(ratio) > 4.5).all()
    assert (np.log2(ratio) < 6.5).all()


def test_every_function_of_the_language_is_computed():
    texts = {
        "exp(a)": math.exp(1.3),
        "ln(a)": math.log(1.3),
        "log10(a)": math.log10(1.3),
        "sqrt(a)": math.sqrt(1.3),
        "abs(-a)": 1.3,
        "floor(a)": 1,
        "ceil(a)": 2,
        "sin(a)": math.sin(1.3),
        "cos(a)": math.cos(1.3),
        "tan(a)": math.tan(1.3),
        "tanh(a)": math.tanh(1.3),
        "min(a, b)": -2.5,
        "max(a, b)": 1.3,
        "a ** 3": 1.3**3,
        "a ** -2": 1.3**-2,
        "a ** b": 1.3**-2.5,
        "b ** c": 6.25,
        "piecewise(1, a < 0, 2, a < 2, 3)": 2,
        "piecewise(1, a < 0 or not b < 0, 7)": 7,
        "piecewise(1, a > 0 and b != 0, 0)": 1,
        "a - -b": -1.2,
    }
    equations = model(
        {"x": (1, "-x")}, {"a": 1.3, "b": -2.5, "c": 2.0}, assignments={f"q{i}": text for i, text in enumerate(texts)}
    )
    result = run(equations, [f"q{i}" for i in range(len(texts))], [0.0])
    np.testing.assert_allclose(result.values[0, 0], list(texts.values()), rtol=1e-14)


def test_small_negative_base_of_a_fractional_power_counts_as_zero():
    equations = model(
        {"x": (-1e-9, "zero * x")}, {"zero": 0.0, "n": 1.5}, assignments={"hill": "x ** n / (1 + x ** n)"}
    )
    assert run(equations, ["hill"], [0.0, 1.0]).output("hill")[0, 1] == 0.0
