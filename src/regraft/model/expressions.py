"""Mathematical expressions as frozen trees: the only form in which model text reaches the engine.

A tree is built from numbers, symbols and a closed list of operations. Nothing in it is ever evaluated
as Python: the engine turns it into machine code, the unit check and the writers walk it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

TIME = "time"
_LONG = 64

ARITHMETIC = {"add": 2, "sub": 2, "mul": 2, "div": 2, "pow": 2, "neg": 1}
FUNCTIONS = {
    "exp": 1,
    "ln": 1,
    "log10": 1,
    "sqrt": 1,
    "abs": 1,
    "floor": 1,
    "ceil": 1,
    "sin": 1,
    "cos": 1,
    "tan": 1,
    "tanh": 1,
    "min": 2,
    "max": 2,
}
COMPARISONS = {"lt": 2, "le": 2, "gt": 2, "ge": 2, "eq": 2, "ne": 2}
LOGIC = {"and": 2, "or": 2, "not": 1}
# piecewise(value1, condition1, value2, condition2, ..., otherwise): always an odd number of arguments
PIECEWISE = "piecewise"
# Random draws may stand only in event assignments and initial values; arguments may not hold draws.
# exponential(rate), uniform(low, high), normal(mean, sd), poisson(mean), binomial(trials, probability)
DRAWS = {"exponential": 1, "uniform": 2, "normal": 2, "poisson": 1, "binomial": 2}
# rate_of(x), the rate of a symbol, stands only in what is read from a file: the reader writes it out
RATE_OF = "rate_of"
ARITY = {**ARITHMETIC, **FUNCTIONS, **COMPARISONS, **LOGIC, **DRAWS}


@dataclass(frozen=True)
class Number:
    """A literal number, without unit."""

    value: float


@dataclass(frozen=True)
class Symbol:
    """A state, parameter, assigned quantity, or ``time`` (in days)."""

    name: str


@dataclass(frozen=True)
class Apply:
    """An operation on other expressions; ``operation`` is one of the closed lists above."""

    operation: str
    arguments: tuple[Expression, ...]


Expression = Number | Symbol | Apply


def children(expression: Expression) -> tuple[Expression, ...]:
    """Return the direct parts of an expression."""
    return expression.arguments if isinstance(expression, Apply) else ()


def walk(expression: Expression) -> Iterator[Expression]:
    """Yield an expression and everything below it, parents first."""
    stack = [expression]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(children(node)))


@cache
def symbols(expression: Expression) -> frozenset[str]:
    """Return the names of all symbols in an expression."""
    return frozenset(node.name for node in walk(expression) if isinstance(node, Symbol))


def draws(expression: Expression) -> tuple[Apply, ...]:
    """Return the random draws in an expression, in reading order."""
    return tuple(node for node in walk(expression) if isinstance(node, Apply) and node.operation in DRAWS)


def transform(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """Return the expression with ``change`` applied to every node, leaves first."""
    if isinstance(expression, Apply):
        expression = Apply(expression.operation, tuple(transform(a, change) for a in expression.arguments))
    return change(expression)


def chain(operation: str, parts: Sequence[Expression]) -> Expression:
    """Return one or more parts joined by an operation of two, from left to right.

    Long lists are joined by halves, which keeps the tree shallow.
    """
    if len(parts) > _LONG:
        half = len(parts) // 2
        return Apply(operation, (chain(operation, parts[:half]), chain(operation, parts[half:])))
    result = parts[0]
    for part in parts[1:]:
        result = Apply(operation, (result, part))
    return result


def substitute(expression: Expression, replacements: Mapping[str, Expression]) -> Expression:
    """Return the expression with symbols replaced by other expressions."""
    if not symbols(expression) & replacements.keys():
        return expression
    return transform(expression, lambda node: replacements.get(node.name, node) if isinstance(node, Symbol) else node)
