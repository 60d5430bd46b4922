"""Turn errors into one clear message and the exit code that the manual promises."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import typer
from typer.core import TyperGroup

from regraft.errors import RegraftError


class ExitCode(IntEnum):
    """What the command returns to the shell."""

    OK = 0
    USAGE = 2
    INVALID = 3
    FAILURES = 4
    INTERRUPTED = 5


class ErrorGroup(TyperGroup):
    """A command group that shows a user's mistake without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; report a ``RegraftError`` or an interruption and leave with its code."""
        try:
            return super().invoke(ctx)
        except RegraftError as error:
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt:
            typer.echo("Interrupted: nothing half-finished was left behind.", err=True)
            raise typer.Exit(ExitCode.INTERRUPTED) from None
