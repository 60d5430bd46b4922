"""How the driver's functions are compiled by numba, in one place and with types kept for the checker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

# Declared as Any: numba's own annotation lacks ``no_cpython_wrapper``.
_njit: Any = njit
_F = TypeVar("_F", bound=Callable[..., Any])


def compiled(function: _F) -> _F:
    """Compile a function that Python also calls: no global lock, cached on disk, floats as IEEE says."""
    return cast(_F, _njit(cache=True, nogil=True, error_model="numpy")(function))


def compiled_inner(function: _F) -> _F:
    """Compile a function that only compiled functions call; leaving the Python wrapper out halves compile time."""
    return cast(_F, _njit(cache=True, nogil=True, error_model="numpy", no_cpython_wrapper=True)(function))
