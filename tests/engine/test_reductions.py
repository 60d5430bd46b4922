"""What is gathered while a patient is solved equals what a very fine recording gives."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from tests.engine.models import event, model, parameter_matrix

from regraft.engine import Administrations, Reduction, SolverSettings, Status, compile_model, solve
from regraft.engine.alone import run_alone
from regraft.errors import InvalidArgument

WAVE = model(
    {"x": (1, "y"), "y": (0, "-w * w * x"), "slow": (0, "0.01 * (x - slow)")},
    {"w": 1.0},
    assignments={"square": "x ** 2"},
)
KINKED = model(
    {"x": (1, "s - k * x"), "h": (0, "0.3 * x"), "e": ("exponential(1)", 0)},
    {"s": 1.0, "k": 0.7},
    events=[event("hit", "h >= e", {"e": "e + exponential(1)", "x": "x + uniform(0, 2)"})],
)
MAX, MIN, SUM, ABOVE, BELOW = "maximum", "minimum", "integral", "time_above", "time_below"
ALL = (
    Reduction("highest", MAX, "x"),
    Reduction("lowest", MIN, "x"),
    Reduction("area", SUM, "x"),
    Reduction("high", ABOVE, "x", 0.5),
    Reduction("low", BELOW, "x", 0.5),
)


def run(equations, reductions=ALL, patients=10, times=(0.0, 30.0), threads=1, lanes=None, rtol=1e-8, **options):
    kernel = compile_model(equations, ["x"], reductions=reductions, lanes=lanes)
    varied = options.pop("varied", {})
    return solve(
        kernel,
        parameter_matrix(equations, patients, **varied),
        times=times,
        patient_ids=np.arange(patients),
        seed=11,
        settings=SolverSettings(rtol=rtol, atol=rtol * 1e-3, threads=threads, **options.pop("limits", {})),
        **options,
    )


def test_a_wave_in_closed_form():
    w = np.linspace(0.5, 4.0, 10)
    found = run(WAVE, (*ALL, Reduction("power", SUM, "square")), varied={"w": w})
    phase = 30.0 * w
    np.testing.assert_allclose(found.reduction("highest"), 1.0, atol=1e-6)
    np.testing.assert_allclose(found.reduction("lowest"), -1.0, atol=1e-6)
    np.testing.assert_allclose(found.reduction("area"), np.sin(phase) / w, atol=1e-6)
    np.testing.assert_allclose(found.reduction("power"), 15.0 + np.sin(2 * phase) / (4 * w), rtol=1e-5)
    turns, rest = np.divmod(phase, 2 * np.pi)
    third = np.pi / 3  # cos > 1/2 for a third of each turn
    above = turns * 2 * third + np.minimum(rest, third) + np.maximum(rest - 2 * np.pi + third, 0)
    np.testing.assert_allclose(found.reduction("high"), above / w, atol=1e-6)
    np.testing.assert_allclose(found.reduction("high") + found.reduction("low"), 30.0, atol=1e-9)


def test_jumps_count_before_and_after():
    found = run(KINKED, times=np.linspace(0, 30, 300_001), patients=4)
    x = found.output("x")
    assert found.event_time.size > 4
    # Just after a jump the recorded grid may be a step too late; x falls by at most 0.0004 until then.
    np.testing.assert_allclose(found.reduction("highest"), x.max(axis=1), atol=5e-4)
    assert (found.reduction("highest") >= x.max(axis=1) - 1e-9).all()
    np.testing.assert_allclose(found.reduction("lowest"), x.min(axis=1), atol=1e-3)
    np.testing.assert_allclose(found.reduction("area"), np.trapezoid(x, dx=1e-4, axis=1), atol=5e-3)
    np.testing.assert_allclose(found.reduction("high"), (x > 0.5).mean(axis=1) * 30.0, atol=5e-3)


def test_a_dose_is_a_jump():
    dose = Administrations([0], [10.0], ["x"], [0], [9.0], [0.0])
    found = run(KINKED, patients=1, administrations=dose, varied={"s": np.zeros(1)}, times=[0.0, 10.0])
    assert found.reduction("highest")[0] > 9.0
    assert found.reduction("highest")[0] == pytest.approx(found.values[0, -1, 0])


@pytest.mark.parametrize("options", [{"lanes": 1}, {"lanes": 2}, {"threads": 2}, {"times": np.linspace(0, 30, 77)}])
def test_lanes_threads_and_output_times_change_no_bit(options):
    np.testing.assert_array_equal(run(KINKED).reduced, run(KINKED, **options).reduced)


def test_gathering_changes_nothing_else():
    with_all, without = run(KINKED), run(KINKED, ())
    np.testing.assert_array_equal(with_all.values, without.values)
    np.testing.assert_array_equal(with_all.steps, without.steps)
    assert without.reduced.shape == (10, 0)


def test_the_fallback_gathers_the_same(monkeypatch):
    found = run(KINKED, rtol=1e-6)
    kernel = compile_model(KINKED, ["x"], reductions=ALL)

    def only_scipy(kernel, settings, inputs, ends, values, terminal, tape=None):
        return run_alone(kernel, settings, inputs, ends, values, terminal)

    monkeypatch.setattr(importlib.import_module("regraft.engine.solve"), "run", only_scipy)
    alone = solve(
        kernel,
        parameter_matrix(KINKED, 10),
        times=(0.0, 30.0),
        patient_ids=np.arange(10),
        seed=11,
        settings=SolverSettings(rtol=1e-6, atol=1e-9, threads=1),
    )
    np.testing.assert_allclose(alone.reduced, found.reduced, rtol=1e-4)


def test_a_failed_patient_has_none():
    explosive = model({"x": (1, "k * x ** 2")}, {"k": 1.0})
    found = run(explosive, patients=3, varied={"k": np.array([0.001, 5.0, 0.001])})
    assert found.status[1] > Status.ENDED
    assert np.isnan(found.reduced[1]).all()
    assert np.isfinite(found.reduced[[0, 2]]).all()


@pytest.mark.parametrize(
    ("reductions", "told"),
    [
        ([Reduction("a", MAX, "speed")], "'speed'"),
        ([Reduction("a", MAX, "x"), Reduction("a", MIN, "x")], "'a' twice"),
        ([Reduction("a", ABOVE, "x", float("nan"))], "threshold"),
        ([Reduction("a", "median", "x")], "'median'"),
    ],
)
def test_reductions_that_cannot_be_meant(reductions, told):
    with pytest.raises(InvalidArgument, match=told):
        compile_model(WAVE, ["x"], reductions=reductions)


def test_asking_for_one_that_was_not_gathered():
    with pytest.raises(InvalidArgument, match="'speed'"):
        run(WAVE).reduction("speed")
