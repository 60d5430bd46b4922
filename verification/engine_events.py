"""Verify the engine's random events, order of convergence and behaviour under absurd parameters.

Run ``python verification/engine_events.py``; it prints one line per check and ends with 1 if any failed.
``--quick`` takes small populations, ``--only`` names some of the checks.
"""

from __future__ import annotations

import argparse
import faulthandler
import sys
import time
from functools import partial

from engine_checks.convergence import check_convergence
from engine_checks.event_counts import check_counts
from engine_checks.spread import check_spread
from engine_checks.waiting_times import check_competing_hazards, check_waiting_times

_LONGEST_SECONDS = 3600.0


def main(given: list[str] | None = None) -> int:
    """Run the checks, print their lines and return the exit code."""
    names = ["waiting", "competing", "counts", "convergence", "spread"]
    parser = argparse.ArgumentParser(description="Verify random events, convergence and robustness of the engine.")
    parser.add_argument("--quick", action="store_true", help="small populations")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    options = parser.parse_args(given)
    many, some, wide = (2_000, 300, 300) if options.quick else (20_000, 10_000, 10_000)
    checks = {
        "waiting": partial(check_waiting_times, many),
        "competing": partial(check_competing_hazards, many),
        "counts": partial(check_counts, some),
        "convergence": check_convergence,
        "spread": partial(check_spread, wide),
    }
    # A run that hangs is ended with where it was.
    faulthandler.dump_traceback_later(_LONGEST_SECONDS, exit=True)
    failed = total = 0
    for name in options.only:
        begin = time.perf_counter()
        for line in checks[name]():
            print(line, flush=True)
            total += 1
            failed += not line.passed
        print(f"      ({name}: {time.perf_counter() - begin:.0f} s)", flush=True)
    faulthandler.cancel_dump_traceback_later()
    print(f"passed {total - failed} of {total}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
