from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

import regraft.evidence
from regraft.errors import InvalidArgument, InvalidField, InvalidFile, UnknownEntry
from regraft.evidence.published import load_published, pick, read_published
from regraft.evidence.published_types import Conversion, IntervalKind, Kind, Role

from .published_rows import NO_INTERVAL, ROW, published, write

ROWS = load_published()


def test_a_row_is_read_with_its_types(tmp_path: Path) -> None:
    row = published(tmp_path)
    assert (row.role, row.is_verified, row.kind, row.interval) == (
        Role.CALIBRATE,
        True,
        Kind.SURVIVAL,
        IntervalKind.CI95,
    )
    assert (row.year, row.patients, row.time_months) == (2024, 174, 60.0)
    assert (row.value, row.lower, row.upper, row.unit) == (73.0, 66.0, 81.0, "%")
    assert (row.printed.value, row.printed.unit, row.printed.interval_type) == ("73", "%", "CI95")


def test_empty_cells_are_none(tmp_path: Path) -> None:
    row = published(tmp_path, **NO_INTERVAL, year="", patients="", read_months="", value="", kind="other")
    assert (row.year, row.patients, row.time_months, row.value, row.lower) == (None, None, None, None, None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"conversion": "complement"}, (27.0, 19.0, 34.0)),
        ({"conversion": "reduction"}, (0.27, 0.19, 0.34)),
        ({"conversion": "per_hundred"}, (0.73, 0.66, 0.81)),
        ({"conversion": "count_of_n", "value": "3", "patients": "24", **NO_INTERVAL}, (12.5, None, None)),
        ({"conversion": "complement_of_n", "value": "3", "patients": "24", **NO_INTERVAL}, (87.5, None, None)),
        ({"conversion": "none_seen", "value": "0", **NO_INTERVAL}, (100.0, None, None)),
        ({"conversion": "median_time", "value": "5", "unit": "years", **NO_INTERVAL}, (50.0, None, None)),
        ({"conversion": "count_per_exposure", "value": "6", "exposure_years": "24", **NO_INTERVAL}, (0.25, None, None)),
    ],
)
def test_a_printed_number_becomes_that_of_the_platform(
    tmp_path: Path, changes: dict[str, str], expected: tuple[float | None, ...]
) -> None:
    row = published(tmp_path, **changes)
    assert (row.value, row.lower, row.upper) == expected
    assert row.printed.value == changes.get("value", "73")


def test_bounds_of_the_follow_up_are_not_those_of_the_value(tmp_path: Path) -> None:
    row = published(tmp_path, interval_kind="range_of_follow_up", lower="14", upper="52", value="5")
    assert (row.value, row.lower, row.upper) == (5.0, None, None)


@pytest.mark.parametrize(
    ("kind", "level"), [("ci95", 0.95), ("ci95_from_counts", 0.95), ("ci90", 0.9), ("ci80", 0.8), ("iqr", None)]
)
def test_a_confidence_interval_knows_its_level(kind: str, level: float | None) -> None:
    assert IntervalKind(kind).level == level


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"role": "train"}, "calibrate, validate, held_out"),
        ({"role": "calibrated"}, "Did you mean 'calibrate'"),
        ({"verified": "maybe"}, "'yes' or 'no'"),
        ({"kind": "percentage"}, "'kind' is 'percentage'"),
        ({"interval_kind": "95"}, "'interval_kind' is '95'"),
        ({"conversion": "invert"}, "'conversion' is 'invert'"),
        ({"cluster": ""}, "'cluster' is empty"),
        ({"citation": ""}, "'citation' is empty"),
        ({"value": "many"}, "'value' is 'many'"),
        ({"value": "nan"}, "finite number"),
        ({"patients": "3.5"}, "whole number"),
        ({"patients": "-3"}, "whole number"),
        ({"lower": ""}, "give both or neither"),
        ({"lower": "75"}, "outside its own interval"),
        ({"conversion": "none_seen"}, "needs the value 0"),
        ({"conversion": "count_of_n", "patients": ""}, "column 'patients'"),
        ({"conversion": "count_per_exposure"}, "column 'exposure_years'"),
    ],
)
def test_a_wrong_row_is_refused_by_name(tmp_path: Path, changes: dict[str, str], expected: str) -> None:
    with pytest.raises(InvalidField) as error:
        read_published(write(tmp_path, ROW, ROW | {"id": "bad_row"} | changes))
    assert expected in str(error.value)
    assert "bad_row" in str(error.value)
    assert "line 3" in str(error.value)


def test_two_rows_with_one_id_and_a_missing_column_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidField, match="occurs twice"):
        read_published(write(tmp_path, ROW, ROW))
    path = tmp_path / "short.csv"
    path.write_text("id,study\na,b\n", encoding="utf-8")
    with pytest.raises(InvalidFile, match="is missing"):
        read_published(path)


@pytest.mark.parametrize("role", ["validate", "held_out"])
def test_a_row_kept_back_comes_without_anything_that_tells_its_number(tmp_path: Path, role: str) -> None:
    rows = (ROW | {"role": role}, ROW | {"id": "none", "role": role, "conversion": "none_seen", "value": "0"})
    path = write(tmp_path, rows[0], rows[1] | NO_INTERVAL)
    for row in load_published(path=path):
        assert row.is_sealed
        assert (row.value, row.lower, row.upper, row.spread, row.note) == (None, None, None, None, "")
        assert (row.printed.value, row.printed.lower, row.printed.upper) == ("", None, None)
        assert row.conversion is Conversion.NONE
        assert row.study == "Example cohort"


def test_rows_are_filtered_and_come_in_the_order_asked_for() -> None:
    chosen = ["silfverberg_2024_neda_5y_all", "boffa_2021_edss_slope"]
    assert [row.id for row in load_published(chosen)] == chosen
    found = load_published(disease="MS", endpoint_id="neda3", role=Role.VALIDATE)
    assert [row.cluster for row in found] == ["canadian_msbmt"]
    assert {row.arm_class for row in load_published(arm_class="natalizumab")} == {"natalizumab"}
    assert load_published(role=Role.HELD_OUT) == ()


def test_an_unknown_id_or_filter_lists_near_matches_and_a_doubled_id_is_refused() -> None:
    with pytest.raises(UnknownEntry, match="boffa_2021_edss_slope"):
        load_published(["boffa_2021_edss_slop"])
    with pytest.raises(UnknownEntry, match="natalizumab"):
        load_published(arm_class="natalizumap")
    with pytest.raises(InvalidArgument, match="named twice"):
        pick(ROWS, ["boffa_2021_edss_slope"] * 2)


def test_numbers_are_read_by_the_doors_and_the_checks_alone() -> None:
    """No other module of the package may open the rows that are kept back."""
    package = Path(regraft.evidence.__file__).parents[1]
    readers = {
        path.name
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Name) and node.id == "read_published"
    }
    assert readers == {"published.py", "access.py", "published_checks.py"}


def test_the_catalog_holds_every_row_of_the_table_with_its_role() -> None:
    assert len(ROWS) == 767
    assert Counter(row.role for row in ROWS) == {Role.CALIBRATE: 665, Role.VALIDATE: 102}
    assert sum(row.is_verified for row in ROWS) == 666
    assert sorted(int(row.source_row) for row in ROWS) == list(range(2, 769))
