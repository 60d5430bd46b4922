"""Take the times: interleaved rounds on one core, then threads, then compiling."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from .immune_model import Floats, Problem, make_problem, patient_errors
from .machine import cores, describe
from .peers import regraft_engine
from .tools import FEW, Tool, compiled_rates, make_tools

_HERE = Path(__file__).resolve().parent
_REFERENCE_RTOL, _REFERENCE_ATOL = 1e-11, 1e-14
_FEWEST = 8
# Threads are timed by the clock, in more rounds, because a busy machine spoils most of them.
_THREAD_ROUNDS = 3


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Return everything that was measured, as plain numbers."""
    results: dict[str, Any] = {
        "machine": describe(),
        "rtol": options.rtol,
        "atol": options.rtol * 1e-3,
        "repeats": options.repeats,
        "quick": options.quick,
        "load_at_start": _load(),
        "schedules": {},
        "missing": [],
    }
    for name in options.schedules:
        print(f"\n{name}: reference", flush=True)
        results["schedules"][name] = _measure_schedule(name, options, results["missing"])
    results["missing"] = sorted(set(results["missing"]))
    results["threads"] = _measure_threads(options)
    results["compile"] = _measure_compile(options.repeats)
    results["load_at_end"] = _load()
    return results


def _measure_schedule(name: str, options: argparse.Namespace, missing: list[str]) -> dict[str, Any]:
    """Return error and speed of every tool for one dosing schedule."""
    problem = make_problem(name, max(options.patients, options.error_patients))
    reference = regraft_engine.prepare(problem, _REFERENCE_RTOL, _REFERENCE_ATOL)(options.error_patients)
    radau = _check_reference(problem, reference, options.radau_patients, missing)
    tools, absent = make_tools(problem, options.rtol)
    missing += absent
    if options.only:
        tools = [tool for tool in tools if tool.name == "regraft" or any(word in tool.name for word in options.only)]
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        rows = [_errors(tool, reference) for tool in tools]
        counts = [_count(tool, options) for tool in tools]
        *rounds, failed = _rounds(tools, counts, options.repeats)
    finally:
        os.sched_setaffinity(0, allowed)
    for k, row in enumerate(rows):
        row["patients"], row["failed"] = counts[k], failed[k]
        if tools[k].is_ours:
            row["steps_per_patient"] = tools[k].run.steps_per_patient
    _compare(rows, *rounds)
    return {"radau_difference": radau, "error_patients": options.error_patients, "tools": rows}


def _compare(rows: list[dict[str, Any]], wall: Floats, processor: Floats) -> None:
    """Add speeds and ratios to the rows: against this engine with all or few outputs, and at no larger an error."""
    for k, row in enumerate(rows):
        row["patients_per_second"] = 1.0 / statistics.median(processor[:, k])
        row["patients_per_second_wall"] = 1.0 / statistics.median(wall[:, k])
        ratios = processor[:, k] / processor[:, 0]
        row["ratio"], row["ratio_lowest"], row["ratio_highest"] = map(float, np.quantile(ratios, [0.5, 0.0, 1.0]))
        error = row.get("error_median", -1.0)
        as_good = [j for j, own in enumerate(rows) if own["ours"] and own.get("error_median", np.inf) <= error]
        if not row["ours"]:
            few = processor[:, k] / processor[:, [own["name"] for own in rows].index(FEW.format("regraft"))]
            row["ratio_few"] = float(np.median(few))
        if as_good and not row["ours"]:
            best = min(as_good, key=lambda j: statistics.median(processor[:, j]))
            row["ratio_at_equal_error"] = float(np.median(processor[:, k] / processor[:, best]))


def _load() -> float | None:
    """Return how many programs ran on average in the last minute, this one included."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def _check_reference(problem: Problem, reference: Floats, patients: int, missing: list[str]) -> float | None:
    """Return the largest scaled difference between the reference and SciPy Radau at the same tight tolerance."""
    try:
        from .peers.scipy_lsoda import radau

        compiled = compiled_rates(problem)
    except ImportError as error:
        missing.append(f"The reference is not checked against SciPy Radau: {error}.")
        return None
    values = radau(problem, _REFERENCE_RTOL, _REFERENCE_ATOL, compiled=compiled)(patients)
    return float(patient_errors(values, reference[:patients]).max())


def _errors(tool: Tool, reference: Floats) -> dict[str, Any]:
    """Solve the patients of the reference, which also warms the tool up, and return the row with its errors."""
    values = tool.run(len(reference))
    row: dict[str, Any] = {"name": tool.name, "version": tool.version, "ours": tool.is_ours}
    if tool.records_all:
        error = patient_errors(values, reference)
        solved = np.isfinite(error)
        row["error_median"] = float(np.median(error[solved]))
        row["error_95"] = float(np.quantile(error[solved], 0.95))
        row["error_max"] = float(error[solved].max())
    return row


def _count(tool: Tool, options: argparse.Namespace) -> int:
    """Return how many patients fit into the time of one round; this engine, whose few are cheap, runs all."""
    few = min(_FEWEST, options.patients)
    begin = time.process_time()
    tool.run(few)
    fitting = int(options.seconds * few / (time.process_time() - begin))
    count = options.patients if tool.is_ours else min(options.patients, max(few, fitting))
    if tool.is_ours:
        tool.run(count)
    return count


def _rounds(tools: list[Tool], counts: list[int], repeats: int) -> tuple[Floats, Floats, list[int]]:
    """Return wall and processor seconds per patient as (round, tool), and how many patients each tool failed.

    In each round every tool runs once.
    """
    failed = [0] * len(tools)
    wall, processor = np.empty((repeats, len(tools))), np.empty((repeats, len(tools)))
    for k in range(repeats):
        # A rotating order, so that no tool always follows the same neighbour.
        for place in np.roll(np.arange(len(tools)), k):
            begin, begin_processor = time.perf_counter(), time.process_time()
            values = tools[place].run(counts[place])
            wall[k, place] = (time.perf_counter() - begin) / counts[place]
            processor[k, place] = (time.process_time() - begin_processor) / counts[place]
            failed[place] = int((~np.isfinite(values).all(axis=(1, 2))).sum())
            del values  # so that the next tool finds the memory free
        print(f"round {k + 1}: {1.0 / processor[k, 0]:,.0f} patients/s by regraft", flush=True)
    return wall, processor, failed


def _measure_threads(options: argparse.Namespace) -> dict[str, Any] | None:
    """Return wall times with one and two threads, by turns; None on a machine with one core."""
    if cores() < 2:
        return None
    problem = make_problem("hsct", options.patients)
    runs = {n: regraft_engine.prepare(problem, options.rtol, options.rtol * 1e-3, threads=n) for n in (1, 2)}
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for k in range(_THREAD_ROUNDS * options.repeats + 1):
        for n, run in runs.items():
            begin = time.perf_counter()
            run(options.patients)
            if k:
                seconds[n].append(time.perf_counter() - begin)
    gains = [one / two for one, two in zip(seconds[1], seconds[2], strict=True)]
    return {
        "patients": options.patients,
        "one_thread": options.patients / statistics.median(seconds[1]),
        "two_threads": options.patients / statistics.median(seconds[2]),
        "gain": statistics.median(gains),
        "gain_of_fastest": min(seconds[1]) / min(seconds[2]),
    }


def _measure_compile(repeats: int) -> dict[str, float]:
    """Return seconds from Antimony text to kernel in fresh processes, with an empty and a filled cache."""
    taken: dict[str, list[float]] = {"cold": [], "cold_clock": [], "cached": [], "cached_clock": []}
    for _ in range(min(repeats, 5)):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("cold", "cached"):
                environment = {**os.environ, "REGRAFT_CACHE_DIR": folder}
                command = [sys.executable, str(_HERE / "compile_time.py")]
                answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
                seconds = json.loads(answer.stdout)
                taken[name].append(seconds["processor"])
                taken[f"{name}_clock"].append(seconds["clock"])
    return {name: statistics.median(values) for name, values in taken.items()}
