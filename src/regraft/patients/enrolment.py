"""Eligible is not enrolled: the chance that an eligible patient takes part."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from regraft.entries import read_number, read_table
from regraft.errors import InvalidField
from regraft.model.parameter_table import METHODS
from regraft.streams import patient_uniforms

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

COLUMNS = ("term", "value", "unit", "source", "locator", "method", "note")
INTERCEPT = "intercept"
STREAM = "enrolment"


@dataclass(frozen=True)
class Enrolment:
    """A logistic chance: ``intercept`` plus coefficient times measure, on the scale of log odds.

    ``coefficients`` maps a measure to the change of log odds per unit of it, ``units`` to that unit (``1/year``).
    """

    intercept: float
    coefficients: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[str, ...] = ()

    @classmethod
    def constant(cls, probability: float) -> Enrolment:
        """Return the same chance for everybody."""
        return cls(float(logit(probability)) if probability < 1 else math.inf)

    def probability(self, measured: Mapping[str, Floats], patients: int) -> Floats:
        """Return each patient's chance, (patient,); 0 where a measure is unknown."""
        odds = np.full(patients, self.intercept)
        for name, coefficient in self.coefficients.items():
            odds = odds + coefficient * measured[name]
        return np.asarray(np.nan_to_num(expit(odds), nan=0.0), dtype=np.float64)

    def takes_part(self, measured: Mapping[str, Floats], patient_ids: Integers, seed: int) -> Booleans:
        """Decide for each patient; depends on seed and id only, so nobody else is changed."""
        chance = self.probability(measured, patient_ids.size)
        return np.asarray(patient_uniforms(seed, patient_ids, STREAM) < chance)


def read_enrolment(path: Path) -> Enrolment:
    """Read the coefficients of a population.

    Raises
    ------
    InvalidFile : the file cannot be read, or a column is missing
    InvalidField : no intercept, a term twice, a cell that is not allowed
    """
    values: dict[str, float] = {}
    units: dict[str, str] = {}
    rows = read_table(path, columns=COLUMNS)
    for row in rows:
        name = row["term"]
        place = f"{path}, row {name!r}"
        if name in values:
            raise InvalidField(f"{place} appears twice; keep one row.")
        if row["method"] not in METHODS:
            raise InvalidField(f"{place}, column 'method': {row['method']!r}. Use one of {', '.join(METHODS)}.")
        for column in ("unit", "source", "locator"):
            if not row[column]:
                raise InvalidField(f"{place}, column {column!r}: empty; every number needs one.")
        values[name] = read_number(row["value"], path=path, row=name, column="value")
        units[name] = row["unit"]
    if INTERCEPT not in values:
        raise InvalidField(f"{path} has no row {INTERCEPT!r}: log odds of a patient whose measures are all 0. Add it.")
    coefficients = {name: value for name, value in values.items() if name != INTERCEPT}
    return Enrolment(values[INTERCEPT], coefficients, units, tuple(row["source"] for row in rows))
