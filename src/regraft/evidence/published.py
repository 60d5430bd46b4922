"""Published results of the catalog: read, and given out.

Rows with role ``validate`` or ``held_out`` are given without their numbers; ``evidence/access.py`` opens them and
writes down who looked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from regraft.entries import catalog_root, read_table
from regraft.errors import InvalidArgument, InvalidField, UnknownEntry, near_matches
from regraft.evidence.published_types import Conversion, IntervalKind, Kind, Printed, PublishedResult, Role

PRINTED = ("value", "unit", "lower", "upper", "interval_type", "time_months", "n")
TEXTS = (
    *("id", "study", "cluster", "group", "therapy", "disease", "arm", "arm_class", "reference_class", "regimen"),
    *("regimen_class", "population", "population_class", "endpoint", "endpoint_id", "term", "qualifier", "definition"),
    *("citation", "note", "source_row"),
)
TYPED = ("role", "verified", "year", "kind", "unit_id", "conversion", "read_months", "interval_kind", "spread")
ALONE: Mapping[Conversion, Callable[[float], float]] = {  # conversions that need the printed number only
    Conversion.COMPLEMENT: lambda percent: round(100 - percent, 9),
    Conversion.REDUCTION: lambda percent: round(1 - percent / 100, 9),
    Conversion.PER_HUNDRED: lambda per_hundred: per_hundred / 100,
    Conversion.MEDIAN_TIME: lambda _: 50.0,  # % free of an event at its median time
}
COLUMNS = (*TEXTS, *TYPED, *PRINTED, "patients", "exposure_years")
REQUIRED = ("id", "study", "cluster", "arm_class", "citation", "term")

Choice = TypeVar("Choice", bound=Enum)


def published_table() -> Path:
    """Return the file of published results in the catalog."""
    return catalog_root() / "evidence" / "published_results.csv"


def load_published(
    ids: Iterable[str] | None = None,
    *,
    role: Role | None = None,
    therapy: str | None = None,
    disease: str | None = None,
    endpoint_id: str | None = None,
    arm_class: str | None = None,
    cluster: str | None = None,
    path: Path | None = None,
) -> tuple[PublishedResult, ...]:
    """Return published results; those kept for validation come sealed, without their numbers.

    Parameters
    ----------
    ids : rows wanted, in this order; all rows of the table if left out
    role, therapy, disease, endpoint_id, arm_class, cluster : only rows with this value
    path : another table with the columns of the catalog's

    Raises
    ------
    UnknownEntry : no row has one of the ids or the value of a filter; the message lists near matches
    InvalidFile, InvalidField : the table cannot be read, or a row is not what ``PublishedResult`` says
    """
    rows = [seal(row) for row in read_published(path or published_table())]
    filters = {"therapy": therapy, "disease": disease, "endpoint_id": endpoint_id, "arm_class": arm_class}
    for name, value in (filters | {"cluster": cluster}).items():
        if value is not None:
            rows = _filtered(rows, name, value)
    rows = [row for row in rows if role is None or row.role is role]
    return pick(rows, ids) if ids is not None else tuple(rows)


def pick(rows: Iterable[PublishedResult], ids: Iterable[str]) -> tuple[PublishedResult, ...]:
    """Return the rows with some ids in the order of the ids.

    Raises
    ------
    InvalidArgument : an id that is named twice
    UnknownEntry : an id that no row has
    """
    by_id = {row.id: row for row in rows}
    chosen = list(ids)
    for one in chosen:
        if one not in by_id:
            raise UnknownEntry(f"There is no published row {one!r}. {near_matches(one, by_id)}")
        if chosen.count(one) > 1:
            raise InvalidArgument(f"Published row {one!r} is named twice; name each row once.")
    return tuple(by_id[one] for one in chosen)


def seal(row: PublishedResult) -> PublishedResult:
    """Return a row without its numbers unless it may be calibrated to; the note goes too, for it may state them."""
    if row.role is Role.CALIBRATE:
        return row
    printed = Printed("", row.printed.unit, None, None, row.printed.interval_type, row.printed.time_months)
    hidden: dict[str, Any] = {"value": None, "lower": None, "upper": None, "spread": None, "note": ""}
    # how a number is converted may give it away: none_seen means 0
    return replace(row, **hidden, printed=printed, conversion=Conversion.NONE, is_sealed=True)


def read_published(path: Path) -> tuple[PublishedResult, ...]:
    """Read all rows of a table with all their numbers: for ``evidence/access.py`` and the checks alone.

    Raises
    ------
    InvalidFile : the file cannot be read or lacks a column
    InvalidField : a value that is not allowed, or an id that occurs twice
    """
    rows = tuple(_row(path, line, row) for line, row in enumerate(read_table(path, columns=COLUMNS), start=2))
    seen: set[str] = set()
    for row in rows:
        if row.id in seen:
            raise InvalidField(f"{path}: id {row.id!r} occurs twice; give each published number its own id.")
        seen.add(row.id)
    return rows


def _filtered(rows: list[PublishedResult], name: str, value: str) -> list[PublishedResult]:
    """Return the rows with a value in a field; refuse a value that no row has."""
    found = [row for row in rows if getattr(row, name) == value]
    if not found:
        known = {str(getattr(row, name)) for row in rows} - {""}
        raise UnknownEntry(f"No published row has {name} {value!r}. {near_matches(value, known)}")
    return found


def _row(path: Path, line: int, row: Mapping[str, str]) -> PublishedResult:
    """Turn one row of text into a published result, or say which field is wrong."""
    where = f"{path}, line {line} (id {row['id']!r})"
    for column in REQUIRED:
        if not row[column]:
            raise InvalidField(f"{where}: column {column!r} is empty; every published number needs one.")
    if row["verified"] not in ("yes", "no"):
        raise InvalidField(f"{where}: column 'verified' is {row['verified']!r}; write 'yes' or 'no'.")
    patients, exposure = _whole(where, row, "patients"), _number(where, row, "exposure_years")
    conversion = _choice(where, row, "conversion", Conversion)
    interval = _choice(where, row, "interval_kind", IntervalKind)
    value, lower, upper = (
        None if number is None else _converted(where, number, conversion, patients, exposure)
        for number in (_number(where, row, column) for column in ("value", "lower", "upper"))
    )
    if conversion in (Conversion.COMPLEMENT, Conversion.COMPLEMENT_OF_N, Conversion.REDUCTION):
        lower, upper = upper, lower
    if interval is IntervalKind.RANGE_OF_FOLLOW_UP:  # bounds of a time, not of the value
        lower = upper = None
    _check_interval(where, value, lower, upper)
    texts: dict[str, Any] = {name: row[name] for name in TEXTS}
    return PublishedResult(
        **texts,
        role=_choice(where, row, "role", Role),
        is_verified=row["verified"] == "yes",
        year=_whole(where, row, "year"),
        kind=_choice(where, row, "kind", Kind),
        time_months=_number(where, row, "read_months"),
        value=value,
        unit=row["unit_id"],
        lower=lower,
        upper=upper,
        interval=interval,
        spread=_number(where, row, "spread"),
        patients=patients,
        exposure_years=exposure,
        conversion=conversion,
        printed=Printed(
            row["value"],
            row["unit"],
            _number(where, row, "lower"),
            _number(where, row, "upper"),
            row["interval_type"],
            _number(where, row, "time_months"),
        ),
    )


def _converted(
    where: str, number: float, conversion: Conversion, patients: int | None, exposure: float | None
) -> float:
    """Return a printed number in the terms of the platform."""
    if conversion in ALONE:
        return ALONE[conversion](number)
    if conversion is Conversion.NONE_SEEN:
        if number:
            raise InvalidField(f"{where}: conversion 'none_seen' needs the value 0, met {number:g}.")
        return 100.0
    if conversion is Conversion.COUNT_PER_EXPOSURE:
        if not exposure:
            raise InvalidField(f"{where}: conversion 'count_per_exposure' needs a number in column 'exposure_years'.")
        return number / exposure
    if conversion in (Conversion.COUNT_OF_N, Conversion.COMPLEMENT_OF_N):
        if not patients:
            raise InvalidField(f"{where}: conversion {conversion.value!r} needs a number in column 'patients'.")
        share = 100 * number / patients
        return share if conversion is Conversion.COUNT_OF_N else 100 - share
    return number


def _check_interval(where: str, value: float | None, lower: float | None, upper: float | None) -> None:
    """Refuse half an interval and one that does not hold its own value."""
    if (lower is None) != (upper is None):
        raise InvalidField(f"{where}: one of 'lower' and 'upper' is empty; give both or neither.")
    if lower is None or upper is None:
        return
    if value is None or not lower <= value <= upper:
        raise InvalidField(f"{where}: value {value} lies outside its own interval {lower:g} to {upper:g}.")


def _choice(where: str, row: Mapping[str, str], column: str, choices: type[Choice]) -> Choice:
    """Return the member of an enumeration that a cell names."""
    try:
        return choices(row[column])
    except ValueError:
        allowed = [str(choice.value) for choice in choices]
        raise InvalidField(
            f"{where}: column {column!r} is {row[column]!r}; allowed are {', '.join(allowed)}. "
            + near_matches(row[column], allowed)
        ) from None


def _number(where: str, row: Mapping[str, str], column: str) -> float | None:
    """Return a finite number, or None for an empty field."""
    text = row[column]
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidField(f"{where}: column {column!r} is {text!r}; a finite number or nothing is allowed.")
    return number


def _whole(where: str, row: Mapping[str, str], column: str) -> int | None:
    """Return a whole number that is not negative, or None for an empty field."""
    number = _number(where, row, column)
    if number is None:
        return None
    if number < 0 or number != int(number):
        raise InvalidField(f"{where}: column {column!r} is {row[column]!r}; a whole number from 0 up is allowed.")
    return int(number)
