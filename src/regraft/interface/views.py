"""A run as tables that can be asked in SQL: views of DuckDB over the files of its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regraft.errors import UsageError
from regraft.interface.folder import CHUNKS

if TYPE_CHECKING:
    import duckdb

TABLES = ("adsl", "adtte", "bds")
REPEATED = ("repeats", "knowledge")  # of a trial that was run more than once
VIEWS = (*TABLES, "events", "failures", "manifest")


def connect(run: Path) -> duckdb.DuckDBPyConnection:
    """Open the views of a run.

    Returns
    -------
    a connection with ``adsl``, ``adtte`` and ``bds`` as exported; ``events`` (arm or ``run-in``, patient, event, day),
    ``failures`` (arm, patient, status, day, reason) and ``manifest`` (a row per chunk: candidates, eligible, failed
    run-ins) from the chunks; ``repeats`` where the trial was repeated, ``knowledge`` where that was under posterior
    draws. Events and failures are of enrolled patients.

    Raises
    ------
    UsageError : the folder holds no finished run
    """
    import duckdb

    from regraft.trial.stored.repetition import Repetition

    missing = [name for name in TABLES if not (run / "tables" / f"{name}.parquet").is_file()]
    if missing:
        raise UsageError(
            f"{run} holds no finished run: tables/{missing[0]}.parquet is missing. Run `regraft run` first."
        )
    database = duckdb.connect()
    for name in TABLES:
        _view(database, name, f"from read_parquet({_text(run / 'tables' / f'{name}.parquet')})")
    for name in REPEATED:
        path = run / "tables" / f"{name}.parquet"
        if path.is_file():
            _view(database, name, f"from read_parquet({_text(path)})")
    _add_chunks(database, run / CHUNKS / Repetition().folder)
    return database


def ask(run: Path, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the column names and rows of a query.

    Raises
    ------
    UsageError : the query cannot be answered; the message is DuckDB's, with the names of the views
    """
    import duckdb

    try:
        found = connect(run).execute(sql)
        return [column[0] for column in found.description or ()], found.fetchall()
    except duckdb.Error as error:
        message = str(error).replace("Error: ", "error: ")
        raise UsageError(
            f"The query cannot be answered: {message}\nThere are the tables {', '.join(VIEWS)}; of a trial that was "
            f"repeated also {' and '.join(REPEATED)}."
        ) from None


def _add_chunks(database: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Add the views that read the files of chunks; arms that are no longer of the run are left out."""
    from regraft.trial.stored.store import read_about

    about = read_about(folder.parent)
    if about is None:
        return
    last = database.execute("select max(cast(split_part(USUBJID, '-', -1) as bigint)) from adsl").fetchone()
    enrolled = f"patient_id <= {last[0] if last else -1}"
    arms = {arm: sorted(folder.glob(f"*-arm-{key}.parquet")) for arm, key in about["files"].items()}
    people = [path for path in sorted(folder.glob("*-people.parquet")) if _has_events(path)]
    sources = [("run-in", people), *arms.items()]
    events = [_events(arm, paths, enrolled) for arm, paths in sources if paths]
    _view(database, "events", " union all ".join(events))
    failures = [
        f"select {_text(arm)} as arm, patient_id, status, failed_day as day, reason "
        f"from read_parquet({_list(paths)}) where is_missing and {enrolled}"
        for arm, paths in arms.items()
        if paths
    ]
    _view(database, "failures", " union all ".join(failures))
    screened = sorted(folder.glob("*-screened.parquet"))
    _view(
        database,
        "manifest",
        "select min(patient_id) as first_candidate, count(*) as candidates, count_if(failed = -1) as eligible, "
        f"count_if(failed = -2) as failed_run_ins from read_parquet({_list(screened)}, filename = true) "
        "group by filename order by first_candidate",
    )


def _events(arm: str, paths: Sequence[Path], enrolled: str) -> str:
    """Return a query of the events in some files, which number the events alike."""
    from regraft.trial.stored.parquet import event_names

    names = "[" + ", ".join(_text(name) for name in event_names(paths[0])) + "]"
    return (
        f"select {_text(arm)} as arm, patient_id, {names}[place + 1] as event, day from (select patient_id, "
        f"unnest(event_index) as place, unnest(event_day) as day from read_parquet({_list(paths)}) where {enrolled})"
    )


def _has_events(path: Path) -> bool:
    """Return whether a file has a log; one whose candidates could not be computed has none."""
    from regraft.trial.stored.parquet import EVENT_INDEX, column_names

    return EVENT_INDEX in column_names(path)


def _view(database: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    """Create a view; nothing is read yet."""
    database.execute(f"create view {name} as {query}")


def _list(paths: Sequence[Path]) -> str:
    """Return file names as a list in SQL."""
    return "[" + ", ".join(_text(path) for path in paths) + "]"


def _text(value: object) -> str:
    """Return a text in SQL."""
    return "'" + str(value).replace("'", "''") + "'"
