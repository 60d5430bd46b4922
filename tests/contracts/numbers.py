"""Find numbers in code that may come from a paper; the rule is in ``test_numbers.py``."""

from __future__ import annotations

import ast
import csv
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TECHNICAL = Path(__file__).with_name("technical_numbers.csv")
ROOMS = ("patients", "therapy", "trial", "evidence")

LARGEST_FREE_INTEGER = 12
# Halves and doubles, months in a year, days in a week and in a year, per cent.
FREE = {0.5, 7.0, 12.0, 24.0, 100.0, 365.25}


def is_free(value: int | float) -> bool:
    """Whether a literal is arithmetic or counting rather than knowledge."""
    if isinstance(value, int) and abs(value) <= LARGEST_FREE_INTEGER:
        return True
    if value in FREE or value in (0, 1, 2):
        return True
    digits = f"{abs(value):e}".split("e")[0]
    return float(digits) == 1.0  # powers of ten: tolerances and factors between units


def literals(path: Path) -> Iterator[tuple[int, int | float]]:
    """Yield line and value of every number written in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            yield node.lineno, node.value


def technical() -> dict[tuple[str, float], str]:
    """Return the numbers that are allowed in one file each, with the reason."""
    with TECHNICAL.open(encoding="utf-8", newline="") as file:
        return {(row["file"], float(row["value"])): row["reason"] for row in csv.DictReader(file)}


def numbers_that_belong_in_a_table(package: Path, allowed: dict[tuple[str, float], str]) -> list[str]:
    """Return one sentence for each number that is neither arithmetic nor in the list of technical numbers."""
    found = []
    for room in ROOMS:
        for path in sorted((package / room).rglob("*.py")):
            name = path.relative_to(package).as_posix()
            found += [
                f"{name}, line {line}: {value!r} belongs in a catalog table (or, if it is no knowledge about "
                "patients, in tests/contracts/technical_numbers.csv with the reason)."
                for line, value in literals(path)
                if not is_free(value) and (name, float(value)) not in allowed
            ]
    return found
