from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from tests.model.evaluate import value
from tests.model.run import run
from tests.model.sbml_text import apply, document, number, parameters, rules

from regraft.model.elementary import ELEMENTARY, quotient, remainder
from regraft.model.expressions import Expression, Number, Symbol

X = Symbol("x")
EXPECTED: dict[str, tuple[Callable[[float], float], list[float]]] = {
    "sinh": (math.sinh, [-3.0, -1e-9, 0.0, 0.5, 20.0]),
    "cosh": (math.cosh, [-3.0, 0.0, 20.0]),
    "sec": (lambda x: 1 / math.cos(x), [-1.0, 0.0, 2.0]),
    "csc": (lambda x: 1 / math.sin(x), [-1.0, 2.0]),
    "cot": (lambda x: 1 / math.tan(x), [-1.0, 2.0]),
    "sech": (lambda x: 1 / math.cosh(x), [-1.0, 0.0, 2.0]),
    "csch": (lambda x: 1 / math.sinh(x), [-1.0, 2.0]),
    "coth": (lambda x: 1 / math.tanh(x), [-1.0, 2.0]),
    "arctan": (math.atan, [-1e9, -3.0, -1.0, -0.3, 0.0, 1e-12, 0.4142, 1.0, 2.5, 1e300]),
    "arcsin": (math.asin, [-1.0, -0.999999, -0.5, 0.0, 1e-9, 0.7, 1.0]),
    "arccos": (math.acos, [-0.999999, -0.5, 0.0, 0.7, 0.99999999, 1.0]),
    "arcsec": (lambda x: math.acos(1 / x), [-2.0, 1.0, 5.0]),
    "arccsc": (lambda x: math.asin(1 / x), [-2.0, 1.0, 5.0]),
    "arccot": (lambda x: math.atan(1 / x) if x else math.pi / 2, [-2.0, 0.0, 5.0]),
    "arcsinh": (math.asinh, [-1e20, -2.0, 0.0, 0.5, 1e9]),
    "arccosh": (math.acosh, [1.0, 1.5, 1e9]),
    "arctanh": (math.atanh, [-0.9, 0.0, 0.5]),
    "arcsech": (lambda x: math.acosh(1 / x), [0.1, 1.0]),
    "arccsch": (lambda x: math.asinh(1 / x), [-2.0, 0.5]),
    "arccoth": (lambda x: math.atanh(1 / x), [-2.0, 3.0]),
    "factorial": (lambda x: float(math.factorial(int(x))), [0.0, 1.0, 5.0, 20.0, 170.0]),
}


@pytest.mark.parametrize("name", sorted(ELEMENTARY))
def test_a_function_written_out_has_its_values(name: str) -> None:
    function, points = EXPECTED[name]
    for x in points:
        assert value(ELEMENTARY[name](X), {"x": x}) == pytest.approx(function(x), rel=2e-14, abs=1e-15), (name, x)


@pytest.mark.parametrize(
    ("build", "pair", "expected"),
    [
        (quotient, (7.0, 2.0), 3.0),
        (quotient, (-7.0, 2.0), -3.0),
        (remainder, (7.0, 2.0), 1.0),
        (remainder, (-7.0, 2.0), -1.0),
        (remainder, (7.5, -2.0), 1.5),
    ],
)
def test_quotient_and_remainder_go_towards_zero(
    build: Callable[[Expression, Expression], Expression], pair: tuple[float, float], expected: float
) -> None:
    assert value(build(X, Symbol("y")), {"x": pair[0], "y": pair[1]}) == expected


def test_a_factorial_of_a_fraction_is_no_number_and_a_huge_one_is_infinite() -> None:
    assert math.isnan(value(ELEMENTARY["factorial"](X), {"x": 2.5}))
    assert math.isnan(value(ELEMENTARY["factorial"](X), {"x": -1.0}))
    assert value(ELEMENTARY["factorial"](X), {"x": 171.0}) == math.inf
    assert ELEMENTARY["factorial"](Number(4.0)) == Number(24.0)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (apply("implies", "<true/>", "<false/>"), 0.0),
        (apply("implies", "<false/>", "<false/>"), 1.0),
        (apply("xor", "<true/>", "<true/>", "<true/>"), 1.0),
        (apply("xor", number(2.0), number(3.0)), 0.0),
        (apply("max", number(2.0), number(3.0), number(-4.0)), 3.0),
        (apply("min", number(2.0), number(3.0), number(-4.0)), -4.0),
        (apply("quotient", number(7.0), number(2.0)), 3.0),
        (apply("rem", number(7.0), number(2.0)), 1.0),
        (apply("plus", apply("lt", number(1.0), number(2.0)), number(1.0)), 2.0),
        (apply("arctan", number(1.0)), math.pi / 4),
        (apply("factorial", apply("plus", "x", number(2.0))), 6.0),
    ],
)
def test_the_engine_gives_a_formula_of_sbml_its_value(body: str, expected: float) -> None:
    text = document(parameters(x=1.0, y=None), rules(x=("rate", number(0.0)), y=("assignment", body)))
    assert run(text, "y", [0.0])[0] == pytest.approx(expected, rel=1e-14)
