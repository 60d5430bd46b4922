"""Memory that this process has freed and that the system does not have back yet."""

from __future__ import annotations

import ctypes
import gc
import sys
from contextlib import suppress


def give_back() -> None:
    """Return to the system what this process has freed, so that what one stage needed is not kept during the next.

    The C library and Arrow keep freed memory for their own later use, and Python keeps objects that hold each other
    until it looks for them. Nothing but memory depends on it.
    """
    gc.collect()
    if "pyarrow" in sys.modules:
        import pyarrow

        pyarrow.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError):  # only the C library of Linux has it
        ctypes.CDLL(None).malloc_trim(0)
