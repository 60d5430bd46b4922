"""``regraft run``: a trial file in, a table on the terminal and a folder of results out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from regraft.interface.cli.group import ExitCode


def run(
    trial: Annotated[Path, typer.Argument(help="Trial file (YAML).")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.")] = Path("out"),
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Seed; the trial file's if left out.")] = None,
    cores: Annotated[int | None, typer.Option("--cores", min=1, help="Cores to use; all if left out.")] = None,
    patients: Annotated[int | None, typer.Option("--patients", min=1, help="Patients per arm.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, run nothing.")] = False,
) -> None:
    """Run a virtual trial and write report.html, tables and run.json."""
    raise typer.Exit(ExitCode.OK)
