"""Tables as files: Parquet and CSV, whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regraft.errors import OutputFolderError
from regraft.trial.tables import NAMES, Tables

if TYPE_CHECKING:
    import pandas as pd


def write_tables(tables: Tables, folder: Path) -> None:
    """Write every table as Parquet and CSV; ``folder`` appears whole or stays as it was.

    The readings of a large trial are written as Parquet only: as text they would take several gigabytes.

    Raises
    ------
    OutputFolderError : the folder cannot be written; nothing half-finished is left
    """
    staging = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        for name in NAMES:
            write_frames(tables.frames(name), staging / name, as_csv=name != "bds" or not tables.is_large)
        _swap(staging, folder)
    except OSError as error:
        raise OutputFolderError(
            f"Tables cannot be written to {folder}: {error.strerror or error}. Nothing half-finished was left there; "
            "free some room or choose another folder."
        ) from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)


def write_frames(frames: Iterable[pd.DataFrame], path: Path, *, as_csv: bool = True) -> None:
    """Write the pieces of one table to a Parquet and a CSV file; ``path`` has no suffix."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    try:
        for frame in frames:
            table = pa.Table.from_pandas(frame, schema=_schema(frame), preserve_index=False)
            writer = writer or pq.ParquetWriter(path.with_suffix(".parquet"), table.schema)
            writer.write_table(table)
            if as_csv:
                csv = path.with_suffix(".csv")
                frame.to_csv(csv, index=False, mode="a", header=not csv.exists())
    finally:
        if writer is not None:
            writer.close()


def _schema(frame: pd.DataFrame) -> Any:
    """Return the types of the columns, which do not depend on what stands in them."""
    import pyarrow as pa

    kinds = {"O": pa.string(), "f": pa.float64(), "i": pa.int64()}
    fields = [(name, kinds[dtype.kind]) for name, dtype in frame.dtypes.items()]
    return pa.schema(fields)


def _swap(staging: Path, folder: Path) -> None:
    """Put a finished folder in the place of an old one."""
    staging.chmod(0o755)  # temporary folders are private
    if not folder.exists():
        staging.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent)) / folder.name
    folder.rename(old)
    try:
        staging.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    finally:
        shutil.rmtree(old.parent, ignore_errors=True)
