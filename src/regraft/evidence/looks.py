"""The log of looks at published results: one JSON object per line, appended and never rewritten.

It names programs, purposes and rows, and no person.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from regraft.errors import InvalidFile, OutputFolderError

NAME = "evidence_looks.jsonl"


@dataclass(frozen=True)
class Look:
    """One look at published rows, granted or refused.

    ``door`` is ``fitting`` or ``scoring``; ``by`` the command or function that asked, ``why`` its purpose in a few
    words. ``request`` is a hash of door, rows and table: equal requests have equal hashes. ``refusal`` is the reason
    of a refused look, empty for a granted one. ``time`` is ISO 8601 in UTC.
    """

    time: str
    door: str
    by: str
    why: str
    ids: tuple[str, ...]
    roles: tuple[str, ...]
    request: str
    is_granted: bool
    refusal: str


def log_file(log: Path) -> Path:
    """Return the file of a log that is given as a file, or as the folder of a run."""
    return log / NAME if log.is_dir() else log


def request_hash(door: str, ids: Iterable[str], table: Path) -> str:
    """Return 12 hexadecimal digits for door, rows in any order, and the content of the table."""
    digest = hashlib.sha256(table.read_bytes())
    digest.update("\n".join([door, *sorted(ids)]).encode())
    return digest.hexdigest()[:12]


def now() -> str:
    """Return the time as it stands in the log."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def append_look(log: Path, look: Look) -> None:
    """Write a look at the end of a log.

    Raises
    ------
    OutputFolderError : the log cannot be written; then nothing may be shown
    """
    path = log_file(log)
    line = json.dumps(asdict(look), ensure_ascii=False) + "\n"
    try:
        with path.open("ab", buffering=0) as file:
            # one write to a file opened for appending: lines of two processes do not mix
            file.write(line.encode())
    except OSError as error:
        raise OutputFolderError(
            f"The log of looks {path} cannot be written: {error}. Published rows are shown only where the look is "
            "written down: give a file or folder that can be written."
        ) from error


def read_log(log: Path) -> tuple[Look, ...]:
    """Read a log back, oldest first; a log that does not exist yet is empty.

    Raises
    ------
    InvalidFile : a line is not a look; the message names it
    """
    path = log_file(log)
    if not path.exists():
        return ()
    looks = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            content = json.loads(line)
            looks.append(Look(**content | {"ids": tuple(content["ids"]), "roles": tuple(content["roles"])}))
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidFile(f"{path}, line {number} is no entry of a log of looks: {error}.") from error
    return tuple(looks)
