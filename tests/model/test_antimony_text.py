from __future__ import annotations

import math
from pathlib import Path

import pytest
from tests.model.evaluate import value

from regraft.errors import InvalidModel, UnsupportedModel
from regraft.model import read_antimony
from regraft.model.antimony_text import MAX_CHARACTERS, antimony_to_sbml
from regraft.model.equations import Assignment, Parameter, State
from regraft.model.expressions import Apply, Number, Symbol

SMALL = "model m()\n  x = 3; k = 2;\n  x' = -k*x;\n  y := 2*x;\nend\n"


def rate_of(text: str):
    return read_antimony(f"model m()\n  x = 3; y = 2;\n  x' = {text};\nend\n").states[0].derivative


def test_rates_formulas_and_numbers_become_states_assignments_and_parameters() -> None:
    x, k = Symbol("x"), Symbol("k")
    equations = read_antimony(SMALL)
    assert equations.id == "m"
    assert equations.states == (State("x", "", Number(3.0), Apply("mul", (Apply("neg", (k,)), x))),)
    assert equations.parameters == (Parameter("k", "", 2.0),)
    assert equations.assignments == (Assignment("y", "", Apply("mul", (Number(2.0), x))),)
    assert equations.events == ()


# x = 3, y = 2, time = 7
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x - y - 1", 0.0),
        ("x/y/2", 0.75),
        ("2^3^2", 512.0),
        ("-x^2", -9.0),
        ("x^-y", 1 / 9),
        ("x^0.5", math.sqrt(3)),
        ("1e-3*x", 0.003),
        ("exp(x) + ln(x) + log10(x)", math.exp(3) + math.log(3) + math.log10(3)),
        ("sqrt(x) + abs(-x) + floor(1.7) + ceil(1.2)", math.sqrt(3) + 3 + 1 + 2),
        ("sin(x) + cos(x) + tan(x) + tanh(x)", math.sin(3) + math.cos(3) + math.tan(3) + math.tanh(3)),
        ("min(x, y, 1) + max(x, y, 5)", 6.0),
        ("piecewise(1, x < 1, 2, x < 5, 3)", 2.0),
        ("piecewise(1, (x > 1) && (y > 5) || !(x == 3), 4)", 4.0),
        ("piecewise(1, (x >= 3) && (y <= 2) && (x != y), 4)", 1.0),
        ("time + pi", 7 + math.pi),
        ("x - (y - 1) + (x + y + 1)", 8.0),
        ("+".join(["x"] * 1000), 3000.0),
    ],
)
def test_a_formula_means_what_it_says(text: str, expected: float) -> None:
    # both sides are a few float operations; 1e-14 leaves room for their order
    assert value(rate_of(text), {"x": 3.0, "y": 2.0, "time": 7.0}) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("text", "operation", "arguments"),
    [
        ("exponential(1)", "exponential", (1.0,)),
        ("uniform(2, 5)", "uniform", (2.0, 5.0)),
        ("poisson(3)", "poisson", (3.0,)),
        ("normal(1, 2)", "normal", (1.0, 2.0)),
        ("binomial(9, 0.5)", "binomial", (9.0, 0.5)),
    ],
)
def test_random_draws_may_start_a_state_and_stand_in_an_event(
    text: str, operation: str, arguments: tuple[float, ...]
) -> None:
    equations = read_antimony(f"model m()\n  e = {text};\n  next: at (time > 1): e = {text};\nend\n")
    draw = Apply(operation, tuple(Number(a) for a in arguments))
    assert equations.states == (State("e", "", draw, Number(0.0)),)
    assert equations.states[0].changes_only_by_jumps
    assert equations.events[0].assignments == (("e", draw),)


def test_an_event_keeps_its_trigger_order_and_options() -> None:
    equations = read_antimony(
        "model m()\n  x = 1; n = 0; w = 2; d = 0.5;\n  x' = -x;\n"
        "  later: at d after (x < 0.5), t0=false, persistent=false, priority=w, fromTrigger=false: "
        "x = x + 1, n = n + x;\n"
        "  plain: at (x > 9): x = 0;\nend\n"
    )
    later, plain = equations.events
    assert later.id == "later"
    assert later.trigger == Apply("lt", (Symbol("x"), Number(0.5)))
    assert [target for target, _ in later.assignments] == ["x", "n"]
    assert (later.initial_value, later.persistent, later.use_trigger_values) == (False, False, False)
    assert (later.delay, later.priority) == (Symbol("d"), Symbol("w"))
    assert (plain.initial_value, plain.persistent, plain.use_trigger_values) == (True, True, True)
    assert (plain.delay, plain.priority) == (None, None)
    assert {s.id for s in equations.states} == {"x", "n"}
    assert later.expressions[:3] == (later.trigger, later.delay, later.priority)


def test_a_constant_given_by_a_formula_stays_a_formula() -> None:
    equations = read_antimony("model m()\n  k = 2*a; a = 3; x = k; x' = -k*x;\nend\n")
    assert [a.id for a in equations.assignments] == ["k"]
    assert equations.states[0].initial == Symbol("k")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model m()\n  x = 3 + ;\nend\n", "file.ant: .*line 2"),
        ("model m()\n  x' = -zz;\n  x = 1;\nend\n", "'zz' has no value"),
        ("model m()\n  x' = -x;\nend\n", "'x' has no value"),
        ("model m()\n  x = 1;\n  x' = foo(x);\nend\n", "'foo'"),
        ("model m()\n  time = 1;\nend\n", "'time'"),
        ("model m()\n  a := b; b := c; c := a;\nend\n", "Loop detected"),
    ],
)
def test_text_that_is_no_model_is_refused_and_the_place_named(text: str, message: str) -> None:
    with pytest.raises(InvalidModel, match=message):
        read_antimony(text, name="file.ant")


@pytest.mark.parametrize(
    ("word", "name"),
    [("delay(x, 1)", "delay"), ("lognormal(x, 2)", "'lognormal'")],
)
def test_an_operation_that_cannot_be_run_is_named(word: str, name: str) -> None:
    with pytest.raises(UnsupportedModel, match=f"rule of 'x' uses ({name})"):
        rate_of(word)


def test_python_in_a_model_is_no_mathematics(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    for text in (f"__import__('os').mkdir('{trace}')", "open('x')", "(lambda: 1)()", "x if y else 2", "[x][0]"):
        with pytest.raises(InvalidModel):
            rate_of(text)
    assert not trace.exists()


@pytest.mark.parametrize("line", ['import "{path}"', 'import /* a */ "{path}"', 'import // a\n "{path}"'])
def test_a_model_cannot_read_another_file(tmp_path: Path, line: str) -> None:
    path = tmp_path / "other.ant"
    path.write_text("model other()\n  z = 1;\nend\n")
    with pytest.raises(UnsupportedModel, match="imports another file"):
        antimony_to_sbml(line.format(path=path) + "\n" + SMALL)


def test_a_huge_text_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(InvalidModel, match=f"more than {MAX_CHARACTERS}"):
        antimony_to_sbml("//" + "x" * MAX_CHARACTERS)


@pytest.mark.parametrize("count", [300, 200_000])
def test_a_formula_nested_too_deeply_is_refused(count: int) -> None:
    with pytest.raises(InvalidModel, match="too large|levels deep|memory exhausted"):
        rate_of("sin(" * count + "x" + ")" * count)


def test_two_texts_do_not_see_each_other() -> None:
    read_antimony("model first()\n  z = 1;\nend\n")
    assert read_antimony(SMALL).id == "m"
    assert "z" not in read_antimony(SMALL).units
