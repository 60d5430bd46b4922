"""``regraft show``: one catalog entry with its limits, its numbers and where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from regraft.interface.catalog import CatalogEntry

HEADER = ("Name", "Value", "Method", "Source")


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
    from regraft.interface.cli.output import print_lines, print_sentences, print_table

    print_lines(
        f"{entry.title} ({entry.kind}/{entry.id}{', version ' + entry.version if entry.version else ''})",
        f"Review status: {entry.status}",
        f"Content hash: {entry.content_hash[:12]}",
    )
    if entry.status != "reviewed":
        print_lines("Nobody has rebuilt this entry independently: treat its results as a draft.")
    if entry.limits:
        print_lines("", "Limits")
        print_sentences(*(f"- {limit}" for limit in entry.limits))
    if entry.parameters:
        counts = ", ".join(f"{count} {method}" for method, count in entry.methods)
        print_table(f"Parameters: {counts}", HEADER, [_cells(row) for row in entry.parameters])


def _cells(row: Mapping[str, str]) -> tuple[str, ...]:
    """Return name, value with unit and spread, method, and source with the place in it."""
    value = f"{row.get('value', '')} {row.get('unit', '').replace('dimensionless', '')}".strip()
    spread = f"{row.get('distribution', '')} {row.get('spread', '')}".strip()
    told = f"{value} ({spread})" if spread not in ("", "fixed") else value
    return (row["id"], told, row["method"], ": ".join(row[key] for key in ("source", "locator") if row.get(key)))


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
