from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.model.evaluate import value

from regraft.model import read_sbml, write_sbml
from regraft.model.equations import Assignment, Equations, Parameter
from regraft.model.expressions import Apply, Expression, Number, Symbol

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: Number(round(x, 3)))
SYMBOLS = st.sampled_from([Symbol("x"), Symbol("y"), Symbol("time")])
UNARY = ("neg", "abs", "floor", "ceil", "tanh", "sin")
BINARY = ("add", "sub", "mul", "min", "max")
CONDITIONS = ("lt", "le", "gt", "ge", "eq", "ne")


def grow(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    """Return larger formulas made of smaller ones; all are defined for every number."""
    condition = st.builds(lambda op, a, b: Apply(op, (a, b)), st.sampled_from(CONDITIONS), inner, inner)
    logic = st.builds(lambda op, a, b: Apply(op, (a, b)), st.sampled_from(("and", "or")), condition, condition)
    chosen = condition | logic | st.builds(lambda a: Apply("not", (a,)), condition)
    return st.one_of(
        st.builds(lambda op, a: Apply(op, (a,)), st.sampled_from(UNARY), inner),
        st.builds(lambda op, a, b: Apply(op, (a, b)), st.sampled_from(BINARY), inner, inner),
        st.builds(lambda a, c, b: Apply("piecewise", (a, c, b)), inner, chosen, inner),
    )


FORMULAS = st.recursive(NUMBERS | SYMBOLS, grow, max_leaves=12)
WHERE = [{"x": 0.3, "y": -2.0, "time": 0.0}, {"x": -7.25, "y": 1e3, "time": 12.5}, {"x": 0.0, "y": 0.0, "time": 1.0}]


@given(FORMULAS, FORMULAS)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_formula_means_the_same_after_writing_and_reading(first: Expression, second: Expression) -> None:
    parameters = (Parameter("x", "", 1.0), Parameter("y", "", 2.0))
    formulas = (Assignment("a", "", first), Assignment("b", "", Apply("mul", (Number(2.0), second))))
    again = read_sbml(write_sbml(Equations("m", (), parameters, formulas, ())))
    assert [a.id for a in again.assignments] == ["a", "b"]
    for values in WHERE:
        found = [value(a.expression, values) for a in again.assignments]
        expected = [value(a.expression, values) for a in formulas]
        # equal to the last bit: brackets keep the order of operations
        np.testing.assert_array_equal(found, expected)
