"""Catalog entries on disk: where they are, which exist, and how their tables are read."""

from __future__ import annotations

import csv
import hashlib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from regraft.errors import InvalidField, InvalidFile, UnknownEntry, near_matches

_FILE_KINDS = {"protocols": ".yaml"}
_MAX_BYTES = 20_000_000


@dataclass(frozen=True)
class Entry:
    """What ``entry.toml`` says: title, version, review status and the limits shown to users."""

    id: str
    title: str
    version: str
    status: str
    limits: tuple[str, ...]
    folder: Path


def catalog_root() -> Path:
    """Return the folder of the catalog that comes with the package."""
    return Path(__file__).parent / "catalog"


def list_entries(kind: str) -> list[str]:
    """Return the ids of all entries of a kind (``models``, ``treatments``, ``protocols`` ...), sorted."""
    folder = catalog_root() / kind
    if not folder.is_dir():
        kinds = [path.name for path in catalog_root().iterdir() if path.is_dir()]
        raise UnknownEntry(f"There is no kind of entry {kind!r}. {near_matches(kind, kinds)}")
    suffix = _FILE_KINDS.get(kind)
    if suffix:
        return sorted(path.stem for path in folder.glob(f"*{suffix}"))
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def entry_folder(kind: str, entry_id: str) -> Path:
    """Return the folder of an entry, or its file where the kind keeps one file an entry.

    Raises
    ------
    UnknownEntry : no such entry; the message lists near matches
    """
    known = list_entries(kind)
    if entry_id not in known:
        raise UnknownEntry(f"The catalog has no entry {entry_id!r} among its {kind}. {near_matches(entry_id, known)}")
    return catalog_root() / kind / (entry_id + _FILE_KINDS.get(kind, ""))


def read_text(path: Path) -> str:
    """Return the text of a file, or raise ``InvalidFile`` that names it and the reason."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InvalidFile(f"{path} is larger than {_MAX_BYTES} bytes; such a file is not read.")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidFile(f"{path} cannot be read: {error}. Give a readable UTF-8 text file.") from error


def read_entry(folder: Path) -> Entry:
    """Read ``entry.toml`` of an entry's folder.

    Raises
    ------
    InvalidFile : the file is missing, unreadable or not TOML
    InvalidField : a required field is missing
    """
    path = folder / "entry.toml"
    try:
        content = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise InvalidFile(f"{path} is not valid TOML: {error}.") from error
    for field in ("id", "name", "version", "status"):
        if not isinstance(content.get(field), str) or not content[field].strip():
            raise InvalidField(f"{path}: field {field!r} is missing or empty; give it a text.")
    limits = content.get("limits", [])
    limits = limits.get("limits", []) if isinstance(limits, dict) else limits
    return Entry(content["id"], content["name"], content["version"], content["status"], tuple(map(str, limits)), folder)


def read_table(path: Path, columns: Iterable[str] = ()) -> list[dict[str, str]]:
    """Read a CSV table as rows of text.

    Parameters
    ----------
    path : file with a header line, UTF-8
    columns : names that the header must hold

    Raises
    ------
    InvalidFile : the file cannot be read, is empty, lacks a column or has a ragged row
    """
    lines = read_text(path).splitlines()
    reader = csv.DictReader(lines, restkey="", strict=True)
    header = reader.fieldnames or []
    missing = [name for name in columns if name not in header]
    if missing:
        raise InvalidFile(f"{path}: column {missing[0]!r} is missing; the header has {', '.join(header) or 'nothing'}.")
    try:
        rows = list(reader)
    except csv.Error as error:
        raise InvalidFile(f"{path}, line {reader.line_num}: {error}.") from error
    for number, row in enumerate(rows, start=2):
        if "" in row or None in row.values():
            raise InvalidFile(
                f"{path}, row {number}: expected {len(header)} values as in the header; check commas and quotes."
            )
    return [{key: value.strip() for key, value in row.items()} for row in rows]


def read_number(text: str, *, path: Path, row: str, column: str) -> float:
    """Return a finite number from a table cell, or raise ``InvalidField`` that names file, row, column and value."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if value != value or value in (float("inf"), float("-inf")):
        raise InvalidField(f"{path}, row {row!r}, column {column!r}: {text!r} is not a finite number.")
    return value


def content_hash(path: Path) -> str:
    """Return a hash of an entry's files (names and bytes), 16 hexadecimal digits."""
    digest = hashlib.sha256()
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
