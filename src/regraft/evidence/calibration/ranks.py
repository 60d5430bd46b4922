"""Runs that a fit has made anyway check it: each is the truth of one set of made-up rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from regraft.evidence.calibration.chance import Floats, Integers
from regraft.evidence.calibration.emulator import fit_emulator
from regraft.evidence.calibration.forward import Observations, Runs
from regraft.evidence.calibration.linear_algebra import one_thread
from regraft.evidence.calibration.priors import Priors
from regraft.evidence.calibration.sbc import CalibrationCheck, Ranking, check_sizes
from regraft.evidence.calibration.settings import Settings

TABLE = "ranks.csv"
BINS = 10
_FOLDS = 10


def write_ranks(found: CalibrationCheck, not_identified: tuple[str, ...], folder: Path) -> None:
    """Write the ranks of each parameter beside the draws of a fit.

    Parameters
    ----------
    not_identified : names of parameters of which the published rows say almost nothing
    folder : of the draws
    """
    bins = [f"ranks_{k + 1}" for k in range(BINS)]
    lines = [",".join(["id", "p_value", "learned", "verdict", *bins])]
    for k, name in enumerate(found.names):
        verdict = "not uniform" if name in found.failed else "not identified" if name in not_identified else "uniform"
        counts = [str(count) for count in found.histogram(name, BINS)]
        lines.append(",".join([name, f"{found.p_values[k]:.4f}", f"{found.contraction[k]:.4f}", verdict, *counts]))
    (folder / TABLE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def rank_runs(
    priors: Priors,
    observations: Observations,
    runs: Runs,
    settings: Settings,
    *,
    seed: int,
    draws: int = 99,
    particles: int = 200,
    workers: int = 1,
    progress: Callable[[int, int, str], None] | None = None,
) -> CalibrationCheck:
    """Check a fit with forward runs that it has made anyway: each is the truth of one set of made-up rows.

    One in ten runs is left out in turn, and the stand-in is fitted to the others, so its error is tested too; no run
    is simulated again.

    Parameters
    ----------
    priors, observations : of the fit; the values of the rows are not used
    runs : of draws of the prior, and of nothing else: they are the true values
    settings : of the stand-in
    workers : processes; no result depends on them
    draws, particles, progress : as in ``simulation_based_calibration``

    Raises
    ------
    InvalidArgument : too few runs did not fail, or fewer particles than draws
    CollapsedPosterior : a posterior cannot be sampled

    Notes
    -----
    The luck of simulated and of real patients differ: made-up rows scatter with the error of the published row and
    with that of the simulation, as the likelihood says.
    """
    good = runs.good()
    check_sizes(good.count, draws, particles)
    ranking = Ranking(priors, observations, seed, draws, particles)
    fold = np.arange(good.count) % _FOLDS
    shape = good.count, len(priors.names)
    ranks, variances = np.empty(shape, dtype=np.int64), np.empty(shape)
    tasks = [(ranking, runs, good, np.flatnonzero(fold == k), settings) for k in range(_FOLDS)]
    done = 0
    for places, rank, spread in _in_processes(tasks, workers):
        ranks[places], variances[places] = rank, spread
        done += places.size
        if progress is not None:
            progress(done, good.count, "simulation-based calibration")
    return ranking.check(ranks, variances)


_Fold = tuple[Ranking, Runs, Runs, Integers, Settings]


def _in_processes(tasks: list[_Fold], workers: int) -> Iterator[tuple[Integers, Integers, Floats]]:
    """Yield places, ranks and variances of each fold, in any number of processes."""
    if workers == 1:
        yield from map(_rank_fold, tasks)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_rank_fold, tasks)


def _rank_fold(task: _Fold) -> tuple[Integers, Integers, Floats]:
    """Rank the runs of one fold under the stand-in of all others."""
    ranking, runs, good, places, settings = task
    kept = np.ones(runs.count, dtype=np.bool_)
    kept[np.flatnonzero(~runs.failed)[places]] = False
    found = []
    with one_thread():
        surface = fit_emulator(runs.take(kept), ranking.observations, settings)
        for place in places:
            found.append(
                ranking.rank(surface, good.white[place], good.value[place], good.mc_variance[place], int(place))
            )
    return places, np.array([rank for rank, _ in found]), np.array([spread for _, spread in found])
