"""One line of a verification: what was checked, with which figures, and whether it passed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """The outcome of one check."""

    name: str
    figures: str
    passed: bool

    def __str__(self) -> str:
        """Return the line as it is printed."""
        return f"{'PASS' if self.passed else 'FAIL'}  {self.name}: {self.figures}"
