"""Whether rates of a lineage are proportional to its own cells, so that the lineage is no more than a label."""

from __future__ import annotations

from collections.abc import Collection

from regraft.errors import InvalidModel
from regraft.model.equations import Equations
from regraft.model.expressions import PIECEWISE, Apply, Expression, Number, Symbol, symbols

NOTHING = None  # a literal zero is proportional to anything


def require_proportional(equations: Equations, cells: Collection[str], where: str) -> None:
    """Refuse rates and formulas of a lineage that are not proportional to its own cells.

    Then two halves of a lineage behave as the whole, whatever the shared signals are.

    Parameters
    ----------
    cells : ids of the states, formulas and inputs that are cells of a lineage
    where : for the message

    Raises
    ------
    InvalidModel : with the quantity, and what is not proportional in it
    """
    for kind, name, expression in _formulas(equations, cells):
        try:
            found = _degree(expression, cells)
        except _Mixed as problem:
            raise InvalidModel(f"{where}: the {kind} of {name!r} {problem}. {_ADVICE}") from None
        if found not in (NOTHING, 1):
            raise InvalidModel(f"{where}: the {kind} of {name!r} is not proportional to its cells. {_ADVICE}")


_ADVICE = "Each lineage needs rates proportional to its own cells; put what depends on all cells into a shared formula."


class _Mixed(Exception):
    """An expression that is not proportional; its text ends a sentence."""


def _formulas(equations: Equations, cells: Collection[str]) -> list[tuple[str, str, Expression]]:
    """Return what has to be proportional."""
    states = [("rate", s.id, s.derivative) for s in equations.states if s.id in cells]
    return states + [("formula", a.id, a.expression) for a in equations.assignments if a.id in cells]


def _degree(expression: Expression, cells: Collection[str]) -> int | None:
    """Return the power of a lineage's own cells in an expression, None for zero."""
    if isinstance(expression, Number):
        return NOTHING if expression.value == 0 else 0
    if isinstance(expression, Symbol):
        return 1 if expression.name in cells else 0
    return _of_operation(expression, [_degree(one, cells) for one in expression.arguments], cells)


def _of_operation(expression: Apply, degrees: list[int | None], cells: Collection[str]) -> int | None:
    """Return the degree of an operation from those of its arguments."""
    operation = expression.operation
    if operation == "neg":
        return degrees[0]
    if operation in ("add", "sub"):
        known = {one for one in degrees if one is not NOTHING}
        if len(known) > 1:
            raise _Mixed("adds what is proportional to the lineage's own cells to what is not")
        return known.pop() if known else NOTHING
    if operation == "mul":
        return NOTHING if NOTHING in degrees else sum(one or 0 for one in degrees)
    if operation == "div" and degrees[1] in (0, NOTHING):
        return degrees[0]
    if operation == PIECEWISE:
        return _of_choice(degrees)
    if any(degrees):
        raise _Mixed(f"has its own cells ({', '.join(sorted(symbols(expression) & set(cells)))}) inside {operation!r}")
    return 0


def _of_choice(degrees: list[int | None]) -> int | None:
    """Return the degree of a choice: its values have one (its conditions cannot hold own cells)."""
    known = {one for one in (*degrees[0:-1:2], degrees[-1]) if one is not NOTHING}
    if len(known) > 1:
        raise _Mixed("chooses between what is proportional to the lineage's own cells and what is not")
    return known.pop() if known else NOTHING
