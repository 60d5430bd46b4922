from __future__ import annotations

import csv
from pathlib import Path

import pytest

from regraft.errors import InvalidField, InvalidFile, UnknownEntry
from regraft.evidence.targets import COLUMNS, load_targets, read_targets

ROW = {
    "id": "cohort_neda_5y",
    "study": "Example cohort",
    "year": "2024",
    "arm_class": "ahsct",
    "n": "174",
    "population": "relapsing",
    "regimen": "Cy/ATG",
    "endpoint_id": "neda3",
    "time_months": "60",
    "value": "73",
    "unit": "%",
    "lower": "66",
    "upper": "81",
    "interval_type": "CI95",
    "role": "calibrate",
    "verified": "yes",
    "citation": "10.1/example",
    "source_row": "29",
    "note": "",
}


def write(folder: Path, *rows: dict[str, str]) -> Path:
    path = folder / "outcomes.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_row_is_read_with_its_types(tmp_path: Path) -> None:
    (target,) = read_targets(write(tmp_path, ROW))
    assert (target.year, target.n, target.time_months) == (2024, 174, 60.0)
    assert (target.value, target.lower, target.upper) == (73.0, 66.0, 81.0)
    assert target.has_confidence_interval


def test_empty_numbers_are_none(tmp_path: Path) -> None:
    changes = {"year": "", "n": "", "time_months": "", "lower": "", "upper": "", "interval_type": ""}
    (target,) = read_targets(write(tmp_path, ROW | changes))
    assert (target.year, target.n, target.time_months, target.lower) == (None, None, None, None)
    assert not target.has_confidence_interval


def test_a_spread_between_patients_is_not_a_confidence_interval(tmp_path: Path) -> None:
    (target,) = read_targets(write(tmp_path, ROW | {"interval_type": "IQR"}))
    assert not target.has_confidence_interval


def test_an_interval_computed_from_counts_is_told_apart(tmp_path: Path) -> None:
    (target,) = read_targets(write(tmp_path, ROW | {"interval_type": "Wilson 95% (computed here from counts)"}))
    assert target.has_confidence_interval
    assert target.interval_is_computed


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"role": "validate"}, "role is 'validate'"),
        ({"role": "held_out"}, "only 'calibrate'"),
        ({"verified": "no"}, "verified is 'no'"),
        ({"value": ""}, "'value' is empty"),
        ({"value": "many"}, "'value' is 'many'"),
        ({"value": "nan"}, "finite number"),
        ({"n": "-3"}, "whole number"),
        ({"n": "3.5"}, "whole number"),
        ({"lower": ""}, "give both or neither"),
        ({"lower": "75"}, "outside its own interval"),
        ({"unit": " "}, "'unit' is empty"),
    ],
)
def test_a_wrong_row_is_refused_by_name(tmp_path: Path, changes: dict[str, str], expected: str) -> None:
    with pytest.raises(InvalidField) as error:
        read_targets(write(tmp_path, ROW, ROW | {"id": "bad_row"} | changes))
    assert expected in str(error.value)
    assert "bad_row" in str(error.value)
    assert "line 3" in str(error.value)


def test_two_rows_with_one_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidField, match="occurs twice"):
        read_targets(write(tmp_path, ROW, ROW))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.csv"
    path.write_text("id,study\na,b\n", encoding="utf-8")
    with pytest.raises(InvalidFile, match="endpoint_id|year"):
        read_targets(path)


def test_an_unknown_trial_lists_near_matches() -> None:
    with pytest.raises(UnknownEntry, match="ms_ahsct_calibrate"):
        load_targets("ms_ahsct_calibrat")


def test_the_catalog_rows_are_all_for_calibration() -> None:
    targets = load_targets("ms_ahsct_calibrate")
    assert targets
    assert {target.arm_class for target in targets} >= {"ahsct", "natalizumab"}
