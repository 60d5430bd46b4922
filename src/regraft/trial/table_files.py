"""Tables as files: Parquet and CSV, whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regraft.errors import OutputFolderError
from regraft.memory import give_back
from regraft.trial.tables import NAMES, Tables

if TYPE_CHECKING:
    import pandas as pd

TRIMMED_EVERY = 20  # groups of a table, after which freed memory is given back
ROWS = 100_000  # of a group in a Parquet file; few groups, because what is known of each stays in memory


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
            give_back()  # what one table took is not kept while the next is written
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
    """Write the pieces of one table to a Parquet and a CSV file; ``path`` has no suffix.

    The bytes of both do not depend on how the rows come in pieces.
    """
    import pyarrow.parquet as pq

    writer = None
    try:
        for number, table in enumerate(_in_groups(_written(frames, path.with_suffix(".csv") if as_csv else None)), 1):
            if not number % TRIMMED_EVERY:
                give_back()
            writer = writer or pq.ParquetWriter(
                path.with_suffix(".parquet"),
                table.schema,
                write_statistics=False,  # of each group and column; kept in memory until the end
            )
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def _written(frames: Iterable[pd.DataFrame], csv: Path | None) -> Iterator[Any]:
    """Yield frames as tables of Arrow, and append them to a CSV file if there is to be one."""
    import pyarrow as pa

    for frame in frames:
        if csv is not None:
            frame.to_csv(csv, index=False, mode="a", header=not csv.exists())
        yield pa.Table.from_pandas(frame, schema=_schema(frame), preserve_index=False)


def _in_groups(tables: Iterable[Any]) -> Iterator[Any]:
    """Yield the same rows with ``ROWS`` in each table but the last, each column in one piece."""
    import pyarrow as pa

    held = None
    for table in tables:
        held = table if held is None else pa.concat_tables([held, table])
        while held.num_rows >= ROWS:
            yield held.slice(0, ROWS).combine_chunks()
            held = held.slice(ROWS)
    if held is not None:
        yield held.combine_chunks()


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
