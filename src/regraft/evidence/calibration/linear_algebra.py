"""Keep the libraries of linear algebra behind NumPy and SciPy to one thread.

The matrices of a fit are small: several threads are no faster alone, and ten times slower where other processes use the
cores (measured). With one thread the order of every sum is also the same on machines with other numbers of cores.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import scipy

# OpenBLAS as NumPy and SciPy ship it: reader and setter of the number of threads.
_NAMES = (
    ("scipy_openblas_get_num_threads64_", "scipy_openblas_set_num_threads64_"),
    ("scipy_openblas_get_num_threads", "scipy_openblas_set_num_threads"),
)


@contextmanager
def one_thread() -> Iterator[int]:
    """Use one thread in the block, and as many as before after it; yields how many libraries were found.

    Where a library is another one, such as that of the system, nothing is changed.
    """
    found = list(_libraries())
    before = [getattr(library, get)() for library, get, _ in found]
    for library, _, put in found:
        getattr(library, put)(1)
    try:
        yield len(found)
    finally:
        for (library, _, put), threads in zip(found, before, strict=True):
            getattr(library, put)(threads)


def _libraries() -> Iterator[tuple[ctypes.CDLL, str, str]]:
    """Yield the libraries that are loaded, with the names of their reader and setter."""
    for package in (np, scipy):
        place = Path(str(package.__file__)).parent
        for path in sorted(place.parent.glob(f"{place.name}.libs/*openblas*")):
            try:
                library = ctypes.CDLL(str(path))
            except OSError:
                continue
            for get, put in _NAMES:
                if hasattr(library, get) and hasattr(library, put):
                    yield library, get, put
                    break
