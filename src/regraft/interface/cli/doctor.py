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
TEST_PATIENTS, TEST_DAYS, TEST_SECONDS = 512, 365.0, 1.0


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
    import platform

    import llvmlite.binding as llvm

    from regraft.engine.machine import cache_folder, host_lanes
    from regraft.engine.settings import usable_cores

    features = llvm.get_host_cpu_features()
    folder = cache_folder()
    lanes, is_fused = host_lanes()
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": usable_cores(),
        "processor": llvm.get_host_cpu_name(),
        "processor_features": " ".join(name for name in FEATURES if features.get(name)) or "none of those used",
        "patients_per_vector": lanes,
        "fused_multiply_add": "by the processor" if is_fused else "in software: slower, the same bits",
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
    """Solve the marrow model for a year, for about a second on one core and on all, and say how fast that was."""
    import time

    import numpy as np

    from regraft.engine import SolverSettings, compile_model, solve
    from regraft.model import load_part

    equations = load_part("hematopoiesis").equations
    began = time.perf_counter()
    kernel = compile_model(equations, [equations.states[0].id])
    values = np.tile([parameter.value for parameter in equations.parameters], (TEST_PATIENTS, 1))

    def rate(threads: int | None) -> float:
        """Return patients per second, from repeats until a second is over."""
        settings, done, start = SolverSettings(threads=threads), 0, time.perf_counter()
        while time.perf_counter() - start < TEST_SECONDS:
            ids = np.arange(done, done + TEST_PATIENTS)
            solve(kernel, values, times=np.array([0.0, TEST_DAYS]), patient_ids=ids, seed=1, settings=settings)
            done += TEST_PATIENTS
        return done / (time.perf_counter() - start)

    solve(kernel, values[:1], times=np.array([0.0, 1.0]), patient_ids=np.arange(1), seed=1)
    ready = time.perf_counter() - began
    one, every = rate(1), rate(None)
    return (
        f"marrow model over {TEST_DAYS:g} days: ready in {ready:.2f} s, then {one:,.0f} patients/s on one core and "
        f"{every:,.0f} on all"
    )
