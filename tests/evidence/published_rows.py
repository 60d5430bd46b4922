"""Made-up published rows, and a table of them on disk."""

from __future__ import annotations

import csv
from pathlib import Path

from regraft.evidence.published import COLUMNS, read_published
from regraft.evidence.published_types import PublishedResult

ROW = dict.fromkeys(COLUMNS, "") | {
    "id": "cohort_neda_5y",
    "role": "calibrate",
    "verified": "yes",
    "study": "Example cohort",
    "year": "2024",
    "cluster": "example",
    "therapy": "autologous",
    "disease": "MS",
    "arm": "AHSCT",
    "arm_class": "ahsct",
    "n": "174",
    "patients": "174",
    "endpoint": "NEDA",
    "term": "ms_neda",
    "endpoint_id": "neda3",
    "definition": "same",
    "kind": "survival",
    "time_months": "60",
    "read_months": "60",
    "value": "73",
    "unit": "%",
    "unit_id": "%",
    "conversion": "none",
    "lower": "66",
    "upper": "81",
    "interval_type": "CI95",
    "interval_kind": "ci95",
    "citation": "10.1/example",
    "source_row": "29",
    "note": "73 was read in the abstract",
}
NO_INTERVAL = {"lower": "", "upper": "", "interval_type": "", "interval_kind": "none"}
CLUSTERS = {"example": "one cohort", "other": "another cohort", "register": "a register"}


def write(
    folder: Path, *rows: dict[str, str], overlaps: tuple[tuple[str, str, str], ...] = (), name: str = "published"
) -> Path:
    """Write rows with their clusters and terms, and return the path of the table."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    for file_name, header, lines in (
        ("clusters", "id,meaning", CLUSTERS.items()),
        ("overlaps", "cluster,other,reason", overlaps),
        ("terms", "id,definition", [("ms_neda", "no evidence of disease activity")]),
    ):
        text = "\n".join([header, *(",".join(line) for line in lines)])
        (folder / f"{file_name}.csv").write_text(text + "\n", encoding="utf-8")
    return path


def published(folder: Path, **changes: str) -> PublishedResult:
    """Return one row with some cells changed, with its numbers."""
    (row,) = read_published(write(folder, ROW | changes))
    return row
