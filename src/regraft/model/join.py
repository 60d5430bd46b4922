"""Join parts into one patient model by the quantities they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from regraft.errors import InvalidModel, UnitMismatch, near_matches
from regraft.model.equations import Equations, Parameter
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
    unit. An input that nobody defines stays a parameter with its default.

    Parameters
    ----------
    lineages : of cells in the body, the patient's own first; see ``lineages.split``

    Raises
    ------
    InvalidModel : two parts define one quantity, or a part declares an input that it never uses (both named)
    UnitMismatch : definition and input, or two inputs, have different units
    """
    if not parts:
        raise InvalidModel("Nothing to join: give at least one part.")
    parts = [split(part, lineages) for part in parts]
    owner = _owners(parts)
    free = _free_inputs(parts, owner)
    states = tuple(state for part in parts for state in part.equations.states)
    assignments = sort_assignments([a for part in parts for a in part.equations.assignments])
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


def _free_inputs(parts: Sequence[Part], owner: dict[str, tuple[Part, str]]) -> dict[str, Quantity]:
    """Return the inputs that no part defines, after a look at units and defaults."""
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
            other = free.setdefault(name, quantity)
            if not equivalent(other.unit, quantity.unit) or other.default != quantity.default:
                raise UnitMismatch(
                    f"Parts {holder[name]!r} and {part.id!r} declare the input {name!r} differently "
                    f"({other.default:g} {other.unit} and {quantity.default:g} {quantity.unit}); agree on both."
                )
            holder.setdefault(name, part.id)
    return free
