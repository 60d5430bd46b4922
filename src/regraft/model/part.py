"""Load one part of a patient model: structure from Antimony, numbers and units from its tables."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from regraft.entries import Entry, entry_folder, read_entry, read_number, read_table, read_text
from regraft.errors import InvalidField, InvalidModel, RegraftError, near_matches
from regraft.model.antimony_text import read_antimony
from regraft.model.equations import Assignment, Equations, Parameter, State
from regraft.model.expressions import TIME, symbols
from regraft.model.parameter_table import ParameterRow, read_parameters
from regraft.model.sbml import MissingValue
from regraft.quantities import Quantity, parse_unit

QUANTITY_COLUMNS = ("id", "kind", "unit", "default", "meaning")
ADDS_TO = "adds_to"  # a column that a table may leave out
KINDS = ("state", "derived", "input")
T = TypeVar("T", State, Assignment)


@dataclass(frozen=True)
class Part:
    """A complete model that loads and runs alone. ``inputs`` may be defined by another part when joined.

    ``offers`` are parameters that the part holds for others and need not use itself. ``cells`` and ``factors`` are what
    each lineage of cells has for itself; see ``lineages.split``.
    """

    id: str
    equations: Equations
    inputs: Mapping[str, Quantity]
    parameter_rows: tuple[ParameterRow, ...]
    quantities: Mapping[str, Quantity]
    entry: Entry
    offers: tuple[str, ...] = ()
    cells: frozenset[str] = frozenset()
    factors: frozenset[str] = frozenset()


def load_part(source: str | Path) -> Part:
    """Load a model part.

    Parameters
    ----------
    source : id of an entry in the catalog's models, or a folder laid out like one

    Raises
    ------
    UnknownEntry : no such entry; near matches are listed
    InvalidFile, InvalidField : a table or ``entry.toml`` is not as it must be
    InvalidModel : ``model.ant`` is not valid, or uses a symbol that no table has (named)
    UnsupportedModel : the model uses something that cannot be run
    """
    folder = source if isinstance(source, Path) else entry_folder("models", source)
    entry = read_entry(folder)
    quantities = read_quantities(folder / "quantities.csv")
    rows = read_parameters(folder / "parameters.csv")
    both = sorted({row.id for row in rows} & quantities.keys())
    if both:
        raise InvalidField(f"{folder}: {both[0]!r} is in quantities.csv and in parameters.csv; keep one.")
    values = {row.id: row.value for row in rows} | {
        q.id: q.default for q in quantities.values() if q.default is not None
    }
    path = folder / "model.ant"
    try:
        equations = read_antimony(_with_values(read_text(path), values), name=str(path))
    except MissingValue as error:
        raise InvalidModel(_advice(error.symbol, folder.name, path, [*quantities, *values])) from None
    about, where = tomllib.loads(read_text(folder / "entry.toml")), folder / "entry.toml"
    cells, factors = _lineages(about.get("lineages", {}), equations, rows, where)
    return Part(
        entry.id,
        _with_units(equations, quantities, rows, path),
        {q.id: q for q in quantities.values() if q.kind == "input"},
        rows,
        quantities,
        entry,
        _offers(about.get("offers", {}), where),
        cells,
        factors,
    )


def _lineages(
    given: Any, equations: Equations, rows: Sequence[ParameterRow], path: Path
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the ids of the cells and of the factors of each lineage; none where the part knows no lineages."""
    constant = {parameter.id for parameter in equations.parameters}
    cells = _ids(given, "cells", set(equations.units) - {row.id for row in rows}, path)
    return cells, _ids(given, "factors", constant - cells, path)


def _ids(table: Any, name: str, known: set[str], path: Path) -> frozenset[str]:
    """Return a list of ids in ``[lineages]``."""
    given = table.get(name, []) if isinstance(table, dict) else table
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise InvalidField(f"{path}: lineages.{name} is {given!r}; write a list of ids.")
    for one in given:
        if one not in known:
            kind = "state, formula or input" if name == "cells" else "parameter or input"
            raise InvalidField(f"{path}: lineages.{name} names {one!r}, no {kind}. {near_matches(one, known)}")
    return frozenset(given)


def _offers(given: Any, path: Path) -> tuple[str, ...]:
    """Return the parameters that entry.toml offers to other parts."""
    names = given.get("parameters", []) if isinstance(given, dict) else given
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidField(f"{path}: offers.parameters is {names!r}; write a list of parameter ids.")
    return tuple(names)


def _advice(symbol: str, model: str, path: Path, known: list[str]) -> str:
    """Say what a symbol without a value needs: a row of a table, or a start in the text."""
    if symbol in known:
        return f"{path}: model {model!r}: {symbol!r} has no value. Write its initial value, '{symbol} = ...;'."
    return (
        f"{path}: model {model!r}: {symbol!r} has no value and is in no table. Add it to quantities.csv (state, "
        f"derived, input) or parameters.csv. {near_matches(symbol, known)}"
    )


def read_quantities(path: Path) -> dict[str, Quantity]:
    """Read the declared quantities of a part (errors as ``load_part``)."""
    quantities: dict[str, Quantity] = {}
    for cells in read_table(path, columns=QUANTITY_COLUMNS):
        name = cells["id"]
        if cells["kind"] not in KINDS:
            raise InvalidField(
                f"{path}, row {name!r}, column 'kind': {cells['kind']!r}; use one of {', '.join(KINDS)}."
            )
        if name in quantities:
            raise InvalidField(f"{path}, row {name!r}: the id appears twice; keep one row.")
        try:
            parse_unit(cells["unit"])
        except RegraftError as error:
            raise InvalidField(f"{path}, row {name!r}, column 'unit': {error}") from error
        is_input = cells["kind"] == "input"
        if is_input != bool(cells["default"]):
            raise InvalidField(
                f"{path}, row {name!r}, column 'default': an input needs one, a {cells['kind']} has none."
            )
        default = read_number(cells["default"], path=path, row=name, column="default") if is_input else None
        adds_to = cells.get(ADDS_TO, "")
        quantities[name] = Quantity(name, cells["kind"], cells["unit"], cells["meaning"], default, adds_to)
    _check_contributions(quantities, path)
    return quantities


def _check_contributions(quantities: Mapping[str, Quantity], path: Path) -> None:
    """Refuse a contribution that is no formula, or whose target is no name or is defined in the same part."""
    for quantity in quantities.values():
        target = quantity.adds_to
        if not target:
            continue
        where = f"{path}, row {quantity.id!r}, column {ADDS_TO!r}"
        if quantity.kind != "derived":
            raise InvalidField(
                f"{where}: a quantity of kind {quantity.kind!r} adds to {target!r}; only a 'derived' one can. Empty "
                "the cell, or add a derived quantity."
            )
        if not target.isidentifier():
            raise InvalidField(f"{where}: {target!r} is no name. Use letters, digits and _, a letter first.")
        if target in quantities and quantities[target].kind != "input":
            raise InvalidField(
                f"{where}: adds to {target!r}, which this part defines itself. Add it in the formula of {target!r}, or "
                "make that a contribution with a name of its own."
            )


def _with_values(text: str, values: Mapping[str, float]) -> str:
    """Return the text with the tables' numbers written before its last ``end``."""
    head, end, tail = text.rpartition("end")
    if not end:
        raise InvalidModel("model.ant has no 'end'; write 'model name() ... end'.")
    lines = "".join(f"  {name} = {value!r};\n" for name, value in values.items())
    return f"{head}\n{lines}{end}{tail}"


def _with_units(
    equations: Equations, quantities: Mapping[str, Quantity], rows: tuple[ParameterRow, ...], path: Path
) -> Equations:
    """Attach units and meanings, and see that tables and text name the same things."""
    table = {row.id: row for row in rows}
    for name in equations.units:
        if name not in table and name not in quantities:
            raise InvalidModel(
                f"{path}: {name!r} is in no table. Add it to quantities.csv (state, derived, input) or parameters.csv. "
                + near_matches(name, [*table, *quantities])
            )
    found = {s.id: "state" for s in equations.states} | {a.id: "derived" for a in equations.assignments}
    for quantity in quantities.values():
        kind = found.get(quantity.id, "input")
        if kind != quantity.kind:
            raise InvalidModel(
                f"{path}: {quantity.id!r} is declared as {quantity.kind} in quantities.csv but is "
                f"{'not defined' if kind == 'input' else 'a ' + kind} in the text."
            )
    return replace(
        equations,
        id=path.parent.name,
        states=tuple(_describe(s, quantities) for s in equations.states),
        assignments=tuple(_describe(a, quantities) for a in equations.assignments),
        parameters=tuple(_unit_of(p, quantities, table) for p in equations.parameters),
    )


def _describe(item: T, quantities: Mapping[str, Quantity]) -> T:
    declared = quantities[item.id]
    return replace(item, unit=declared.unit, meaning=declared.meaning)


def _unit_of(parameter: Parameter, quantities: Mapping[str, Quantity], table: Mapping[str, ParameterRow]) -> Parameter:
    if parameter.id in table:
        row = table[parameter.id]
        return replace(parameter, unit=row.unit, meaning=row.note)
    return replace(parameter, unit=quantities[parameter.id].unit, meaning=quantities[parameter.id].meaning)


def used_symbols(equations: Equations) -> set[str]:
    """Return every symbol that some formula, rate, initial value or event of the equations uses."""
    used: set[str] = set()
    for state in equations.states:
        used |= symbols(state.initial) | symbols(state.derivative)
    for assignment in equations.assignments:
        used |= symbols(assignment.expression)
    for event in equations.events:
        for expression in event.expressions:
            used |= symbols(expression)
    return used - {TIME}
