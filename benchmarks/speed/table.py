"""Results as a table in Markdown and as JSON, and which goals they meet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

# Goals by the widest vector feature: ratio to the fastest other tool and to libroadrunner.
_GOALS = {"avx512f": (12.0, 25.0), "avx2": (8.0, 18.0)}
_SCALING, _COLD_SECONDS, _CACHED_SECONDS = 1.8, 2.0, 0.2
_NAMES = {
    "hsct": "hsct: 9 doses in 5 years (transplant)",
    "soc": "soc: 65 doses in 5 years (one every 28 days)",
}


def markdown(results: dict[str, Any]) -> str:
    """Return all results as text."""
    machine = results["machine"]
    lines = [
        "# The engine beside other solvers",
        "",
        f"{machine['processor']}, {', '.join(machine['features'])}, {machine['cores']} cores; Python "
        f"{machine['python']}, NumPy {machine['numpy']}, numba {machine['numba']}, llvmlite {machine['llvmlite']}.",
        f"35 states, 1,825 days, output every 7 days, rtol {results['rtol']:g}, atol {results['atol']:g}, one core per "
        f"tool, all states recorded unless said; medians of {results['repeats']} interleaved rounds.",
        "Patients/s is by processor time, which other programs on the machine disturb less; by the clock beside it.",
        f"Load average of the machine {results['load_at_start']} at the start and {results['load_at_end']} at the end: "
        "above 1 (2 with two threads), other programs ran at the same time.",
        "Few outputs: regraft keeps 6 states, as a trial would; so does libroadrunner in a row of its own.",
        "At equal error: against the fastest row of regraft whose median error is no larger than the other tool's.",
        "The error is each patient's largest |y - reference| / (0.001 + |reference|) over all times and states.",
    ]
    for name, schedule in results["schedules"].items():
        lines += ["", f"## {_NAMES[name]}", "", *_rows(schedule), "", _steps(schedule), _reference(schedule)]
    lines += ["", "## Threads and compiling", "", *_rest(results), "", "## Goals", ""]
    lines += [f"- {'met' if met else 'MISSED'}: {sentence}" for sentence, met in goals(results)]
    lines += [f"\n{sentence}" for sentence in results["missing"]]
    return "\n".join(lines) + "\n"


def _rows(schedule: dict[str, Any]) -> list[str]:
    """Return the table of one schedule."""
    lines = [
        "| tool | patients/s | by the clock | regraft is faster by | range | with few outputs | at equal error "
        "| error: median | 95 % | failed |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in schedule["tools"]:
        like = not row["ours"] and "error_median" in row
        ratio = "" if not like else f"{row['ratio']:.1f}x"
        spread = "" if not like else f"{row['ratio_lowest']:.1f}-{row['ratio_highest']:.1f}"
        few = "" if row["ours"] else f"{row['ratio_few']:.1f}x"
        equal = f"{row['ratio_at_equal_error']:.1f}x" if "ratio_at_equal_error" in row else ""
        error = ["", "", f"{row['failed']} of {row['patients']}"]
        if "error_median" in row:
            error[:2] = [f"{row['error_median']:.1e}", f"{row['error_95']:.1e}"]
        name = row["name"] if row["ours"] else f"{row['name']} ({row['version']})"
        speeds = f"{row['patients_per_second']:,.0f} | {row['patients_per_second_wall']:,.0f}"
        lines.append(f"| {name} | {speeds} | {ratio} | {spread} | {few} | {equal} | {' | '.join(error)} |")
    return lines


def _steps(schedule: dict[str, Any]) -> str:
    """Return a sentence on the steps of this engine."""
    row = schedule["tools"][0]
    each = 1e6 / row["patients_per_second"] / row["steps_per_patient"]
    return f"regraft tried {row['steps_per_patient']:.0f} steps per patient, {each:.2f} microseconds each."


def _reference(schedule: dict[str, Any]) -> str:
    """Return a sentence on the reference."""
    text = f"Reference: regraft at rtol 1e-11 for {schedule['error_patients']} patients"
    if schedule["radau_difference"] is None:
        return f"{text}, not checked."
    return f"{text}; SciPy Radau at rtol 1e-11 differs by at most {schedule['radau_difference']:.1e}."


def _rest(results: dict[str, Any]) -> list[str]:
    """Return the lines on threads and compiling."""
    lines = []
    if results["threads"] is not None:
        threads = results["threads"]
        lines.append(
            f"- one thread {threads['one_thread']:,.0f}, two threads {threads['two_threads']:,.0f} patients/s by the "
            f"clock (hsct): {threads['gain']:.2f}x; fastest round of each {threads['gain_of_fastest']:.2f}x"
        )
    compile_seconds = results["compile"]
    lines.append(
        f"- Antimony text to kernel in a fresh process, imports not counted: {compile_seconds['cold']:.2f} s of "
        f"processor time ({compile_seconds['cold_clock']:.2f} s by the clock), with the kernel in the cache "
        f"{compile_seconds['cached']:.2f} s ({compile_seconds['cached_clock']:.2f} s)"
    )
    return lines


def goals(results: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return each goal as a sentence with whether it was met."""
    found = []
    wanted = next((_GOALS[f] for f in _GOALS if f in results["machine"]["features"]), _GOALS["avx2"])
    for name, schedule in results["schedules"].items():
        own, peers = schedule["tools"][0], [row for row in schedule["tools"] if not row["ours"]]
        groups = {
            "the fastest other tool": (wanted[0], peers),
            "libroadrunner": (wanted[1], [row for row in peers if row["name"].startswith("libroadrunner")]),
        }
        for what, (least, rows) in groups.items():
            for key, kept in (("ratio_few", "6 outputs"), ("ratio", "all states")):
                like = [row for row in rows if key == "ratio_few" or "error_median" in row]
                if like:
                    best = min(like, key=lambda row: row[key])
                    sentence = f"{name}, {kept}: {best[key]:.1f}x {what} ({best['name']}), goal {least:g}x"
                    found.append((sentence, best[key] >= least))
        if peers:
            least_error = min(row["error_median"] for row in peers if "error_median" in row)
            sentence = f"{name}: median error {own['error_median']:.1e}, smallest of the others {least_error:.1e}"
            found.append((sentence, own["error_median"] <= least_error))
    if results["threads"] is not None:
        gain = results["threads"]["gain"]
        found.append((f"one to two threads {gain:.2f}x, goal {_SCALING:g}x", gain >= _SCALING))
    for key, limit in (("cold", _COLD_SECONDS), ("cached", _CACHED_SECONDS)):
        seconds = results["compile"][key]
        found.append((f"text to kernel, {key}: {seconds:.2f} s, goal {limit:g} s", seconds <= limit))
    return found


def missed_goals(results: dict[str, Any]) -> list[str]:
    """Return the sentences of the goals that were missed."""
    return [sentence for sentence, met in goals(results) if not met]


def write(results: dict[str, Any], folder: Path) -> None:
    """Write both forms, named after the widest vector feature."""
    features = results["machine"]["features"]
    label = next((name for name in ("avx512f", "avx2", "neon") if name in features), "other")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"engine_{label}.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (folder / f"engine_{label}.md").write_text(markdown(results), encoding="utf-8")
