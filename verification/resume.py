"""Kill a run with signal 9 at random moments, give the same command again, and compare every byte of its tables.

Run ``python verification/resume.py``; it takes some minutes, prints a line per kill, and exits with 1 where a table or
a file of a chunk differs from that of a run nobody disturbed. Half of the runs compute in one process, half in a pool.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATIENTS, CHUNK, WORKERS = 24, 40, 2
ENDPOINTS = ("annualised_relapse_rate", "neda3", "overall_survival")


def run(folder: Path, *, is_pool: bool) -> None:
    """Run the small trial in a folder, up to its tables."""
    from regraft.trial import load_design
    from regraft.trial.stored.pool import PlannedWork, Pool
    from regraft.trial.stored.run import RunOptions, run_stored
    from regraft.trial.table_files import write_tables

    changes = {"patients_per_arm": PATIENTS, "endpoints": ENDPOINTS}
    design = load_design(ROOT / "examples" / "ms_ahsct.yaml").model_copy(update=changes)
    backend = (lambda plan: Pool(PlannedWork.of(plan), WORKERS)) if is_pool else None
    options = RunOptions(threads=1, backend=backend, chunk=CHUNK)
    write_tables(run_stored(design, folder / "chunks", options=options).tables, folder / "tables")


def start(folder: Path, *, is_pool: bool) -> subprocess.Popen[bytes]:
    """Start that run as a process group of its own."""
    command = [sys.executable, str(Path(__file__).resolve()), "--child", str(folder), *(["--pool"] if is_pool else [])]
    return subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)


def hashes(folder: Path) -> dict[str, str]:
    """Return a hash of every table and of every file of a chunk."""
    paths = [*(folder / "tables").glob("*"), *(folder / "chunks").glob("replicate-*/*")]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def killed_and_ended(folder: Path, after: float, *, is_pool: bool) -> tuple[int, dict[str, str]]:
    """Kill a run after some seconds, end it with the same command; return the files at the kill and all hashes."""
    process = start(folder, is_pool=is_pool)
    time.sleep(after)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    left = len(hashes(folder))
    if start(folder, is_pool=is_pool).wait() != 0:
        raise SystemExit(f"A run that was killed after {after:.2f} s could not be ended.")
    return left, hashes(folder)


def compare(kills: int, seed: int) -> list[str]:
    """Return one sentence per kill, those with a difference first."""
    chance = random.Random(seed)
    told = []
    with tempfile.TemporaryDirectory() as place:
        whole = Path(place) / "whole"
        began = time.perf_counter()
        if start(whole, is_pool=False).wait() != 0:
            raise SystemExit("The run itself fails; nothing can be compared.")
        seconds, wanted = time.perf_counter() - began, hashes(whole)
        for number in range(kills):
            is_pool = number % 2 == 1
            after = chance.uniform(0, seconds * (1.5 if is_pool else 1))
            left, found = killed_and_ended(Path(place) / str(number), after, is_pool=is_pool)
            # a pool works ahead, so it may hold chunks that the trial does not need
            differs = sorted(name for name in wanted if found.get(name) != wanted[name])
            verdict = f"DIFFERENT: {', '.join(differs)}" if differs else "identical"
            kind = "pool" if is_pool else "one process"
            told.append(f"{verdict}; {kind}, killed after {after:.2f} s with {left} of {len(wanted)} files")
            sys.stdout.write(told[-1] + "\n")
            sys.stdout.flush()
    return sorted(told)


def main() -> int:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child", type=Path, help="run the trial in this folder (used by the script itself)")
    parser.add_argument("--pool", action="store_true", help="with --child: in a pool of processes")
    options = parser.parse_args()
    if options.child:
        run(options.child, is_pool=options.pool)
        return 0
    told = compare(options.kills, options.seed)
    return 1 if any(line.startswith("DIFFERENT") for line in told) else 0


if __name__ == "__main__":
    sys.exit(main())
