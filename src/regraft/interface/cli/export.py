"""``regraft export``: the tables of a run in another form."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export(
    run: Annotated[Path, typer.Argument(help="Folder of results.")],
    form: Annotated[str, typer.Option("--format", help="csv, parquet or dataset-json.")] = "dataset-json",
    out: Annotated[Path | None, typer.Option("--out", help="Folder; 'export' in the run if left out.")] = None,
) -> None:
    """Write the tables of a run as CSV, Parquet or Dataset-JSON."""
    from regraft.interface.cli.output import print_lines
    from regraft.interface.export import export as write

    print_lines(*map(str, write(run, out or run / "export", form)))
