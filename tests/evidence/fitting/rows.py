"""Published rows made from one base, in memory."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.evidence.published_rows import ROW, write

from regraft.evidence.published import read_published
from regraft.evidence.published_types import IntervalKind, PublishedResult


@lru_cache(maxsize=1)
def base() -> PublishedResult:
    with TemporaryDirectory() as folder:
        return read_published(write(Path(folder) / "table", ROW))[0]


def published(**changes: object) -> PublishedResult:
    """Return a row without interval, with some fields changed."""
    plain = replace(base(), lower=None, upper=None, interval=IntervalKind.NONE)
    return replace(plain, **changes)  # type: ignore[arg-type]  # test helper
