"""Posterior draws of an entry: what a fit leaves of the parameters, read for trials."""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from regraft.entries import catalog_root, is_path, read_entry, read_number, read_table, read_text
from regraft.errors import InvalidArgument, InvalidField, InvalidFile, UnknownEntry, near_matches
from regraft.trial.estimates import Floats

TABLE, ENTRY = "draws.csv", "entry.toml"
FOLDER = "draws"  # of the draws, inside the folder of a fit in the catalog
FIT_FIELDS = ("seed", "model", "rows", "sha256", "not_identified")


@dataclass(frozen=True)
class StoredDraws:
    """Posterior draws of an entry.

    Parameters
    ----------
    names, units : of the parameters
    theta : (draw, parameter) float, natural values
    contraction : per name, prior to posterior
    not_identified : names of parameters about which the rows say almost nothing
    rows : ids of the published rows that were fitted
    seed, model : of the fit
    sha256 : of ``draws.csv``
    central : per name, the mean of all draws in independent standard normal scores of the priors
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    theta: Floats
    contraction: dict[str, float]
    not_identified: tuple[str, ...]
    rows: tuple[str, ...]
    seed: int
    model: str
    sha256: str
    central: dict[str, float]

    def values(self, draw: int) -> Mapping[str, float]:
        """Return the parameters of a draw by name."""
        return dict(zip(self.names, map(float, self.theta[draw]), strict=True))

    def first(self, count: int) -> tuple[int, ...]:
        """Return the numbers of the draws that are used where ``count`` are asked for.

        Draws may be stored in an order that means something, so they are taken in an order that their content decides:
        few of them are a fair sample of all, and more of them contain the few.

        Raises
        ------
        InvalidArgument : more than there are, or fewer than none
        """
        stored = self.theta.shape[0]
        if not 0 <= count <= stored:
            raise InvalidArgument(f"{count} draws were asked for, and {stored} are stored. Ask for 0 to {stored}.")
        keys = [hashlib.sha256(f"{self.sha256} {draw}".encode()).digest() for draw in range(stored)]
        return tuple(sorted(range(stored), key=keys.__getitem__)[:count])


def find_draws(name: str) -> Path:
    """Return the folder of draws: a path, or that of a fit in the catalog.

    Raises
    ------
    UnknownEntry : there is neither, or the draws of the fit are not stored yet
    """
    if is_path(name):
        if not (Path(name) / ENTRY).is_file():
            raise UnknownEntry(f"There is no {Path(name) / ENTRY}. Give the folder of draws, or the id of a fit.")
        return Path(name)
    fits = catalog_root() / "calibrations"
    known = sorted(path.name for path in fits.iterdir() if path.is_dir())
    if name not in known:
        raise UnknownEntry(
            f"The catalog has no fit {name!r}. {near_matches(name, known)} A folder of draws is given with a slash, "
            f"as in './{name}'."
        )
    folder = fits / name / FOLDER
    if not (folder / ENTRY).is_file():
        raise UnknownEntry(
            f"The draws of fit {name!r} are not in the catalog yet. Run `regraft calibrate {name}`, and give the "
            "folder of its draws."
        )
    return folder


def read_draws(folder: Path) -> StoredDraws:
    """Read posterior draws of an entry.

    Raises
    ------
    InvalidFile : a file is missing, or the table is not the one that the entry describes
    InvalidField : a field is missing, a cell is no number, or a parameter has no central value
    """
    read_entry(folder)
    path = folder / ENTRY
    content = tomllib.loads(read_text(path))
    fit = _part(content, "fit", path)
    for field in FIT_FIELDS:
        if field not in fit:
            raise InvalidField(f"{path}: field 'fit.{field}' is missing. Write the entry again with the fit.")
    units = _part(content, "units", path)
    digest = hashlib.sha256(read_text(folder / TABLE).encode()).hexdigest()
    if digest != fit["sha256"]:
        raise InvalidFile(
            f"{folder / TABLE} is not the table that {ENTRY} describes: its hash is {digest[:12]}, not "
            f"{str(fit['sha256'])[:12]}. Draws are never edited by hand: fit again, or restore the file."
        )
    rows = read_table(folder / TABLE, columns=("draw", *units))
    theta = [[read_number(row[k], path=folder / TABLE, row=row["draw"], column=k) for k in units] for row in rows]
    return StoredDraws(
        tuple(units),
        tuple(map(str, units.values())),
        np.array(theta),
        {key: float(value) for key, value in _part(content, "contraction", path).items()},
        tuple(fit["not_identified"]),
        tuple(fit["rows"]),
        int(fit["seed"]),
        str(fit["model"]),
        digest,
        _central(_part(content, "central", path), units, path),
    )


def _central(values: Mapping[str, Any], names: Iterable[str], path: Path) -> dict[str, float]:
    """Return the central value of each parameter."""
    for name in names:
        value = values.get(name)
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise InvalidField(
                f"{path}: field 'central.{name}' is {value!r}; it is a number for every parameter. Write the entry "
                "again with the fit."
            )
    return {name: float(values[name]) for name in names}


def _part(content: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    """Return a table of ``entry.toml``."""
    found = content.get(name)
    if not isinstance(found, dict):
        raise InvalidField(f"{path}: the table [{name}] is missing. Write the entry again with the fit.")
    return found
