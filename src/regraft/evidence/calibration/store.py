"""The folder of a fit: every forward run is kept under the content that made it, so that a fit goes on."""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from regraft.errors import InvalidFile, OutputFolderError, UsageError
from regraft.evidence.calibration.chance import Floats, Integers
from regraft.evidence.calibration.forward import Prediction
from regraft.trial.stored.parquet import column, is_whole, read, write_whole

ABOUT, LOCK, BATCHES = "calibration.json", "lock", "batches"


@dataclass(frozen=True)
class Batch:
    """Forward runs that are computed and stored together: parameters (draw, parameter) and numbers of the draws."""

    theta: Floats
    draws: Integers

    def key(self, identity: str) -> str:
        """Return the name of the batch: a hash of the fit's identity, its draws and the bytes of its parameters."""
        digest = hashlib.sha256(identity.encode())
        for array in (self.draws.astype("<i8"), self.theta.astype("<f8")):
            digest.update(f"{array.shape} ".encode() + np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:32]


@dataclass(frozen=True)
class Store:
    """An open folder. ``identity`` stands for all on which an answer of the forward model depends."""

    folder: Path
    identity: str

    def path(self, batch: Batch) -> Path:
        """Return the file of a batch."""
        return self.folder / BATCHES / f"{batch.key(self.identity)}.parquet"

    def find(self, batch: Batch) -> Prediction | None:
        """Return the answer to a batch if it is there, None otherwise."""
        path = self.path(batch)
        if not is_whole(path):
            return None
        found = read(path, ["value", "mc_variance", "failed"])
        return Prediction(found["value"], found["mc_variance"], found["failed"].astype(np.bool_))

    def keep(self, batch: Batch, answer: Prediction) -> None:
        """Store the answer to a batch; its file appears when it is complete."""
        columns = {
            "draw": column(batch.draws),
            "theta": column(batch.theta),
            "value": column(answer.value),
            "mc_variance": column(answer.mc_variance),
            "failed": column(answer.failed),
        }
        write_whole(columns, self.path(batch))


@contextmanager
def opened(folder: Path, about: Mapping[str, Any]) -> Iterator[Store]:
    """Open the folder of a fit, new or begun before, for the only process that may write to it.

    Parameters
    ----------
    about : plain values on which the fit depends; a folder that was begun with others is refused

    Raises
    ------
    UsageError : the folder holds another fit; the message says in which fields it differs
    OutputFolderError : it cannot be written, or another process is at work in it
    InvalidFile : its record cannot be read
    """
    wanted = json.loads(json.dumps(about))
    try:
        (folder / BATCHES).mkdir(parents=True, exist_ok=True)
        with (folder / LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OutputFolderError(
                    f"Another process is fitting in {folder}. Wait for it, or choose another folder."
                ) from None
            for unfinished in (folder / BATCHES).glob(".*"):
                unfinished.unlink(missing_ok=True)
            _require_same(folder / ABOUT, wanted)
            text = json.dumps(wanted, sort_keys=True)
            yield Store(folder, hashlib.sha256(text.encode()).hexdigest())
    except OSError as error:
        raise OutputFolderError(
            f"{folder} cannot be written: {error.strerror or error}. Free it, or choose another folder."
        ) from error


def _require_same(path: Path, wanted: Mapping[str, Any]) -> None:
    """Refuse to mix two fits in one folder; note the fit in a new one."""
    if not path.exists():
        unfinished = path.with_name(f".{path.name}")
        unfinished.write_text(json.dumps(wanted, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        unfinished.replace(path)
        return
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidFile(f"{path} cannot be read: {error}. Choose another folder.") from error
    differs = sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))
    if differs:
        raise UsageError(
            f"{path.parent} holds another fit; it differs in {', '.join(map(repr, differs))}. Choose another folder, "
            "or remove this one."
        )
