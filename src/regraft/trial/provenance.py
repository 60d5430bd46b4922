"""What stands behind a result: entries, versions, content, review status, where their numbers come from."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regraft.entries import PROTOCOL_START, catalog_root, content_hash, entry_folder, read_table, read_yaml
from regraft.errors import InvalidFile
from regraft.trial.draws import find_draws

REVIEWED = "reviewed"
TABLES = ("parameters.csv", "covariates.csv", "correlations.csv")
NO_CITATION = ("assumption", "definition")


@dataclass(frozen=True)
class EntryUsed:
    """A catalog entry (or a user's file) behind a result. ``methods`` counts its numbers by how they were obtained."""

    kind: str
    id: str
    title: str
    version: str
    status: str
    content_hash: str
    methods: tuple[tuple[str, int], ...] = ()
    limits: tuple[str, ...] = ()

    @property
    def assumed(self) -> int:
        """How many of its numbers are assumptions."""
        return dict(self.methods).get("assumed", 0)


@dataclass(frozen=True)
class Provenance:
    """Everything that is needed to trace a result: versions, seed, entries and citations."""

    regraft_version: str
    seed: int
    entries: tuple[EntryUsed, ...]
    citations: tuple[str, ...]

    @property
    def assumed(self) -> int:
        """How many numbers of all entries are assumptions."""
        return sum(entry.assumed for entry in self.entries)

    @property
    def unreviewed(self) -> tuple[EntryUsed, ...]:
        """Entries that nobody has rebuilt independently."""
        return tuple(entry for entry in self.entries if entry.status != REVIEWED)


def trace(used: Iterable[tuple[str, str]], *, seed: int) -> Provenance:
    """Describe the entries behind a result.

    Parameters
    ----------
    used : (kind, id) of each entry; a protocol may be the path of a file
    seed : seed of the run
    """
    from importlib.metadata import version

    pairs = tuple(dict.fromkeys(used))
    entries = tuple(_describe(kind, name) for kind, name in pairs)
    places = [place_of(kind, name) for kind, name in pairs]
    sources = {key for place in places for row in _rows(place) for key in _keys(row)}
    sources |= {key for place in places for key in _method_keys(place)}
    return Provenance(version("regraft"), seed, entries, citations(sources))


def citations(keys: Iterable[str]) -> tuple[str, ...]:
    """Return one line per source, from the bibliography of the catalog; a key without an entry stands for itself."""
    known: dict[str, str] = {}
    for path in sorted(catalog_root().glob("*.bib")):
        known |= _bibliography(path.read_text(encoding="utf-8"))
    return tuple(known.get(key, key) for key in sorted(set(keys) - set(NO_CITATION)))


def place_of(kind: str, name: str) -> Path:
    """Return the folder or file of an entry; of a fit it is the folder of its draws."""
    if kind == "calibrations":
        return find_draws(name)
    return Path(name) if name.endswith((".yaml", ".yml")) else entry_folder(kind, name)


def _describe(kind: str, name: str) -> EntryUsed:
    """Read what an entry says about itself."""
    place = place_of(kind, name)
    about = _about(place)
    limits = about.get("limits", ())
    limits = limits.get("limits", ()) if isinstance(limits, dict) else limits
    methods = Counter(row["method"] for row in _rows(place) if row.get("method"))
    return EntryUsed(
        kind=kind,
        id=_id_of(kind, place, about),
        title=str(about.get("name") or about.get("title") or name),
        version=str(about.get("version", "")),
        status=str(about.get("status", "draft")),
        content_hash=content_hash(place),
        methods=tuple(sorted(methods.items(), key=lambda item: (-item[1], item[0]))),
        limits=tuple(str(limit) for limit in limits),
    )


def _id_of(kind: str, place: Path, about: Mapping[str, Any]) -> str:
    """Return the id of an entry: its folder or file is named so, except that of draws."""
    if kind == "calibrations":
        return str(about.get("id") or place.name)
    return place.name if place.is_dir() else place.stem


def _about(place: Path) -> Mapping[str, Any]:
    """Return ``entry.toml`` or the content of a protocol file."""
    path = place / "entry.toml" if place.is_dir() else place
    if path.suffix != ".toml":
        return read_yaml(path, PROTOCOL_START)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidFile(f"{path} cannot be read: {error}. An entry describes itself there.") from error


def _rows(place: Path) -> list[dict[str, str]]:
    """Return the rows of an entry's tables of numbers."""
    tables = [place / name for name in TABLES if place.is_dir() and (place / name).is_file()]
    return [row for table in tables for row in read_table(table)]


def _keys(row: Mapping[str, str]) -> list[str]:
    """Return the citation keys of a row; several are separated by semicolons."""
    return [key.strip() for key in row.get("source", "").split(";") if key.strip()]


def _method_keys(place: Path) -> list[str]:
    """Return the citation keys of the method of a fit; an entry of another kind has none."""
    fit = _about(place).get("fit", {})
    return list(map(str, fit.get("sources", ()))) if isinstance(fit, dict) else []


def _bibliography(text: str) -> dict[str, str]:
    """Return one readable line per entry of a BibTeX file."""
    lines: dict[str, str] = {}
    for found in re.finditer(r"@\w+\{\s*([^,\s]+)\s*,(.*?)(?=\n@|\Z)", text, flags=re.DOTALL):
        key, body = found.group(1), found.group(2)
        fields = {name: _plain(_braced(body, at)) for name, at in _field_starts(body)}
        parts = [fields.get("author", ""), fields.get("title", ""), fields.get("journal", "")]
        words = ". ".join(part.rstrip(".") for part in parts if part)
        year = f" ({fields['year']})" if "year" in fields else ""
        lines[key] = f"{words}{year}" + (f". doi:{fields['doi']}" if "doi" in fields else "")
    return lines


def _field_starts(body: str) -> list[tuple[str, int]]:
    """Return names of fields and where their braces open, fields inside braces left out."""
    starts, reached = [], 0
    for found in re.finditer(r"(\w+)\s*=\s*\{", body):
        if found.start() >= reached:
            starts.append((found.group(1).lower(), found.end()))
            reached = found.end() + len(_braced(body, found.end()))
    return starts


def _braced(text: str, start: int) -> str:
    """Return the text up to the brace that closes one opened before ``start``."""
    depth = 1
    for position in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return text[start:position]
    return text[start:]


def _plain(text: str) -> str:
    """Drop braces and commands of BibTeX."""
    return re.sub(r"\s+", " ", re.sub(r"\\[\"'`^~]?|[{}]", "", text)).strip()
