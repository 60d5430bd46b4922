from __future__ import annotations

from pathlib import Path

import pytest

from regraft.errors import InvalidField
from regraft.evidence.clusters import load_clusters

from .published_rows import ROW, write


def test_overlap_goes_both_ways_and_has_its_reason(tmp_path: Path) -> None:
    write(tmp_path, ROW, overlaps=(("register", "example", "holds its patients"),))
    clusters = load_clusters(tmp_path)
    for pair in (("register", "example"), ("example", "register")):
        assert clusters.share_patients(*pair)
        assert clusters.why(*pair) == "holds its patients"
    assert not clusters.share_patients("example", "other")
    assert not clusters.share_patients("register", "other")
    assert clusters.share_patients("other", "other")
    assert clusters.why("other", "other") == "another cohort"


def test_overlap_with_an_unknown_cluster_and_a_doubled_cluster_are_refused(tmp_path: Path) -> None:
    write(tmp_path, ROW, overlaps=(("register", "exampel", "typing error"),))
    with pytest.raises(InvalidField, match="'exampel' is not in clusters.csv"):
        load_clusters(tmp_path)
    (tmp_path / "clusters.csv").write_text("id,meaning\na,one\na,two\n", encoding="utf-8")
    with pytest.raises(InvalidField, match="'a' stands twice"):
        load_clusters(tmp_path)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("canadian_msbmt", "sormani_pooled"),
        ("solo_1", "solo_continue"),
        ("amsc_pooled", "connick"),
        ("ebmt_crohn", "crohn_three_centres"),
    ],
)
def test_pooled_series_overlap_what_they_pool(first: str, second: str) -> None:
    assert load_clusters().share_patients(first, second)
