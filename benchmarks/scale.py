"""Measure how time and memory of a trial grow with its patients, and how well a dry run forecasts both.

``python benchmarks/scale.py memory --patients 6667 66667`` runs the multiple sclerosis example (three arms, five years)
up to report and tables once per size, each in a process of its own, and writes a line per size with its peak memory.
``python benchmarks/scale.py forecast`` compares the dry run of two different trials with the runs themselves; on a
machine that others use, compare processor seconds.
Runs are kept under ``--folder``, so that an interrupted benchmark goes on; times are then those of what was left.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "ms_ahsct.yaml"
ARMS = 3
# Two trials that spend their time differently: few of many candidates are eligible, or all of them are.
TRIALS: dict[str, dict[str, Any]] = {
    "few eligible, three arms, five years": {"patients_per_arm": 300},
    "all eligible, one arm, two years": {
        "patients_per_arm": 1500,
        "eligibility": [],
        "arms": [{"id": "untreated", "label": "No treatment", "protocol": "untreated"}],
        "follow_up": {"value": 2, "unit": "year"},
        "visits": [{"every": {"value": 3, "unit": "month"}, "until": {"value": 24, "unit": "month"}}],
        "outcomes": [],
    },
}


def peak_megabytes(who: int) -> float:
    """Return the largest memory of this process, or of the largest of its children."""
    return resource.getrusage(who).ru_maxrss / 1024


def run_one(folder: Path, patients: int, workers: int) -> None:
    """Run the example with some patients to the end and print its peak memory by stage."""
    from regraft.interface.report.adapter import report_data
    from regraft.interface.results import write_results
    from regraft.trial import load_design
    from regraft.trial.stored.pool import PlannedWork, Pool
    from regraft.trial.stored.run import RunOptions, run_stored

    design = load_design(EXAMPLE).model_copy(update={"patients_per_arm": patients})
    backend = (lambda plan: Pool(PlannedWork.of(plan), workers)) if workers else None
    began, peaks = time.perf_counter(), {}

    def patients_done(news: Any) -> None:
        peaks["patients"] = peak_megabytes(resource.RUSAGE_SELF)

    result = run_stored(design, folder / "chunks", options=RunOptions(backend=backend), listener=patients_done)
    peaks["endpoints"] = peak_megabytes(resource.RUSAGE_SELF)
    peaks["largest worker"] = peak_megabytes(resource.RUSAGE_CHILDREN) if workers else 0.0
    write_results(result, report_data(result, []), folder)
    peaks["report and tables"] = peak_megabytes(resource.RUSAGE_SELF)
    facts = {"patient_arms": ARMS * patients, "seconds": time.perf_counter() - began, "peak_megabytes": peaks}
    sys.stdout.write(json.dumps(facts) + "\n")


def measure_memory(folder: Path, sizes: list[int], workers: int) -> None:
    """Run every size in a process of its own."""
    for patients in sizes:
        place = folder / f"patients-{patients}"
        command = [sys.executable, __file__, "one", "--folder", str(place), "--patients", str(patients)]
        subprocess.run([*command, "--workers", str(workers)], check=True)


def measure_forecast(folder: Path) -> None:
    """Compare forecasts with runs."""
    for name, changes in TRIALS.items():
        content = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8")) | changes
        design = folder / "trial.yaml"
        folder.mkdir(parents=True, exist_ok=True)
        design.write_text(yaml.safe_dump(content), encoding="utf-8")
        command = [str(Path(sys.executable).with_name("regraft")), "run", str(design), "--json"]
        told = subprocess.run([*command, "--dry-run"], check=True, capture_output=True, text=True).stdout
        out = folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        began = time.perf_counter()
        process = subprocess.Popen([*command, "--out", str(out)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.read()
        usage = _wait(process)
        forecast = json.loads(told)
        found = {
            "seconds": time.perf_counter() - began,
            "processor_seconds": usage.ru_utime + usage.ru_stime,
            "memory_megabytes": usage.ru_maxrss / 1024,
        }
        facts: dict[str, Any] = {"trial": name}
        for what, value in found.items():
            facts[what] = {
                "forecast": forecast[what],
                "run": round(value, 1),
                "ratio": round(forecast[what] / value, 2),
            }
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()


def _wait(process: subprocess.Popen[bytes]) -> resource.struct_rusage:
    """Wait for a process; return what it and the processes that it started took."""
    import os

    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"A run ended with code {process.returncode}.")
    return usage


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("memory", "forecast", "one"))
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--patients", type=int, nargs="+", default=[6667, 66667], help="per arm")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 for none but this one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = options.folder or Path(place)
        if options.what == "one":
            run_one(folder, options.patients[0], options.workers)
        elif options.what == "memory":
            measure_memory(folder, options.patients, options.workers)
        else:
            measure_forecast(folder)


if __name__ == "__main__":
    main()
