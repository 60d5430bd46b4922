"""Tables of a run in other forms: CSV, Parquet, and Dataset-JSON 1.1 of CDISC."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from regraft.errors import UsageError
from regraft.interface.folder import whole_folder
from regraft.interface.views import TABLES

FORMATS = ("csv", "parquet", "dataset-json")
TITLES = {
    "adsl": "Subject-Level Analysis Dataset",
    "adtte": "Time-to-Event Analysis Dataset",
    "bds": "Analysis Dataset of Readings",
}
LABELS = {
    "STUDYID": "Study Identifier",
    "USUBJID": "Unique Subject Identifier",
    "ARMCD": "Planned Arm Code",
    "ARM": "Description of Planned Arm",
    "PARAMCD": "Parameter Code",
    "PARAM": "Parameter",
    "AVISIT": "Analysis Visit",
    "AVISITN": "Analysis Visit (N)",
    "ADY": "Analysis Relative Day",
    "AVAL": "Analysis Value",
    "BASE": "Baseline Value",
    "CHG": "Change from Baseline",
    "ABLFL": "Baseline Record Flag",
    "CNSR": "Censor",
    "EVNTDESC": "Event or Censoring Description",
    "EOSSTT": "End of Study Status",
    "EOSDY": "Study Day of End of Study",
    "DTHFL": "Subject Death Flag",
    "DTHDY": "Study Day of Death",
    "DTHCAUS": "Cause of Death",
    "DCSREAS": "Reason for Discontinuation from Study",
}


def export(run: Path, folder: Path, form: str) -> list[Path]:
    """Write the tables of a run in one form, a few thousand rows in memory at a time.

    Raises
    ------
    UsageError : no such form, or the folder holds no finished run
    OutputFolderError : the folder cannot be written; it is then as it was
    """
    if form not in FORMATS:
        raise UsageError(f"{form!r} is no form of tables. Choose one of {', '.join(FORMATS)}.")
    sources = [run / "tables" / f"{name}.parquet" for name in TABLES]
    for source in sources:
        if not source.is_file():
            raise UsageError(f"{run} holds no finished run: {source.name} is missing. Run `regraft run` first.")
    suffix = ".json" if form == "dataset-json" else f".{form}"
    with whole_folder(folder) as staging:
        for source in sources:
            target = staging / (source.stem + suffix)
            if form == "parquet":
                shutil.copyfile(source, target)
            elif form == "csv":
                _write_csv(source, target)
            else:
                _write_json(source, target)
    return [folder / (name + suffix) for name in TABLES]


def _write_csv(source: Path, target: Path) -> None:
    """Write a table as ``regraft run`` does."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(source) as file:
        for number, batch in enumerate(file.iter_batches()):
            frame = batch.to_pandas(integer_object_nulls=True)
            frame.to_csv(target, index=False, mode="a", header=not number)


def _write_json(source: Path, target: Path) -> None:
    """Write a table as one JSON object, a row per line."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(source) as file, target.open("w", encoding="utf-8") as out:
        head = {
            "datasetJSONCreationDateTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "datasetJSONVersion": "1.1.0",
            "itemGroupOID": f"IG.{source.stem.upper()}",
            "records": file.metadata.num_rows,
            "name": source.stem.upper(),
            "label": TITLES[source.stem],
            "columns": [_column(source.stem, field) for field in file.schema_arrow],
        }
        out.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "rows": [')
        between = "\n"
        for row in _rows(file):
            out.write(between + json.dumps(row, ensure_ascii=False, allow_nan=False))
            between = ",\n"
        out.write("\n]}\n")


def _rows(file: Any) -> Iterator[list[Any]]:
    """Yield rows; what is missing is null, in the file as here."""
    for batch in file.iter_batches():
        yield from map(list, zip(*(column.to_pylist() for column in batch.columns), strict=True))


def _column(table: str, field: Any) -> dict[str, str]:
    """Describe a column."""
    kinds = {"string": "string", "double": "double", "int64": "integer"}
    label = LABELS.get(field.name, field.name.replace("_", " ").capitalize())
    return {
        "itemOID": f"IT.{table.upper()}.{field.name}",
        "name": field.name,
        "label": label,
        "dataType": kinds[str(field.type)],
    }
