"""Declared quantities and their units: one registry, one way to convert."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pint

from regraft.errors import UnitMismatch

_DEFINITIONS = (
    "cell = [cell_count] = cells",
    "Mcell = 1e6 * cell",
    "edss = [disability]",
)
_MAX_CHARACTERS = 200
# Names joined by * and /, each with a small power. Narrower than pint's own grammar: there "day day" is a square, and
# a tower of powers is worked out with whole numbers, which can take for ever.
_FACTOR = r"\s*\(*\s*(?:1|%|[^\W\d]\w*)\s*\)*\s*(?:(?:\*\*|\^)\s*-?\d{1,2}(?:\.\d{1,3})?\s*\)*\s*)?"
_SHAPE = re.compile(rf"{_FACTOR}(?:[*/]{_FACTOR})*")


@dataclass(frozen=True)
class Quantity:
    """A named quantity of a model part: what it is, its unit, and whether the part defines or receives it.

    ``kind`` is ``state`` (changes by rates and jumps), ``derived`` (a formula) or ``input`` (another part may define
    it). ``adds_to`` names the quantity to which it is a contribution, summed over all parts when they are joined.
    """

    id: str
    kind: str
    unit: str
    meaning: str
    default: float | None = None
    adds_to: str = ""


@lru_cache(maxsize=1)
def _registry() -> pint.UnitRegistry[Any]:
    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(cache_folder=None)
    for definition in _DEFINITIONS:
        registry.define(definition)
    return registry


@lru_cache(maxsize=4096)
def parse_unit(text: str) -> pint.Unit:
    """Return the unit that a text names, such as ``1/day`` or ``Mcell/kg``.

    Raises
    ------
    UnitMismatch : the text is not a unit
    """
    if len(text) > _MAX_CHARACTERS:
        raise UnitMismatch(f"{text[:40]!r}... is no unit: it has more than {_MAX_CHARACTERS} characters.")
    text = text.strip() or "dimensionless"
    refusal = f"{text!r} is not a unit. Write it like '1/day', 'cell/uL', 'mg/kg' or 'dimensionless'."
    if _SHAPE.fullmatch(text) is None:
        raise UnitMismatch(refusal)
    try:
        unit: pint.Unit = _registry().Unit(text)
        # a degree Celsius or a decibel has no factor to another unit
        (_registry().Quantity(1.0, unit) * 2.0).to_base_units()
    except Exception as error:  # pint raises many kinds for a text that is not a unit
        raise UnitMismatch(refusal) from error
    return unit


def same_dimension(first: str, second: str) -> bool:
    """Whether two unit texts measure the same kind of quantity."""
    return parse_unit(first).dimensionality == parse_unit(second).dimensionality


def equivalent(first: str, second: str) -> bool:
    """Whether two unit texts are the same unit (1 of one is 1 of the other)."""
    if not same_dimension(first, second):
        return False
    return abs(convert(1.0, first, second) - 1.0) < 1e-12


def convert(value: float, unit: str, target: str) -> float:
    """Return a value given in one unit in another.

    Raises
    ------
    UnitMismatch : the units measure different things
    """
    if not same_dimension(unit, target):
        raise UnitMismatch(f"{value:g} {unit} cannot be given in {target}: the two measure different things.")
    return value * _factor(unit, target)


@lru_cache(maxsize=4096)
def _factor(unit: str, target: str) -> float:
    """Return how many of the target unit one unit is (every unit used here starts at zero)."""
    return float(_registry().Quantity(1.0, parse_unit(unit)).to(parse_unit(target)).magnitude)


def parse_quantity(text: str) -> tuple[float, str]:
    """Split a text such as ``50 mg/kg`` into number and unit.

    Raises
    ------
    UnitMismatch : there is no number, or no unit
    """
    number, _, unit = text.strip().partition(" ")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UnitMismatch(f"{text!r} is not a finite number with a unit. Write it like '50 mg/kg'.")
    if not unit.strip():
        raise UnitMismatch(f"{text!r} has no unit. Write it like '{number} mg/kg'.")
    parse_unit(unit.strip())
    return value, unit.strip()
