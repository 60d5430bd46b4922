"""Print tables for people and JSON for programs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from typing import Any

import typer

STICKY = "\u00a0"  # a space at which a line is not broken while there is room
GAP = 2  # spaces between two columns


def print_json(value: Any) -> None:
    """Print a value as JSON on standard output."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def print_table(
    title: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, numeric: Sequence[int] = ()
) -> None:
    """Print a table that fits the terminal: text is folded between words, never within one.

    Where even the longest words of all columns do not fit side by side, each row becomes a list of its values.

    Parameters
    ----------
    title : stands above the table
    header : names of the columns
    rows : cells as text; a space written as ``STICKY`` keeps what stands beside it together while there is room
    numeric : columns set to the right
    """
    room = terminal_width()
    typer.echo("\n".join(["", *textwrap.wrap(title, room), ""]))
    for cells in (rows, [[cell.replace(STICKY, " ") for cell in row] for row in rows]):
        widths = column_widths(header, cells, room)
        if widths is not None:
            typer.echo("\n".join(_lines(header, cells, widths, numeric)))
            return
    typer.echo("\n".join(_stacked(header, rows, room)))


def print_lines(*lines: str) -> None:
    """Print plain lines."""
    for line in lines:
        typer.echo(line)


def print_sentences(*sentences: str) -> None:
    """Print sentences, folded between words to the width of the terminal; later lines of a sentence are indented."""
    for sentence in sentences:
        typer.echo(_fold(sentence, terminal_width(), indent="  "))


def terminal_width() -> int:
    """Return how many characters fit in a line; 80 where nobody can tell."""
    from rich.console import Console

    return Console().width


def column_widths(header: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """Return the width of each column, or None where the longest words do not fit side by side.

    What is missing is taken from the widest columns first, but never so much that a word would be broken.
    """
    columns = [[name, *(row[index] for row in rows)] for index, name in enumerate(header)]
    widths = [max(len(cell) for cell in column) for column in columns]
    least = [max((len(word) for cell in column for word in cell.split(" ")), default=0) for column in columns]
    available = room - GAP * (len(columns) - 1)
    if sum(least) > available:
        return None
    while sum(widths) > available:
        spare = [width if width > low else 0 for width, low in zip(widths, least, strict=True)]
        widths[spare.index(max(spare))] -= 1
    return widths


def _lines(
    header: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int], numeric: Sequence[int]
) -> list[str]:
    """Return a header, a rule and the rows, each cell folded to its column."""
    lines = [*_row(header, widths, numeric), "-" * (sum(widths) + GAP * (len(widths) - 1))]
    for row in rows:
        lines += _row(row, widths, numeric)
    return lines


def _row(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[int]) -> list[str]:
    """Return the lines of one row."""
    folded = [_fold(cell, width).split("\n") for cell, width in zip(cells, widths, strict=True)]
    height = max(len(lines) for lines in folded)
    filled = [[*lines, *[""] * (height - len(lines))] for lines in folded]
    return [
        (" " * GAP)
        .join(
            text.rjust(width) if index in numeric else text.ljust(width)
            for index, (text, width) in enumerate(zip(texts, widths, strict=True))
        )
        .rstrip()
        for texts in zip(*filled, strict=True)
    ]


def _stacked(header: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> list[str]:
    """Return each row as lines of name and value, for tables that are too wide."""
    lines: list[str] = []
    for row in rows:
        pairs = [f"{name}: {cell}" for name, cell in zip(header, row, strict=True) if cell]
        lines += [
            _fold(pair, room, indent="    ") if first else _fold(f"  {pair}", room, indent="    ")
            for first, pair in zip([True, *[False] * len(pairs)], pairs, strict=False)
        ]
    return lines


def _fold(text: str, width: int, *, indent: str = "") -> str:
    """Return a text folded between words; a word that is too long stays whole."""
    lines = textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace(STICKY, " ")
