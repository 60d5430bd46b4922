"""What a statistic returns: estimates, tests and curves, each with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regraft.errors import InvalidArgument

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
Codes = NDArray[np.int8]  # causes of an event: few kinds, and one for each of many patients

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval; NaN bounds where no interval exists, and ``note`` then says why.

    ``n`` counts patients; ``effective_size`` is what they are worth where they are weighted, else None.
    """

    value: float
    lower: float
    upper: float
    n: int
    unit: str
    method: str
    standard_error: float = math.nan
    note: str = ""
    effective_size: float | None = None


@dataclass(frozen=True)
class Test:
    """A test statistic with its p value."""

    __test__ = False  # not a test case, whatever its name says to pytest

    statistic: float
    p_value: float
    n: int
    method: str


@dataclass(frozen=True)
class StepCurve:
    """A step function: ``value`` holds from ``time`` to the next one. Bounds are pointwise 95 %."""

    time: Floats
    value: Floats
    lower: Floats
    upper: Floats
    standard_error: Floats

    def at(self, time: float) -> tuple[float, float, float, float]:
        """Return value, lower and upper bound and standard error at a time at or after the first."""
        index = int(np.searchsorted(self.time, time, side="right")) - 1
        if index < 0:
            raise InvalidArgument(f"The curve starts at {self.time[0]:g}; nothing is known at {time:g}.")
        value, lower, upper = float(self.value[index]), float(self.lower[index]), float(self.upper[index])
        return value, lower, upper, float(self.standard_error[index])


def missing(n: int, unit: str, method: str, note: str) -> Estimate:
    """Return an estimate that does not exist, with the reason."""
    return Estimate(math.nan, math.nan, math.nan, n, unit, method, math.nan, note)


def normal_quantile() -> float:
    """Return the two-sided normal quantile of ``LEVEL``."""
    from scipy.special import ndtri

    return float(ndtri(0.5 + LEVEL / 2))


def from_zero(time: Floats, value: Floats, lower: Floats, upper: Floats, error: Floats, *, first: float) -> StepCurve:
    """Return a curve with its value at time 0 put in front."""

    def put(start: float, rest: Floats) -> Floats:
        return np.concatenate([[start], np.asarray(rest, dtype=np.float64)])

    return StepCurve(put(0.0, time), put(first, value), put(first, lower), put(first, upper), put(0.0, error))


def flat(value: float) -> StepCurve:
    """Return a curve without any event."""
    return StepCurve(np.zeros(1), np.full(1, value), np.full(1, value), np.full(1, value), np.zeros(1))


def log_log_bounds(value: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Return bounds of a share on the log(-log) scale; they stay within 0 and 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(value)
        half = normal_quantile() * error / (value * np.abs(log))
        inside = (value > 0) & (value < 1)
        lower, upper = (np.where(inside, np.exp(log * np.exp(sign * half)), value) for sign in (1, -1))
    return lower, upper
