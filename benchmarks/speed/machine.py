"""What the machine is, as far as it matters for speed; no name of a host and no path."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numba
import numpy

_FEATURES = ("avx512f", "avx512dq", "avx512vl", "avx2", "fma", "sse4.2", "neon", "sve")


def describe() -> dict[str, Any]:
    """Return processor, features, cores and versions."""
    return {
        "processor": _processor(),
        "features": features(),
        "cores": cores(),
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "numba": numba.__version__,
        "llvmlite": llvmlite.__version__,
    }


def features() -> list[str]:
    """Return the vector features that this processor has."""
    present = llvm.get_host_cpu_features()
    return [name for name in _FEATURES if present.get(name)]


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def _processor() -> str:
    """Return the processor's name as the system gives it."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
