"""``regraft check``: whether the catalog, or one entry of it, is sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from regraft.interface.cli.group import ExitCode

if TYPE_CHECKING:
    from regraft.interface.catalog import CatalogEntry
    from regraft.interface.checks import Finding


def check(
    entry: Annotated[str | None, typer.Argument(help="Entry id or kind/id; the whole catalog if left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check tables, units, equations, joins and protocols of the catalog."""
    from regraft.interface.catalog import all_entries, find_entry
    from regraft.interface.checks import check_evidence, check_join
    from regraft.interface.cli.output import print_json

    entries = [find_entry(entry)] if entry else all_entries()
    findings = _check_each(entries, show_progress=not as_json)
    if entry is None:
        findings += [*check_join(entries), *check_evidence()]
    errors = sum(finding.severity == "error" for finding in findings)
    if as_json:
        print_json(
            {
                "entries": len(entries),
                "parameter_rows": sum(len(each.parameters) for each in entries),
                "assumed": sum(each.assumed for each in entries),
                "errors": errors,
                "findings": [vars(finding) for finding in findings],
            }
        )
    else:
        _print_findings(entries, findings)
    if errors:
        raise typer.Exit(ExitCode.INVALID)


def _check_each(entries: list[CatalogEntry], *, show_progress: bool) -> list[Finding]:
    """Check the entries one after the other, with a bar for people."""
    from rich.console import Console
    from rich.progress import track

    from regraft.interface.checks import check_entry

    steps = track(
        entries, description="Checking", console=Console(stderr=True), disable=not show_progress, transient=True
    )
    return [finding for entry in steps for finding in check_entry(entry)]


def _print_findings(entries: list[CatalogEntry], findings: list[Finding]) -> None:
    """Print what was found, entry by entry, and the counts."""
    from regraft.interface.cli.output import print_lines, print_table

    rows = [
        (entry.kind, entry.id, entry.status, str(len(entry.parameters)), str(entry.assumed), _verdict(entry, findings))
        for entry in entries
    ]
    header = ("Kind", "Entry", "Review", "Parameters", "Assumed", "Checks")
    print_table("Catalog", header, rows, numeric=(3, 4))
    for finding in findings:
        print_lines(f"{finding.severity}: {finding.entry} [{finding.check}] {finding.message}")
    errors = sum(finding.severity == "error" for finding in findings)
    print_lines(
        f"{len(entries)} entries, {sum(len(each.parameters) for each in entries)} parameter rows, "
        f"{sum(each.assumed for each in entries)} of them assumed; {errors} errors, {len(findings) - errors} warnings."
    )


def _verdict(entry: CatalogEntry, findings: list[Finding]) -> str:
    """Return passed, or how many errors one entry has."""
    own = [finding for finding in findings if finding.entry == f"{entry.kind}/{entry.id}"]
    errors = sum(finding.severity == "error" for finding in own)
    if errors:
        return f"{errors} error{'s' if errors > 1 else ''}"
    return f"passed, {len(own)} warnings" if own else "passed"
