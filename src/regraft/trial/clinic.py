"""How the clinic reads and defines: the table of a measurement entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from regraft.entries import entry_folder, read_table
from regraft.errors import InvalidField, near_matches
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
    path = entry_folder("measurements", entry) / "parameters.csv"
    rows = read_table(path, columns=COLUMNS)
    values = {row["id"]: _number(path, number, row) for number, row in enumerate(rows, start=2)}
    return Clinic(entry, values, {row["id"]: row["unit"] for row in rows})


def _number(path: Path, line: int, row: Mapping[str, str]) -> float:
    """Return the value of a row."""
    try:
        return float(row["value"])
    except ValueError:
        raise InvalidField(f"{path}, line {line}: value is {row['value']!r}; a number is needed.") from None
