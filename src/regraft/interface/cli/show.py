"""``regraft show``: one catalog entry with its limits, its numbers and where they come from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from regraft.interface.catalog import CatalogEntry

COLUMNS = ("id", "value", "unit", "distribution", "spread", "method", "source", "locator")


def show(
    entry: Annotated[str, typer.Argument(help="Entry id, or kind/id where two kinds share an id.")],
    sbml: Annotated[Path | None, typer.Option("--sbml", help="Write the model as one flat SBML file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show an entry: review status, limits, parameters with their sources."""
    from regraft.interface.catalog import find_entry
    from regraft.interface.cli.output import print_json, print_lines

    found = find_entry(entry)
    if sbml is not None:
        _write_sbml(found, sbml)
    if as_json:
        print_json(
            {
                "kind": found.kind,
                "id": found.id,
                "title": found.title,
                "version": found.version,
                "status": found.status,
                "content_hash": found.content_hash,
                "limits": list(found.limits),
                "parameters": list(found.parameters),
            }
        )
        return
    _print_entry(found)
    if sbml is not None:
        print_lines(f"Wrote {sbml}.")


def _print_entry(entry: CatalogEntry) -> None:
    """Print an entry for a person."""
    from regraft.interface.cli.output import print_lines, print_table

    print_lines(
        f"{entry.title} ({entry.kind}/{entry.id}{', version ' + entry.version if entry.version else ''})",
        f"Review status: {entry.status}",
        f"Content hash: {entry.content_hash[:12]}",
    )
    if entry.status != "reviewed":
        print_lines("Nobody has rebuilt this entry independently: treat its results as a draft.")
    if entry.limits:
        print_lines("", "Limits", *(f"- {limit}" for limit in entry.limits))
    if entry.parameters:
        counts = ", ".join(f"{count} {method}" for method, count in entry.methods)
        rows = [[row.get(column, "") for column in COLUMNS] for row in entry.parameters]
        print_lines("")
        print_table(f"Parameters: {counts}", COLUMNS, rows, numeric=(1, 4))


def _write_sbml(entry: CatalogEntry, path: Path) -> None:
    """Write a model entry as SBML, or say why that cannot be done."""
    from regraft.errors import OutputFolderError, UsageError
    from regraft.model import load_part, write_sbml

    if entry.kind != "models":
        raise UsageError(
            f"--sbml needs a model, and {entry.id!r} is one of the {entry.kind}. See 'regraft list models'."
        )
    text = write_sbml(load_part(entry.id).equations)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputFolderError(f"{path} cannot be written: {error.strerror}. Choose another file.") from error
