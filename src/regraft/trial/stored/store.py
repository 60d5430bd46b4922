"""The folder of a run: what it is, who writes to it, and which chunks it holds."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regraft.entries import is_path, without_folders
from regraft.errors import InvalidFile, OutputFolderError, UsageError
from regraft.trial.plan import Plan
from regraft.trial.stored.identity import arm_keys, differences, plain_identity
from regraft.trial.stored.repetition import Repetition, repetitions

ABOUT, LOCK = "run.json", "lock"
LARGEST_CHUNK, SMALLEST_CHUNK = 1000, 32  # candidates


@dataclass(frozen=True)
class Store:
    """A folder of chunks.

    ``chunk`` is the number of candidates in each, ``about`` what else its record holds, ``trials`` what is to be in it.
    """

    folder: Path
    chunk: int
    about: Mapping[str, Any]
    trials: tuple[Repetition, ...] = (Repetition(),)

    def place(self, repetition: Repetition) -> Path:
        """Return the folder of one repetition of the trial."""
        return self.folder / repetition.folder


def default_chunk(patients: int) -> int:
    """Return how many candidates a chunk has where nobody says: few for small trials, so that little is wasted."""
    return min(max(SMALLEST_CHUNK, 4 * patients), LARGEST_CHUNK)


@contextmanager
def opened(
    plan: Plan, folder: Path, *, replicates: int, draws: int = 0, chunk: int | None, extend: bool
) -> Iterator[Store]:
    """Open the folder of a run, new or begun before, for the only process that may write to it.

    Raises
    ------
    UsageError : it holds another run, or one that would have to be extended; the message says what differs; or draws
        that there are not
    OutputFolderError : it cannot be written, or another process is at work in it
    """
    trials = repetitions(plan, replicates=replicates, draws=draws)
    repeated = {"replicates": replicates, "draws": draws}
    folder = folder.resolve()  # other processes may work elsewhere
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OutputFolderError(
                    f"Another process is writing to {folder}. Wait for it, or choose another folder with --out."
                ) from None
            _remove_unfinished(folder)
            about = _begin(plan, folder, repeated, chunk=chunk, extend=extend)
            yield Store(folder, about["chunk"], about, trials)
    except OSError as error:
        raise OutputFolderError(
            f"{folder} cannot be written: {error.strerror or error}. Free it, or choose another folder with --out."
        ) from error


def _remove_unfinished(folder: Path) -> None:
    """Remove what a killed process left half-written."""
    for path in folder.glob("replicate-*/.*"):
        path.unlink(missing_ok=True)


def read_about(folder: Path) -> dict[str, Any] | None:
    """Return the record of the run in a folder, None where there is none.

    Raises
    ------
    InvalidFile : there is one that cannot be read
    """
    path = folder / ABOUT
    if not path.exists():
        return None
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidFile(f"{path} cannot be read: {error}. Choose another folder with --out.") from error
    return content


def _begin(
    plan: Plan, folder: Path, repeated: Mapping[str, int], *, chunk: int | None, extend: bool
) -> Mapping[str, Any]:
    """Compare the run with the one in the folder, and note what is to be done; return the record."""
    wanted: dict[str, Any] = {
        "identity": plain_identity(plan),
        "chunk": chunk or default_chunk(plan.design.patients_per_arm),
        "design": without_folders(plan.design.model_dump(mode="json")),
        "own_entries": _own_entries(plan),
        "files": dict(arm_keys(plan)),
        **repeated,
    }
    found = read_about(folder)
    if found is not None:
        _require_same(found, wanted, folder, extend=extend)
        wanted["chunk"] = found["chunk"]
    text = json.dumps(wanted, indent=1)
    if found != wanted:
        unfinished = folder / f".{ABOUT}"
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(folder / ABOUT)
    return wanted


def _own_entries(plan: Plan) -> list[str]:
    """Return the last names of the entries that the design gives by their paths and a patient's fate depends on."""
    design = plan.design
    names = [*design.models, design.population, design.measurements, *(arm.protocol for arm in design.arms)]
    names += [design.posterior] if design.posterior else []
    return [Path(name).name for name in dict.fromkeys(names) if is_path(name)]


def _require_same(found: Mapping[str, Any], wanted: Mapping[str, Any], folder: Path, *, extend: bool) -> None:
    """Refuse to mix runs."""
    differs = differences(found["identity"], wanted["identity"])
    if differs:
        raise UsageError(
            f"{folder.parent} holds another run; it differs in {_listed(differs)}. Choose another folder with --out, "
            "or replace what is there with --replace."
        )
    if extend:
        return
    bigger = [name for name in ("patients_per_arm", "arms") if found["design"][name] != wanted["design"][name]]
    bigger += [name for name in ("replicates", "draws") if found.get(name, 0) != wanted[name]]
    if bigger:
        raise UsageError(
            f"{folder.parent} holds this trial with other {_listed(bigger)}. Give --extend to keep what is there and "
            "add what is missing, choose another folder with --out, or replace it with --replace."
        )


def _listed(names: Sequence[str]) -> str:
    """Return names as a reader writes them."""
    return ", ".join(repr(name) for name in names)
