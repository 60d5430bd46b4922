"""Where the numbers of the catalog come from, read without the package's own readers."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from regraft.entries import catalog_root

TABLES = ("parameters.csv", "covariates.csv", "correlations.csv")
ORIGIN = ("source", "locator", "method")
# What a row may name instead of a publication.
NO_PUBLICATION = {"assumption", "definition"}


def entry_folders() -> list[Path]:
    """Return the folder of every entry that has one."""
    return sorted(path.parent for path in catalog_root().glob("*/*/entry.toml"))


def stray_folders() -> list[Path]:
    """Return folders that stand where entries do and have no ``entry.toml``; studies of a fit need none."""
    folders = (path for path in catalog_root().glob("*/*") if path.is_dir() and path.parent.name != "calibrations")
    return sorted(path for path in folders if not (path / "entry.toml").is_file())


def tables() -> list[Path]:
    """Return every table whose rows must say where they come from."""
    return sorted(path for name in TABLES for path in catalog_root().glob(f"*/*/{name}"))


def name_of(path: Path) -> str:
    """Return a path within the catalog."""
    return path.relative_to(catalog_root()).as_posix()


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def bibliography(folder: Path) -> set[str]:
    """Return the keys of all bibliography files of a folder."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.bib"))]
    return set(re.findall(r"^@\w+\{\s*([^,\s]+)\s*,", "\n".join(texts), flags=re.MULTILINE))


def source_keys(row: dict[str, str]) -> list[str]:
    """Return the keys of a row; several are separated by semicolons."""
    return [key.strip() for key in row["source"].split(";") if key.strip()]


def faults(path: Path, known: set[str]) -> Iterator[str]:
    """Yield one sentence for each row of a table that does not say where its number comes from."""
    for row in rows(path):
        name = row.get("id") or f"{row.get('a')}-{row.get('b')}"
        wanted = (*ORIGIN, "unit") if "unit" in row else ORIGIN
        for column in wanted:
            if not (row.get(column) or "").strip():
                yield f"{path.name}, row {name}: {column} is empty"
        for key in source_keys(row):
            if key not in known | NO_PUBLICATION:
                yield f"{path.name}, row {name}: source {key} is in no bibliography"
        if row["method"] == "assumed" and not set(source_keys(row)) & NO_PUBLICATION and not row.get("note"):
            yield f"{path.name}, row {name}: assumed although it names {row['source']}; a note must say why"
