"""SBML mathematics to expressions: a closed mapping, nothing is evaluated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libsbml

from regraft.errors import UnsupportedModel
from regraft.model.elementary import ELEMENTARY, quotient, remainder
from regraft.model.expressions import RATE_OF, TIME, Apply, Expression, Number, Symbol, chain, children, walk

MAX_DEPTH = 200
MAX_NODES = 200_000
MAX_NODES_OF_A_MODEL = 1_000_000

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
# functions that are written out with those above
_ELEMENTARY = {getattr(libsbml, f"AST_FUNCTION_{name.upper()}"): name for name in ELEMENTARY}
# operations that SBML allows with any number of arguments; ours take two
_FOLDED = {
    libsbml.AST_PLUS: ("add", 0.0),
    libsbml.AST_TIMES: ("mul", 1.0),
    libsbml.AST_LOGICAL_AND: ("and", 1.0),
    libsbml.AST_LOGICAL_OR: ("or", 0.0),
    # of truth values: exclusive or is "differs"
    libsbml.AST_LOGICAL_XOR: ("ne", 0.0),
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
_PAIRS: dict[int, Callable[[Expression, Expression], Expression]] = {
    libsbml.AST_FUNCTION_QUOTIENT: quotient,
    libsbml.AST_FUNCTION_REM: remainder,
    libsbml.AST_LOGICAL_IMPLIES: lambda a, b: Apply("or", (Apply("not", (a,)), b)),
}


_PROPER = {
    libsbml.AST_FUNCTION_DELAY: "delay()",
    libsbml.AST_FUNCTION_RATE_OF: "rateOf()",
    **{kind: f"{name}()" for kind, name in _ELEMENTARY.items()},
}


class FormulaReader:
    """Reads the formulas of one model and counts their terms, so that a small file cannot grow without a limit."""

    def __init__(self) -> None:
        self.terms_left = MAX_NODES_OF_A_MODEL

    def read(self, node: Any, where: str) -> Expression:
        """Return the expression of a libsbml syntax tree.

        Parameters
        ----------
        node : libsbml ASTNode
        where : the element it stands in, for messages

        Raises
        ------
        UnsupportedModel : the tree is too deep or too large, or holds an operation that cannot be run (named)
        """
        budget = [MAX_NODES]
        expression = _convert(node, where, 0, budget)
        if budget[0] < 0:
            raise UnsupportedModel(_too_large(where))
        self.terms_left -= MAX_NODES - budget[0]
        if self.terms_left < 0:
            raise UnsupportedModel(
                f"The formulas of the model have more than {MAX_NODES_OF_A_MODEL} terms together, reached at {where}. "
                "Such a model is not read."
            )
        return expression


def _convert(node: Any, where: str, depth: int, budget: list[int]) -> Expression:
    budget[0] -= 1
    if depth > MAX_DEPTH or budget[0] < 0:
        raise UnsupportedModel(_too_large(where))
    leaf = _leaf(node)
    if leaf is not None:
        return leaf
    kind = node.getType()
    parts = tuple(_convert(part, where, depth + 1, budget) for part in operands(node))
    if budget[0] < 0:
        raise UnsupportedModel(_too_large(where))
    if kind == libsbml.AST_MINUS:
        return Apply("neg", parts) if len(parts) == 1 else Apply("sub", parts)
    if kind in _FOLDED:
        return _fold(*_FOLDED[kind], parts, where)
    if kind in _COMPARED:
        pairs = tuple(Apply(_COMPARED[kind], pair) for pair in zip(parts, parts[1:], strict=False))
        special: Expression | None = _fold("and", 1.0, pairs, where)
    else:
        special = _special(kind, parts)
    if special is not None:
        if kind in _ELEMENTARY or kind in _PAIRS or len(parts) > 2:
            budget[0] -= _growth(special, parts, budget[0])
        return special
    if kind in _NAMES:
        return _apply(_NAMES[kind], parts, where)
    raise UnsupportedModel(f"{where} uses {_label(node)}, which cannot be run. Write it with the supported functions.")


def _too_large(where: str) -> str:
    return f"The formula of {where} is too large: more than {MAX_DEPTH} levels or {MAX_NODES} terms. Split it up."


def _label(node: Any) -> str:
    """Return the name of an operation for a message; a file may call a delay anything."""
    given, proper = node.getName() or "", _PROPER.get(node.getType(), "")
    if proper and given != proper:
        return f"{proper} ({given!r})" if given else proper
    return repr(given) if given else f"operation {node.getType()} with {node.getNumChildren()} arguments"


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


def _fold(operation: str, neutral: float | None, parts: tuple[Expression, ...], where: str) -> Expression:
    """Chain an operation with any number of arguments."""
    if not parts:
        if neutral is None:
            raise UnsupportedModel(f"{where}: {operation} has no arguments. Give it one.")
        return Number(neutral)
    if operation == "ne":
        parts = tuple(Apply("ne", (part, Number(0.0))) for part in parts)
    return chain(operation, parts)


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
    if kind in _PAIRS and len(parts) == 2:
        return _PAIRS[kind](*parts)
    if kind in _ELEMENTARY and len(parts) == 1:
        return ELEMENTARY[_ELEMENTARY[kind]](parts[0])
    if kind == libsbml.AST_FUNCTION_RATE_OF and len(parts) == 1 and isinstance(parts[0], Symbol):
        return Apply(RATE_OF, parts)
    if kind == libsbml.AST_FUNCTION_DELAY and len(parts) == 2 and parts[1] == Number(0.0):
        return parts[0]
    return None


def _growth(expression: Expression, parts: tuple[Expression, ...], enough: int) -> int:
    """Return how many terms an operation written out has beyond its parts once, counted up to ``enough``.

    A part that is used several times counts each time: nested functions must not explode when they are walked.
    """
    count, stack = -sum(1 for part in parts for _ in walk(part)), [expression]
    while stack and count <= enough:
        count += 1
        stack.extend(children(stack.pop()))
    return max(count, 0)


def _apply(operation: str, parts: tuple[Expression, ...], where: str) -> Expression:
    """Build an operation after a look at its number of arguments."""
    if operation == "piecewise":
        # SBML leaves the value undefined where no condition holds and there is no otherwise
        return Apply(operation, parts if len(parts) % 2 else (*parts, Number(float("nan"))))
    expected = _ARITY.get(operation, 1)
    if len(parts) != expected:
        raise UnsupportedModel(f"{where}: {operation} takes {expected} arguments here, {len(parts)} were given.")
    return Apply(operation, parts)
