"""``regraft list``: what the catalog holds."""

from __future__ import annotations

from typing import Annotated

import typer


def list_catalog(
    kind: Annotated[
        str | None, typer.Argument(help="models, treatments, populations, protocols or trials; all if left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the entries of the catalog with their review status."""
    from regraft.interface.catalog import all_entries
    from regraft.interface.cli.output import print_json, print_table

    entries = all_entries(kind)
    if as_json:
        print_json(
            [
                {
                    "kind": entry.kind,
                    "id": entry.id,
                    "title": entry.title,
                    "version": entry.version,
                    "status": entry.status,
                    "parameter_rows": len(entry.parameters),
                    "assumed": entry.assumed,
                }
                for entry in entries
            ]
        )
        return
    rows = [
        (entry.kind, entry.id, entry.title, entry.status, str(len(entry.parameters)), str(entry.assumed))
        for entry in entries
    ]
    header = ("Kind", "Entry", "Title", "Review", "Numbers", "Assumed")
    print_table("Catalog", header, rows, numeric=(4, 5))
