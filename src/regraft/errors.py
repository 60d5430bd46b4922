"""Errors a user can make, each with what was met, what is allowed and the next step."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RegraftError(Exception):
    """Base of every error that a user can cause and mend.

    ``exit_code`` is what the command line returns: 2 for a usage mistake, 3 for an invalid model or data, 4 for more
    failed patients than may be.
    """

    exit_code = 3


class UsageError(RegraftError):
    """A command or a function was called with something it cannot accept."""

    exit_code = 2


class UnknownEntry(UsageError):
    """A catalog entry, state or parameter was named that does not exist."""


class InvalidFile(RegraftError):
    """A file cannot be read or does not have the expected shape."""


class InvalidField(InvalidFile):
    """A field of a file holds a value that is not allowed."""


class UnitMismatch(RegraftError):
    """Two quantities that must share a unit do not."""


class DoseOutOfRange(RegraftError):
    """A dose lies outside the limits of its agent, or has the wrong unit."""


class InvalidModel(RegraftError):
    """A model cannot be turned into equations or joined."""


class UnsupportedModel(InvalidModel):
    """A model uses a construct that cannot be run; the message names it."""


class InvalidArgument(UsageError):
    """An array or option given to a function has the wrong shape, order or value."""


class OutputFolderError(UsageError):
    """Results cannot be written where the user asked."""


class TooManyFailed(RegraftError):
    """So many patients of an arm could not be computed that the limit is passed whatever comes."""

    exit_code = 4


def near_matches(name: str, known: Iterable[str], limit: int = 3) -> str:
    """Return a sentence that lists the known names closest to a misspelt one."""
    candidates = sorted(set(known))
    close = difflib.get_close_matches(name, candidates, n=limit, cutoff=0.5)
    if close:
        return "Did you mean " + " or ".join(repr(word) for word in close) + "?"
    return "Known: " + ", ".join(candidates[:12]) + (" ..." if len(candidates) > 12 else "") + "."
