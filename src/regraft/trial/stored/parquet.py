"""Arrays in Parquet files: one row per patient, tables over times as lists; a file is whole or absent."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from regraft.errors import OutputFolderError
from regraft.trial.events import EventLog
from regraft.trial.statistics import Floats, Integers

Column = NDArray[Any]
EVENT_INDEX, EVENT_DAY, EVENT_NAMES = "event_index", "event_day", b"events"


def column(values: Column) -> pa.Array:
    """Return an array as a column: texts, numbers, or (patient, time) numbers as lists of one length."""
    if values.dtype == object:
        return pa.array(values.tolist(), type=pa.string()).dictionary_encode()
    if values.ndim == 2:
        flat = pa.array(np.ascontiguousarray(values).ravel())
        return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
    return pa.array(values)


def event_columns(log: EventLog) -> dict[str, pa.Array]:
    """Return a log as two columns of lists, the events of each patient in their order."""
    order = np.argsort(log.row, kind="stable")
    offsets = pa.array(np.searchsorted(log.row[order], np.arange(log.patients + 1)).astype(np.int32))
    index, day = log.index[order].astype(np.int16), log.day[order]
    return {
        EVENT_INDEX: pa.ListArray.from_arrays(offsets, pa.array(index)),
        EVENT_DAY: pa.ListArray.from_arrays(offsets, pa.array(day)),
    }


def write_whole(columns: Mapping[str, pa.Array], path: Path, *, events: Sequence[str] = ()) -> None:
    """Write columns to a file that appears only when it is complete and on the disk.

    Raises
    ------
    OutputFolderError : the disk is full or refuses the file; what was finished before stays
    """
    table = pa.table(dict(columns)).replace_schema_metadata({EVENT_NAMES: json.dumps(list(events))})
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}")  # other machines may have a process of this number
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, unfinished, compression="zstd", write_statistics=False)
        _flush(unfinished)
        unfinished.replace(path)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise OutputFolderError(
            f"{path.parent} cannot be written: {reason}. Free some room and give the same command "
            "again: it goes on from what is finished."
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Wait until a file is on the disk, so that a name never outlives its content in a power cut."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def is_whole(path: Path) -> bool:
    """Return whether a file is there and can be read to its end."""
    try:
        pq.read_metadata(path)
    except (OSError, pa.ArrowInvalid):
        return False
    return True


def row_count(path: Path) -> int:
    """Return the number of patients in a file."""
    return int(pq.read_metadata(path).num_rows)


def column_names(path: Path) -> list[str]:
    """Return the columns of a file."""
    return list(pq.read_schema(path).names)


def event_names(path: Path) -> list[str]:
    """Return the events of a file in the order of their numbers."""
    names: list[str] = json.loads(pq.read_schema(path).metadata[EVENT_NAMES])
    return names


def read(path: Path, names: Sequence[str], rows: int | None = None) -> dict[str, Column]:
    """Return some columns of the first ``rows`` patients (all if None), lists of one length as (patient, time)."""
    with pq.ParquetFile(path) as file:
        table = file.read(columns=list(names)).slice(0, rows)
    return {name: _array(table[name].combine_chunks()) for name in names}


def _array(values: Any) -> Column:
    """Return a column as an array."""
    if isinstance(values, pa.ChunkedArray):
        values = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], type=values.type)
    if isinstance(values, pa.DictionaryArray):
        known = np.array(values.dictionary.to_pylist(), dtype=object)
        place = values.indices.to_numpy(zero_copy_only=False)
        return known[place] if place.size else np.empty(0, dtype=object)
    if isinstance(values, pa.FixedSizeListArray):
        flat: Column = values.flatten().to_numpy(zero_copy_only=False)
        return flat.reshape(len(values), values.type.list_size)
    found: Column = values.to_numpy(zero_copy_only=False)
    return found


def read_events(path: Path, names: Sequence[str], rows: int | None = None) -> tuple[Integers, Floats]:
    """Return patient rows and days of the named events of the first ``rows`` patients."""
    with pq.ParquetFile(path) as file:
        known = json.loads(file.schema_arrow.metadata[EVENT_NAMES])
        table = file.read(columns=[EVENT_INDEX, EVENT_DAY]).slice(0, rows)
    wanted = [position for position, name in enumerate(known) if name in set(names)]
    parts: list[tuple[Integers, Floats]] = [(np.empty(0, dtype=np.int64), np.empty(0))]
    first = 0
    for batch in table.to_batches():
        lists = batch.column(0)
        row = np.repeat(np.arange(len(lists)), np.asarray(lists.value_lengths(), dtype=np.int64)) + first
        index, day = (np.asarray(batch.column(k).flatten()) for k in range(2))
        keep = np.isin(index, wanted)
        parts.append((row[keep], day[keep]))
        first += len(lists)
    return np.concatenate([row for row, _ in parts]), np.concatenate([day for _, day in parts])
