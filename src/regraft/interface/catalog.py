"""What a person may know of a catalog entry: its title, review status, limits and where its numbers come from."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regraft.entries import PROTOCOL_START, content_hash, entry_folder, is_path, list_entries, read_table, read_yaml
from regraft.errors import InvalidFile, UnknownEntry, near_matches

KINDS = ("models", "treatments", "populations", "measurements", "protocols", "trials")
PARAMETER_TABLES = ("parameters.csv", "covariates.csv")


@dataclass(frozen=True)
class CatalogEntry:
    """One entry of the catalog, as its files describe it.

    ``parameters`` holds the rows of its tables as text; protocols and published trials have none.
    """

    kind: str
    id: str
    path: Path
    title: str
    version: str
    status: str
    limits: tuple[str, ...]
    parameters: tuple[dict[str, str], ...]
    content_hash: str

    @property
    def methods(self) -> tuple[tuple[str, int], ...]:
        """Count the parameter rows by how their numbers were obtained, most frequent first."""
        counts: dict[str, int] = {}
        for row in self.parameters:
            counts[row["method"]] = counts.get(row["method"], 0) + 1
        return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    @property
    def assumed(self) -> int:
        """Count the rows whose number is an assumption."""
        return dict(self.methods).get("assumed", 0)


def read_entry(kind: str, entry_id: str) -> CatalogEntry:
    """Read the description of one entry.

    Raises
    ------
    UnknownEntry : no entry of this kind has the id
    InvalidFile : a file of the entry cannot be read
    """
    path = entry_folder(kind, entry_id)
    about = read_yaml(path, PROTOCOL_START) if path.is_file() else _toml(path / "entry.toml")
    limits = about.get("limits", [])
    limits = limits.get("limits", []) if isinstance(limits, dict) else limits
    return CatalogEntry(
        kind=kind,
        id=entry_id,
        path=path,
        title=str(about.get("name") or about.get("title") or entry_id),
        version=str(about.get("version", "")),
        status=str(about.get("status", "draft")),
        limits=tuple(str(limit) for limit in limits),
        parameters=_parameters(path),
        content_hash=content_hash(path),
    )


def all_entries(kind: str | None = None) -> list[CatalogEntry]:
    """Read every entry of one kind, or of all kinds, in the order of ``KINDS``."""
    kinds = KINDS if kind is None else (known_kind(kind),)
    return [read_entry(each, entry_id) for each in kinds for entry_id in list_entries(each)]


def known_kind(kind: str) -> str:
    """Return the kind, accepting the singular, or list the known ones."""
    for known in KINDS:
        if kind.lower() in (known, known.removesuffix("s")):
            return known
    raise UnknownEntry(f"There is no kind of entry {kind!r}. {near_matches(kind, KINDS)}")


def find_entry(name: str) -> CatalogEntry:
    """Find an entry by ``id``, by ``kind/id`` where two kinds share an id, or a model of one's own by its path.

    Raises
    ------
    UnknownEntry : nothing has that name, or more than one thing has
    """
    if (Path(name) / "model.ant").is_file():
        return read_entry("models", name if is_path(name) else f"./{name}")
    if "/" in name:
        kind, entry_id = name.split("/", 1)
        return read_entry(known_kind(kind), entry_id)
    known = {(kind, entry_id) for kind in KINDS for entry_id in list_entries(kind)}
    found = sorted(pair for pair in known if pair[1] == name)
    if not found:
        raise UnknownEntry(f"The catalog has no entry {name!r}. {near_matches(name, [pair[1] for pair in known])}")
    if len(found) > 1:
        choices = " or ".join(repr("/".join(pair)) for pair in found)
        raise UnknownEntry(f"The catalog has more than one entry {name!r}: say {choices}.")
    return read_entry(*found[0])


def _toml(path: Path) -> dict[str, Any]:
    """Read ``entry.toml``."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidFile(f"{path} cannot be read: {error}. An entry needs a valid entry.toml.") from error


def _parameters(path: Path) -> tuple[dict[str, str], ...]:
    """Read the rows of the tables that say where numbers come from."""
    tables = [path / name for name in PARAMETER_TABLES if (path / name).is_file()]
    rows = [row for table in tables for row in read_table(table)]
    return tuple(row for row in rows if "method" in row)
