"""What is believed of each parameter before the fit, as monotone maps of standard normal scores.

Three scales are used. *White* scores are independent standard normal numbers; the samplers work on them. *Scores* are
standard normal too, and correlated where the table of correlations says so (a Gaussian copula). *Natural* values have
the unit of the parameter.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

from regraft.entries import read_number, read_table
from regraft.errors import InvalidArgument, InvalidField, near_matches
from regraft.evidence.calibration.chance import Floats, Integers, normals
from regraft.patients.correlations import Correlations

DISTRIBUTIONS = ("lognormal", "normal", "logitnormal", "uniform")
COLUMNS = ("id", "unit", "distribution", "centre", "spread", "lower", "upper", "source", "locator", "method")
_INNERMOST = 1e-15  # probabilities nearer to 0 or 1 have no finite score


@dataclass(frozen=True)
class Prior:
    """The prior of one parameter.

    ``centre`` is the median (the mean where normal), ``spread`` the SD of the natural logarithm (lognormal), of the
    value (normal) or of the logit (logitnormal). ``lower`` and ``upper`` are the ends of a uniform or logitnormal (0
    and 1 unless given), and truncate the other two: what is outside them has no probability.
    """

    name: str
    unit: str
    distribution: str
    centre: float = 0.0
    spread: float = 0.0
    lower: float | None = None
    upper: float | None = None
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse a prior that is no distribution."""
        if self.distribution not in DISTRIBUTIONS:
            raise self._wrong("distribution", self.distribution, near_matches(self.distribution, DISTRIBUTIONS))
        numbers = {"centre": self.centre, "spread": self.spread, "lower": self.lower, "upper": self.upper}
        for field, number in numbers.items():
            if number is not None and not np.isfinite(number):
                raise self._wrong(field, number, "Give a finite number.")
        low, high = self.ends
        if not low < high:
            raise self._wrong("lower", self.lower, f"It must be below 'upper', which is {self.upper}.")
        if self.distribution == "uniform":
            if not np.isfinite(low) or not np.isfinite(high):
                raise self._wrong("lower", self.lower, "A uniform prior needs both 'lower' and 'upper'.")
            return
        if self.spread <= 0:
            raise self._wrong("spread", self.spread, "It must be above 0; a known parameter is not fitted.")
        if not low < self.centre < high:
            raise self._wrong("centre", self.centre, f"It must lie between {low:g} and {high:g}.")

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest value that are possible, infinite where there is no end."""
        low = {"lognormal": 0.0, "logitnormal": 0.0}.get(self.distribution, -np.inf)
        high = 1.0 if self.distribution == "logitnormal" else np.inf
        lower, upper = (low if self.lower is None else self.lower), (high if self.upper is None else self.upper)
        return (max(low, lower) if self.distribution == "lognormal" else lower), upper

    def natural(self, score: Floats) -> Floats:
        """Return values in the parameter's unit for standard normal scores of any shape."""
        low, high = self.ends
        if self.distribution == "uniform":
            return np.asarray(low + (high - low) * ndtr(score), dtype=np.float64)
        if self.distribution == "logitnormal":
            centre = logit((self.centre - low) / (high - low))
            return np.asarray(low + (high - low) * expit(centre + self.spread * score), dtype=np.float64)
        below, above = self._cut()
        if (below, above) != (0.0, 1.0):
            inside = below + (above - below) * ndtr(score)
            score = ndtri(np.clip(inside, max(below, _INNERMOST), min(above, 1 - _INNERMOST)))
        if self.distribution == "normal":
            return np.asarray(np.clip(self.centre + self.spread * score, low, high), dtype=np.float64)
        return np.asarray(np.clip(self.centre * np.exp(self.spread * score), low, high), dtype=np.float64)

    def score(self, value: Floats) -> Floats:
        """Return standard normal scores of values; NaN outside the ends, infinite at them."""
        low, high = self.ends
        value = np.where((value >= low) & (value <= high), value, np.nan)
        with np.errstate(divide="ignore"):
            if self.distribution == "uniform":
                return np.asarray(ndtri((value - low) / (high - low)), dtype=np.float64)
            if self.distribution == "logitnormal":
                centre = logit((self.centre - low) / (high - low))
                return np.asarray((logit((value - low) / (high - low)) - centre) / self.spread, dtype=np.float64)
            raw = self._raw(value)
            below, above = self._cut()
            if (below, above) != (0.0, 1.0):
                raw = ndtri((ndtr(raw) - below) / (above - below))
        return np.asarray(raw, dtype=np.float64)

    def _raw(self, value: Floats) -> Floats:
        """Return scores before truncation of a normal or lognormal."""
        if self.distribution == "normal":
            return (value - self.centre) / self.spread
        return np.asarray(np.log(value / self.centre) / self.spread, dtype=np.float64)

    def _cut(self) -> tuple[float, float]:
        """Return the probabilities below the lower and the upper end before truncation."""
        low, high = self.ends
        nothing = self.lower is None or (self.distribution == "lognormal" and low == 0)
        bottom = 0.0 if nothing else float(ndtr(self._raw(np.array(low))))
        top = 1.0 if self.upper is None else float(ndtr(self._raw(np.array(high))))
        return bottom, top

    def _wrong(self, field: str, value: object, allowed: str) -> InvalidField:
        """Return the error for one field."""
        return InvalidField(f"Prior of {self.name!r}: {field!r} is {value!r}. {allowed}")


@dataclass(frozen=True)
class Priors:
    """The priors of all fitted parameters, and how their scores correlate (not at all if None)."""

    members: tuple[Prior, ...]
    correlations: Correlations | None = None

    def __post_init__(self) -> None:
        """Refuse no parameter, one twice, and correlations of parameters that are not fitted."""
        names = self.names
        if not names:
            raise InvalidArgument("There is no parameter to fit. Give at least one prior.")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InvalidArgument(f"Parameter {twice[0]!r} has two priors; keep one.")
        unknown = [name for name in (self.correlations.names if self.correlations else ()) if name not in names]
        if unknown:
            raise InvalidArgument(
                f"The correlations name {unknown[0]!r}, which has no prior. {near_matches(unknown[0], names)}"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Names in the order of the columns of every array."""
        return tuple(member.name for member in self.members)

    @property
    def factor(self) -> Floats:
        """Matrix that turns white scores into scores, (parameter, parameter)."""
        matrix = np.eye(len(self.members))
        if self.correlations is not None:
            place = [self.names.index(name) for name in self.correlations.names]
            matrix[np.ix_(place, place)] = self.correlations.factor
        return matrix

    def natural(self, white: Floats) -> Floats:
        """Return natural values, (draw, parameter), for white scores of the same shape."""
        scores = white @ self.factor.T
        return np.column_stack([member.natural(scores[:, k]) for k, member in enumerate(self.members)])

    def scores(self, natural: Floats) -> Floats:
        """Return scores, (draw, parameter), of natural values; NaN where a value lies outside its prior."""
        return np.column_stack([member.score(natural[:, k]) for k, member in enumerate(self.members)])

    def white(self, natural: Floats) -> Floats:
        """Return white scores, (draw, parameter), of natural values."""
        return np.asarray(np.linalg.solve(self.factor, self.scores(natural).T).T, dtype=np.float64)

    def sample_white(self, seed: int, draws: Integers) -> Floats:
        """Return white scores of prior draws, (draw, parameter), keyed by seed, draw and name."""
        return normals(seed, draws, self.names, "prior")

    def sample(self, seed: int, draws: Integers) -> Floats:
        """Return prior draws in natural values, (draw, parameter).

        A draw of a parameter depends on the seed, the number of the draw and the parameter's name. A further parameter
        changes none of the others unless the correlations tie them together.
        """
        return self.natural(self.sample_white(seed, draws))


def read_priors(path: Path, correlations: Correlations | None = None) -> Priors:
    """Read priors from a table with the columns id, unit, distribution, centre, spread, lower, upper and their origin.

    Empty cells of spread, lower and upper mean: none.

    Raises
    ------
    InvalidFile : the file cannot be read or lacks a column
    InvalidField : a cell is no number, or the row is no distribution; the message names file and row
    """
    members = []
    for row in read_table(path, columns=COLUMNS):
        name = row["id"]
        cells = {
            column: read_number(row[column], path=path, row=name, column=column) if row[column] else None
            for column in ("centre", "spread", "lower", "upper")
        }
        try:
            members.append(
                Prior(
                    name,
                    row["unit"],
                    row["distribution"],
                    centre=cells["centre"] or 0.0,
                    spread=cells["spread"] or 0.0,
                    lower=cells["lower"],
                    upper=cells["upper"],
                    source=row["source"],
                )
            )
        except InvalidField as error:
            raise InvalidField(f"{path}: {error}") from error
    try:
        return Priors(tuple(members), correlations)
    except InvalidArgument as error:
        raise InvalidField(f"{path}: {error}") from error
