"""What a trial will take in time, memory and disk, from its first chunks run for real in a temporary folder."""

from __future__ import annotations

import math
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from regraft.trial import TrialDesign
    from regraft.trial.plan import Plan
    from regraft.trial.stored.store import Store

ENOUGH, MOST_CHUNKS = 40, 10  # eligible patients that tell their share well, and where to stop looking for them
BYTES_PER_PATIENT = 1200  # of the process that sums up, measured by benchmarks/scale.py


Times = NDArray[np.float64]  # two in the last place: seconds that pass, and seconds of processors at work


@dataclass(frozen=True)
class Forecast:
    """What a whole trial takes; ``candidates`` is how many will be screened.

    ``seconds`` are those that pass, ``processor_seconds`` those of all processors at work together.
    """

    patients: int
    visits: int
    candidates: int
    seconds: float
    processor_seconds: float
    memory_megabytes: float
    disk_megabytes: float


def forecast(
    design: TrialDesign, *, threads: int | None, workers: int | None, trials: int = 1, starting: float = 0.0
) -> Forecast:
    """Run the first chunks of a trial and reckon what all of them take.

    Parameters
    ----------
    threads : of the engine, where chunks are computed in this process
    workers : processes that will compute them, None for this one
    trials : how often the trial is run, with other patients or under posterior draws
    starting : seconds that a command needs before its work begins

    Raises
    ------
    UsageError : nobody is eligible among the candidates that were looked at
    """
    from regraft.trial.plan import make_plan
    from regraft.trial.stored.store import Store, default_chunk

    began = clocks()
    start = np.array([starting, began[1]])  # processors were at work for this process alone until now
    plan = make_plan(design, threads=threads if workers is None else 1)
    planning = clocks() - began
    with tempfile.TemporaryDirectory() as place:
        store = Store(Path(place) / "chunks", default_chunk(design.patients_per_arm), {})
        once, usual, eligible = _pilot(plan, store)
        chunks = max(math.ceil(design.patients_per_arm * len(eligible) / sum(eligible)), 1)
        fixed, more = _summing_up(plan, store, eligible, Path(place))
        on_disk = sum(path.stat().st_size for path in Path(place).rglob("*.parquet")) / len(eligible)
    # Each process starts, plans and loads for itself, all at once; then they share the chunks.
    apart = np.array([1.0, workers]) if workers else np.zeros(2)
    shared = np.array([workers or 1, 1.0])
    evaluated, written = fixed + chunks * more
    computed = chunks * usual / shared
    loaded = apart * (start + planning) + np.maximum(apart, 1.0) * once
    times = start + planning + loaded + computed + evaluated + written
    if trials > 1:  # all are evaluated for the table of repetitions, and each has processes of its own
        times = times + (trials - 1) * (computed + (loaded if workers else 0.0)) + trials * evaluated
    return Forecast(
        patients=design.patients_per_arm,
        visits=len(plan.schedule.visits),
        candidates=chunks * store.chunk,
        seconds=float(times[0]),
        processor_seconds=float(times[1]),
        memory_megabytes=_peak_megabytes() + BYTES_PER_PATIENT * design.patients_per_arm / 1e6,
        disk_megabytes=trials * chunks * on_disk / 1e6,
    )


def clocks() -> Times:
    """Return the time, and how long processors were at work for this process."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)  # figures are drawn in a process of their own
    return np.array([time.perf_counter(), time.process_time() + ended.ru_utime + ended.ru_stime])


def _pilot(plan: Plan, store: Store) -> tuple[Times, Times, list[int]]:
    """Compute the first chunks; return what the first takes more, what each takes, and the eligible in each."""
    from regraft.errors import UsageError
    from regraft.trial.stored.chunk import Task, simulate_chunk
    from regraft.trial.stored.identity import arm_keys
    from regraft.trial.stored.repetition import Repetition

    eligible: list[int] = []
    taken: list[Times] = []
    wanted = plan.design.patients_per_arm
    limit = min(MOST_CHUNKS, math.ceil(plan.design.most_screened / store.chunk))
    while len(eligible) < limit and sum(eligible) < wanted and (len(eligible) < 2 or sum(eligible) < ENOUGH):
        task = Task(store.place(Repetition()), len(eligible) * store.chunk, store.chunk, arm_keys(plan))
        began = clocks()
        eligible.append(simulate_chunk(plan, task).eligible)
        taken.append(clocks() - began)
    if not sum(eligible):
        raise UsageError(
            f"Nobody is eligible among the first {len(eligible) * store.chunk} candidates. Loosen 'eligibility'."
        )
    later = taken[1:] or taken  # the first pays for what is loaded once
    usual = np.mean(later, axis=0)
    return np.maximum(taken[0] - usual, 0.0), usual, eligible


def _summing_up(plan: Plan, store: Store, eligible: Sequence[int], place: Path) -> tuple[Times, Times]:
    """Return what endpoints, and what report and tables take however many there are, and more for each chunk."""
    whole = _times(plan, store, eligible, place)
    first = next(number for number, found in enumerate(eligible, start=1) if found)
    if first == len(eligible):
        return whole, np.zeros_like(whole)
    few, all_of_them = (_times(plan, store, eligible[:chunks], place) for chunks in (first, len(eligible)))
    more = np.maximum(all_of_them - few, 0.0) / (len(eligible) - first)
    return np.maximum(whole - more * len(eligible), 0.0), more


def _times(plan: Plan, store: Store, eligible: Sequence[int], place: Path) -> Times:
    """Return how long it takes to evaluate the first chunks, and to write report and tables: a row each."""
    from dataclasses import replace

    from regraft.interface.report.adapter import report_data
    from regraft.interface.results import write_results
    from regraft.trial.stored.repetition import Repetition
    from regraft.trial.stored.run import summarise_stored

    patients = min(sum(eligible), plan.design.patients_per_arm)
    smaller = replace(plan, design=plan.design.model_copy(update={"patients_per_arm": patients}))
    at = [clocks()]
    result = summarise_stored(smaller, store, Repetition(), len(eligible))
    at.append(clocks())
    write_results(result, report_data(result, []), place / "results")
    at.append(clocks())
    return np.diff(np.array(at), axis=0)


def _peak_megabytes() -> float:
    """Return the largest memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
