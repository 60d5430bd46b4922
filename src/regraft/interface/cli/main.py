"""The ``regraft`` command and its verbs."""

from __future__ import annotations

from typing import Annotated

import typer

from regraft.interface.cli.calibrate import calibrate
from regraft.interface.cli.check import check
from regraft.interface.cli.doctor import doctor
from regraft.interface.cli.export import export
from regraft.interface.cli.group import ErrorGroup
from regraft.interface.cli.listing import list_catalog
from regraft.interface.cli.query import query
from regraft.interface.cli.replay import replay
from regraft.interface.cli.run import run
from regraft.interface.cli.show import show
from regraft.interface.cli.validate import validate

EPILOG = (
    "Exit codes: 0 ok, 2 wrong usage, 3 invalid model or data, 4 finished with more failed patients than allowed, "
    "5 interrupted. Research use; not for treating patients."
)

app = typer.Typer(
    name="regraft",
    cls=ErrorGroup,
    help="Virtual trials of stem-cell therapy for immune disorders.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    """Print the version and stop."""
    if asked:
        from importlib.metadata import version

        typer.echo(f"regraft {version('regraft')}")
        raise typer.Exit


@app.callback()
def main(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Virtual trials of stem-cell therapy for immune disorders."""


app.command("run")(run)
app.command("calibrate")(calibrate)
app.command("validate")(validate)
app.command("query")(query)
app.command("replay")(replay)
app.command("export")(export)
app.command("list")(list_catalog)
app.command("show")(show)
app.command("check")(check)
app.command("doctor")(doctor)
