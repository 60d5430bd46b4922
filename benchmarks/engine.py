"""How fast the engine is beside other solvers: patients per second, error, scaling over threads, time to compile.

Run ``python benchmarks/engine.py``; ``--quick`` takes about a minute. The tools beside this engine are optional:
``pip install -e '.[benchmarks]'``. What is measured and how is said in ``benchmarks/README.md``.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Libraries read these when they are imported, so the measuring code is imported only after they are set.
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description="Time the engine beside other solvers.")
    parser.add_argument("--quick", action="store_true", help="few patients and repeats; nothing is written")
    parser.add_argument("--patients", type=int, help="patients in one timing of this engine (2000; quick: 200)")
    parser.add_argument("--repeats", type=int, help="rounds in which each tool runs once (7; quick: 3)")
    parser.add_argument(
        "--seconds", type=float, help="longest processor time of another tool in one round (2; quick: 0.5)"
    )
    parser.add_argument("--error-patients", type=int, help="patients whose error is taken (32; quick: 8)")
    parser.add_argument("--radau-patients", type=int, help="patients solved by SciPy Radau as well (2; quick: 1)")
    parser.add_argument("--rtol", type=float, default=1e-6, help="relative tolerance; the absolute one is 1/1000 of it")
    parser.add_argument("--schedules", nargs="+", default=["hsct", "soc"], choices=["hsct", "soc"])
    parser.add_argument("--only", nargs="+", help="only tools whose name contains one of these words")
    parser.add_argument("--output", type=Path, help="folder for results (benchmarks/results; quick: nowhere)")
    parser.add_argument("--check", action="store_true", help="end with 1 if a goal is missed")
    options = parser.parse_args(given)
    usual = {"patients": 2000, "repeats": 7, "seconds": 2.0, "error_patients": 32, "radau_patients": 2}
    quick = {"patients": 200, "repeats": 3, "seconds": 0.5, "error_patients": 8, "radau_patients": 1}
    for name, value in (quick if options.quick else usual).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    if options.output is None and not options.quick:
        options.output = HERE / "results"
    return options


def main() -> int:
    """Measure, print, write; return the exit code."""
    options = arguments()
    for name in ONE_THREAD:
        os.environ[name] = "1"
    from speed.measure import measure
    from speed.table import markdown, missed_goals, write

    results = measure(options)
    print("\n" + markdown(results))
    if options.output is not None:
        write(results, options.output)
    missed = missed_goals(results)
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
