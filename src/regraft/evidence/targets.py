"""Published results that a trial is compared with: one typed row per published number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from regraft.entries import entry_folder, read_table
from regraft.errors import InvalidField

COLUMNS = (
    "id",
    "study",
    "year",
    "arm_class",
    "n",
    "population",
    "regimen",
    "endpoint_id",
    "time_months",
    "value",
    "unit",
    "lower",
    "upper",
    "interval_type",
    "role",
    "verified",
    "citation",
    "source_row",
    "note",
)
REQUIRED = ("id", "study", "arm_class", "endpoint_id", "value", "unit", "citation")


@dataclass(frozen=True)
class Target:
    """One published number with its interval, if one was published.

    ``unit`` is that of ``value``, ``lower`` and ``upper``. ``n`` counts the patients behind the number; it,
    ``year`` and ``time_months`` are None where the publication or the endpoint gives none.
    """

    id: str
    study: str
    year: int | None
    arm_class: str
    n: int | None
    population: str
    regimen: str
    endpoint_id: str
    time_months: float | None
    value: float
    unit: str
    lower: float | None
    upper: float | None
    interval_type: str
    citation: str
    source_row: str
    note: str

    @property
    def has_confidence_interval(self) -> bool:
        """Whether a 95 % interval of the value was published or follows from published counts.

        Ranges, quartiles and standard deviations tell how patients differ, not how well the value is known.
        """
        return self.lower is not None and self.upper is not None and "95" in self.interval_type

    @property
    def interval_is_computed(self) -> bool:
        """Whether the interval was computed from published counts and not printed in the publication."""
        return "computed" in self.interval_type


def load_targets(trial_id: str) -> tuple[Target, ...]:
    """Read the published rows of a catalog trial that simulated results may be compared with.

    Parameters
    ----------
    trial_id : id of a folder under ``catalog/trials``

    Returns
    -------
    the rows in the order of ``outcomes.csv``

    Raises
    ------
    UnknownEntry : no such trial in the catalog
    InvalidField : a row whose role is not ``calibrate``, that nobody verified, or with an impossible number
    """
    return read_targets(entry_folder("trials", trial_id) / "outcomes.csv")


def read_targets(path: Path) -> tuple[Target, ...]:
    """Read published rows from a file with the columns of ``COLUMNS``.

    Raises
    ------
    InvalidFile : the file cannot be read or lacks a column
    InvalidField : a row whose role is not ``calibrate``, that nobody verified, or with an impossible number
    """
    rows = read_table(path, columns=COLUMNS)
    targets = tuple(_target(path, number, row) for number, row in enumerate(rows, start=2))
    seen: set[str] = set()
    for target in targets:
        if target.id in seen:
            raise InvalidField(f"{path}: id {target.id!r} occurs twice; give each published number its own id.")
        seen.add(target.id)
    return targets


def _target(path: Path, line: int, row: Mapping[str, str]) -> Target:
    """Turn one row of text into a target, or say which field is wrong."""
    where = f"{path}, line {line} (id {row['id']!r})"
    _refuse_rows_kept_for_validation(where, row)
    for column in REQUIRED:
        if not row[column].strip():
            raise InvalidField(f"{where}: column {column!r} is empty; every published number needs one.")
    lower, upper = _number(where, row, "lower"), _number(where, row, "upper")
    value = _number(where, row, "value")
    if value is None:
        raise InvalidField(f"{where}: column 'value' is empty; leave the row out or give the published number.")
    _check_interval(where, value, lower, upper)
    return Target(
        id=row["id"],
        study=row["study"],
        year=_whole_number(where, row, "year"),
        arm_class=row["arm_class"],
        n=_whole_number(where, row, "n"),
        population=row["population"],
        regimen=row["regimen"],
        endpoint_id=row["endpoint_id"],
        time_months=_number(where, row, "time_months"),
        value=value,
        unit=row["unit"],
        lower=lower,
        upper=upper,
        interval_type=row["interval_type"],
        citation=row["citation"],
        source_row=row["source_row"],
        note=row["note"],
    )


def _refuse_rows_kept_for_validation(where: str, row: Mapping[str, str]) -> None:
    """Keep rows away that a model must not be fitted to, and numbers that nobody checked against the paper."""
    if row["role"] != "calibrate":
        raise InvalidField(
            f"{where}: role is {row['role']!r}, and only 'calibrate' may be compared with while a model is built. "
            "Rows kept for validation are read by the validation step alone: move the row out of this file."
        )
    if row["verified"] != "yes":
        raise InvalidField(
            f"{where}: verified is {row['verified']!r}, and only 'yes' is allowed. "
            "Check the number against the publication, then set it to 'yes', or remove the row."
        )


def _check_interval(where: str, value: float, lower: float | None, upper: float | None) -> None:
    """Refuse half an interval and one that does not hold its own value."""
    if (lower is None) != (upper is None):
        raise InvalidField(f"{where}: one of 'lower' and 'upper' is empty; give both or neither.")
    if lower is not None and upper is not None and not lower <= value <= upper:
        raise InvalidField(f"{where}: value {value:g} lies outside its own interval {lower:g} to {upper:g}.")


def _number(where: str, row: Mapping[str, str], column: str) -> float | None:
    """Return a finite number, or None for an empty field."""
    text = row[column].strip()
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidField(f"{where}: column {column!r} is {text!r}; a finite number or nothing is allowed.")
    return number


def _whole_number(where: str, row: Mapping[str, str], column: str) -> int | None:
    """Return a whole number that is not negative, or None for an empty field."""
    number = _number(where, row, column)
    if number is None:
        return None
    if number < 0 or number != int(number):
        raise InvalidField(f"{where}: column {column!r} is {row[column]!r}; a whole number from 0 up is allowed.")
    return int(number)
