"""How the driver's functions are compiled by numba, in one place and with types kept for the checker."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

# Declared as Any: numba's own annotation lacks ``no_cpython_wrapper``.
_njit: Any = njit
_F = TypeVar("_F", bound=Callable[..., Any])


def compiled(function: _F) -> _F:
    """Compile a function that Python also calls: no global lock, cached on disk, floats as IEEE says."""
    return cast(_F, _stamped(_njit(cache=True, nogil=True, error_model="numpy")(function)))


def compiled_inner(function: _F) -> _F:
    """Compile a function that only compiled functions call; leaving the Python wrapper out halves compile time."""
    return cast(_F, _stamped(_njit(cache=True, nogil=True, error_model="numpy", no_cpython_wrapper=True)(function)))


@lru_cache(maxsize=1)
def _all_sources() -> tuple[tuple[str, int, int], ...]:
    """Return name, time and size of every file of the engine."""
    files = [(path.name, path.stat()) for path in sorted(Path(__file__).parent.glob("*.py"))]
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in files)


def _stamped(function: Any) -> Any:
    """Let the cache on disk be valid for all files of the engine together.

    Numba looks at the file of the function alone, and would go on with page numbers that another file has changed.
    """
    file: Any = getattr(getattr(function, "_cache", None), "_cache_file", None)
    if hasattr(file, "_source_stamp"):
        file._source_stamp = (file._source_stamp, _all_sources())
    return function
