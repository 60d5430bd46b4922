"""Catalog entries on disk: where they are, which exist, and how their tables are read."""

from __future__ import annotations

import csv
import hashlib
import io
import tomllib
from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from regraft.errors import InvalidField, InvalidFile, UnknownEntry, near_matches

STATUSES = ("draft", "reviewed")
# how a protocol file begins, for messages about one that does not
PROTOCOL_START = "a protocol starts with 'id:' and 'title:'"
_FILE_KINDS = {"protocols": ".yaml"}
_MAX_BYTES = 20_000_000
# the key under which the csv module puts values beyond the last column
_REST = "\0"


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
    kinds = [path.name for path in catalog_root().iterdir() if path.is_dir()]
    folder = catalog_root() / kind
    if kind not in kinds:
        raise UnknownEntry(f"There is no kind of entry {kind!r}. {near_matches(kind, kinds)}")
    suffix = _FILE_KINDS.get(kind)
    if suffix:
        return sorted(path.stem for path in folder.glob(f"*{suffix}"))
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def is_path(entry_id: str) -> bool:
    """Return whether an id means a user's own entry by its path and not one of the catalog."""
    return "/" in entry_id


def without_folders(value: Any) -> Any:
    """Return plain values with absolute paths cut to their last name: where things lie is nobody else's concern."""
    if isinstance(value, dict):
        return {name: without_folders(part) for name, part in value.items()}
    if isinstance(value, list):
        return [without_folders(part) for part in value]
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value


def entry_folder(kind: str, entry_id: str) -> Path:
    """Return the folder of an entry, or its file where the kind keeps one file an entry.

    An id with a slash is the path of a user's own entry, laid out like one of the catalog.

    Raises
    ------
    UnknownEntry : no such entry; the message lists near matches
    """
    if is_path(entry_id):
        if not Path(entry_id).exists():
            raise UnknownEntry(f"There is no entry at {entry_id}. Correct the path, or give the id of a catalog entry.")
        return Path(entry_id)
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
    if content["status"] not in STATUSES:
        raise InvalidField(
            f"{path}: field 'status' is {content['status']!r}; use one of {', '.join(STATUSES)}. "
            "'draft' is right until a second person has checked the entry."
        )
    limits = content.get("limits", [])
    limits = limits.get("limits", []) if isinstance(limits, dict) else limits
    if not isinstance(limits, list):
        raise InvalidField(f"{path}: field 'limits' is {limits!r}; write a list of sentences, even for one.")
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
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), restkey=_REST, strict=True)
    try:
        header = list(reader.fieldnames or [])
        rows: list[dict[str, Any]] = list(reader)
    except csv.Error as error:
        raise InvalidFile(f"{path}, line {reader.reader.line_num}: {error}. Check commas and quotes.") from error
    _check_header(header, columns, path)
    for number, row in enumerate(rows, start=2):
        if _REST in row or None in row.values():
            raise InvalidFile(
                f"{path}, row {number}: expected {len(header)} values as in the header; check commas and quotes."
            )
    return [{key: value.strip() for key, value in row.items()} for row in rows]


def _check_header(header: list[str], columns: Iterable[str], path: Path) -> None:
    """Raise where a header is empty, names a column twice or lacks one."""
    if not header:
        raise InvalidFile(f"{path} is empty; its first line must name the columns.")
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise InvalidFile(f"{path}: column {twice[0]!r} appears twice in the header; keep one.")
    missing = [name for name in columns if name not in header]
    if missing:
        raise InvalidFile(
            f"{path}: column {missing[0]!r} is missing; the header has {', '.join(header)}. "
            + near_matches(missing[0], header)
        )


class _OnceLoader(yaml.SafeLoader):
    """Reads YAML as plain data and refuses a key that appears twice, where YAML would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Return a mapping whose keys are all different."""
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key.value!r} appears twice", problem_mark=key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def read_yaml(path: Path, start: str) -> dict[str, Any]:
    """Read a YAML file of ``key: value`` lines.

    Parameters
    ----------
    path : UTF-8 file; nothing in it is evaluated
    start : how such a file begins, for the message where it holds something else

    Raises
    ------
    InvalidFile : the file cannot be read, is not YAML (with the line), names a key twice or holds no keys
    """
    try:
        content = yaml.load(read_text(path), Loader=_OnceLoader)
    except RecursionError:
        raise InvalidFile(f"{path} nests values too deeply; {start}.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        raise InvalidFile(f"{path}{line} is not valid YAML: {getattr(error, 'problem', error)}.") from error
    if not isinstance(content, dict):
        raise InvalidFile(f"{path} holds no 'key: value' lines; {start}.")
    return content


def read_number(text: str, *, path: Path, row: str, column: str) -> float:
    """Return a finite number from a table cell, or raise ``InvalidField`` that names file, row, column and value."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if value != value or value in (float("inf"), float("-inf")):
        raise InvalidField(f"{path}, row {row!r}, column {column!r}: {text!r} is not a finite number.")
    return value


def content_hash(path: Path, *, without: Collection[str] = ()) -> str:
    """Return a hash of an entry's files (names within the entry, and bytes), 16 hexadecimal digits.

    Parameters
    ----------
    without : names of files that do not count
    """
    digest = hashlib.sha256()
    root, files = (path.parent, [path]) if path.is_file() else (path, [p for p in path.rglob("*") if p.is_file()])
    files = [file for file in files if file.name not in without]
    for name, file in sorted((file.relative_to(root).as_posix(), file) for file in files):
        content = file.read_bytes()
        # lengths first, so that no two different folders give the same stream of bytes
        digest.update(f"{len(name)} {len(content)} {name}".encode() + content)
    return digest.hexdigest()[:16]
