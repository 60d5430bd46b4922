"""``regraft run --dry-run``: what a whole trial would take, from its first chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regraft.trial import TrialDesign


def print_plan(design: TrialDesign, *, cores: int | None, workers: int | None, trials: int, as_json: bool) -> None:
    """Run the first chunks, and say what the whole trial and its repetitions would take."""
    from regraft.interface.cli.output import print_json, print_lines
    from regraft.interface.cli.progress import time_text
    from regraft.interface.forecast import forecast

    found = forecast(design, threads=cores, workers=workers, trials=trials, starting=seconds_since_start())
    facts = {
        "arms": len(design.arms),
        "patients_per_arm": found.patients,
        "trials": trials,
        "visits": found.visits,
        "candidates": found.candidates,
        "seconds": round(found.seconds, 1),
        "processor_seconds": round(found.processor_seconds, 1),
        "memory_megabytes": round(found.memory_megabytes),
        "disk_megabytes": round(found.disk_megabytes, 1),
    }
    if as_json:
        print_json(facts)
        return
    often = f"{trials} times " if trials > 1 else ""
    print_lines(
        f"{design.title}: everything it names was found, and its first patients ran through every arm.",
        f"All of it: {often}{facts['arms']} arms of {found.patients} patients with {found.visits} visits, about "
        f"{found.candidates} candidates;",
        f"about {time_text(found.seconds)} ({time_text(found.processor_seconds)} of processors), "
        f"{facts['memory_megabytes']} MB of memory, "
        f"{facts['disk_megabytes']:g} MB on disk. Nothing was written.",
    )


def seconds_since_start() -> float:
    """Return how long this command has been at work, as a run is before it begins; 0 where nobody can tell."""
    import os
    import time
    from pathlib import Path

    try:
        fields = Path("/proc/self/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return max(time.clock_gettime(time.CLOCK_BOOTTIME) - started, 0.0)
    except (OSError, AttributeError, ValueError):
        return 0.0
