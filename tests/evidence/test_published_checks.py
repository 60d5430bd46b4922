from __future__ import annotations

from pathlib import Path

import pytest

from regraft.evidence.published_checks import check_published

from .published_rows import NO_INTERVAL, ROW, write

MEDIAN = {"conversion": "median_time", "value": "5", "unit": "years", **NO_INTERVAL}


def test_the_catalog_is_sound() -> None:
    found = check_published()
    assert not found, "\n".join(f"{problem.row} [{problem.check}] {problem.message}" for problem in found)


@pytest.mark.parametrize("changes", [{}, MEDIAN])
def test_a_sound_table_has_no_errors(tmp_path: Path, changes: dict[str, str]) -> None:
    assert [p for p in check_published(write(tmp_path, ROW | changes)) if p.severity == "error"] == []


@pytest.mark.parametrize(
    ("changes", "check", "expected"),
    [
        ({"endpoint_id": "brain_volume"}, "endpoint", "reported by no trial"),
        ({"definition": ""}, "endpoint", "'same' or 'variant'"),
        ({"unit_id": "day"}, "endpoint", "reports 'neda3' in '%'"),
        ({"endpoint_id": "", "conversion": "complement"}, "endpoint", "without endpoint_id"),
        ({"endpoint_id": "edss_slope", "unit_id": "edss/year"}, "kind", "needs unit_id '%'"),
        ({"value": "120", "lower": "", "upper": "", "interval_kind": "none"}, "kind", "within 0 and 100"),
        ({"kind": "rate", "value": "-1", **NO_INTERVAL}, "kind", "from 0 up"),
        ({"value": "", **NO_INTERVAL}, "kind", "kind is 'other'"),
        (MEDIAN | {"value": "4"}, "median_time", "is 48 months"),
        (MEDIAN | {"unit": "decades"}, "median_time", "is nan months"),
        (MEDIAN | {"value": "", "kind": "other"}, "median_time", "is nan months"),
        (MEDIAN | {"kind": "proportion"}, "median_time", "kind 'survival'"),
        (MEDIAN | {"role": "validate"}, "median_time", "gives the printed time away"),
        ({"interval_kind": "none"}, "interval", "has bounds"),
        ({"lower": "", "upper": ""}, "interval", "there are no bounds"),
        ({"spread": "3"}, "interval", "'sd' or 'se'"),
        ({"term": "ms_need"}, "term", "not in terms.csv"),
        ({"cluster": "exampel"}, "cluster", "not in clusters.csv"),
        ({"id": "again", "cluster": "other"}, "cluster", "'example' and 'other'"),
    ],
)
def test_a_wrong_row_is_found_by_the_check_of_that_name(
    tmp_path: Path, changes: dict[str, str], check: str, expected: str
) -> None:
    rows = [ROW, ROW | changes] if "id" in changes else [ROW | changes]
    errors = [p for p in check_published(write(tmp_path, *rows)) if p.severity == "error"]
    assert [(p.row, p.check) for p in errors if expected in p.message] == [(rows[-1]["id"], check)]


def test_a_table_that_cannot_be_read_is_one_problem(tmp_path: Path) -> None:
    (problem,) = check_published(write(tmp_path, ROW | {"role": "train"}))
    assert (problem.check, problem.severity) == ("load", "error")


def test_an_unused_cluster_is_a_warning(tmp_path: Path) -> None:
    warnings = [p for p in check_published(write(tmp_path, ROW)) if p.severity == "warning"]
    assert ["'other'" in warnings[0].message, "'register'" in warnings[1].message] == [True, True]
