from __future__ import annotations

import pytest

from regraft.errors import UnitMismatch
from regraft.evidence.compare import Comparison, Estimate, compare, number, with_unit
from regraft.evidence.targets import Target


def target(lower: float | None = 66.0, upper: float | None = 81.0, **changes: str) -> Target:
    return Target(
        id="row",
        study="Example cohort",
        year=2024,
        arm_class="ahsct",
        n=174,
        population="relapsing",
        regimen="Cy/ATG",
        endpoint_id="neda3",
        time_months=60.0,
        value=73.0,
        unit=changes.get("unit", "%"),
        lower=lower,
        upper=upper,
        interval_type=changes.get("interval_type", "CI95" if lower is not None else ""),
        citation="10.1/example",
        source_row="29",
        note="",
    )


def estimate(value: float, lower: float | None, upper: float | None, unit: str = "%") -> Estimate:
    return Estimate("ahsct", value, lower, upper, 300, unit)


def test_a_value_inside_the_published_interval_is_said_to_be_inside() -> None:
    comparison = compare(target(), estimate(70, 64, 75))
    assert comparison.is_inside is True
    assert comparison.miss == 0
    assert comparison.sentence == (
        "Simulated 70 % (95 % interval 64 to 75, n = 300) lies inside the published 95 % interval (66 to 81 %)."
    )


def test_bounds_belong_to_the_published_interval() -> None:
    assert compare(target(), estimate(66, 60, 70)).is_inside is True
    assert compare(target(), estimate(81, 75, 85)).is_inside is True


def test_a_miss_below_is_given_in_percentage_points() -> None:
    comparison = compare(target(), estimate(60, 55, 65))
    assert comparison.is_inside is False
    assert comparison.miss == -6
    assert comparison.verdict == "below by 6 percentage points"
    assert comparison.sentence == (
        "Simulated 60 % (95 % interval 55 to 65, n = 300) lies 6 percentage points below the published 95 % interval "
        "(66 to 81 %); the two intervals do not overlap."
    )


def test_a_miss_above_whose_interval_overlaps_says_so() -> None:
    comparison = compare(target(unit="1/year"), estimate(84, 80, 88, unit="1/year"))
    assert comparison.miss == 3
    assert "lies 3 per year above" in comparison.sentence
    assert comparison.sentence.endswith("; the two intervals overlap.")


def test_without_a_published_interval_nothing_is_claimed_to_be_inside() -> None:
    comparison = compare(target(None, None), estimate(70, 64, 75))
    assert comparison.is_inside is None
    assert comparison.miss is None
    assert "published gives no interval" in comparison.sentence
    assert "holds the published value" in comparison.sentence


def test_a_published_range_is_not_used_as_an_interval() -> None:
    comparison = compare(target(interval_type="IQR"), estimate(70, 64, 75))
    assert comparison.is_inside is None
    assert "IQR 66 to 81 %, which is not a 95 % interval" in comparison.sentence


def test_an_interval_from_counts_is_not_called_published() -> None:
    sentence = compare(target(interval_type="Wilson 95% (computed here from counts)"), estimate(70, 64, 75)).sentence
    assert "the 95 % interval computed from the published counts" in sentence


def test_different_units_are_refused() -> None:
    with pytest.raises(UnitMismatch, match="'%'.*'1/year'"):
        compare(target(), estimate(0.7, 0.6, 0.8, unit="1/year"))


def test_an_exact_match_is_called_equal() -> None:
    comparison = Comparison(target(None, None), estimate(73, None, None))
    assert "equals the published value 73 %" in comparison.sentence


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (0.0123, "0.0123"), (123.4, "123"), (99.96, "100"), (-6, "-6")])
def test_numbers_keep_three_figures(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("unit", "one", "many"),
    [
        ("day", "1 day", "11 days"),
        ("lesions", "1 lesion", "11 lesions"),
        ("edss/year", "1 EDSS points per year", "11 EDSS points per year"),
        ("cells/uL", "1 cells/µL", "11 cells/µL"),
        ("%", "1 %", "11 %"),
        ("dimensionless", "1", "11"),
    ],
)
def test_units_read_as_words(unit: str, one: str, many: str) -> None:
    assert (with_unit(1, unit), with_unit(11, unit)) == (one, many)
