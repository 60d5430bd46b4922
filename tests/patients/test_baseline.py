from __future__ import annotations

from pathlib import Path

import pytest

from regraft.entries import catalog_root, list_entries
from regraft.errors import InvalidField, InvalidFile, UnitMismatch
from regraft.patients.baseline import COLUMNS, in_units, read_moments

GOOD = (
    "old,age,mean,38.4,year,assumption,a test,measured,yes,",
    "old,age,sd,108,month,assumption,a test,measured,yes,",
    "old,female,proportion,67.3,%,assumption,a test,measured,yes,",
    "new,age,mean,30,year,assumption,a test,measured,yes,",
)


def write(folder: Path, *rows: str) -> Path:
    path = folder / "baseline.csv"
    path.write_text("\n".join([",".join(COLUMNS), *rows, ""]), encoding="utf-8")
    return path


def test_one_table_of_several_is_read(tmp_path: Path) -> None:
    moments = read_moments(write(tmp_path, *GOOD), "old")
    assert [(one.covariate, one.statistic, one.value) for one in moments] == [
        ("age", "mean", 38.4),
        ("age", "sd", 108.0),
        ("female", "proportion", 67.3),
    ]


def test_moments_are_turned_into_the_units_of_the_patients(tmp_path: Path) -> None:
    moments = read_moments(write(tmp_path, *GOOD), "old")
    found = in_units(moments, {"age": "year", "female": "dimensionless"})
    assert [one.value for one in found] == pytest.approx([38.4, 9.0, 0.673])


def test_a_unit_that_measures_something_else_names_file_and_row(tmp_path: Path) -> None:
    moments = read_moments(write(tmp_path, *GOOD), "old")
    with pytest.raises(UnitMismatch, match=r"baseline.csv, row 'age mean': 38.4 year cannot be given in edss"):
        in_units(moments, {"age": "edss", "female": "dimensionless"})


def test_a_covariate_that_nobody_has_is_named(tmp_path: Path) -> None:
    moments = read_moments(write(tmp_path, *GOOD), "old")
    with pytest.raises(InvalidField, match="row 'female proportion': the patients have no covariate 'female'"):
        in_units(moments, {"age": "year", "sex_female": "dimensionless"})


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("old,age,median,38,year,assumption,a test,measured,yes,", "'statistic': 'median'. Use one of mean, sd"),
        ("old,age,mean,38,year,assumption,a test,guessed,yes,", "'method': 'guessed'"),
        ("old,age,mean,38,year,,a test,measured,yes,", "'source': empty"),
        ("old,age,mean,38,year,assumption,a test,measured,no,", "'verified': 'no'; patients are weighted to verified"),
        ("old,age,mean,x,year,assumption,a test,measured,yes,", "'x' is not a finite number"),
        ("old,age,sd,9,year,assumption,a test,measured,yes,", "a spread without a mean. Add the mean of age"),
        ("old,age,sd,0,year,assumption,a test,measured,yes,", "a standard deviation is above 0"),
        ("old,age,proportion,167,%,assumption,a test,measured,yes,", "a proportion is 0 to 1, or 0 to 100 %"),
    ],
)
def test_a_cell_that_is_not_allowed_is_named(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises((InvalidField, InvalidFile)) as error:
        read_moments(write(tmp_path, row), "old")
    assert message in str(error.value)
    assert "baseline.csv" in str(error.value)


def test_a_moment_twice_and_an_unknown_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidField, match="row 'age mean' appears twice"):
        read_moments(write(tmp_path, GOOD[0], GOOD[0]), "old")
    with pytest.raises(InvalidField, match="no table 'odl'. Did you mean 'old'"):
        read_moments(write(tmp_path, *GOOD), "odl")


def test_every_published_table_of_the_catalog_can_be_read() -> None:
    from regraft.entries import read_table

    found = 0
    for name in list_entries("populations"):
        path = catalog_root() / "populations" / name / "baseline.csv"
        for table in {row["table"] for row in read_table(path)} if path.is_file() else ():
            found += len(read_moments(path, table))
    assert found
