"""Join parts into one patient model by the quantities they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from regraft.errors import InvalidModel, UnitMismatch, near_matches
from regraft.model.equations import Assignment, Equations, Parameter
from regraft.model.expressions import Symbol, chain
from regraft.model.lineages import HOST, split
from regraft.model.parameter_table import ParameterRow
from regraft.model.part import Part, used_symbols
from regraft.model.sorting import sort_assignments
from regraft.quantities import Quantity, equivalent


@dataclass(frozen=True)
class JoinedModel:
    """A patient model and the parts it was joined from."""

    id: str
    equations: Equations
    parameter_rows: tuple[ParameterRow, ...]
    parts: tuple[Part, ...]

    def with_values(self, values: Mapping[str, float]) -> JoinedModel:
        """Return the model with other values of some parameters, the same for every patient.

        Parameters
        ----------
        values : parameter id to value, in the parameter's unit

        Raises
        ------
        InvalidModel : no parameter of that id; near matches are listed
        """
        known = self.equations.parameter_index
        for name in values:
            if name not in known:
                raise InvalidModel(f"No parameter {name!r} in the model {self.id!r}. {near_matches(name, known)}")
        parameters = tuple(replace(p, value=values.get(p.id, p.value)) for p in self.equations.parameters)
        rows = tuple(row for row in self.parameter_rows if row.id not in values)
        return replace(self, equations=replace(self.equations, parameters=parameters), parameter_rows=rows)


def join(parts: Sequence[Part], id: str = "patient", *, lineages: Sequence[str] = (HOST,)) -> JoinedModel:
    """Join parts.

    An input of one part is met by a state, formula or parameter of another part with the same id and an equivalent
    unit. Quantities that add to one target are summed over all parts, and the sum meets inputs like a formula. An
    input that nobody defines or adds to stays a parameter with its default.

    Parameters
    ----------
    lineages : of cells in the body, the patient's own first; see ``lineages.split``

    Raises
    ------
    InvalidModel : two parts define one quantity, one defines what another adds to, or a part declares an input that it
        never uses (both named)
    UnitMismatch : definition and input, two inputs, or two contributions to one target have different units
    """
    if not parts:
        raise InvalidModel("Nothing to join: give at least one part.")
    parts = [split(part, lineages) for part in parts]
    owner = _owners(parts)
    sums = _sums(parts, owner)
    free = _free_inputs(parts, owner, sums)
    states = tuple(state for part in parts for state in part.equations.states)
    assignments = sort_assignments(
        [*(a for part in parts for a in part.equations.assignments), *(total.assignment for total in sums.values())]
    )
    parameters = [p for part in parts for p in part.equations.parameters if p.id not in part.inputs]
    parameters += [Parameter(q.id, q.unit, float(q.default or 0.0), q.meaning) for q in free.values()]
    events = tuple(event for part in parts for event in part.equations.events)
    seen: dict[str, str] = {}
    for part in parts:
        for event in part.equations.events:
            if event.id in seen:
                raise InvalidModel(
                    f"Parts {seen[event.id]!r} and {part.id!r} both have an event {event.id!r}; rename one."
                )
            seen[event.id] = part.id
    equations = Equations(id, states, tuple(sorted(parameters, key=lambda p: p.id)), assignments, events)
    rows = tuple(row for part in parts for row in part.parameter_rows)
    return JoinedModel(id, equations, rows, tuple(parts))


def _owners(parts: Sequence[Part]) -> dict[str, tuple[Part, str]]:
    """Map every defined quantity to its part and unit; refuse two definitions and unused inputs."""
    owner: dict[str, tuple[Part, str]] = {}
    for part in parts:
        unused = sorted(part.inputs.keys() - used_symbols(part.equations))
        if unused:
            raise InvalidModel(
                f"Part {part.id!r} declares the input {unused[0]!r} but never uses it; remove it from quantities.csv."
            )
        for name, unit in part.equations.units.items():
            if name in part.inputs:
                continue
            if name in owner:
                raise InvalidModel(
                    f"Parts {owner[name][0].id!r} and {part.id!r} both define {name!r}; rename one or make it an input."
                )
            owner[name] = (part, unit)
    return owner


@dataclass(frozen=True)
class _Sum:
    """What several parts add to one target: the formula of the sum, and the ids of the parts."""

    assignment: Assignment
    part_ids: tuple[str, ...]


def _sums(parts: Sequence[Part], owner: Mapping[str, tuple[Part, str]]) -> dict[str, _Sum]:
    """Return the sum for each target to which parts add, after a look at units and at who defines the target."""
    found: dict[str, list[tuple[Part, Quantity]]] = {}
    for part in parts:
        for quantity in part.quantities.values():
            if quantity.adds_to:
                found.setdefault(quantity.adds_to, []).append((part, quantity))
    sums: dict[str, _Sum] = {}
    for target, given in found.items():
        part, first = given[0]
        if target in owner:
            raise InvalidModel(
                f"Part {owner[target][0].id!r} defines {target!r}, to which part {part.id!r} adds {first.id!r}; make "
                f"the definition a contribution with a name of its own ('adds_to' {target}), or leave one part out."
            )
        for other, quantity in given[1:]:
            if not equivalent(first.unit, quantity.unit):
                raise UnitMismatch(
                    f"Parts {part.id!r} and {other.id!r} add to {target!r} in different units ({first.id!r} in "
                    f"{first.unit}, {quantity.id!r} in {quantity.unit}); agree on one unit."
                )
        # in the order of names, so that the order of parts changes no bit of the sum
        terms = [Symbol(name) for name in sorted(quantity.id for _, quantity in given)]
        ids = tuple(dict.fromkeys(p.id for p, _ in given))
        meaning = "sum of what these parts add: " + ", ".join(sorted(ids))
        sums[target] = _Sum(Assignment(target, first.unit, chain("add", terms), meaning), ids)
    return sums


def _free_inputs(
    parts: Sequence[Part], owner: Mapping[str, tuple[Part, str]], sums: Mapping[str, _Sum]
) -> dict[str, Quantity]:
    """Return the inputs that no part defines or adds to, after a look at units and defaults."""
    free: dict[str, Quantity] = {}
    holder: dict[str, str] = {}
    for part in parts:
        for name, quantity in part.inputs.items():
            if name in owner:
                source, unit = owner[name]
                if not equivalent(unit, quantity.unit):
                    raise UnitMismatch(
                        f"{name!r} is defined in {source.id!r} in {unit} but {part.id!r} expects {quantity.unit}; "
                        "agree on one unit."
                    )
                continue
            if name in sums:
                unit, adders = sums[name].assignment.unit, sums[name].part_ids
                if not equivalent(unit, quantity.unit):
                    raise UnitMismatch(
                        f"{name!r} is what {', '.join(map(repr, adders))} add up to in {unit} but {part.id!r} expects "
                        f"{quantity.unit}; agree on one unit."
                    )
                continue
            other = free.setdefault(name, quantity)
            if not equivalent(other.unit, quantity.unit) or other.default != quantity.default:
                raise UnitMismatch(
                    f"Parts {holder[name]!r} and {part.id!r} declare the input {name!r} differently "
                    f"({other.default:g} {other.unit} and {quantity.default:g} {quantity.unit}); agree on both."
                )
            holder.setdefault(name, part.id)
    return free
