from __future__ import annotations

from pathlib import Path

import pytest

from regraft.errors import InvalidField, InvalidFile, UnknownEntry
from regraft.evidence.published import load_published
from regraft.evidence.targets import Target, load_targets, read_targets

from .published_rows import NO_INTERVAL, ROW, write


def outcomes(folder: Path, *lines: str) -> Path:
    path = folder / "outcomes.csv"
    path.write_text("\n".join(["id,note", *lines]) + "\n", encoding="utf-8")
    return path


def targets(folder: Path, *lines: str, **changes: str) -> tuple[Target, ...]:
    rows = load_published(path=write(folder, ROW | changes))
    return read_targets(outcomes(folder, *lines), list(rows))


def test_a_named_row_becomes_a_target_with_both_notes(tmp_path: Path) -> None:
    (target,) = targets(tmp_path, "cohort_neda_5y,other conditioning")
    assert (target.year, target.n, target.time_months) == (2024, 174, 60.0)
    assert (target.value, target.lower, target.upper, target.unit) == (73.0, 66.0, 81.0, "%")
    assert target.note == "73 was read in the abstract; other conditioning"
    assert target.has_confidence_interval


def test_the_number_is_the_one_that_the_platform_reports(tmp_path: Path) -> None:
    (target,) = targets(tmp_path, "cohort_neda_5y,", conversion="complement", time_months="", read_months="3.285")
    assert (target.value, target.lower, target.upper, target.time_months) == (27.0, 19.0, 34.0, 3.285)


def test_empty_numbers_are_none(tmp_path: Path) -> None:
    (target,) = targets(tmp_path, "cohort_neda_5y,", year="", patients="", read_months="", **NO_INTERVAL)
    assert (target.year, target.n, target.time_months, target.lower) == (None, None, None, None)
    assert not target.has_confidence_interval


def test_a_spread_between_patients_is_not_a_confidence_interval(tmp_path: Path) -> None:
    (target,) = targets(tmp_path, "cohort_neda_5y,", interval_type="IQR", interval_kind="iqr")
    assert not target.has_confidence_interval


def test_an_interval_computed_from_counts_is_told_apart(tmp_path: Path) -> None:
    (target,) = targets(tmp_path, "cohort_neda_5y,", interval_type="Wilson 95% (computed here from counts)")
    assert target.has_confidence_interval
    assert target.interval_is_computed


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"role": "validate"}, "role is 'validate'"),
        ({"role": "held_out"}, "only 'calibrate'"),
        ({"verified": "no"}, "verified is 'no'"),
        ({"value": "", "kind": "other"} | NO_INTERVAL, "no number"),
        ({"endpoint_id": ""}, "no endpoint of a trial answers 'NEDA'"),
        ({"reference_class": "untreated", "kind": "hazard_ratio"}, "compares 'ahsct' with 'untreated'"),
    ],
)
def test_a_row_that_cannot_be_set_beside_a_trial_is_refused_by_name(
    tmp_path: Path, changes: dict[str, str], expected: str
) -> None:
    with pytest.raises(InvalidField) as error:
        targets(tmp_path, "cohort_neda_5y,", **changes)
    assert expected in str(error.value)
    assert "line 2 (id 'cohort_neda_5y')" in str(error.value)


def test_an_unknown_and_a_doubled_row_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidField, match=r"line 2.*no such published row.*cohort_neda_5y"):
        targets(tmp_path, "cohort_neda_5,")
    with pytest.raises(InvalidField, match=r"line 3.*occurs twice"):
        targets(tmp_path, "cohort_neda_5y,", "cohort_neda_5y,")


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.csv"
    path.write_text("id\na\n", encoding="utf-8")
    with pytest.raises(InvalidFile, match="'note' is missing"):
        read_targets(path, [])


def test_a_folder_of_ones_own_may_add_rows_to_those_of_the_catalog(tmp_path: Path) -> None:
    write(tmp_path, ROW, name="published_results")
    outcomes(tmp_path, "cohort_neda_5y,mine", "boffa_2021_edss_slope,")
    assert [target.id for target in load_targets(str(tmp_path))] == ["cohort_neda_5y", "boffa_2021_edss_slope"]


def test_an_unknown_trial_lists_near_matches() -> None:
    with pytest.raises(UnknownEntry, match="ms_ahsct_calibrate"):
        load_targets("ms_ahsct_calibrat")


def test_the_catalog_rows_are_all_for_calibration() -> None:
    found = load_targets("ms_ahsct_calibrate")
    assert {target.arm_class for target in found} >= {"ahsct", "natalizumab", "untreated"}
    # published as 17.1 % worse, and without a time
    by_id = {target.id: target for target in found}
    assert by_id["sormani_2017_worsening_free_2y"].value == 82.9
    assert by_id["silfverberg_2024_trm"].time_months == 3.285
