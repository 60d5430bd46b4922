"""One part for several lineages of cells (the patient's own, a donor's, gene-corrected ones) in one body.

A part says in ``entry.toml`` which of its quantities each lineage has for itself; everything else is shared. Its text
is written for one lineage. In more lineages, what is written for a lineage reads that lineage's own cells, and what is
shared (signals, niches, antibody) reads the sum over lineages, under the plain name.

    [lineages]
    cells = ["hsc", "homing"]       # amounts of cells and their flows: they add up over lineages
    factors = ["hsc_per_cd34"]      # parameters and inputs that differ between lineages: they do not
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from regraft.errors import InvalidModel
from regraft.model.equations import Assignment, Equations, Event, Parameter, State
from regraft.model.expressions import Expression, Number, Symbol, chain, draws, substitute, symbols
from regraft.model.parameter_table import ParameterRow
from regraft.model.part import Part, used_symbols
from regraft.model.proportional import require_proportional
from regraft.model.sorting import sort_assignments
from regraft.quantities import Quantity

HOST = "host"


def in_lineage(name: str, lineage: str) -> str:
    """Return the id of what a lineage has for itself."""
    return f"{name}_{lineage}"


def split(part: Part, lineages: Sequence[str]) -> Part:
    """Return a part with several lineages in place of one.

    A state or formula ``x`` of each lineage becomes ``x_host``, ``x_donor`` and so on, and ``x`` their sum. Cells of
    the first lineage start as the text says, the others start empty. Parameters and inputs of each lineage get copies.
    A part without such quantities, and any part with one lineage, is returned as it is.

    Parameters
    ----------
    lineages : names, the patient's own cells first

    Raises
    ------
    InvalidModel : a rate or formula of a lineage is not proportional to its own cells, so that two halves of a lineage
        would not behave as the whole; or a shared formula or an event cannot tell which lineage it means
    """
    own, found = part.cells | part.factors, part.equations
    if not own or len(lineages) < 2:
        return part
    require_proportional(found, part.cells, f"part {part.id!r}")
    names = {lineage: {name: Symbol(in_lineage(name, lineage)) for name in own} for lineage in lineages}
    shared = _shared_inputs(part, own)
    equations = Equations(
        found.id,
        tuple(one for state in found.states for one in _states(state, names)),
        tuple(one for parameter in found.parameters for one in _parameters(parameter, names, shared)),
        sort_assignments([one for a in found.assignments for one in _assignments(a, names)] + _sums(found, names)),
        tuple(one for event in found.events for one in _events(event, names, part.id)),
    )
    quantities = {q.id: q for one in part.quantities.values() for q in _quantities(one, names, shared)}
    return replace(
        part,
        equations=equations,
        inputs={name: one for name, one in quantities.items() if one.kind == "input"},
        parameter_rows=tuple(one for row in part.parameter_rows for one in _rows(row, names)),
        quantities=quantities,
    )


Names = Mapping[str, Mapping[str, Symbol]]  # lineage to what its own quantities are called


def _owned(name: str, names: Names) -> bool:
    return any(name in own for own in names.values())


def _shared_inputs(part: Part, own: frozenset[str]) -> set[str]:
    """Return the inputs of each lineage whose sum shared formulas read: another part has to define it.

    Raises
    ------
    InvalidModel : a shared formula uses a parameter of which each lineage has one
    """
    equations = part.equations
    shared = replace(
        equations,
        states=tuple(one for one in equations.states if one.id not in own),
        assignments=tuple(one for one in equations.assignments if one.id not in own),
        events=tuple(one for one in equations.events if not _is_per_lineage(one, own)),
    )
    read = used_symbols(shared) & own
    for name in sorted(read & part.factors):
        raise InvalidModel(
            f"Part {part.id!r}: a formula or event that all lineages share uses {name!r}, of which each lineage has "
            "one. Make the formula one of each lineage, or the parameter shared."
        )
    return read & part.inputs.keys()


def _states(state: State, names: Names) -> Iterator[State]:
    """Yield a shared state as it is, or one state per lineage."""
    if not _owned(state.id, names):
        yield state
        return
    if draws(state.initial):
        raise InvalidModel(f"State {state.id!r} of each lineage starts at random; make it shared.")
    for number, (lineage, own) in enumerate(names.items()):
        initial: Expression = Number(0.0) if number else substitute(state.initial, own)
        yield replace(
            state,
            id=in_lineage(state.id, lineage),
            initial=initial,
            derivative=substitute(state.derivative, own),
            meaning=f"{state.meaning}, {lineage}",
        )


def _assignments(assignment: Assignment, names: Names) -> Iterator[Assignment]:
    """Yield a shared formula as it is, or one formula per lineage."""
    if not _owned(assignment.id, names):
        yield assignment
        return
    for lineage, own in names.items():
        yield replace(
            assignment,
            id=in_lineage(assignment.id, lineage),
            expression=substitute(assignment.expression, own),
            meaning=f"{assignment.meaning}, {lineage}",
        )


def _sums(equations: Equations, names: Names) -> list[Assignment]:
    """Return the sum over lineages of every state and formula that each has for itself."""
    found: tuple[State | Assignment, ...] = (*equations.states, *equations.assignments)
    return [
        Assignment(one.id, one.unit, chain("add", [own[one.id] for own in names.values()]), one.meaning)
        for one in found
        if _owned(one.id, names)
    ]


def _parameters(parameter: Parameter, names: Names, shared: set[str]) -> Iterator[Parameter]:
    """Yield a parameter, or one per lineage, and the plain one too where shared formulas read it."""
    if not _owned(parameter.id, names) or parameter.id in shared:
        yield parameter
    if _owned(parameter.id, names):
        for lineage in names:
            yield replace(parameter, id=in_lineage(parameter.id, lineage))


def _quantities(quantity: Quantity, names: Names, shared: set[str]) -> Iterator[Quantity]:
    """Yield a declared quantity: of all lineages together, and of each."""
    if not _owned(quantity.id, names):
        yield quantity
        return
    if quantity.kind != "input":  # the sum is a formula
        yield replace(quantity, kind="derived")
    elif quantity.id in shared:
        yield quantity
    for lineage in names:
        yield replace(quantity, id=in_lineage(quantity.id, lineage), meaning=f"{quantity.meaning}, {lineage}")


def _rows(row: ParameterRow, names: Names) -> Iterator[ParameterRow]:
    """Yield a row of a parameter table, or one per lineage: its people differ independently."""
    if not _owned(row.id, names):
        yield row
        return
    for lineage in names:
        yield replace(row, id=in_lineage(row.id, lineage))


def _is_per_lineage(event: Event, own: frozenset[str]) -> bool:
    """Whether each lineage has the event for itself: its trigger reads cells of a lineage, and it sets only such."""
    return bool(symbols(event.trigger) & own) and all(target in own for target, _ in event.assignments)


def _events(event: Event, names: Names, part: str) -> Iterator[Event]:
    """Yield an event that is shared, or one per lineage.

    An event with a shared trigger sets the cells of every lineage at once.
    """
    own = frozenset(next(iter(names.values())))
    if _is_per_lineage(event, own):
        for lineage, symbols_of in names.items():
            yield _renamed(event, lineage, symbols_of)
        return
    targets = {target for target, _ in event.assignments} & own
    if targets and (symbols(event.trigger) & own or event.factors):
        raise InvalidModel(
            f"Part {part!r}: event {event.id!r} is triggered by cells of a lineage and sets shared quantities too. "
            "Make two events of it."
        )
    assignments = []
    for target, value in event.assignments:
        if target not in own:
            assignments.append((target, value))
            continue
        assignments += [(of[target].name, substitute(value, of)) for of in names.values()]
    yield replace(event, assignments=tuple(assignments))


def _renamed(event: Event, lineage: str, own: Mapping[str, Symbol]) -> Event:
    """Return the event of one lineage."""

    def of(expression: Expression | None) -> Expression | None:
        return None if expression is None else substitute(expression, own)

    return replace(
        event,
        id=in_lineage(event.id, lineage),
        trigger=substitute(event.trigger, own),
        assignments=tuple((own[target].name, substitute(value, own)) for target, value in event.assignments),
        delay=of(event.delay),
        priority=of(event.priority),
        factors=tuple((own[target].name, substitute(value, own)) for target, value in event.factors),
    )
