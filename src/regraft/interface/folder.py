"""A results folder that is either whole or not touched."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from regraft.errors import OutputFolderError

CHUNKS = "chunks"  # where a run keeps its finished chunks
NEW, OLD = "new", "old"  # inside the hidden folder: what is being written, and what it replaces


def require_writable(folder: Path) -> None:
    """Make sure, before a long run, that results can be written to a folder; nothing stays behind.

    Raises
    ------
    OutputFolderError : the path is a file, lies under a file, or cannot be written
    """
    if folder.exists() and not folder.is_dir():
        raise OutputFolderError(f"{folder} is a file, and results need a folder. Choose another with --out.")
    place = _nearest_folder(folder)
    try:
        with tempfile.NamedTemporaryFile(dir=place):
            pass
    except OSError as error:
        raise OutputFolderError(
            f"{folder} cannot be written: {error.strerror}. Choose another folder with --out, or free it."
        ) from error


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yield a hidden folder to write into; its files appear in ``folder`` only when all are written.

    Files of an earlier run with the same names are replaced, others stay.

    Raises
    ------
    OutputFolderError : the disk is full or refuses a file; ``folder`` is then as it was
    """
    require_writable(folder)
    created = _missing_folders(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder))
    except OSError as error:
        raise OutputFolderError(f"{folder} cannot be created: {error.strerror}. Choose another with --out.") from error
    try:
        (staging / NEW).mkdir()
        yield staging / NEW
        _publish(staging / NEW, folder, staging / OLD)
    except OSError as error:
        raise OutputFolderError(
            f"Results could not be written to {folder}: {error.strerror or error}. Nothing half-finished was left "
            "there; free some room or choose another folder with --out."
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        _remove_empty(created)


def _missing_folders(folder: Path) -> list[Path]:
    """Return the folder and those above it that do not exist yet, innermost first."""
    return [place for place in (folder, *folder.parents) if not place.exists()]


def _nearest_folder(path: Path) -> Path:
    """Return the path itself or its closest existing ancestor, which must be a folder."""
    place = path.absolute()
    while not place.exists():
        place = place.parent
    if not place.is_dir():
        raise OutputFolderError(f"{path} lies under {place}, which is a file. Choose another folder with --out.")
    return place


def _publish(new: Path, folder: Path, old: Path) -> None:
    """Move every finished file to its place; what stood there is put back if anything goes wrong half-way."""
    moved: list[Path] = []
    try:
        for source in sorted(path for path in new.rglob("*") if path.is_file()):
            name = source.relative_to(new)
            if (folder / name).is_dir():
                raise OutputFolderError(f"{folder / name} is a folder where a file is to be written. Move it away.")
            moved.append(name)
            _move(folder / name, old / name)
            _move(source, folder / name)
    except BaseException:  # also an interruption from the keyboard
        for name in moved:
            if not (new / name).exists():
                _move(folder / name, new / name)
            _move(old / name, folder / name)
            _remove_empty([place for place in (folder / name).parents if place.is_relative_to(folder)])
        raise


def _move(source: Path, target: Path) -> None:
    """Move a file, if there is one, and make the folder it goes to."""
    if source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)


def _remove_empty(places: Iterable[Path]) -> None:
    """Remove those folders, innermost first, that hold nothing."""
    for place in places:
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()
