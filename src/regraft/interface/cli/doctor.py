"""``regraft doctor``: what this machine offers and how fast the engine is on it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

PACKAGES = (
    "regraft",
    "numpy",
    "scipy",
    "numba",
    "llvmlite",
    "antimony",
    "python-libsbml",
    "pint",
    "pydantic",
    "pandas",
    "pyarrow",
    "xarray",
    "statsmodels",
    "vl-convert-python",
    "jinja2",
    "typer",
)
FEATURES = ("sse4.2", "avx", "avx2", "fma", "avx512f", "neon")
TEST_PATIENTS, TEST_DAYS = 64, 365.0


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check Python, packages, processor and cache, and time the engine."""
    from regraft.interface.cli.output import print_json, print_table

    facts = _machine() | {"speed": speed_test()}
    if as_json:
        print_json(facts | {"packages": _versions()})
        return
    rows = [(name.replace("_", " "), str(value)) for name, value in facts.items()]
    print_table("Machine", ("What", "Found"), rows)
    print_table("Packages", ("Package", "Version"), list(_versions().items()))


def _machine() -> dict[str, Any]:
    """Return what the engine depends on."""
    import os
    import platform

    import llvmlite.binding as llvm

    from regraft.engine.machine import cache_folder

    features = llvm.get_host_cpu_features()
    folder = cache_folder()
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "processor": llvm.get_host_cpu_name(),
        "processor_features": " ".join(name for name in FEATURES if features.get(name)) or "none of those used",
        "cache_folder": str(folder) if folder else "none can be written: each run compiles anew",
    }


def _versions() -> dict[str, str]:
    """Return the installed version of each package that matters."""
    from importlib.metadata import PackageNotFoundError, version

    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing: install regraft again"
    return found


def speed_test() -> str:
    """Solve the marrow model for some patients and a year, and say how long it took."""
    import time

    import numpy as np

    from regraft.engine import compile_model, solve
    from regraft.model import load_part

    equations = load_part("hematopoiesis").equations
    began = time.perf_counter()
    kernel = compile_model(equations, [equations.states[0].id])
    compiled = time.perf_counter()
    values = np.tile([parameter.value for parameter in equations.parameters], (TEST_PATIENTS, 1))
    patients = np.arange(TEST_PATIENTS)
    solve(kernel, values, times=np.array([0.0, TEST_DAYS]), patient_ids=patients, seed=1)
    warm = time.perf_counter()
    solve(kernel, values, times=np.array([0.0, TEST_DAYS]), patient_ids=patients, seed=1)
    done = time.perf_counter()
    return (
        f"marrow model, {TEST_PATIENTS} patients, {TEST_DAYS:g} days: compiled in {compiled - began:.2f} s, first run "
        f"{warm - compiled:.2f} s, then {1000 * (done - warm):.1f} ms ({TEST_PATIENTS / (done - warm):.0f} patients/s)"
    )
