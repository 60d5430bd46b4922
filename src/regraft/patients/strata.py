"""Covariates whose distribution depends on another one: weight by sex, comorbidity by age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regraft.entries import read_number, read_table
from regraft.errors import InvalidField, near_matches
from regraft.model.parameter_table import ParameterRow, parameter_row
from regraft.patients.distributions import quantile

Floats = NDArray[np.float64]

COLUMNS = ("id", "of", "from", "below", "value", "spread", "lower", "upper", "source", "locator", "method", "note")


@dataclass(frozen=True)
class Stratum:
    """Another row for a covariate in patients in whom ``low`` <= covariate ``of`` < ``high``.

    A patient keeps the same place among others: the number in (0, 1) from which the value follows does not change, so
    correlations and everybody outside of the stratum stay as they are.
    """

    row: ParameterRow
    of: str
    low: float
    high: float


def read_strata(
    path: Path, covariates: Sequence[ParameterRow], sums: Mapping[str, tuple[str, ...]]
) -> tuple[Stratum, ...]:
    """Read the strata of a population; none where there is no such file.

    Parameters
    ----------
    path : table with one row a stratum: covariate ``id`` where ``from`` <= ``of`` < ``below``, an empty cell for no
        bound; unit and kind of distribution are those of the covariate
    covariates : rows of the population
    sums : covariates that are sums of others

    Raises
    ------
    InvalidFile : the file cannot be read, or a column is missing
    InvalidField : unknown covariates, strata that depend on one another or overlap, a cell that is not allowed
    """
    if not path.is_file():
        return ()
    known = {row.id: row for row in covariates}
    strata = tuple(_stratum(cells, known, path) for cells in read_table(path, columns=COLUMNS))
    changed = {stratum.row.id for stratum in strata}
    fixed = {name for name in known if name not in changed}
    fixed |= {name for name, terms in sums.items() if not changed & set(terms)}
    for stratum in strata:
        place = f"{path}, row {stratum.row.id!r}, column 'of'"
        if stratum.of not in {*known, *sums}:
            raise InvalidField(f"{place}: {stratum.of!r} is no covariate. {near_matches(stratum.of, {*known, *sums})}")
        if stratum.of not in fixed:
            raise InvalidField(f"{place}: {stratum.of!r} has strata itself, or is a sum of one that has. Name another.")
    for name in changed:
        _check_overlap([one for one in strata if one.row.id == name], path)
    return strata


def apply_strata(
    strata: Sequence[Stratum], values: Mapping[str, Floats], uniforms: Mapping[str, Floats]
) -> dict[str, Floats]:
    """Return the covariates that have strata, (patient,) each.

    Parameters
    ----------
    values : name to (patient,) float as without strata
    uniforms : name to (patient,) float in (0, 1) from which they followed
    """
    changed: dict[str, Floats] = {}
    for stratum in strata:
        name = stratum.row.id
        inside = (values[stratum.of] >= stratum.low) & (values[stratum.of] < stratum.high)
        changed[name] = np.where(inside, quantile(stratum.row, uniforms[name]), changed.get(name, values[name]))
    return changed


def _stratum(cells: dict[str, str], known: Mapping[str, ParameterRow], path: Path) -> Stratum:
    """Check the cells of one row."""
    name = cells["id"]
    if name not in known:
        raise InvalidField(f"{path}, row {name!r}: no such covariate. {near_matches(name, known)}")
    own = {"unit": known[name].unit, "distribution": known[name].distribution}
    row = parameter_row(cells | own, path)
    low, high = (
        read_number(cells[column], path=path, row=name, column=column) if cells[column] else bound
        for column, bound in (("from", -np.inf), ("below", np.inf))
    )
    if low >= high:
        raise InvalidField(f"{path}, row {name!r}, column 'from': {low:g} is not below 'below' {high:g}.")
    return Stratum(row, cells["of"], low, high)


def _check_overlap(strata: Sequence[Stratum], path: Path) -> None:
    """Refuse strata of one covariate that depend on two others, or of which a patient could be in two."""
    name = strata[0].row.id
    if len({one.of for one in strata}) > 1:
        raise InvalidField(f"{path}, row {name!r}, column 'of': strata of one covariate go by one other. Keep one.")
    for one, other in pairwise(sorted(strata, key=lambda stratum: stratum.low)):
        if one.high > other.low:
            raise InvalidField(f"{path}, row {name!r}: strata from {one.low:g} and from {other.low:g} overlap.")
