"""SBML mathematics to expressions: a closed mapping, nothing is evaluated."""

from __future__ import annotations

from typing import Any

import libsbml

from regraft.errors import UnsupportedModel
from regraft.model.expressions import TIME, Apply, Expression, Number, Symbol

MAX_DEPTH = 200
MAX_NODES = 200_000
_LONG = 64

_NAMES = {
    libsbml.AST_DIVIDE: "div",
    libsbml.AST_POWER: "pow",
    libsbml.AST_FUNCTION_POWER: "pow",
    libsbml.AST_FUNCTION_EXP: "exp",
    libsbml.AST_FUNCTION_LN: "ln",
    libsbml.AST_FUNCTION_ABS: "abs",
    libsbml.AST_FUNCTION_FLOOR: "floor",
    libsbml.AST_FUNCTION_CEILING: "ceil",
    libsbml.AST_FUNCTION_SIN: "sin",
    libsbml.AST_FUNCTION_COS: "cos",
    libsbml.AST_FUNCTION_TAN: "tan",
    libsbml.AST_FUNCTION_TANH: "tanh",
    libsbml.AST_FUNCTION_PIECEWISE: "piecewise",
    libsbml.AST_LOGICAL_NOT: "not",
    libsbml.AST_DISTRIB_FUNCTION_EXPONENTIAL: "exponential",
    libsbml.AST_DISTRIB_FUNCTION_UNIFORM: "uniform",
    libsbml.AST_DISTRIB_FUNCTION_NORMAL: "normal",
    libsbml.AST_DISTRIB_FUNCTION_POISSON: "poisson",
    libsbml.AST_DISTRIB_FUNCTION_BINOMIAL: "binomial",
}
# operations that SBML allows with any number of arguments; ours take two
_FOLDED = {
    libsbml.AST_PLUS: ("add", 0.0),
    libsbml.AST_TIMES: ("mul", 1.0),
    libsbml.AST_LOGICAL_AND: ("and", 1.0),
    libsbml.AST_LOGICAL_OR: ("or", 0.0),
    libsbml.AST_FUNCTION_MIN: ("min", None),
    libsbml.AST_FUNCTION_MAX: ("max", None),
}
_COMPARED = {
    libsbml.AST_RELATIONAL_LT: "lt",
    libsbml.AST_RELATIONAL_LEQ: "le",
    libsbml.AST_RELATIONAL_GT: "gt",
    libsbml.AST_RELATIONAL_GEQ: "ge",
    libsbml.AST_RELATIONAL_EQ: "eq",
    libsbml.AST_RELATIONAL_NEQ: "ne",
}
_CONSTANTS = {
    libsbml.AST_CONSTANT_E: 2.718281828459045,
    libsbml.AST_CONSTANT_PI: 3.141592653589793,
    libsbml.AST_CONSTANT_TRUE: 1.0,
    libsbml.AST_CONSTANT_FALSE: 0.0,
}
_ARITY = {"div": 2, "pow": 2, "uniform": 2, "normal": 2, "binomial": 2}


def expression_from_ast(node: Any, where: str) -> Expression:
    """Return the expression of a libsbml syntax tree.

    Parameters
    ----------
    node : libsbml ASTNode
    where : the element it stands in, for messages

    Raises
    ------
    UnsupportedModel : there is no tree, it is too deep or too large, or holds an operation that cannot be run (named)
    """
    if node is None:
        raise UnsupportedModel(f"There is no formula for {where}. Write one, or remove the element.")
    budget = [MAX_NODES]
    return _convert(node, where, 0, budget)


def _convert(node: Any, where: str, depth: int, budget: list[int]) -> Expression:
    budget[0] -= 1
    if depth > MAX_DEPTH or budget[0] < 0:
        raise UnsupportedModel(
            f"The formula of {where} is too large: more than {MAX_DEPTH} levels or {MAX_NODES} terms. Split it up."
        )
    leaf = _leaf(node)
    if leaf is not None:
        return leaf
    kind = node.getType()
    parts = tuple(_convert(part, where, depth + 1, budget) for part in operands(node))
    if kind == libsbml.AST_MINUS:
        return Apply("neg", parts) if len(parts) == 1 else Apply("sub", parts)
    if kind in _FOLDED:
        return _fold(*_FOLDED[kind], parts)
    if kind in _COMPARED:
        pairs = tuple(Apply(_COMPARED[kind], pair) for pair in zip(parts, parts[1:], strict=False))
        return _fold("and", 1.0, pairs)
    special = _special(kind, parts)
    if special is not None:
        return special
    if kind in _NAMES:
        return _apply(_NAMES[kind], parts, where)
    label = node.getName() or f"operation {node.getType()}"
    raise UnsupportedModel(f"{where} uses {label!r}, which cannot be run. Write it with the supported functions.")


def operands(node: Any) -> list[Any]:
    """Return the operands of a libsbml node; libsbml writes a long sum or product as a tower, which is laid flat."""
    kind, later = node.getType(), []
    while kind in _FOLDED and node.getType() == kind and node.getNumChildren() == 2:
        later.append(node.getChild(1))
        node = node.getChild(0)
    if later:
        return [node, *reversed(later)]
    return [node.getChild(i) for i in range(node.getNumChildren())]


def _leaf(node: Any) -> Expression | None:
    """Return a number or symbol, or None for anything with parts."""
    kind = node.getType()
    if node.isNumber():
        return Number(float(node.getValue()))
    if kind == libsbml.AST_NAME_TIME:
        return Symbol(TIME)
    if kind == libsbml.AST_NAME_AVOGADRO:
        return Number(float(node.getValue()))
    if kind == libsbml.AST_NAME:
        return Symbol(node.getName())
    if kind in _CONSTANTS:
        return Number(_CONSTANTS[kind])
    return None


def _fold(operation: str, neutral: float | None, parts: tuple[Expression, ...]) -> Expression:
    """Chain an operation with any number of arguments from left to right, long ones by halves to stay shallow."""
    if not parts:
        return Number(neutral if neutral is not None else 0.0)
    if len(parts) > _LONG:
        half = len(parts) // 2
        return Apply(operation, (_fold(operation, neutral, parts[:half]), _fold(operation, neutral, parts[half:])))
    result = parts[0]
    for part in parts[1:]:
        result = Apply(operation, (result, part))
    return result


def _special(kind: int, parts: tuple[Expression, ...]) -> Expression | None:
    """Return the operations whose SBML form differs from ours."""
    if kind == libsbml.AST_FUNCTION_ROOT:
        if len(parts) == 1 or parts[0] == Number(2.0):
            return Apply("sqrt", (parts[-1],))
        return Apply("pow", (parts[1], Apply("div", (Number(1.0), parts[0]))))
    if kind == libsbml.AST_FUNCTION_LOG:
        if len(parts) == 1 or parts[0] == Number(10.0):
            return Apply("log10", (parts[-1],))
        return Apply("div", (Apply("ln", (parts[1],)), Apply("ln", (parts[0],))))
    if kind == libsbml.AST_LOGICAL_XOR and len(parts) == 2:
        return Apply("ne", parts)
    return None


def _apply(operation: str, parts: tuple[Expression, ...], where: str) -> Expression:
    """Build an operation after a look at its number of arguments."""
    if operation == "piecewise":
        # SBML leaves the value undefined where no condition holds and there is no otherwise
        return Apply(operation, parts if len(parts) % 2 else (*parts, Number(float("nan"))))
    expected = _ARITY.get(operation, 1)
    if len(parts) != expected:
        raise UnsupportedModel(f"{where}: {operation} takes {expected} arguments here, {len(parts)} were given.")
    return Apply(operation, parts)
