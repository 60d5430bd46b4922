from __future__ import annotations

import resource
import sys
from pathlib import Path

import numpy as np
import pytest

from regraft.memory import give_back

PIECE, PIECES = 8_000, 1_000  # numbers in an array, and arrays: 64 MB that the C library keeps in many places


def resident_megabytes() -> float:
    """Return the memory that this process has now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * resource.getpagesize() / 2**20


@pytest.mark.skipif(sys.platform != "linux", reason="only there the C library gives memory back when asked")
def test_freed_memory_goes_back_to_the_system() -> None:
    np.ones(2 * 2**20)[:1].copy()  # once freed, arrays of this size and smaller ones come from memory that is kept
    held = [np.ones(PIECE) for _ in range(PIECES)]
    kept = held[::50]  # between the freed ones, so that these do not go back by themselves
    del held
    before = resident_megabytes()
    give_back()
    assert resident_megabytes() < before - 40
    assert sum(part.sum() for part in kept) == PIECE * len(kept)
