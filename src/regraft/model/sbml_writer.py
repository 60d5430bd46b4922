"""Equations to one flat SBML file that other tools run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from regraft.errors import InvalidArgument, near_matches
from regraft.model.antimony_text import antimony_to_sbml
from regraft.model.equations import Assignment, Equations, Event, Parameter, State
from regraft.model.expressions import COMPARISONS, LOGIC, TIME, Apply, Expression, Number, Symbol
from regraft.model.names import Names
from regraft.model.waiting import write_out_waiting

_INFIX = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "pow": "^",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "eq": "==",
    "ne": "!=",
    "and": "&&",
    "or": "||",
}


@dataclass(frozen=True)
class Jump:
    """One administration as the writer needs it: ``amount`` is added to ``target`` at ``time_days``, or set.

    With ``duration_days`` above zero the amount is given evenly over that time.
    """

    time_days: float
    target: str
    amount: float
    is_set: bool = False
    duration_days: float = 0.0


def formula(expression: Expression) -> str:
    """Return an expression as Antimony (and SBML level 3) infix text, fully bracketed."""
    if isinstance(expression, Number):
        text = repr(expression.value)
        return f"({text})" if text.startswith("-") else text
    if isinstance(expression, Symbol):
        return expression.name
    parts = [formula(argument) for argument in expression.arguments]
    if expression.operation in _INFIX:
        return f"({parts[0]} {_INFIX[expression.operation]} {parts[1]})"
    if expression.operation == "neg":
        return f"(-{parts[0]})"
    if expression.operation == "not":
        return f"!({parts[0]})"
    return f"{expression.operation}({', '.join(parts)})"


def with_scheduled_jumps(equations: Equations, jumps: Sequence[Jump]) -> Equations:
    """Return the equations with administrations written into them as events, ready to be exported.

    Raises
    ------
    InvalidArgument : a target that is no state or parameter, with near matches; an infusion into a parameter
    """
    known = {*equations.state_index, *equations.parameter_index}
    targets = sorted({jump.target for jump in jumps})
    for target in targets:
        if target not in known:
            raise InvalidArgument(f"No state or parameter {target!r} to give a dose to. {near_matches(target, known)}")
    events, rates = [], {jump.target for jump in jumps if jump.duration_days > 0}
    for number, jump in enumerate(sorted(jumps, key=lambda j: (j.time_days, j.target)), start=1):
        events += _events_of(jump, number)
    for target in sorted(rates - equations.state_index.keys()):
        raise InvalidArgument(f"{target!r} is a parameter; only a state can be infused. Set it on a day instead.")
    switched = {jump.target for jump in jumps if jump.is_set and jump.target in equations.parameter_index}
    states = tuple(
        replace(s, derivative=Apply("add", (s.derivative, Symbol(_rate_name(s.id))))) if s.id in rates else s
        for s in equations.states
    )
    states += tuple(State(_rate_name(t), "", Number(0.0), Number(0.0), f"infusion rate of {t}") for t in sorted(rates))
    states += tuple(
        State(p.id, p.unit, Number(p.value), Number(0.0), p.meaning) for p in equations.parameters if p.id in switched
    )
    parameters = tuple(p for p in equations.parameters if p.id not in switched)
    return replace(equations, states=states, parameters=parameters, events=(*equations.events, *events))


def write_sbml(equations: Equations) -> str:
    """Return the model as flat SBML level 3 version 2, with random draws in the ``distrib`` package.

    Each element's name carries meaning and unit. A Boolean used as a number becomes a piecewise, as SBML asks. Events
    whose values are from the trigger but whose factors are not are written out (``write_out_waiting``).
    """
    if any(event.factors for event in equations.events):
        equations = write_out_waiting(equations)
    # a drug's part has the name of its state, and an SBML file gives each name once
    lines = [f"model {Names(equations).new(equations.id)}()"]
    lines += [f"  {p.id} = {p.value!r};" for p in equations.parameters]
    lines += [f"  {s.id} = {formula(_numeric(s.initial))};" for s in equations.states]
    lines += [f"  {a.id} := {formula(_numeric(a.expression))};" for a in equations.assignments]
    lines += [
        f"  {s.id}' = {formula(_numeric(s.derivative))};" for s in equations.states if not s.changes_only_by_jumps
    ]
    lines += [_event_line(event) for event in equations.events]
    labelled: tuple[State | Parameter | Assignment, ...] = (
        *equations.parameters,
        *equations.states,
        *equations.assignments,
    )
    for item in labelled:
        lines.append(f'  {item.id} is "{_label(item)}";')
    return antimony_to_sbml("\n".join([*lines, "end", ""]), name=equations.id)


def _rate_name(target: str) -> str:
    return f"{target}_infusion_rate"


def _events_of(jump: Jump, number: int) -> list[Event]:
    """Return the event, or the two of an infusion, of one administration."""
    name = f"dose_{number}_{jump.target}"
    if jump.duration_days > 0:
        rate, per_day = _rate_name(jump.target), Number(jump.amount / jump.duration_days)
        stop = jump.time_days + jump.duration_days
        return [
            _timed(name, jump.time_days, rate, Apply("add", (Symbol(rate), per_day))),
            _timed(f"{name}_end", stop, rate, Apply("sub", (Symbol(rate), per_day))),
        ]
    amount = Number(jump.amount)
    value = amount if jump.is_set else Apply("add", (Symbol(jump.target), amount))
    return [_timed(name, jump.time_days, jump.target, value)]


def _timed(name: str, time_days: float, target: str, value: Expression) -> Event:
    trigger = Apply("ge", (Symbol(TIME), Number(time_days)))
    # values are taken when the event acts: a second dose on the same day adds to the first instead of undoing it
    return Event(name, trigger, ((target, value),), initial_value=False, use_trigger_values=False)


def _event_line(event: Event) -> str:
    options = [
        f"t0={'true' if event.initial_value else 'false'}",
        f"persistent={'true' if event.persistent else 'false'}",
    ]
    if event.priority is not None:
        options.append(f"priority={formula(event.priority)}")
    if not event.use_trigger_values:
        options.append("fromTrigger=false")
    delay = f"{formula(event.delay)} after " if event.delay is not None else ""
    changes = ", ".join(f"{target} = {formula(_numeric(value))}" for target, value in event.assignments)
    return f"  {event.id}: at {delay}({formula(event.trigger)}), {', '.join(options)}: {changes};"


def _numeric(expression: Expression) -> Expression:
    """Return the expression, as a number where it is a truth value."""
    if isinstance(expression, Apply) and expression.operation in (*COMPARISONS, *LOGIC):
        return Apply("piecewise", (Number(1.0), expression, Number(0.0)))
    return expression


def _label(item: State | Parameter | Assignment) -> str:
    meaning = item.meaning.replace('"', "'").replace("\n", " ")
    return f"{meaning} [{item.unit or 'dimensionless'}]".strip()
