"""Populations: who the virtual patients are."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regraft.entries import Entry, entry_folder, read_entry, read_text
from regraft.errors import InvalidArgument, InvalidField, UnitMismatch, near_matches
from regraft.model.equations import Equations
from regraft.model.parameter_table import ParameterRow, read_parameters
from regraft.patients.correlations import Correlations, read_correlations
from regraft.patients.distributions import quantile
from regraft.patients.strata import Stratum, apply_strata, read_strata
from regraft.quantities import equivalent
from regraft.streams import patient_uniforms

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class PopulationSpec:
    """What a population's folder says.

    ``sums`` are covariates that are the sum of others (age at the start = age at onset + disease duration).
    A covariate with the id of a model parameter replaces that parameter's own distribution. ``strata`` give covariates
    another distribution in some patients, by sex or age for example.
    """

    id: str
    entry: Entry
    covariates: tuple[ParameterRow, ...]
    sums: Mapping[str, tuple[str, ...]]
    correlation_table: Path
    strata: tuple[Stratum, ...] = ()


@dataclass(frozen=True)
class Population:
    """Sampled patients.

    Parameters
    ----------
    patient_ids : (patient,) int
    seed : the seed that, with a patient's id and a name, gives every number
    values : name to (patient,) float; covariates and all parameters that differ between patients
    covariate_ids : which of the values are covariates of the population
    units : name to unit text; a name without one is taken to be in the model's unit
    """

    patient_ids: Integers
    seed: int
    values: Mapping[str, Floats]
    covariate_ids: tuple[str, ...]
    units: Mapping[str, str] = field(default_factory=dict)

    def parameter_matrix(self, equations: Equations) -> Floats:
        """Return (patient, parameter) values in the order of the model's parameters, what does not differ filled in.

        Raises
        ------
        UnitMismatch : a covariate with the id of a parameter has another unit than the model
        """
        matrix = np.tile([p.value for p in equations.parameters], (self.patient_ids.size, 1))
        for name, values in self.values.items():
            if name in equations.parameter_index:
                unit = equations.units[name]
                if not equivalent(self.units.get(name, unit), unit):
                    raise UnitMismatch(
                        f"The population gives {name!r} in {self.units[name]}, model {equations.id!r} takes it in "
                        f"{unit}. Agree on one unit."
                    )
                matrix[:, equations.parameter_index[name]] = values
        return matrix

    def draw(self, rows: Sequence[ParameterRow], *, of: Integers | None = None, label: str = "") -> dict[str, Floats]:
        """Sample further rows (a product's dose, for example) for the same patients, independent of the rest.

        Parameters
        ----------
        of : (patient,) numbers of what the draws belong to, such as the lot of each patient; the patient if None
        label : tells one such draw from another
        """
        ids = self.patient_ids if of is None else of
        names = {row.id: f"{row.id} of {label}" if label else row.id for row in rows}
        return {row.id: quantile(row, patient_uniforms(self.seed, ids, names[row.id])) for row in rows}


def load_population(source: str | Path) -> PopulationSpec:
    """Load a population: an entry of the catalog, or a folder laid out like one.

    Raises
    ------
    UnknownEntry : no such entry; near matches are listed
    InvalidFile, InvalidField : a file or a cell is not as it must be
    """
    folder = source if isinstance(source, Path) else entry_folder("populations", source)
    entry = read_entry(folder)
    covariates = read_parameters(folder / "covariates.csv")
    sums = _read_sums(folder / "entry.toml", {row.id: row.unit for row in covariates})
    strata = read_strata(folder / "strata.csv", covariates, sums)
    return PopulationSpec(entry.id, entry, covariates, sums, folder / "correlations.csv", strata)


def _read_sums(path: Path, units: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the covariates that are sums of others, after a look at names and units."""
    sums = tomllib.loads(read_text(path)).get("sums", {})
    for name, terms in sums.items():
        if name in units:
            raise InvalidField(f"{path}: sums.{name} is a row of covariates.csv too; keep one.")
        if not isinstance(terms, list) or not terms:
            raise InvalidField(f"{path}: sums.{name} is {terms!r}; write a list of covariates.")
        for term in terms:
            if term not in units:
                raise InvalidField(f"{path}: sums.{name} uses {term!r}. {near_matches(str(term), units)}")
            if not equivalent(units[term], units[terms[0]]):
                raise InvalidField(
                    f"{path}: sums.{name} adds {terms[0]!r} in {units[terms[0]]} and {term!r} in {units[term]}. "
                    "Give both in one unit."
                )
    return {name: tuple(terms) for name, terms in sums.items()}


def sample_population(
    spec: PopulationSpec, parameter_rows: Sequence[ParameterRow], patient_ids: Integers, seed: int
) -> Population:
    """Sample covariates and parameters of patients.

    A number depends on the seed, the patient's id and the *name* of what is sampled, so another row in a table or
    another set of patients changes nobody.

    Parameters
    ----------
    spec : the population
    parameter_rows : rows of the joined model; those with distribution ``fixed`` are not sampled
    patient_ids : (patient,) int, 0 <= id < 2**32
    seed : int, 0 <= seed < 2**63

    Raises
    ------
    InvalidArgument : ids out of range
    InvalidField : impossible correlations or bounds
    """
    ids = _checked_ids(np.asarray(patient_ids))
    rows = _rows_to_sample(spec, parameter_rows)
    correlations = _correlations(spec, rows)
    uniforms = correlations.apply({name: patient_uniforms(seed, ids, name) for name in rows})
    values = {name: quantile(row, uniforms[name]) for name, row in rows.items()}
    values |= _sums(spec, values)
    if spec.strata:
        values |= apply_strata(spec.strata, values, uniforms)
        values |= _sums(spec, values)
    covariates = (*(row.id for row in spec.covariates), *spec.sums)
    units = {name: row.unit for name, row in rows.items()}
    units |= {name: units[terms[0]] for name, terms in spec.sums.items()}
    return Population(ids, seed, values, covariates, units)


def _sums(spec: PopulationSpec, values: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return the covariates that are sums of others."""
    return {name: np.sum([values[term] for term in terms], axis=0) for name, terms in spec.sums.items()}


def _checked_ids(ids: NDArray[Any]) -> Integers:
    whole = ids.size == 0 or ids.dtype.kind in "iu"
    if ids.ndim != 1 or not whole or (ids < 0).any() or (ids >= 2**32).any():
        raise InvalidArgument("patient_ids must be whole numbers from 0 to 2**32 - 1, one per patient.")
    return ids.astype(np.int64)


def _rows_to_sample(spec: PopulationSpec, parameter_rows: Sequence[ParameterRow]) -> dict[str, ParameterRow]:
    """Return the rows that are drawn: all covariates, and the model's spread parameters that they do not replace."""
    rows = {row.id: row for row in parameter_rows if row.distribution != "fixed" and row.id not in spec.sums}
    return rows | {row.id: row for row in spec.covariates}


def _correlations(spec: PopulationSpec, rows: Mapping[str, ParameterRow]) -> Correlations:
    if not spec.correlation_table.is_file():
        return Correlations((), np.zeros((0, 0)))
    return read_correlations(spec.correlation_table, frozenset(rows))
