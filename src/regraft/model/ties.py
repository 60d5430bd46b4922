"""Events of equal priority, written out so that chance decides which acts first, as SBML asks.

Chance is a random draw of the model like any other: keyed by seed, patient, event and occurrence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from regraft.model.equations import Equations, Event, State
from regraft.model.expressions import Apply, Expression, Number, Symbol
from regraft.model.names import Names
from regraft.model.waiting import FIRST

# Where priorities are formulas, those that differ by less than this part of their size count as equal.
_EQUAL = 1e-9


def write_out_ties(equations: Equations) -> Equations:
    """Return equations in which no two events of equal explicit priority can be due in a fixed order.

    An event that may tie draws a number when its trigger turns true, and its priority is raised by less than the
    distance to the next. Events without a priority count as priority 0 and keep the order of the model.

    Parameters
    ----------
    equations : any model

    Returns
    -------
    the same equations where no two events can tie
    """
    ranked = [event for event in equations.events if event.priority is not None]
    width = _width([event.priority for event in ranked if event.priority is not None])
    tied = _tied(ranked)
    if not tied:
        return equations
    names = Names(equations)
    states, events = list(equations.states), []
    for event in equations.events:
        if event.id not in tied or event.priority is None:
            events.append(event)
            continue
        toss = names.new(f"{event.id}_toss")
        states.append(State(toss, "", Number(0.0), Number(0.0)))
        draw = Apply("uniform", (Number(0.0), Number(1.0)))
        tossed = Event(
            names.new(f"{event.id}_tossed"), event.trigger, ((toss, draw),), event.initial_value, priority=FIRST
        )
        events += [tossed, replace(event, priority=_raised(event.priority, Symbol(toss), width))]
    return replace(equations, states=tuple(states), events=tuple(events))


def _tied(events: Sequence[Event]) -> set[str]:
    """Return the ids of events that may have the priority of another."""
    if not all(isinstance(event.priority, Number) for event in events):
        return {event.id for event in events} if len(events) > 1 else set()
    priorities = [event.priority for event in events]
    return {event.id for event in events if priorities.count(event.priority) > 1}


def _width(priorities: Sequence[Expression]) -> float:
    """Return half the smallest distance between different priorities, 0 where some are formulas."""
    values = sorted({priority.value for priority in priorities if isinstance(priority, Number)})
    if not all(isinstance(priority, Number) for priority in priorities):
        return 0.0
    return 0.5 * min((b - a for a, b in zip(values, values[1:], strict=False)), default=1.0)


def _raised(priority: Expression, toss: Symbol, width: float) -> Expression:
    size: Expression = Number(width)
    if width == 0.0:
        size = Apply("mul", (Number(_EQUAL), Apply("add", (Number(1.0), Apply("abs", (priority,))))))
    return Apply("add", (priority, Apply("mul", (toss, size))))
