"""Events: their times, order, cascades and the log."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from tests.engine.models import event, formula, model, parameter_matrix

from regraft.engine import Administrations, SolverSettings, Status, compile_model, solve
from regraft.errors import InvalidArgument, InvalidModel
from regraft.model.expressions import Number

TIGHT = SolverSettings(rtol=1e-9, atol=1e-12, threads=1)


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


def test_threshold_is_crossed_at_the_analytic_time():
    equations = model({"x": (1, "-x"), "n": (0, 0)}, events=[event("half", "x < 0.5", {"n": "n + 1"})])
    result = run(equations, ["n"], [0.0, 5.0])
    _, times = result.events_of("half")
    np.testing.assert_allclose(times, [math.log(2)], atol=5e-9)
    assert result.output("n")[0, -1] == 1


def test_bouncing_ball_hits_the_ground_at_the_analytic_times():
    equations = model(
        {"h": (1, "v"), "v": (0, "-g")},
        {"g": 9.81},
        events=[event("bounce", "h <= 0 and v < 0", {"v": "-0.8 * v", "h": 0})],
    )
    result = run(equations, ["h"], [0.0, 3.0])
    first = math.sqrt(2 / 9.81)
    expected = first + np.cumsum([0, *(2 * first * 0.8**k for k in range(1, 5))])
    np.testing.assert_allclose(result.events_of("bounce")[1][:5], expected, atol=2e-8)


def test_time_trigger_fires_at_its_time_and_output_there_is_the_value_after():
    equations = model({"x": (0, 1)}, events=[event("reset", "time >= 2.5", {"x": 100})])
    result = run(equations, ["x"], [0.0, 2.4, 2.5, 3.0])
    np.testing.assert_allclose(result.output("x")[0], [0, 2.4, 100, 100.5], rtol=1e-8)


def test_trigger_that_stays_true_does_not_fire_again_until_it_was_false():
    equations = model({"x": (0, "cos(time)"), "n": (0, 0)}, events=[event("high", "x > 0.5", {"n": "n + 1"})])
    result = run(equations, ["n"], [0.0, 4 * math.pi])
    expected = np.array([math.pi / 6, 2 * math.pi + math.pi / 6])
    np.testing.assert_allclose(result.events_of("high")[1], expected, atol=1e-6)


def test_event_that_starts_false_fires_at_the_first_instant():
    equations = model({"x": (1, "-x")}, events=[event("start", "x > 0.5", {"x": 10})])
    result = run(equations, ["x"], [0.0, 1.0])
    assert result.output("x")[0, 0] == 10
    assert result.events_of("start")[1].tolist() == [0.0]


def test_event_that_starts_true_does_not_fire_at_the_first_instant():
    equations = model({"x": (1, "-x")}, events=[event("start", "x > 0.5", {"x": 10}, initial_value=True)])
    assert run(equations, ["x"], [0.0, 1.0]).event_time.size == 0


def test_one_event_can_set_off_another_at_the_same_instant():
    equations = model(
        {"x": (0, 1), "a": (0, 0), "b": (0, 0)},
        events=[event("second", "a > 0", {"b": "x"}), event("first", "x > 1", {"a": 1})],
    )
    result = run(equations, ["a", "b"], [0.0, 3.0])
    assert [result.event_ids[i] for i in result.event_index] == ["first", "second"]
    assert result.event_time[0] == result.event_time[1]
    np.testing.assert_allclose(result.output("b")[0, -1], 1, atol=1e-8)


def test_priority_decides_between_events_of_one_instant():
    events = [
        event("low", "x > 1", {"a": "a + 1"}, priority=Number(1.0), use_trigger_values=False),
        event("high", "x > 1", {"a": "10 * a"}, priority=Number(2.0), use_trigger_values=False),
    ]
    result = run(model({"x": (0, 1), "a": (1, 0)}, events=events), ["a"], [0.0, 2.0])
    assert [result.event_ids[i] for i in result.event_index] == ["high", "low"]
    assert result.output("a")[0, -1] == 11


def test_events_of_one_instant_use_values_at_their_trigger_unless_told_otherwise():
    for use, expected in ((True, 10), (False, 20)):
        events = [
            event("one", "x > 1", {"a": "a + 1"}, use_trigger_values=use),
            event("two", "x > 1", {"a": "10 * a"}, use_trigger_values=use),
        ]
        assert run(model({"x": (0, 1), "a": (1, 0)}, events=events), ["a"], [0.0, 2.0]).output("a")[0, -1] == expected


def test_event_that_is_not_persistent_is_cancelled_by_an_earlier_jump():
    for persistent, fired in ((True, 2), (False, 1)):
        events = [event("one", "x > 1", {"x": -5}), event("two", "x > 1", {"a": 1}, persistent=persistent)]
        assert run(model({"x": (0, 1), "a": (0, 0)}, events=events), ["a"], [0.0, 2.0]).event_time.size == fired


def test_storm_at_one_instant_ends_the_patient_and_names_the_event():
    events = [event("up", "x > 1 and s < 1", {"s": 1}), event("down", "s > 0", {"s": 0})]
    result = run(model({"x": (0, 1), "s": (0, 0)}, events=events), ["x"], [0.0, 0.5, 2.0])
    assert result.status[0] == Status.EVENT_STORM
    assert "'up'" in result.status_detail[0] or "'down'" in result.status_detail[0]
    assert np.isnan(result.output("x")[0]).tolist() == [False, False, True]


def test_too_many_events_end_the_patient():
    equations = model({"x": (0, 1)}, events=[event("saw", "x > 1", {"x": 0})])
    result = run(equations, ["x"], [0.0, 100.0], settings=SolverSettings(max_events=20, threads=1))
    assert result.status[0] == Status.EVENT_LOG_FULL
    assert result.event_time.size == 20


def test_terminal_event_ends_the_patient():
    equations = model({"x": (0, 1)}, events=[event("death", "x > 1.5", {"x": 99})])
    result = run(equations, ["x"], [0.0, 1.0, 2.0, 3.0], terminal_events=["death"])
    assert result.status[0] == Status.ENDED
    assert not result.failed[0]
    np.testing.assert_allclose(result.end_time, [1.5], atol=1e-8)
    np.testing.assert_allclose(result.output("x")[0], [0, 1, np.nan, np.nan], atol=1e-8)


def test_dose_sets_off_an_event_at_its_own_time():
    equations = model({"x": (0, "-x"), "n": (0, 0)}, events=[event("high", "x > 3", {"n": "n + 1"})])
    table = Administrations([0, 0], [1.0, 9.0], ["x", "x"], [0, 0], [4.0, 4.0], [0.0, 0.0])
    result = run(equations, ["n"], [0.0, 1.0, 9.0], administrations=table)
    assert result.events_of("high")[1].tolist() == [1.0, 9.0]
    assert result.output("n")[0].tolist() == [0, 1, 2]


def test_the_earlier_of_two_events_within_one_step_comes_first():
    events = [event("late", "x > 1.01", {"a": "10 * a + 1"}), event("early", "x > 1", {"a": "10 * a + 2", "x": -4})]
    result = run(model({"x": (0, 1), "a": (0, 0)}, events=events), ["a"], [0.0, 3.0])
    assert [result.event_ids[i] for i in result.event_index] == ["early"]


def test_jump_of_a_state_without_rate_acts_on_rates_at_once():
    events = [event("switch", "time >= 1", {"on": 1})]
    result = run(model({"x": (0, "on"), "on": (0, 0)}, events=events), ["x"], [0.0, 1.0, 3.0])
    np.testing.assert_allclose(result.output("x")[0], [0, 0, 2], atol=1e-8)


def test_an_event_with_a_delay_waits_also_in_a_kernel_that_was_pickled():
    late = event("late", "x >= 1", {"y": 5}, delay=formula("2"))
    kernel = compile_model(model({"x": (0, 1), "y": (0, 0)}, events=[late]), ["y"])
    again = pickle.loads(pickle.dumps(kernel))
    assert again.equations.units == kernel.equations.units
    for each in (kernel, again):
        result = solve(each, [[]], times=[0, 2.9, 3.1], patient_ids=[1], seed=1)
        assert result.values[0, :, 0].tolist() == [0, 0, 5]


def test_event_on_a_quantity_that_is_no_state_is_refused():
    with pytest.raises(InvalidModel, match="'half_life'"):
        compile_model(model({"x": (0, 1)}, {"half_life": 1.0}, events=[event("e", "x > 1", {"half_life": 0})]), ["x"])


def test_unknown_terminal_event_lists_near_matches():
    with pytest.raises(InvalidArgument, match="'deth'.*'death'"):
        run(model({"x": (0, 1)}, events=[event("death", "x > 1", {"x": 0})]), ["x"], [0.0], terminal_events=["deth"])
