"""Events that wait, written out as events that do not.

An event that waits is put on a list when its trigger turns true: hidden states keep when each entry is due and, where
the model asks for values from the time of the trigger, those values. A second kind of event carries an entry out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

from regraft.model.equations import Assignment, Equations, Event, State
from regraft.model.expressions import TIME, Apply, Expression, Number, Symbol, symbols
from regraft.model.names import Names

# How often an event may be waiting at the same time. One more is a failure with the event's name, not a lost event.
PLACES, _PLACES_WITHOUT_DELAY = 16, 8
_NO_DELAY = Number(0.0)
# A time that never comes, and a priority before all others: keeping the list changes nothing that a model can see.
_NEVER = Number(1e300)
FIRST = Number(1e300)


def write_out_waiting(equations: Equations) -> Equations:
    """Return equations whose events all act at the instant of their trigger.

    An event waits if it has a delay, if it has factors (which are taken later than its values), or if others can
    trigger it again before it acts. It becomes one event that puts it on the list, ``PLACES`` that carry it out, and
    for an event that is not persistent one that clears the list. An entry beyond the last place sets a hidden state to
    NaN, which ends the patient's run with a status.

    Parameters
    ----------
    equations : any model

    Returns
    -------
    the same equations where no event has to wait
    """
    if any(event.delay == _NO_DELAY for event in equations.events):
        now = (replace(event, delay=None) if event.delay == _NO_DELAY else event for event in equations.events)
        equations = replace(equations, events=tuple(now))
    waits = {event.id for event in equations.events if event.delay is not None or event.factors}
    waits |= _triggered_again(equations)
    if not waits:
        return equations
    names = Names(equations)
    states, assignments, events = list(equations.states), list(equations.assignments), []
    for event in equations.events:
        if event.id not in waits:
            events.append(event)
            continue
        more_states, free, more_events = _written_out(event, names)
        states += more_states
        assignments.append(free)
        events += more_events
    return replace(equations, states=tuple(states), assignments=tuple(assignments), events=tuple(events))


def _triggered_again(equations: Equations) -> set[str]:
    """Return the events that others may trigger once more, at one instant, while they are due.

    That takes priorities: an event of higher priority turns the trigger of a persistent one false, another true again.
    """
    ranked = [event for event in equations.events if event.priority not in (None, FIRST)]
    formulas = {assignment.id: symbols(assignment.expression) for assignment in equations.assignments}
    found = set()
    for event in ranked:
        changed = {target for other in ranked if other is not event for target, _ in other.assignments}
        if event.persistent and changed & _reads(symbols(event.trigger), formulas):
            found.add(event.id)
    return found


def _reads(names: Iterable[str], formulas: Mapping[str, Iterable[str]]) -> set[str]:
    """Return symbols and everything that their formulas use."""
    found, stack = set(), list(names)
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            stack.extend(formulas.get(name, ()))
    return found


def _written_out(event: Event, names: Names) -> tuple[list[State], Assignment, list[Event]]:
    """Return the hidden states, the number of the first free place, and the events that stand for one that waits."""
    places = PLACES if event.delay is not None else _PLACES_WITHOUT_DELAY
    due = [names.new(f"{event.id}_due_{k}") for k in range(1, places + 1)]
    kept = [
        [names.new(f"{event.id}_{target}_{k}") for target, _ in event.assignments] if event.use_trigger_values else []
        for k in range(1, places + 1)
    ]
    free, lost = names.new(f"{event.id}_free_place"), names.new(f"{event.id}_lost")
    arguments: list[Expression] = []
    for k, place in enumerate(due, start=1):
        arguments += [Number(float(k)), Apply("ge", (Symbol(place), _NEVER))]
    first_free = Assignment(free, "", Apply("piecewise", (*arguments, Number(0.0))))
    states = [State(place, "", _NEVER, Number(0.0)) for place in due]
    states += [State(name, "", Number(0.0), Number(0.0)) for row in kept for name in row]
    states.append(State(lost, "", Number(0.0), Number(0.0)))
    events = [_put_on_list(event, due, kept, free, lost, names)]
    if not event.persistent:
        turned_false = Apply("not", (event.trigger,))
        cleared = tuple((place, _NEVER) for place in due)
        events.append(Event(names.new(f"{event.id}_cleared"), turned_false, cleared, priority=FIRST))
    events += [_carried_out(event, place, row, k, names) for k, (place, row) in enumerate(zip(due, kept, strict=True))]
    return states, first_free, events


def _put_on_list(event: Event, due: list[str], kept: list[list[str]], free: str, lost: str, names: Names) -> Event:
    """Return the event that takes note of a trigger, with the time it is due and the values of now."""
    when = Symbol(TIME) if event.delay is None else Apply("add", (Symbol(TIME), event.delay))
    changes: list[tuple[str, Expression]] = []
    for k, place in enumerate(due, start=1):
        here = Apply("eq", (Symbol(free), Number(float(k))))
        changes.append((place, Apply("piecewise", (when, here, Symbol(place)))))
        for name, (_, value) in zip(kept[k - 1], event.assignments if kept[k - 1] else (), strict=True):
            changes.append((name, Apply("piecewise", (value, here, Symbol(name)))))
    is_full = Apply("lt", (Symbol(free), Number(1.0)))
    changes.append((lost, Apply("piecewise", (Number(math.nan), is_full, Number(0.0)))))
    return Event(names.new(f"{event.id}_triggered"), event.trigger, tuple(changes), event.initial_value, priority=FIRST)


def _carried_out(event: Event, place: str, kept: list[str], number: int, names: Names) -> Event:
    """Return the event that acts when one place of the list is due, and frees the place."""
    factors = dict(event.factors)
    changes: list[tuple[str, Expression]] = []
    for k, (target, value) in enumerate(event.assignments):
        new: Expression = Symbol(kept[k]) if kept else value
        changes.append((target, Apply("mul", (new, factors[target])) if target in factors else new))
    return Event(
        event.id if number == 0 else names.new(f"{event.id}_place_{number + 1}"),
        Apply("ge", (Symbol(TIME), Symbol(place))),
        (*changes, (place, _NEVER)),
        initial_value=False,
        persistent=event.persistent,
        priority=event.priority,
        use_trigger_values=False,
    )
