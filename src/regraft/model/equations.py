"""The frozen form of a model: what it says, ready to be joined, checked, written back or compiled."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from regraft.model.expressions import Expression, Number


@dataclass(frozen=True)
class State:
    """A quantity that changes by a rate, by events or by administrations.

    ``initial`` may use parameters, assigned quantities, other initial values and random draws.
    A state whose ``derivative`` is the number zero changes only by jumps (a threshold, a counter).
    """

    id: str
    unit: str
    initial: Expression
    derivative: Expression
    meaning: str = ""

    @property
    def changes_only_by_jumps(self) -> bool:
        """Whether no rate acts on this state."""
        return self.derivative == Number(0.0)


@dataclass(frozen=True)
class Parameter:
    """A number that stays constant in a run unless an administration switches it."""

    id: str
    unit: str
    value: float
    meaning: str = ""


@dataclass(frozen=True)
class Assignment:
    """A quantity given at every time by a formula."""

    id: str
    unit: str
    expression: Expression
    meaning: str = ""


@dataclass(frozen=True)
class Event:
    """An SBML event: when ``trigger`` turns from false to true, ``assignments`` are made.

    All right-hand sides are evaluated with the values just before the jump. ``initial_value`` is what the
    trigger is taken to have been before the first instant: False means that it may fire there.
    ``factors`` multiply the new value of some targets; they are always taken when the jump is made, also where the
    values are from the time of the trigger (``use_trigger_values``).
    """

    id: str
    trigger: Expression
    assignments: tuple[tuple[str, Expression], ...]
    initial_value: bool = True
    persistent: bool = True
    delay: Expression | None = None
    priority: Expression | None = None
    use_trigger_values: bool = True
    factors: tuple[tuple[str, Expression], ...] = ()

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """Every formula of the event: trigger, delay and priority where it has them, new values and their factors."""
        optional = tuple(e for e in (self.delay, self.priority) if e is not None)
        return (self.trigger, *optional, *(value for _, value in (*self.assignments, *self.factors)))


@dataclass(frozen=True)
class Equations:
    """A whole model. ``assignments`` are sorted so that each uses only earlier ones."""

    id: str
    states: tuple[State, ...]
    parameters: tuple[Parameter, ...]
    assignments: tuple[Assignment, ...]
    events: tuple[Event, ...]

    @cached_property
    def units(self) -> dict[str, str]:
        """Map every quantity to its unit text."""
        quantities: tuple[State | Parameter | Assignment, ...] = (*self.states, *self.parameters, *self.assignments)
        return {q.id: q.unit for q in quantities}

    @cached_property
    def parameter_index(self) -> dict[str, int]:
        """Map a parameter to its column."""
        return {p.id: i for i, p in enumerate(self.parameters)}

    @cached_property
    def state_index(self) -> dict[str, int]:
        """Map a state to its position."""
        return {s.id: i for i, s in enumerate(self.states)}

    @cached_property
    def assignment_index(self) -> dict[str, int]:
        """Map an assigned quantity to its position."""
        return {a.id: i for i, a in enumerate(self.assignments)}
