from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.catalog.sources import bibliography, faults

from regraft.entries import catalog_root
from regraft.errors import InvalidField
from regraft.patients.plausibility import COLUMNS, INSIDE, Range, first_outside, read_ranges

UNITS = {"edss": "edss", "cd4": "cells/uL"}


def write(folder: Path, *rows: str) -> Path:
    path = folder / "plausible.csv"
    path.write_text("\n".join([",".join(COLUMNS), *rows, ""]), encoding="utf-8")
    return path


def test_only_the_last_value_counts_at_randomisation_and_all_in_the_run_in() -> None:
    courses = {"edss": np.array([[0.0, 7.0, 3.0], [0.0, 1.0, 2.0], [0.0, 1.0, 7.0]])}
    end, whole = (Range("edss", None, 6.5, "edss", when) for when in ("randomisation", "run_in"))
    assert first_outside([end], courses, UNITS, 3).tolist() == [INSIDE, INSIDE, 0]
    assert first_outside([whole], courses, UNITS, 3).tolist() == [0, INSIDE, 0]


def test_a_patient_is_counted_at_the_first_range_left_and_bounds_are_inside() -> None:
    courses = {"edss": np.array([[1.0], [6.0], [8.0]]), "cd4": np.array([[800.0], [100.0], [100.0]])}
    ranges = [Range("edss", 1.0, 6.0, "edss", "randomisation"), Range("cd4", 500.0, None, "cells/uL", "randomisation")]
    assert first_outside(ranges, courses, UNITS, 3).tolist() == [INSIDE, 1, 0]


def test_a_course_that_is_unknown_is_not_plausible() -> None:
    wide = [Range("edss", -np.inf, np.inf, "edss", "run_in")]
    assert first_outside(wide, {"edss": np.array([[1.0, np.nan]])}, UNITS, 1).tolist() == [0]


def test_limits_may_be_in_another_unit() -> None:
    ranges = [Range("cd4", 0.5, None, "cells/nL", "randomisation")]
    assert first_outside(ranges, {"cd4": np.array([[800.0], [400.0]])}, UNITS, 2).tolist() == [INSIDE, 0]


def test_a_range_reads_as_a_sentence() -> None:
    assert Range("edss", 0, 6.5, "edss", "randomisation").text == "edss 0 to 6.5 edss at randomisation"
    assert Range("relapses_per_year", None, 4, "1/year", "run_in").text == (
        "relapses per year at most 4 1/year during the run-in"
    )


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("edss,0,6,edss,later,assumption,a test,assumed,", "'when': 'later'. Use one of randomisation, run_in"),
        ("edss,,,edss,run_in,assumption,a test,assumed,", "neither 'min' nor 'max'"),
        ("edss,6,6,edss,run_in,assumption,a test,assumed,", "6 is not below 'max' 6"),
        ("edss,0,6,,run_in,assumption,a test,assumed,", "'unit': empty"),
        ("edss,0,6,edss,run_in,assumption,a test,known,", "'method': 'known'"),
    ],
)
def test_a_cell_that_is_not_allowed_is_named(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(InvalidField) as error:
        read_ranges(write(tmp_path, row))
    assert message in str(error.value)
    assert "plausible.csv, row 'edss'" in str(error.value)


@pytest.mark.parametrize("name", ["plausible.csv", "enrolment.csv", "baseline.csv"])
def test_every_number_on_people_says_where_it_comes_from(name: str) -> None:
    tables = sorted(catalog_root().glob(f"populations/*/{name}"))
    assert tables
    for table in tables:
        assert not list(faults(table, bibliography(catalog_root())))
