"""Plausible patients: whose course without treatment stays inside declared ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regraft.entries import read_number, read_table
from regraft.errors import InvalidField
from regraft.model.parameter_table import METHODS
from regraft.quantities import convert, parse_unit

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

COLUMNS = ("quantity", "min", "max", "unit", "when", "source", "locator", "method", "note")
AT_RANDOMISATION, IN_RUN_IN = "randomisation", "run_in"
WHEN = (AT_RANDOMISATION, IN_RUN_IN)
INSIDE = -1


@dataclass(frozen=True)
class Range:
    """Where a quantity must stay, both bounds included, at randomisation or during the whole run-in."""

    quantity: str
    minimum: float | None
    maximum: float | None
    unit: str
    when: str
    source: str = ""

    @property
    def text(self) -> str:
        """The range as a reader writes it."""
        unit = "" if self.unit == "dimensionless" else f" {self.unit}"
        name = self.quantity.replace("_", " ")
        period = "at randomisation" if self.when == AT_RANDOMISATION else "during the run-in"
        if self.minimum is not None and self.maximum is not None:
            return f"{name} {self.minimum:g} to {self.maximum:g}{unit} {period}"
        limit = f"at least {self.minimum:g}" if self.minimum is not None else f"at most {self.maximum:g}"
        return f"{name} {limit}{unit} {period}"


def read_ranges(path: Path) -> tuple[Range, ...]:
    """Read the ranges of a population.

    Raises
    ------
    InvalidFile : the file cannot be read, or a column is missing
    InvalidField : a cell that is not allowed; file, row, column, value and next step are named
    """
    return tuple(_range(row, path) for row in read_table(path, columns=COLUMNS))


def first_outside(
    ranges: Sequence[Range], courses: Mapping[str, Floats], units: Mapping[str, str], patients: int
) -> Integers:
    """Return the position of the first range that each patient's course leaves.

    Parameters
    ----------
    ranges : in the order in which they are counted
    courses : quantity to (patient, time) float from disease onset to randomisation, the last column; a number for the
        whole run-in has one column
    units : unit of each quantity
    patients : number of rows

    Returns
    -------
    (patient,) int ; ``INSIDE`` for those who stay in all; a course that is NaN somewhere stays in none
    """
    found = np.full(patients, INSIDE, dtype=np.int64)
    for position, limits in enumerate(ranges):
        course = courses[limits.quantity] * convert(1.0, units[limits.quantity], limits.unit)
        course = course[:, -1:] if limits.when == AT_RANDOMISATION else course
        low = -np.inf if limits.minimum is None else limits.minimum
        high = np.inf if limits.maximum is None else limits.maximum
        inside = ((course >= low) & (course <= high)).all(axis=1)
        found[(found == INSIDE) & ~inside] = position
    return found


def _range(row: Mapping[str, str], path: Path) -> Range:
    """Check the cells of one row."""
    name = row["quantity"]
    place = f"{path}, row {name!r}"
    for column, allowed in (("when", WHEN), ("method", METHODS)):
        if row[column] not in allowed:
            raise InvalidField(f"{place}, column {column!r}: {row[column]!r}. Use one of {', '.join(allowed)}.")
    for column in ("quantity", "unit", "source", "locator"):
        if not row[column]:
            raise InvalidField(f"{place}, column {column!r}: empty; every range needs one.")
    parse_unit(row["unit"])
    low, high = (
        read_number(row[column], path=path, row=name, column=column) if row[column] else None
        for column in ("min", "max")
    )
    if low is None and high is None:
        raise InvalidField(f"{place} has neither 'min' nor 'max'. Add one.")
    if low is not None and high is not None and low >= high:
        raise InvalidField(f"{place}, column 'min': {low:g} is not below 'max' {high:g}.")
    return Range(name, low, high, row["unit"], row["when"], row["source"])
