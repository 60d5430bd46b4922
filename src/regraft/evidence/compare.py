"""Set a simulated estimate beside a published one and say plainly how they differ."""

from __future__ import annotations

from dataclasses import dataclass

from regraft.errors import UnitMismatch
from regraft.evidence.targets import Target

# How a unit reads after a number, and how a difference in it is called.
UNIT_WORDS = {
    "%": ("%", "percentage points"),
    "percent": ("%", "percentage points"),
    "dimensionless": ("", ""),
    "1/year": ("per year", "per year"),
    "edss/year": ("EDSS points per year", "EDSS points per year"),
    "edss": ("EDSS points", "EDSS points"),
    "day": ("days", "days"),
    "lesions": ("lesions", "lesions"),
    "cells/uL": ("cells/µL", "cells/µL"),
}
ONE_OF = {"days": "day", "lesions": "lesion", "EDSS points": "EDSS point"}


@dataclass(frozen=True)
class Estimate:
    """A simulated result: value with its 95 % interval, in ``unit``, from ``n`` virtual patients.

    The interval is the statistical one of the simulated trial; parameter uncertainty is not in it. ``time_months``
    is the time of the estimate, where it has one.
    """

    arm: str
    value: float
    lower: float | None
    upper: float | None
    n: int
    unit: str
    time_months: float | None = None


@dataclass(frozen=True)
class Comparison:
    """A published number and the simulated one of the same endpoint, time and arm class."""

    target: Target
    estimate: Estimate

    @property
    def difference(self) -> float:
        """Simulated minus published value, in the unit of the published row."""
        return self.estimate.value - self.target.value

    @property
    def is_inside(self) -> bool | None:
        """Whether the simulated value lies inside the published 95 % interval; None where there is none."""
        miss = self.miss
        return None if miss is None else miss == 0

    @property
    def miss(self) -> float | None:
        """Signed distance from the nearest published bound, 0 inside, None without a published interval."""
        target = self.target
        if not target.has_confidence_interval or target.lower is None or target.upper is None:
            return None
        return min(self.estimate.value - target.lower, 0.0) + max(self.estimate.value - target.upper, 0.0)

    @property
    def verdict(self) -> str:
        """Return the shortest true statement: inside, above by, below by, or no published interval."""
        miss = self.miss
        if miss is None:
            return "no published 95 % interval"
        if miss == 0:
            return "inside"
        return f"{'above' if miss > 0 else 'below'} by {_amount(abs(miss), self.target.unit)}"

    @property
    def sentence(self) -> str:
        """Return one sentence with both numbers, both intervals and the verdict."""
        return f"Simulated {_simulated(self.estimate)} {self._judgement()}"

    def _judgement(self) -> str:
        """Return the part of the sentence that follows the simulated number."""
        target, miss = self.target, self.miss
        if miss is None or target.lower is None or target.upper is None:
            return self._without_interval()
        bounds = f"({number(target.lower)} to {with_unit(target.upper, target.unit)})"
        computed = target.interval_is_computed
        kind = "95 % interval computed from the published counts" if computed else "published 95 % interval"
        if miss == 0:
            return f"lies inside the {kind} {bounds}."
        side = "above" if miss > 0 else "below"
        return f"lies {_amount(abs(miss), target.unit)} {side} the {kind} {bounds}{self._overlap()}."

    def _overlap(self) -> str:
        """Say whether the two intervals share any value."""
        target, estimate = self.target, self.estimate
        if estimate.lower is None or estimate.upper is None or target.lower is None or target.upper is None:
            return ""
        shares = estimate.lower <= target.upper and target.lower <= estimate.upper
        return "; the two intervals overlap" if shares else "; the two intervals do not overlap"

    def _without_interval(self) -> str:
        """Judge against a bare published number: only the difference can be stated."""
        target, estimate = self.target, self.estimate
        published = f"the published value {with_unit(target.value, target.unit)}"
        gap = abs(self.difference)
        where = f"equals {published}"
        if gap > 0:
            where = f"lies {_amount(gap, target.unit)} {'above' if self.difference > 0 else 'below'} {published}"
        reason = "published gives no interval"
        if target.lower is not None and target.upper is not None:
            spread = f"{number(target.lower)} to {with_unit(target.upper, target.unit)}"
            reason = f"published gives {target.interval_type or 'a range'} {spread}, which is not a 95 % interval"
        if estimate.lower is None or estimate.upper is None:
            return f"{where}; {reason}."
        inside = "holds" if estimate.lower <= target.value <= estimate.upper else "does not hold"
        return f"{where}; {reason}. The simulated interval {inside} the published value."


def compare(target: Target, estimate: Estimate) -> Comparison:
    """Pair a published row with a simulated estimate of the same unit.

    Raises
    ------
    UnitMismatch : the units differ; convert the estimate to the unit of the published row first
    """
    if target.unit != estimate.unit:
        raise UnitMismatch(
            f"Published row {target.id!r} is in {target.unit!r} but the simulated value of arm {estimate.arm!r} is in "
            f"{estimate.unit!r}: convert the simulated value to {target.unit!r} before comparing."
        )
    return Comparison(target, estimate)


def number(value: float) -> str:
    """Return a number with three significant figures, without exponent for ordinary sizes."""
    if value == 0:
        return "0"
    if 100 <= abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.3g}"


def with_unit(value: float, unit: str) -> str:
    """Return a number followed by its unit as a reader writes it."""
    return _counted(number(value), UNIT_WORDS.get(unit, (unit, unit))[0])


def _amount(value: float, unit: str) -> str:
    """Return a difference with its unit: percentage points, not per cent."""
    return _counted(number(value), UNIT_WORDS.get(unit, (unit, unit))[1])


def _counted(text: str, word: str) -> str:
    """Return a number and its word, which is in the singular after 1."""
    return f"{text} {ONE_OF.get(word, word) if text == '1' else word}".rstrip()


def _simulated(estimate: Estimate) -> str:
    """Return the simulated value with interval and number of patients."""
    value = with_unit(estimate.value, estimate.unit)
    if estimate.lower is None or estimate.upper is None:
        return f"{value} (n = {estimate.n}, no interval)"
    return f"{value} (95 % interval {number(estimate.lower)} to {number(estimate.upper)}, n = {estimate.n})"
