"""A results folder that is either whole or not touched."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from regraft.errors import OutputFolderError


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
    existed = folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder))
    except OSError as error:
        raise OutputFolderError(f"{folder} cannot be created: {error.strerror}. Choose another with --out.") from error
    try:
        yield staging
        _publish(staging, folder)
    except OSError as error:
        raise OutputFolderError(
            f"Results could not be written to {folder}: {error.strerror or error}. Nothing half-finished was left "
            "there; free some room or choose another folder with --out."
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if not existed and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _nearest_folder(path: Path) -> Path:
    """Return the path itself or its closest existing ancestor, which must be a folder."""
    place = path.absolute()
    while not place.exists():
        place = place.parent
    if not place.is_dir():
        raise OutputFolderError(f"{path} lies under {place}, which is a file. Choose another folder with --out.")
    return place


def _publish(staging: Path, folder: Path) -> None:
    """Move every finished file to its place."""
    for source in sorted(path for path in staging.rglob("*") if path.is_file()):
        target = folder / source.relative_to(staging)
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
