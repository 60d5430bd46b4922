"""Small models built by hand, from formulas in Python notation."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from regraft.model.equations import Assignment, Equations, Event, Parameter, State
from regraft.model.expressions import Apply, Expression, Number, Symbol

_BINARY = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow"}
_COMPARE = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne"}


def formula(text: str | float) -> Expression:
    """Return the expression of a formula such as ``k * x ** 2`` (parsed, never evaluated)."""
    return _convert(ast.parse(str(text), mode="eval").body)


def _convert(node: ast.expr) -> Expression:
    if isinstance(node, ast.Constant):
        return Number(float(node.value))
    if isinstance(node, ast.Name):
        return Symbol(node.id)
    if isinstance(node, ast.BinOp):
        return Apply(_BINARY[type(node.op)], (_convert(node.left), _convert(node.right)))
    if isinstance(node, ast.UnaryOp):
        return Apply("not" if isinstance(node.op, ast.Not) else "neg", (_convert(node.operand),))
    if isinstance(node, ast.Compare):
        return Apply(_COMPARE[type(node.ops[0])], (_convert(node.left), _convert(node.comparators[0])))
    if isinstance(node, ast.BoolOp):
        parts = [_convert(value) for value in node.values]
        result = parts[0]
        for part in parts[1:]:
            result = Apply("and" if isinstance(node.op, ast.And) else "or", (result, part))
        return result
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    return Apply(node.func.id, tuple(_convert(argument) for argument in node.args))


def event(
    name: str, trigger: str, jumps: Mapping[str, str | float], *, initial_value: bool = False, **options: object
) -> Event:
    """Return an event; unlike in SBML it may fire at the start unless told otherwise."""
    assignments = tuple((target, formula(value)) for target, value in jumps.items())
    return Event(name, formula(trigger), assignments, initial_value=initial_value, **options)  # type: ignore[arg-type]  # test helper


def model(
    states: Mapping[str, tuple[str | float, str | float]],
    parameters: Mapping[str, float] | None = None,
    *,
    assignments: Mapping[str, str] | None = None,
    events: Sequence[Event] = (),
) -> Equations:
    """Return equations; each state is (initial value, rate)."""
    return Equations(
        "test",
        tuple(State(name, "1", formula(initial), formula(rate)) for name, (initial, rate) in states.items()),
        tuple(Parameter(name, "1", value) for name, value in (parameters or {}).items()),
        tuple(Assignment(name, "1", formula(text)) for name, text in (assignments or {}).items()),
        tuple(events),
    )


def parameter_matrix(equations: Equations, patients: int, **columns: object):  # type: ignore[no-untyped-def]  # test helper
    """Return the default parameters of many patients, some columns replaced."""
    import numpy as np

    matrix = np.tile([p.value for p in equations.parameters], (patients, 1)).astype(float).reshape(patients, -1)
    for name, column in columns.items():
        matrix[:, equations.parameter_index[name]] = column
    return matrix
