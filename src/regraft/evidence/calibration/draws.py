"""Posterior draws as a catalog entry: ``draws.csv``, and ``entry.toml`` that says where they come from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from regraft.entries import catalog_root, read_table
from regraft.errors import InvalidField, OutputFolderError
from regraft.evidence.calibration.posterior import Posterior
from regraft.trial.draws import ENTRY, TABLE

README = "README.md"
FEWEST = 200  # draws of an entry
METHOD = "Gaussian processes on forward runs, tempered particles, fresh runs at posterior draws"
_DIGITS = 9


def method_sources() -> tuple[str, ...]:
    """Return the publications behind the method, as keys of the bibliography."""
    rows = read_table(catalog_root() / "methods_calibration.csv", columns=("step", "method", "source"))
    return tuple(sorted({row["source"] for row in rows}))


def write_draws(posterior: Posterior, folder: Path, *, name: str, limits: tuple[str, ...] = ()) -> None:
    """Write a posterior sample as an entry; equal samples give equal bytes.

    Parameters
    ----------
    folder : of the entry; its last part is the id. Files of an earlier fit in it are replaced
    name : title for people
    limits : what the draws cannot say, besides what the fit warned of

    Raises
    ------
    InvalidField : there are fewer than 200 draws, or one is not finite
    OutputFolderError : the folder cannot be written
    """
    if len(posterior.theta) < FEWEST:
        raise InvalidField(f"{folder}: {len(posterior.theta)} draws; an entry needs at least {FEWEST}.")
    if not np.isfinite(posterior.theta).all():
        raise InvalidField(f"{folder}: a draw holds a value that is not finite. Look at the priors.")
    names = posterior.priors.names
    lines = [",".join(("draw", *names))]
    lines += [",".join([str(k), *(f"{one:.{_DIGITS}g}" for one in row)]) for k, row in enumerate(posterior.theta)]
    table = "\n".join(lines) + "\n"
    digest = hashlib.sha256(table.encode()).hexdigest()
    all_limits = (*limits, *posterior.warnings) or ("None stated beyond those of the models.",)
    entry = "\n".join(_entry_lines(posterior, folder.name, name, all_limits, digest)) + "\n"
    readme = f"# {name}\n\nPosterior draws of {len(names)} parameters. Where they come from is in `{ENTRY}`.\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in ((TABLE, table), (README, readme), (ENTRY, entry)):
            unfinished = folder / f".{file}"
            unfinished.write_text(text, encoding="utf-8", newline="\n")
            unfinished.replace(folder / file)
    except OSError as error:
        raise OutputFolderError(
            f"{folder} cannot be written: {error.strerror or error}. Choose another one."
        ) from error


def _entry_lines(posterior: Posterior, entry_id: str, name: str, limits: tuple[str, ...], digest: str) -> Iterator[str]:
    """Yield the lines of ``entry.toml``. Texts in JSON are texts in TOML."""
    report = posterior.identifiability
    yield f"id = {_text(entry_id)}"
    yield f"name = {_text(name)}"
    yield 'version = "0.1.0"'
    yield 'status = "draft"'
    yield f"limits = {_texts(limits)}"
    yield ""
    yield "[fit]"
    yield f"seed = {posterior.seed}"
    yield f"model = {_text(posterior.model)}"
    yield f"rows = {_texts(posterior.observations.ids)}"
    yield f"draws = {len(posterior.theta)}"
    yield f"forward_runs = {posterior.runs.count}"
    yield f"method = {_text(METHOD)}"
    yield f"sources = {_texts(method_sources())}"
    yield f"sha256 = {_text(digest)}"
    yield f"steady = {posterior.rounds[-1].steady if posterior.rounds else 0.0:.4f}"
    yield f"not_identified_below = {report.limit:.4f}"
    yield f"not_identified = {_texts(report.not_identified)}"
    yield f"identified_together = {_texts(tuple(map(str, report.combinations)))}"
    for title, cells in (
        ("units", [_text(member.unit) for member in posterior.priors.members]),
        ("central", [f"{one:.{_DIGITS}g}" for one in posterior.central]),
        ("contraction", [f"{one:.4f}" for one in report.contraction]),
    ):
        yield ""
        yield f"[{title}]"
        yield from (f"{_text(key)} = {cell}" for key, cell in zip(report.names, cells, strict=True))


def _text(value: str) -> str:
    """Return a text as TOML."""
    return json.dumps(value, ensure_ascii=False)


def _texts(values: tuple[str, ...]) -> str:
    """Return a list of texts as TOML."""
    return "[" + ", ".join(map(_text, values)) + "]"
