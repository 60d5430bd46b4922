from __future__ import annotations

from pathlib import Path

import pytest

from regraft.errors import InvalidField, InvalidFile, OutputFolderError, UnknownEntry, UsageError
from regraft.evidence.access import rows_beside, rows_for_fitting, rows_for_scoring
from regraft.evidence.looks import NAME, append_look, log_file, read_log, request_hash
from regraft.evidence.published_types import Role

from .published_rows import NO_INTERVAL, ROW, write


def other(**changes: str) -> dict[str, str]:
    return ROW | {"id": "other_row"} | changes


def test_rows_for_fitting_come_with_their_numbers_and_the_look_is_written_down(tmp_path: Path) -> None:
    log = tmp_path / "looks.jsonl"
    table = write(tmp_path, ROW, other(read_months="120"))
    rows = rows_for_fitting(
        ["other_row", "cohort_neda_5y"], log=log, why="first fit", by="regraft calibrate", table=table
    )
    assert [(row.id, row.value) for row in rows] == [("other_row", 73.0), ("cohort_neda_5y", 73.0)]
    (look,) = read_log(log)
    assert (look.door, look.why, look.by, look.is_granted, look.refusal) == (
        "fitting",
        "first fit",
        "regraft calibrate",
        True,
        "",
    )
    assert look.ids == ("other_row", "cohort_neda_5y")
    assert look.roles == ("calibrate", "calibrate")
    assert look.request == request_hash("fitting", look.ids, table)
    assert look.time.endswith("+00:00")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"role": "validate"}, "role is 'validate', and only 'calibrate'"),
        ({"role": "held_out"}, "role is 'held_out', and only 'calibrate'"),
        ({"verified": "no"}, "verified is 'no'"),
        ({"interval_kind": "unknown"}, "nobody knows what its interval 'CI95' means"),
        ({"endpoint_id": "", "definition": ""}, "no endpoint of a trial answers 'NEDA'"),
        (NO_INTERVAL | {"value": "", "kind": "other"}, "no number"),
    ],
)
def test_a_row_that_must_not_be_fitted_is_refused_and_the_attempt_is_in_the_log(
    tmp_path: Path, changes: dict[str, str], expected: str
) -> None:
    table = write(tmp_path, ROW, other(study="Other", cluster="other", **changes))
    with pytest.raises(InvalidField) as error:
        rows_for_fitting(["cohort_neda_5y", "other_row"], log=tmp_path, why="a fit", table=table)
    message = str(error.value)
    assert expected in message
    for part in ("'other_row'", "role", "cluster 'other'"):
        assert part in message
    (look,) = read_log(tmp_path)
    assert (look.is_granted, look.refusal) == (False, message)
    assert look.roles == ("calibrate", changes.get("role", "calibrate"))


@pytest.mark.parametrize("role", ["validate", "held_out"])
@pytest.mark.parametrize("overlaps", [(), (("register", "example", "holds its patients"),)])
def test_a_study_that_shares_patients_with_a_row_kept_back_is_refused(
    tmp_path: Path, role: str, overlaps: tuple[tuple[str, str, str], ...]
) -> None:
    cluster = "register" if overlaps else "example"
    kept = other(role=role, study="Kept trial", cluster=cluster, read_months="12", verified="no")
    table = write(tmp_path, ROW, kept, overlaps=overlaps)
    with pytest.raises(InvalidField, match=f"'Kept trial'.*role '{role}'.*(one cohort|holds its patients)"):
        rows_for_fitting(["cohort_neda_5y"], log=tmp_path, why="a fit", table=table)
    assert [look.is_granted for look in read_log(tmp_path)] == [False]


def test_a_study_that_shares_nobody_with_a_row_kept_back_is_fitted(tmp_path: Path) -> None:
    kept = other(role="validate", study="Kept trial", cluster="other")
    table = write(tmp_path, ROW, kept, overlaps=(("register", "other", "not this one"),))
    assert len(rows_for_fitting(["cohort_neda_5y"], log=tmp_path, why="a fit", table=table)) == 1


@pytest.mark.parametrize(
    ("first", "second", "is_twice"),
    [
        ({}, {}, True),
        ({}, {"study": "Second report"}, True),
        ({}, {"study": "Register", "cluster": "register"}, True),
        ({}, {"study": "Elsewhere", "cluster": "other"}, False),
        ({}, {"read_months": "120"}, False),
        ({}, {"endpoint_id": "free_of_relapse"}, False),
        ({"group": "arm:placebo"}, {"group": "arm:drug"}, False),
        ({"group": "arm:placebo"}, {"group": "arm:placebo"}, True),
        ({"group": "arm:placebo"}, {"group": "sex:men"}, True),
        ({"group": "arm:placebo"}, {}, True),
        ({"group": "arm:placebo"}, {"group": "arm:drug", "study": "Second report"}, True),
    ],
)
def test_the_same_patients_are_not_fitted_twice(
    tmp_path: Path, first: dict[str, str], second: dict[str, str], is_twice: bool
) -> None:
    table = write(tmp_path, ROW | first, other(**second), overlaps=(("register", "example", "holds its patients"),))
    ids = ["cohort_neda_5y", "other_row"]
    if not is_twice:
        assert len(rows_for_fitting(ids, log=tmp_path, why="a fit", table=table)) == 2
        return
    with pytest.raises(InvalidField, match=r"'other_row'.*'cohort_neda_5y'.*at 60 months.*keep one"):
        rows_for_fitting(ids, log=tmp_path, why="a fit", table=table)
    assert len(rows_for_fitting(ids[:1], log=tmp_path, why="a fit", table=table)) == 1
    assert [look.is_granted for look in read_log(tmp_path)] == [False, True]


def test_rows_for_scoring_are_those_kept_for_validation(tmp_path: Path) -> None:
    table = write(
        tmp_path, ROW, other(role="validate", value="70"), other(id="last", role="held_out", read_months="12")
    )
    (row,) = rows_for_scoring(["other_row"], log=tmp_path, why="scorecard", table=table)
    assert row.value == 70.0
    (last,) = rows_for_scoring(["last"], log=tmp_path, why="last look", role=Role.HELD_OUT, table=table)
    assert last.value == 73.0
    assert [(look.door, look.roles) for look in read_log(tmp_path)] == [
        ("scoring", ("validate",)),
        ("scoring", ("held_out",)),
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"role": "calibrate"}, "'calibrate'"), ({"role": "held_out"}, "'held_out'"), ({"verified": "no"}, "verified is")],
)
def test_scoring_refuses_other_roles_and_unverified_rows(
    tmp_path: Path, changes: dict[str, str], expected: str
) -> None:
    table = write(tmp_path, ROW, other(**{"role": "validate"} | changes))
    with pytest.raises(InvalidField, match=expected):
        rows_for_scoring(["other_row"], log=tmp_path, why="scorecard", table=table)
    assert [look.is_granted for look in read_log(tmp_path)] == [False]


def test_an_unknown_row_is_refused_and_logged(tmp_path: Path) -> None:
    with pytest.raises(UnknownEntry, match="cohort_neda_5y"):
        rows_for_fitting(["cohort_neda_5"], log=tmp_path, why="a fit", table=write(tmp_path, ROW))
    (look,) = read_log(tmp_path)
    assert (look.is_granted, look.roles) == (False, ("unknown",))


def test_a_request_without_rows_or_purpose_is_a_usage_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least one id"):
        rows_for_fitting([], log=tmp_path, why="a fit")
    with pytest.raises(UsageError, match="at least one id"):
        rows_for_fitting("boffa_2021_edss_slope", log=tmp_path, why="a fit")
    with pytest.raises(UsageError, match="why"):
        rows_for_fitting(["boffa_2021_edss_slope"], log=tmp_path, why=" ")
    with pytest.raises(UsageError, match="rows_for_fitting"):
        rows_for_scoring(["boffa_2021_edss_slope"], log=tmp_path, why="score", role=Role.CALIBRATE)


def test_nothing_is_shown_where_the_look_cannot_be_written_down(tmp_path: Path) -> None:
    with pytest.raises(OutputFolderError, match="log of looks"):
        rows_for_fitting(["cohort_neda_5y"], log=tmp_path / "no" / "log", why="a fit", table=write(tmp_path, ROW))


def test_the_log_is_appended_to_and_stands_in_the_folder_of_the_run(tmp_path: Path) -> None:
    table = write(tmp_path / "tables", ROW)
    for why in ("one", "two"):
        rows_for_fitting(["cohort_neda_5y"], log=tmp_path, why=why, table=table)
    assert log_file(tmp_path) == tmp_path / NAME
    first, second = read_log(tmp_path)
    assert (first.why, second.why) == ("one", "two")
    assert first.request == second.request
    append_look(tmp_path, first)
    assert read_log(tmp_path) == (first, second, first)


def test_requests_differ_by_door_rows_and_table(tmp_path: Path) -> None:
    table, changed = write(tmp_path, ROW), write(tmp_path, ROW | {"value": "74"}, name="changed")
    same = request_hash("fitting", ["a", "b"], table)
    assert request_hash("fitting", ["b", "a"], table) == same
    others = {
        request_hash("scoring", ["a", "b"], table),
        request_hash("fitting", ["a"], table),
        request_hash("fitting", ["a", "b"], changed),
    }
    assert len(others | {same}) == 4


def test_a_line_that_is_no_look_is_named(tmp_path: Path) -> None:
    assert read_log(tmp_path) == ()
    (tmp_path / NAME).write_text('{"door": "fitting"}\n', encoding="utf-8")
    with pytest.raises(InvalidFile, match="line 1"):
        read_log(tmp_path)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("atkins_2016_neda_3y", "role is 'validate'"),
        ("affirm_2006_neda_natalizumab_2y", "verified is 'no'"),
        ("sormani_2017_neda_5y", "'Canadian MS-BMT (Atkins)'"),
        ("muraro_2017_worsening_free_5y", "'Canadian MS-BMT (Atkins)'"),
        ("nanjing_2019_neutrophils", "'IQR or range'"),
        ("storek_2004_infections_m7_24", "no endpoint of a trial answers"),
    ],
)
def test_rows_of_the_catalog_that_must_not_be_fitted_are_refused(tmp_path: Path, row: str, expected: str) -> None:
    with pytest.raises(InvalidField) as error:
        rows_for_fitting([row], log=tmp_path, why="test")
    assert expected in str(error.value)


def test_the_swedish_reports_are_one_group_of_patients(tmp_path: Path) -> None:
    with pytest.raises(InvalidField, match="Swedish patients"):
        rows_for_fitting(["silfverberg_2024_neda_5y_all", "burman_2014_neda_5y"], log=tmp_path, why="test")
    regimens = ["silfverberg_2024_neda_5y_cy", "silfverberg_regimens_2024_neda_beam_atg_5y"]
    assert len(rows_for_fitting(regimens, log=tmp_path, why="test")) == 2
    with pytest.raises(InvalidField, match="counts these patients twice"):
        rows_for_fitting([*regimens, "silfverberg_2024_neda_5y_all"], log=tmp_path, why="test")


def test_rows_beside_a_fit_may_share_patients_with_kept_rows_but_are_not_kept_ones(tmp_path: Path) -> None:
    kept = other(role="validate", study="Kept")
    table = write(tmp_path, ROW, kept)
    with pytest.raises(InvalidField, match="may be among those of"):
        rows_for_fitting(["cohort_neda_5y"], log=tmp_path, why="a fit", table=table)
    (row,) = rows_beside(["cohort_neda_5y"], log=tmp_path, why="beside a fit", table=table)
    assert row.value == 73.0
    with pytest.raises(InvalidField, match="Name it under 'scored'"):
        rows_beside(["other_row"], log=tmp_path, why="beside a fit", table=table)
    assert [look.door for look in read_log(tmp_path)] == ["fitting", "beside", "beside"]
