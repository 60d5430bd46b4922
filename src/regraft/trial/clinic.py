"""How the clinic reads and defines: the table of a measurement entry."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from regraft.entries import entry_folder, read_table, read_text
from regraft.errors import InvalidField, InvalidFile, near_matches
from regraft.trial.design import DAYS

COLUMNS = (
    "id", "value", "unit", "distribution", "spread", "lower", "upper", "source", "locator", "method", "note",
)  # fmt: skip


@dataclass(frozen=True)
class Clinic:
    """Numbers of a measurement entry by id, with their units."""

    id: str
    values: Mapping[str, float]
    units: Mapping[str, str]

    def value(self, name: str) -> float:
        """Return a number in the unit of its row."""
        if name not in self.values:
            raise InvalidField(f"Measurement entry {self.id!r} has no row {name!r}. {near_matches(name, self.values)}")
        return self.values[name]

    def months(self, name: str) -> float:
        """Return a length of time in months of 365.25/12 days."""
        return self.days(name) / DAYS["month"]

    def days(self, name: str) -> float:
        """Return a length of time in days."""
        value, unit = self.value(name), self.units[name]
        if unit not in DAYS:
            raise InvalidField(f"Measurement entry {self.id!r}, row {name!r}: unit {unit!r} is no unit of time.")
        return value * DAYS[unit]


def load_clinic(entry: str) -> Clinic:
    """Read a measurement entry of the catalog.

    Raises
    ------
    UnknownEntry : no such entry
    InvalidFile, InvalidField : its table cannot be read or holds a value that is no number
    """
    values: dict[str, float] = {}
    units: dict[str, str] = {}
    for one in reversed(clinic_entries(entry)):
        path = entry_folder("measurements", one) / "parameters.csv"
        rows = read_table(path, columns=COLUMNS)
        values |= {row["id"]: _number(path, number, row) for number, row in enumerate(rows, start=2)}
        units |= {row["id"]: row["unit"] for row in rows}
    return Clinic(entry, values, units)


def clinic_entries(entry: str) -> tuple[str, ...]:
    """Return a measurement entry, and the one that it builds on (``builds_on`` in its ``entry.toml``) if there is one.

    Rows of the first hold where both have a row of one name.
    """
    path = entry_folder("measurements", entry) / "entry.toml"
    if not path.is_file():
        return (entry,)
    try:
        base = tomllib.loads(read_text(path)).get("builds_on")
    except tomllib.TOMLDecodeError as error:
        raise InvalidFile(f"{path} is not valid TOML: {error}.") from error
    return (entry,) if base is None else (entry, str(base))


def _number(path: Path, line: int, row: Mapping[str, str]) -> float:
    """Return the value of a row."""
    try:
        return float(row["value"])
    except ValueError:
        raise InvalidField(f"{path}, line {line}: value is {row['value']!r}; a number is needed.") from None
