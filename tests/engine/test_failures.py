"""Numerical trouble becomes a status with a reason; mistakes become errors that say what to do."""

from __future__ import annotations

import numpy as np
import pytest
from tests.engine.models import event, model, parameter_matrix

from regraft.engine import Administrations, SolverSettings, Status, compile_model, solve
from regraft.errors import InvalidArgument, InvalidModel

SMALL = model({"dose": (1, "-k * dose"), "held": (0, 0)}, {"k": 1.0})


def run(equations, times=(0.0, 1.0), outputs=None, patients=1, **options):
    kernel = compile_model(equations, outputs or [equations.states[0].id])
    options = {
        "patient_ids": np.arange(patients),
        "seed": 0,
        "parameters": parameter_matrix(equations, patients),
    } | options
    return solve(kernel, options.pop("parameters"), times=times, **options)


def test_growth_without_bound_is_reported_with_state_and_time():
    result = run(model({"x": (1, "x ** 2")}), times=[0.0, 0.5, 2.0])
    assert result.status[0] in (Status.NON_FINITE, Status.STEP_TOO_SMALL)
    assert "'x'" in result.status_detail[0]
    np.testing.assert_allclose(result.end_time, [1], atol=1e-3)
    np.testing.assert_allclose(result.output("x")[0], [1, 2, np.nan], rtol=1e-3)


def test_rate_that_is_not_finite_at_the_start_names_the_state():
    result = run(model({"calm": (1, "-calm"), "wild": (1, "1 / zero")}, {"zero": 0.0}))
    assert result.status[0] == Status.NON_FINITE
    assert "'wild'" in result.status_detail[0]
    assert "day 0" in result.status_detail[0]


def test_initial_value_that_is_not_finite_names_the_state():
    result = run(model({"calm": (1, "-calm"), "wild": ("1 / zero", "-wild")}, {"zero": 0.0}))
    assert result.status[0] == Status.NON_FINITE
    assert "'wild'" in result.status_detail[0]


def test_step_limit_is_reported():
    result = run(model({"x": (1, "sin(50 * time)")}), times=[0.0, 100.0], settings=SolverSettings(max_steps=50))
    assert result.status[0] == Status.STEP_LIMIT
    assert result.steps[0] == 50


def test_truly_negative_base_of_a_fractional_power_leaves_the_domain():
    result = run(model({"x": (1, "-1 + 0 * held"), "held": (0, "x ** n")}, {"n": 0.5}), times=[0.0, 5.0])
    assert result.status[0] == Status.DOMAIN
    assert "'x'" in result.status_detail[0]


def test_jump_to_a_value_that_is_not_finite_is_reported():
    result = run(
        model({"x": (1, "-x")}, {"zero": 0.0}, events=[event("bad", "x < 0.5", {"x": "1 / zero"})]), times=[0.0, 5.0]
    )
    assert result.status[0] == Status.NON_FINITE
    assert "'bad'" in result.status_detail[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parameters": np.ones((2, 1))}, r"shape \(2, 1\)"),
        ({"parameters": [[np.nan]]}, "'k' of patient 0"),
        ({"times": [1.0, 0.0]}, "ascending"),
        ({"times": [0.0, np.inf]}, "finite"),
        ({"times": [[np.nan, 1.0]]}, "NaN only at the end"),
        ({"patient_ids": [-1]}, "from 0 to"),
        ({"patient_ids": [0.5]}, "whole numbers"),
        ({"patient_ids": [3, 3], "parameters": np.ones((2, 1))}, "twice"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_bad_arguments_are_refused_with_their_name(options, message):
    with pytest.raises(InvalidArgument, match=message):
        run(SMALL, **options)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((0, 0.5, "dos", 0, 1.0, 0.0), "'dos' is not a state.*'dose'"),
        ((0, 0.5, "k", 0, 1.0, 0.0), "'k' is not a state"),
        ((4, 0.5, "dose", 0, 1.0, 0.0), "patient_row is 4"),
        ((0, -0.5, "dose", 0, 1.0, 0.0), "at or after the first time"),
        ((0, 0.5, "dose", 0, np.nan, 0.0), "amount is nan"),
        ((0, np.nan, "dose", 0, 1.0, 0.0), "time is nan"),
        ((0, 0.5, "dose", 1, 1.0, -1.0), "duration is -1"),
        ((0, 0.5, "dose", 0, 1.0, 1.0), "duration is 1"),
        ((0, 0.5, "dose", 7, 1.0, 0.0), "kind is 7"),
        ((0, 0.5, "held", 1, 1.0, 1.0), "no rate"),
    ],
)
def test_bad_administrations_are_refused_with_their_row(row, message):
    with pytest.raises(InvalidArgument, match=message):
        run(SMALL, administrations=Administrations(*([cell] for cell in row)))


def test_state_without_rate_can_be_infused_when_named():
    kernel = compile_model(SMALL, ["held"], infused=["held"])
    table = Administrations([0], [0.5], ["held"], [1], [4.0], [2.0])
    result = solve(kernel, [[1.0]], times=[0.0, 1.0, 5.0], patient_ids=[0], seed=0, administrations=table)
    np.testing.assert_allclose(result.output("held")[0], [0, 1, 4], rtol=1e-9)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"rtol": 0.0}, "rtol"), ({"rtol": 0.5}, "wrong"), ({"atol": -1.0}, "atol"), ({"max_steps": 0}, "max_steps")],
)
def test_settings_that_cannot_work_are_refused(settings, message):
    with pytest.raises(InvalidArgument, match=message):
        SolverSettings(**settings)


def test_tolerance_of_an_unknown_state_is_refused():
    with pytest.raises(InvalidArgument, match="'dos'.*'dose'"):
        run(SMALL, settings=SolverSettings(atol={"dos": 1e-3}))


def test_unknown_output_lists_near_matches():
    with pytest.raises(InvalidArgument, match="'dos'.*'dose'"):
        compile_model(SMALL, ["dos"])


def test_unknown_symbol_and_misplaced_draw_name_the_place():
    with pytest.raises(InvalidModel, match="rate of 'x'.*'y'"):
        compile_model(model({"x": (1, "y")}), ["x"])
    with pytest.raises(InvalidModel, match="rate of 'x'.*'exponential'"):
        compile_model(model({"x": (1, "exponential(1)")}), ["x"])


def test_circular_initial_values_are_named():
    with pytest.raises(InvalidModel, match="'a', 'b'.*depend on each other"):
        compile_model(model({"a": ("b", 0), "b": ("a", 0)}), ["a"])


def test_result_as_labelled_arrays():
    data = run(SMALL, outputs=["dose", "k"], times=[0.0, 2.0]).to_xarray()
    assert dict(data.sizes) == {"patient": 1, "time": 2}
    assert data["k"].sel(time=2.0, patient=0).item() == 1.0


def test_asking_for_what_was_not_recorded_lists_near_matches():
    result = run(SMALL)
    with pytest.raises(InvalidArgument, match="'dos'.*'dose'"):
        result.output("dos")
    with pytest.raises(InvalidArgument, match="not an event"):
        result.events_of("dose")
