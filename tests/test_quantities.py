from __future__ import annotations

import pytest

from regraft.errors import UnitMismatch
from regraft.quantities import convert, equivalent, parse_quantity, parse_unit, same_dimension


@pytest.mark.parametrize(
    ("value", "unit", "target", "expected"),
    [
        (1.0, "Mcell/kg", "cell/kg", 1e6),
        (1.0, "cells/uL", "cell/L", 1e6),
        (50.0, "percent", "dimensionless", 0.5),
        (2.0, "week", "day", 14.0),
        (1.0, "mg/kg", "ug/kg", 1e3),
        (3.0, "edss", "edss", 3.0),
        (0.0, "day", "hour", 0.0),
        (10.0, "1/year", "1/day", 10 / 365.25),
        (5.0, "%", "percent", 5.0),
        (4.0, "kg/Mcell", "kg/cell", 4e-6),
        (9.0, "m**0.5", "cm^0.5", 90.0),
        (7.0, "(mg)/kg", "ug*kg^-1", 7000.0),
        (0.5, " ", "dimensionless", 0.5),
    ],
)
def test_known_conversions(value: float, unit: str, target: str, expected: float) -> None:
    # pint's factors are products of a few decimals; 1e-12 leaves room for their rounding
    assert convert(value, unit, target) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "mgg",
        "1/",
        "m m",
        "2 m",
        "2*m",
        "day day",
        "mg per kg",
        "m(s)",
        "(m",
        "m//s",
        "x" * 300,
        "m;s",
        "__import__('os')",
    ],
)
def test_a_text_that_is_no_unit_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UnitMismatch, match=r"is not a unit\. Write it like '1/day'|is no unit: it has more than 200"):
        parse_unit(text)


def test_a_tower_of_powers_is_refused_before_it_is_worked_out() -> None:
    with pytest.raises(UnitMismatch, match="is not a unit"):
        parse_unit("9**9**9**9")


@pytest.mark.parametrize("text", ["degC", "dB"])
def test_a_unit_without_a_factor_to_others_is_refused(text: str) -> None:
    with pytest.raises(UnitMismatch, match="is not a unit"):
        parse_unit(text)


def test_cells_are_not_plain_numbers() -> None:
    assert not same_dimension("cell/uL", "1/uL")
    assert not same_dimension("edss", "dimensionless")


def test_units_of_different_dimension_are_not_converted() -> None:
    with pytest.raises(UnitMismatch, match="3 mg cannot be given in day"):
        convert(3.0, "mg", "day")


def test_equivalent_units_are_the_same_size_and_dimension() -> None:
    assert equivalent("cells/uL", "cell/microliter")
    assert not equivalent("mg/kg", "ug/kg")
    assert not equivalent("day", "kg")


def test_a_quantity_is_a_finite_number_and_a_unit() -> None:
    assert parse_quantity(" 50 mg/kg ") == (50.0, "mg/kg")


@pytest.mark.parametrize("text", ["50", "mg/kg", "", "nan mg", "inf mg", "5 0 mg", "50 mgg"])
def test_a_text_that_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(UnitMismatch):
        parse_quantity(text)
