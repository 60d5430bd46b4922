"""Dimensional analysis of every equation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pint.facets.plain import PlainUnit

from regraft.model.equations import Equations
from regraft.model.expressions import COMPARISONS, LOGIC, PIECEWISE, TIME, Apply, Expression, Number, Symbol
from regraft.quantities import parse_unit

TIME_UNIT = "day"


@dataclass(frozen=True)
class UnitIssue:
    """An equation whose units do not agree: where, and what was met."""

    where: str
    message: str


class _Mismatch(Exception):
    """Two units that had to agree do not; carries the sentence for the user."""


# None stands for the literal zero, which agrees with any unit
Unit = PlainUnit | None


def check_units(equations: Equations) -> list[UnitIssue]:
    """Check the units of every rate, formula, initial value, trigger and event assignment.

    The rate of a state has its unit per day; arguments of exp and logarithms are dimensionless; powers are
    dimensionless, and a power that is no whole number needs a dimensionless base; compared, added or alternative values
    have one unit.

    Returns
    -------
    one issue per equation that does not agree, empty if all do
    """
    units = {name: parse_unit(text) for name, text in equations.units.items()} | {TIME: parse_unit(TIME_UNIT)}
    issues: list[UnitIssue] = []

    def check(where: str, expression: Expression, expected: PlainUnit | None) -> None:
        try:
            found = _unit(expression, units)
            if expected is not None and not _agree(found, expected):
                raise _Mismatch(f"has unit {found:~} where {expected:~} is expected")
        except _Mismatch as mismatch:
            issues.append(UnitIssue(where, str(mismatch)))

    for state in equations.states:
        check(f"d/dt {state.id}", state.derivative, units[state.id] / units[TIME])
        check(f"initial {state.id}", state.initial, units[state.id])
    for assignment in equations.assignments:
        check(assignment.id, assignment.expression, units[assignment.id])
    for event in equations.events:
        check(f"event {event.id}, trigger", event.trigger, parse_unit("dimensionless"))
        if event.delay is not None:
            check(f"event {event.id}, delay", event.delay, units[TIME])
        if event.priority is not None:
            check(f"event {event.id}, priority", event.priority, parse_unit("dimensionless"))
        factors = dict(event.factors)
        for target, value in event.assignments:
            new = Apply("mul", (value, factors[target])) if target in factors else value
            check(f"event {event.id}, {target}", new, units[target])
    return issues


def _agree(first: Unit, second: Unit) -> bool:
    """Whether two units are the same unit, or one side is the literal zero."""
    if first is None or second is None:
        return True
    return first == second or (
        first.dimensionality == second.dimensionality and abs((1 * first).to(second).magnitude - 1) < 1e-9
    )


def _unit(expression: Expression, units: Mapping[str, PlainUnit]) -> Unit:
    """Return the unit of an expression or raise ``_Mismatch``."""
    if isinstance(expression, Number):
        return None if expression.value == 0 else parse_unit("dimensionless")
    if isinstance(expression, Symbol):
        if expression.name not in units:
            raise _Mismatch(f"uses {expression.name!r}, which has no unit")
        return units[expression.name]
    rule = _RULES.get(expression.operation, _dimensionless)
    return rule(expression, units)


def _same(expression: Apply, units: Mapping[str, PlainUnit]) -> Unit:
    """Require one unit of all arguments and return it (add, sub, neg, min, max, abs, floor, ceil, normal, uniform)."""
    result: Unit = None
    for argument in expression.arguments:
        unit = _unit(argument, units)
        if not _agree(result, unit):
            raise _Mismatch(f"{expression.operation} of {result:~} and {unit:~}")
        result = unit if result is None else result
    return result


def _product(expression: Apply, units: Mapping[str, PlainUnit]) -> Unit:
    first, second = (_unit(argument, units) for argument in expression.arguments)
    if first is None or second is None:
        return None
    product: PlainUnit = first * second
    return product


def _quotient(expression: Apply, units: Mapping[str, PlainUnit]) -> Unit:
    first, second = (_unit(argument, units) for argument in expression.arguments)
    if first is None:
        return None
    quotient: PlainUnit = first / (second if second is not None else parse_unit("dimensionless"))
    return quotient


def _power(expression: Apply, units: Mapping[str, PlainUnit]) -> Unit:
    base, exponent = expression.arguments
    unit = _unit(base, units)
    if not _agree(_unit(exponent, units), parse_unit("dimensionless")):
        raise _Mismatch("an exponent has a unit")
    if isinstance(exponent, Number) and exponent.value.is_integer():
        return unit ** int(exponent.value) if unit is not None else None
    if unit is not None and not unit.dimensionless:
        raise _Mismatch(f"a quantity in {unit:~} is raised to a power that is not a whole number")
    return parse_unit("dimensionless")


def _root(expression: Apply, units: Mapping[str, PlainUnit]) -> Unit:
    unit = _unit(expression.arguments[0], units)
    return unit**0.5 if unit is not None else None


def _compared(expression: Apply, units: Mapping[str, PlainUnit]) -> Unit:
    _same(expression, units)
    return parse_unit("dimensionless")


def _choice(expression: Apply, units: Mapping[str, PlainUnit]) -> Unit:
    for condition in expression.arguments[1::2]:
        _unit(condition, units)
    values = (*expression.arguments[0:-1:2], expression.arguments[-1])
    return _same(Apply("piecewise", values), units)


def _dimensionless(expression: Apply, units: Mapping[str, PlainUnit]) -> Unit:
    """Require dimensionless arguments (exp, ln, trigonometry, logic, draws of counts)."""
    for argument in expression.arguments:
        unit = _unit(argument, units)
        if unit is not None and not _agree(unit, parse_unit("dimensionless")):
            raise _Mismatch(f"{expression.operation} of a quantity in {unit:~}; its argument must be dimensionless")
    return parse_unit("dimensionless")


_RULES: dict[str, Callable[[Apply, Mapping[str, PlainUnit]], Unit]] = {
    **dict.fromkeys(("add", "sub", "neg", "min", "max", "abs", "floor", "ceil", "uniform", "normal"), _same),
    **dict.fromkeys(COMPARISONS, _compared),
    **dict.fromkeys(LOGIC, _dimensionless),
    "mul": _product,
    "div": _quotient,
    "pow": _power,
    "sqrt": _root,
    PIECEWISE: _choice,
}
