"""Which published studies share patients: clusters, and clusters that overlap in part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from regraft.entries import catalog_root, read_table
from regraft.errors import InvalidField
from regraft.evidence.published_types import PublishedResult, Role


@dataclass(frozen=True)
class Clusters:
    """Clusters by id with their meaning, and for each the clusters it overlaps with the reason."""

    meaning: Mapping[str, str]
    overlaps: Mapping[str, Mapping[str, str]]

    def share_patients(self, first: str, second: str) -> bool:
        """Whether two clusters are one, or overlap."""
        return first == second or second in self.overlaps.get(first, {})

    def why(self, first: str, second: str) -> str:
        """Say why two clusters share patients."""
        return self.meaning.get(first, "") if first == second else self.overlaps[first][second]


def load_clusters(folder: Path | None = None) -> Clusters:
    """Read ``clusters.csv`` and ``overlaps.csv`` of the catalog, or of another folder.

    Raises
    ------
    InvalidFile : a file cannot be read or lacks a column
    InvalidField : a cluster that is named twice, or an overlap with one that is not in the list
    """
    folder = folder or catalog_root() / "evidence"
    meaning: dict[str, str] = {}
    for row in read_table(folder / "clusters.csv", columns=("id", "meaning")):
        if row["id"] in meaning:
            raise InvalidField(f"{folder / 'clusters.csv'}: cluster {row['id']!r} stands twice; keep one line.")
        meaning[row["id"]] = row["meaning"]
    overlaps: dict[str, dict[str, str]] = {}
    for row in read_table(folder / "overlaps.csv", columns=("cluster", "other", "reason")):
        for one, other in ((row["cluster"], row["other"]), (row["other"], row["cluster"])):
            if one not in meaning:
                raise InvalidField(f"{folder / 'overlaps.csv'}: cluster {one!r} is not in clusters.csv; add it there.")
            overlaps.setdefault(one, {})[other] = row["reason"]
    return Clusters(meaning, overlaps)


def kept_row_sharing(
    row: PublishedResult, rows: Iterable[PublishedResult], clusters: Clusters
) -> PublishedResult | None:
    """Return the first row kept for validation or held out whose patients may be among those of a row."""
    kept = (other for other in rows if other.role is not Role.CALIBRATE)
    return next((other for other in kept if clusters.share_patients(row.cluster, other.cluster)), None)


def use_the_same_patients(first: PublishedResult, second: PublishedResult, clusters: Clusters) -> bool:
    """Whether two rows say the same thing (endpoint and time) about patients who may be the same.

    Two parts of one study are different patients where they differ in one dimension, such as ``arm:placebo`` and
    ``arm:fingolimod``; parts in different dimensions, such as donor and age, hold the same patients.
    """
    if (_subject(first), first.time_months) != (_subject(second), second.time_months):
        return False
    if not clusters.share_patients(first.cluster, second.cluster):
        return False
    if first.study != second.study:
        return True
    (dimension, _, level), (other, _, other_level) = first.group.partition(":"), second.group.partition(":")
    return not (dimension and dimension == other and level != other_level)


def _subject(row: PublishedResult) -> str:
    """Return what a row is about."""
    return row.endpoint_id or row.term
