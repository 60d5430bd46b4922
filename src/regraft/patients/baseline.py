"""Published baseline tables: what a group of patients looked like when its study began."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from regraft.entries import read_number, read_table
from regraft.errors import InvalidField, UnitMismatch, near_matches
from regraft.model.parameter_table import METHODS
from regraft.quantities import convert, parse_unit

COLUMNS = ("table", "covariate", "statistic", "value", "unit", "source", "locator", "method", "verified", "note")
STATISTICS = ("mean", "sd", "proportion")


@dataclass(frozen=True)
class Moment:
    """One row: mean, standard deviation (of a covariate whose mean is given too) or proportion.

    ``place`` names file and row in messages.
    """

    table: str
    covariate: str
    statistic: str
    value: float
    unit: str
    source: str
    locator: str
    method: str
    place: str = ""


def read_moments(path: Path, table: str) -> tuple[Moment, ...]:
    """Read one published table from the file of a population; proportions are given as shares.

    Raises
    ------
    InvalidFile : the file cannot be read, or a column is missing
    InvalidField : no such table, a cell that is not allowed, a row that nobody has verified
    """
    rows = read_table(path, columns=COLUMNS)
    known = list(dict.fromkeys(row["table"] for row in rows))
    if table not in known:
        raise InvalidField(f"{path} has no table {table!r}. {near_matches(table, known)}")
    moments = tuple(_moment(row, path) for row in rows if row["table"] == table)
    keys = [(moment.covariate, moment.statistic) for moment in moments]
    for moment, key in zip(moments, keys, strict=True):
        if keys.count(key) > 1:
            raise InvalidField(f"{moment.place} appears twice in table {table!r}. Keep one row.")
        if moment.statistic == "sd" and (moment.covariate, "mean") not in keys:
            raise InvalidField(f"{moment.place}: a spread without a mean. Add the mean of {moment.covariate}.")
    return moments


def in_units(moments: Sequence[Moment], units: Mapping[str, str]) -> tuple[Moment, ...]:
    """Return moments in the units in which the patients have their covariates.

    Raises
    ------
    InvalidField : a covariate that the patients do not have
    UnitMismatch : the published unit measures something else
    """
    converted = []
    for moment in moments:
        if moment.covariate not in units:
            raise InvalidField(
                f"{moment.place}: the patients have no covariate {moment.covariate!r}. "
                f"{near_matches(moment.covariate, units)}"
            )
        unit = units[moment.covariate]
        try:
            value = convert(moment.value, moment.unit, unit)
        except UnitMismatch as error:
            raise UnitMismatch(f"{moment.place}: {error} Correct 'unit', or leave the row out.") from None
        converted.append(replace(moment, value=value, unit=unit))
    return tuple(converted)


def _moment(row: Mapping[str, str], path: Path) -> Moment:
    """Check the cells of one row."""
    name = f"{row['covariate']} {row['statistic']}"
    place = f"{path}, row {name!r}"
    for column, allowed in (("statistic", STATISTICS), ("method", METHODS)):
        if row[column] not in allowed:
            raise InvalidField(f"{place}, column {column!r}: {row[column]!r}. Use one of {', '.join(allowed)}.")
    for column in ("source", "locator", "unit"):
        if not row[column]:
            raise InvalidField(f"{place}, column {column!r}: empty; every number needs one.")
    if row["verified"] != "yes":
        raise InvalidField(
            f"{place}, column 'verified': {row['verified']!r}; patients are weighted to verified rows only. Read the "
            "number in its source and write 'yes', or leave the row out."
        )
    parse_unit(row["unit"])
    value = read_number(row["value"], path=path, row=name, column="value")
    if row["statistic"] == "sd" and value <= 0:
        raise InvalidField(f"{place}, column 'value': {value:g}; a standard deviation is above 0.")
    if row["statistic"] == "proportion" and not 0 <= convert(value, row["unit"], "dimensionless") <= 1:
        raise InvalidField(f"{place}, column 'value': {value:g} {row['unit']}; a proportion is 0 to 1, or 0 to 100 %.")
    return Moment(
        row["table"], row["covariate"], row["statistic"], value, row["unit"],
        row["source"], row["locator"], row["method"], place,
    )  # fmt: skip
