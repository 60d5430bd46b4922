from __future__ import annotations

from pathlib import Path

import pytest

from regraft.errors import InvalidField, InvalidFile
from regraft.model.parameter_table import COLUMNS, ParameterRow, read_parameters

GOOD = {
    "id": "k_loss",
    "value": "0.5",
    "unit": "1/day",
    "distribution": "lognormal",
    "spread": "0.3",
    "lower": "0.1",
    "upper": "2",
    "source": "someone_2020",
    "locator": "table 1",
    "method": "measured",
    "note": "loss",
}


def write(folder: Path, *rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> Path:
    path = folder / "parameters.csv"
    path.write_text("\n".join(",".join(row[c] for c in columns) for row in ({c: c for c in columns}, *rows)) + "\n")
    return path


def test_a_good_row_is_read_with_its_numbers_and_its_origin(tmp_path: Path) -> None:
    assert read_parameters(write(tmp_path, GOOD)) == (
        ParameterRow("k_loss", 0.5, "1/day", "lognormal", 0.3, 0.1, 2.0, "someone_2020", "table 1", "measured", "loss"),
    )


def test_empty_spread_and_bounds_are_none(tmp_path: Path) -> None:
    (row,) = read_parameters(
        write(tmp_path, GOOD | {"distribution": "fixed", "spread": "", "lower": "", "upper": "", "note": ""})
    )
    assert (row.spread, row.lower, row.upper, row.note) == (None, None, None, "")


NORMAL = {"distribution": "normal"}
FIXED = {"distribution": "fixed", "spread": ""}
UNIFORM = {"distribution": "uniform", "spread": "", "value": "1", "lower": "0", "upper": "2"}
LOGIT = {"distribution": "logitnormal", "unit": "dimensionless", "lower": "", "upper": ""}
COIN = {"distribution": "bernoulli", "unit": "dimensionless", "spread": "", "lower": "", "upper": ""}


@pytest.mark.parametrize(
    ("cells", "column", "message"),
    [
        ({"id": ""}, "id", "'' is no name"),
        ({"id": "k loss"}, "id", "'k loss' is no name"),
        ({"id": "2k"}, "id", "'2k' is no name"),
        ({"unit": ""}, "unit", "empty; every number needs one"),
        ({"unit": "1/dya"}, "unit", "'1/dya' is not a unit. Write it like"),
        ({"source": ""}, "source", "empty"),
        ({"locator": ""}, "locator", "empty"),
        ({"method": "guessed"}, "method", "'guessed' is not allowed; use one of measured, fitted"),
        ({"method": "measurd"}, "method", "Did you mean 'measured'"),
        ({"distribution": "gamma"}, "distribution", "'gamma' is not allowed; use one of fixed, normal"),
        ({"distribution": "log-normal"}, "distribution", "Did you mean 'lognormal'"),
        ({"value": "nan"}, "value", "'nan' is not a finite number"),
        ({"value": "1,5e"}, "value", "is not a finite number|expected"),
        ({"value": ""}, "value", "'' is not a finite number"),
        ({"spread": "inf"}, "spread", "'inf' is not a finite number"),
        ({"lower": "low"}, "lower", "'low' is not a finite number"),
        ({"spread": "0"}, "spread", "0.0 with distribution 'lognormal'; it must be above zero.*'fixed'"),
        ({"spread": "-1"}, "spread", "-1.0 with distribution"),
        (NORMAL | {"spread": ""}, "spread", "None with distribution 'normal'"),
        ({"distribution": "fixed"}, "spread", "0.3 with distribution 'fixed', which takes none: empty it"),
        ({"value": "0", "lower": ""}, "value", "0; the mean of a lognormal must be above zero"),
        (UNIFORM | {"upper": ""}, "lower' and 'upper", "needs both"),
        (FIXED | {"lower": "2", "upper": "0.1"}, "lower", "2 is not below 'upper' 0.1"),
        (FIXED | {"lower": "0.5", "upper": "0.5"}, "lower", "0.5 is not below 'upper' 0.5"),
        (FIXED | {"value": "3"}, "value", r"3 lies outside \[0.1, 2\]"),
        (FIXED | {"value": "0.01", "upper": ""}, "value", r"0.01 lies outside \[0.1, 0.01\]"),
        (COIN | {"value": "1.2"}, "value", "1.2 with distribution 'bernoulli'; it must lie from 0 to 1"),
        (COIN | {"value": "-0.2"}, "value", "-0.2 with distribution 'bernoulli'"),
        (LOGIT | {"value": "1"}, "value", "1 with distribution 'logitnormal'; it must lie above 0 and below 1"),
        (LOGIT | {"lower": "-1"}, "lower", "-1 with distribution 'logitnormal'; use 0 to 1"),
        (LOGIT | {"upper": "2"}, "upper", "2 with distribution 'logitnormal'; use 0 to 1"),
    ],
)
def test_a_bad_cell_is_refused_with_file_row_column_value_and_what_is_allowed(
    tmp_path: Path, cells: dict[str, str], column: str, message: str
) -> None:
    row = GOOD | cells
    if "," in row["value"]:
        row["value"] = f'"{row["value"]}"'
    with pytest.raises(InvalidField, match=f"parameters.csv, row '{row['id']}', column '{column}': .*{message}"):
        read_parameters(write(tmp_path, GOOD | {"id": "fine"}, row))


@pytest.mark.parametrize("value", ["0", "1", "0.3"])
def test_a_probability_may_be_zero_or_one(tmp_path: Path, value: str) -> None:
    (row,) = read_parameters(write(tmp_path, GOOD | COIN | {"value": value}))
    assert row.value == float(value)


def test_an_id_that_appears_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidField, match="row 'k_loss': the id appears twice"):
        read_parameters(write(tmp_path, GOOD, GOOD | {"value": "0.6"}))


@pytest.mark.parametrize("column", COLUMNS)
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    with pytest.raises(InvalidFile, match=f"column '{column}' is missing"):
        read_parameters(write(tmp_path, GOOD, columns=tuple(c for c in COLUMNS if c != column)))
