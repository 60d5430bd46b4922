"""Rows of a parameter table: value, unit, spread between patients, and where the number comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from regraft.entries import read_number, read_table
from regraft.errors import InvalidField, RegraftError, near_matches
from regraft.quantities import parse_unit

COLUMNS = ("id", "value", "unit", "distribution", "spread", "lower", "upper", "source", "locator", "method", "note")
METHODS = ("measured", "fitted", "derived", "digitised", "assumed")
DISTRIBUTIONS = ("fixed", "normal", "lognormal", "uniform", "logitnormal", "bernoulli")
_NEEDS_SPREAD = ("normal", "lognormal", "logitnormal")


@dataclass(frozen=True)
class ParameterRow:
    """One number with its spread between patients and its origin.

    ``value`` is the arithmetic mean between patients. ``spread`` is the coefficient of variation (lognormal) or the
    standard deviation in the row's unit (normal; on the logit scale for logitnormal), None where nothing is spread.
    """

    id: str
    value: float
    unit: str
    distribution: str
    spread: float | None
    lower: float | None
    upper: float | None
    source: str
    locator: str
    method: str
    note: str = ""


def read_parameters(path: Path) -> tuple[ParameterRow, ...]:
    """Read and check a parameter table.

    Raises
    ------
    InvalidFile : unreadable, or a column is missing
    InvalidField : a cell holds what is not allowed; file, row, column, value and the next step are named
    """
    rows: list[ParameterRow] = []
    for cells in read_table(path, columns=COLUMNS):
        row = parameter_row(cells, path)
        if any(row.id == other.id for other in rows):
            raise InvalidField(f"{path}, row {row.id!r}: the id appears twice; keep one row.")
        rows.append(row)
    return tuple(rows)


def parameter_row(cells: dict[str, str], path: Path) -> ParameterRow:
    """Check the cells of one row and return it (errors as ``read_parameters``)."""
    name = cells["id"]
    if not name.isidentifier():
        raise InvalidField(
            f"{path}, row {name!r}, column 'id': {name!r} is no name. Use letters, digits and _, a letter first."
        )
    _choice(cells, "method", METHODS, path)
    _choice(cells, "distribution", DISTRIBUTIONS, path)
    for column in ("unit", "source", "locator"):
        if not cells[column]:
            raise InvalidField(f"{path}, row {name!r}, column {column!r}: empty; every number needs one.")
    try:
        parse_unit(cells["unit"])
    except RegraftError as error:
        raise InvalidField(f"{path}, row {name!r}, column 'unit': {error}") from error
    optional = {
        c: read_number(cells[c], path=path, row=name, column=c) if cells[c] else None
        for c in ("spread", "lower", "upper")
    }
    row = ParameterRow(
        name,
        read_number(cells["value"], path=path, row=name, column="value"),
        cells["unit"],
        cells["distribution"],
        optional["spread"],
        optional["lower"],
        optional["upper"],
        cells["source"],
        cells["locator"],
        cells["method"],
        cells.get("note", ""),
    )
    _check_spread(row, path)
    return row


def _choice(cells: dict[str, str], column: str, allowed: Sequence[str], path: Path) -> None:
    if cells[column] not in allowed:
        raise InvalidField(
            f"{path}, row {cells['id']!r}, column {column!r}: {cells[column]!r} is not allowed; "
            f"use one of {', '.join(allowed)}. {near_matches(cells[column], allowed)}"
        )


def _check_spread(row: ParameterRow, path: Path) -> None:
    where = f"{path}, row {row.id!r}, column"
    if row.distribution in _NEEDS_SPREAD:
        if row.spread is None or row.spread <= 0:
            raise InvalidField(
                f"{where} 'spread': {row.spread!r} with distribution {row.distribution!r}; it must be above zero. "
                "Write distribution 'fixed' where patients do not differ."
            )
    elif row.spread is not None:
        raise InvalidField(
            f"{where} 'spread': {row.spread:g} with distribution {row.distribution!r}, which takes none: empty it."
        )
    if row.distribution == "lognormal" and row.value <= 0:
        raise InvalidField(f"{where} 'value': {row.value:g}; the mean of a lognormal must be above zero.")
    if row.distribution == "uniform" and (row.lower is None or row.upper is None):
        raise InvalidField(f"{where} 'lower' and 'upper': a uniform distribution needs both.")
    if row.distribution in ("bernoulli", "logitnormal"):
        _check_share(row, where)
    if row.lower is not None and row.upper is not None and row.lower >= row.upper:
        raise InvalidField(f"{where} 'lower': {row.lower:g} is not below 'upper' {row.upper:g}.")
    low, high = row.lower if row.lower is not None else row.value, row.upper if row.upper is not None else row.value
    if not low <= row.value <= high:
        raise InvalidField(f"{where} 'value': {row.value:g} lies outside [{low:g}, {high:g}].")


def _check_share(row: ParameterRow, where: str) -> None:
    """Refuse a probability or share outside 0 to 1, also among the bounds."""
    ends_allowed = row.distribution == "bernoulli"
    if not 0 <= row.value <= 1 or (row.value in (0, 1) and not ends_allowed):
        allowed = "from 0 to 1" if ends_allowed else "above 0 and below 1"
        raise InvalidField(
            f"{where} 'value': {row.value:g} with distribution {row.distribution!r}; it must lie {allowed}."
        )
    for column, bound in (("lower", row.lower), ("upper", row.upper)):
        if bound is not None and not 0 <= bound <= 1:
            raise InvalidField(f"{where} {column!r}: {bound:g} with distribution {row.distribution!r}; use 0 to 1.")
