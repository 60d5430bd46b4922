"""The part of a model on which some of its quantities depend."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from regraft.errors import InvalidModel, near_matches
from regraft.model.equations import Equations, Event
from regraft.model.expressions import TIME, Expression, symbols


def extract(equations: Equations, names: Iterable[str]) -> Equations:
    """Return the smallest model that gives the named quantities the same course.

    It holds everything that they depend on through formulas, rates, initial values and events. An event comes along
    where it changes a state that is needed; what else it changes is left out.

    Raises
    ------
    InvalidModel : the model has no quantity of a name; near matches are listed
    """
    wanted = tuple(names)
    for name in wanted:
        if name not in equations.units:
            raise InvalidModel(
                f"Model {equations.id!r} has no quantity {name!r}. {near_matches(name, equations.units)}"
            )
    needed = _needed(equations, wanted)
    return Equations(
        f"{equations.id}_{'_'.join(wanted)}",
        tuple(state for state in equations.states if state.id in needed),
        tuple(parameter for parameter in equations.parameters if parameter.id in needed),
        tuple(assignment for assignment in equations.assignments if assignment.id in needed),
        tuple(_trimmed(event, needed) for event in equations.events if _targets(event) & needed),
    )


def _needed(equations: Equations, names: tuple[str, ...]) -> set[str]:
    """Return everything on which the named quantities depend, and themselves."""
    formulas: dict[str, list[Expression]] = {s.id: [s.initial, s.derivative] for s in equations.states}
    formulas |= {a.id: [a.expression] for a in equations.assignments}
    for event in equations.events:
        conditions = [e for e in (event.trigger, event.delay, event.priority) if e is not None]
        for target, value in (*event.assignments, *event.factors):
            formulas.setdefault(target, []).extend([value, *conditions])
    needed: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in needed and name != TIME:
            needed.add(name)
            waiting += [symbol for formula in formulas.get(name, ()) for symbol in symbols(formula)]
    return needed


def _targets(event: Event) -> set[str]:
    return {target for target, _ in event.assignments}


def _trimmed(event: Event, needed: set[str]) -> Event:
    """Return an event without what it does to states that are left out."""
    kept = tuple((target, value) for target, value in event.assignments if target in needed)
    return replace(event, assignments=kept, factors=tuple(pair for pair in event.factors if pair[0] in needed))
