"""``regraft query``: ask the tables of a run in SQL."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

MOST_ROWS = 200  # on a terminal


def query(
    run: Annotated[Path, typer.Argument(help="Folder of results.")],
    sql: Annotated[str, typer.Argument(help="Query of adsl, adtte, bds, events, failures, manifest.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print all rows as JSON.")] = False,
) -> None:
    """Ask the tables of a run in SQL (DuckDB)."""
    from regraft.interface.cli.output import print_json, print_sentences, print_table
    from regraft.interface.views import ask

    names, rows = ask(run, sql)
    if as_json:
        print_json([{name: _plain(value) for name, value in zip(names, row, strict=True)} for row in rows])
        return
    shown = [[_text(value) for value in row] for row in rows[:MOST_ROWS]]
    numeric = [k for k in range(len(names)) if rows and all(isinstance(row[k], int | float) for row in rows)]
    print_table(f"{len(rows)} row{'s' if len(rows) != 1 else ''}", names, shown, numeric=numeric)
    if len(rows) > MOST_ROWS:
        print_sentences(f"The first {MOST_ROWS} of {len(rows)} rows; --json prints all.")


def _text(value: Any) -> str:
    """Return a value as a cell."""
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _plain(value: Any) -> Any:
    """Return a value that JSON knows; what is missing is null."""
    if isinstance(value, float) and value != value:
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
