from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import roadrunner
from tests.model.evaluate import at_start, rates, value
from tests.therapy.clinic import CORE

from regraft.errors import InvalidArgument
from regraft.model import join, load_part, read_antimony, read_sbml, write_sbml
from regraft.model.equations import Equations, Event
from regraft.model.expressions import Apply, Expression, Number, Symbol
from regraft.model.sbml_writer import Jump, formula, with_scheduled_jumps

X = Symbol("x")
LINEAR = read_antimony("model lin()\n  x = 0; y = 1; k = 0.5;\n  x' = -k*x;\n  y' = k*x;\nend\n")


TWO = Number(2.0)


def binary(operation: str, first: Expression = X, second: Expression = TWO) -> Apply:
    return Apply(operation, (first, second))


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (Number(1e-30), "1e-30"),
        (Number(-2.5), "(-2.5)"),
        (Apply("neg", (Number(-0.0),)), "(-(-0.0))"),
        (binary("add", X, binary("mul")), "(x + (x * 2.0))"),
        (binary("pow", Apply("neg", (X,))), "((-x) ^ 2.0)"),
        (binary("and", binary("lt"), Apply("not", (binary("ne"),))), "((x < 2.0) && !((x != 2.0)))"),
        (Apply("piecewise", (Number(1.0), binary("ge"), X)), "piecewise(1.0, (x >= 2.0), x)"),
        (Apply("log10", (Apply("ln", (X,)),)), "log10(ln(x))"),
    ],
)
def test_a_formula_is_written_fully_bracketed(expression: Expression, text: str) -> None:
    assert formula(expression) == text


@pytest.mark.parametrize(
    "text",
    [
        "-x^2 + 3 - (1 - x)",
        "2^x^0.5/3/x",
        "piecewise(1, x > 2, 2, x > 1, 3)*2",
        "piecewise(1, (x > 2) && !(x < 1) || (x == 1.5), 3)",
        "exp(-x)*ln(x) + log10(x)*sqrt(x) + abs(-x)",
        "floor(x) + ceil(x) + min(x, 2) + max(x, 1)",
        "sin(x) + cos(x) + tan(x) + tanh(x) + time",
        "1e-30*x + 1.7976931348623157e30/x",
        "0.1 + 1/3*x",
    ],
)
def test_what_is_written_means_the_same_when_read_again(text: str) -> None:
    first = read_antimony(f"model m()\n  x = 1.5;\n  x' = {text};\nend\n")
    again = read_sbml(write_sbml(first))
    values = {"x": 1.5, "time": 0.25}
    assert value(again.states[0].derivative, values) == value(first.states[0].derivative, values)


def test_events_draws_and_their_options_survive_the_round_trip() -> None:
    text = (
        "model m()\n  x = 1; n = 0; w = 2; d = 0.5; e = exponential(1);\n  x' = -x; y := x*w;\n"
        "  later: at d after (x < 0.5), t0=false, persistent=false, priority=w, fromTrigger=false: "
        "x = x + 1, n = n + x;\n"
        "  plain: at (x > e): e = e + uniform(1, 2), n = poisson(y);\nend\n"
    )
    first = read_antimony(text)
    again = read_sbml(write_sbml(first))
    assert {e.id: e for e in again.events} == {e.id: e for e in first.events}
    assert {s.id: s for s in again.states} == {s.id: s for s in first.states}
    assert set(again.parameters) == set(first.parameters)
    assert again.assignments == first.assignments


def test_a_truth_value_used_as_a_number_is_written_as_a_choice() -> None:
    equations = replace(LINEAR, states=(replace(LINEAR.states[0], derivative=binary("ge", X, Number(0.0))),))
    assert rates(read_sbml(write_sbml(equations)), {"x": 1.0, "time": 0.0}) == {"x": 1.0}


def test_meaning_and_unit_become_the_name_of_the_element() -> None:
    state = replace(LINEAR.states[0], unit="mg/kg", meaning='so-called "pool"\nof x')
    text = write_sbml(replace(LINEAR, states=(state, *LINEAR.states[1:])))
    assert 'name="so-called &apos;pool&apos; of x [mg/kg]"' in text


def simulate(equations: Equations, days: float, *names: str) -> np.ndarray:
    simulator = roadrunner.RoadRunner(write_sbml(equations))
    simulator.integrator.relative_tolerance = 1e-10
    simulator.integrator.absolute_tolerance = 1e-13
    return np.array(simulator.simulate(0, days, 2, list(names)))[-1]


def test_administrations_are_written_as_events_that_other_tools_carry_out() -> None:
    still = replace(LINEAR, parameters=tuple(replace(p, value=0.0) for p in LINEAR.parameters))
    jumps = [
        Jump(1.0, "x", 3.0),
        Jump(1.0, "x", 4.0),
        Jump(2.0, "y", 9.0, is_set=True),
        Jump(1.5, "x", 5.0, duration_days=0.5),
        Jump(2.0, "x", 7.0, duration_days=1.0),
    ]
    # two doses at one instant add up, and an infusion that starts as another ends is not lost
    found = simulate(with_scheduled_jumps(still, jumps), 4.0, "x", "y", "x_infusion_rate")
    # infused amounts are integrated: the tolerance of the simulator and of the time of its events
    assert found == pytest.approx([19.0, 9.0, 0.0], abs=1e-6)


def test_a_parameter_that_is_switched_becomes_a_state() -> None:
    switched = with_scheduled_jumps(LINEAR, [Jump(1.0, "k", 2.0, is_set=True)])
    assert switched.parameters == ()
    assert switched.states[-1].id == "k"
    assert simulate(switched, 2.0, "k") == [2.0]


@pytest.mark.parametrize(
    ("jump", "message"),
    [
        (Jump(1.0, "xx", 1.0), "No state or parameter 'xx'.*Did you mean 'x'"),
        (Jump(1.0, "k", 1.0, duration_days=1.0), "'k' is a parameter; only a state can be infused"),
    ],
)
def test_a_dose_that_has_no_state_to_go_to_is_refused(jump: Jump, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        with_scheduled_jumps(LINEAR, [jump])


def test_a_part_with_the_name_of_its_state_can_be_written() -> None:
    equations = load_part("gcsf").equations
    assert equations.id in equations.state_index
    assert [state.id for state in read_sbml(write_sbml(equations)).states] == ["gcsf"]


@pytest.fixture(scope="module")
def core() -> Equations:
    # the part of stromal cells draws at the start, which these comparisons cannot
    return join([load_part(name) for name in CORE if name != "msc"], id="core").equations


def test_the_joined_core_model_reads_back_with_the_same_derivatives(core: Equations) -> None:
    again = read_sbml(write_sbml(core))
    assert [e.id for e in again.events] == [e.id for e in core.events]
    before, after = at_start(core, time=3.5), at_start(again, time=3.5)
    assert after == before
    assert rates(again, after) == rates(core, before)


def test_the_joined_core_model_has_the_same_right_hand_side_in_libroadrunner(core: Equations) -> None:
    # away from the steady state, so that every rate is far from zero
    moved = replace(
        core,
        states=tuple(
            replace(s, initial=Apply("add", (Apply("mul", (s.initial, Number(1.1 + 0.01 * i))), Number(0.01))))
            for i, s in enumerate(core.states)
        ),
        events=tuple(e for e in core.events if isinstance(e, Event) and not e.initial_value),
    )
    simulator = roadrunner.RoadRunner(write_sbml(moved))
    expected = rates(moved, at_start(moved))
    found = {name: simulator.getValue(f"{name}'") for name in expected}
    assert min(abs(rate) for rate in expected.values()) > 0
    # the two add up the same terms in another order
    assert [found[name] for name in expected] == pytest.approx(list(expected.values()), rel=1e-9, abs=1e-15)
