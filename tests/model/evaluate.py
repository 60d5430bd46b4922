"""Formulas worked out in plain floats, for comparison with what readers, writers and other simulators make of them."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping

from regraft.model.equations import Equations
from regraft.model.expressions import Expression, Number, Symbol


def _divide(a: float, b: float) -> float:
    """Divide as a processor does."""
    return a / b if b else a * math.copysign(math.inf, b) if a else math.nan


OPERATIONS = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": _divide,
    "pow": operator.pow,
    "neg": operator.neg,
    "exp": math.exp,
    "ln": math.log,
    "log10": math.log10,
    "sqrt": math.sqrt,
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "tanh": math.tanh,
    "min": min,
    "max": max,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "eq": operator.eq,
    "ne": operator.ne,
    "and": lambda a, b: bool(a) and bool(b),
    "or": lambda a, b: bool(a) or bool(b),
    "not": operator.not_,
}


def value(expression: Expression, values: Mapping[str, float]) -> float:
    """Return the number that an expression has for given symbols."""
    if isinstance(expression, Number):
        return expression.value
    if isinstance(expression, Symbol):
        return values[expression.name]
    if expression.operation == "piecewise":
        *pairs, otherwise = expression.arguments
        for chosen, condition in zip(pairs[0::2], pairs[1::2], strict=True):
            if value(condition, values):
                return value(chosen, values)
        return value(otherwise, values)
    return float(OPERATIONS[expression.operation](*(value(a, values) for a in expression.arguments)))


def at_start(equations: Equations, time: float = 0.0) -> dict[str, float]:
    """Return parameters, states and formulas at the start; initial values may use parameters and formulas."""
    values = {"time": time} | {p.id: p.value for p in equations.parameters}
    waiting = {s.id: s.initial for s in equations.states} | {a.id: a.expression for a in equations.assignments}
    while waiting:
        ready = [name for name, formula in waiting.items() if _known(formula, values)]
        assert ready, f"formulas that never become known: {sorted(waiting)}"
        for name in ready:
            values[name] = value(waiting.pop(name), values)
    return values


def rates(equations: Equations, values: Mapping[str, float]) -> dict[str, float]:
    """Return d/dt of every state that has a rate."""
    return {s.id: value(s.derivative, values) for s in equations.states if not s.changes_only_by_jumps}


def _known(expression: Expression, values: Mapping[str, float]) -> bool:
    if isinstance(expression, Symbol):
        return expression.name in values
    return isinstance(expression, Number) or all(_known(a, values) for a in expression.arguments)
