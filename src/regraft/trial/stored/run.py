"""Run a trial in a folder: what is there already is not computed again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from regraft.memory import give_back
from regraft.trial.design import TrialDesign
from regraft.trial.plan import Plan, make_plan
from regraft.trial.result import TrialResult
from regraft.trial.run import conclude, timed
from regraft.trial.screening import Progress
from regraft.trial.stored.backends import Backend, InProcess
from regraft.trial.stored.chunk import simulate_chunk
from regraft.trial.stored.drive import Drive, Listener
from regraft.trial.stored.finish import stored_arms, stored_cohort
from regraft.trial.stored.identity import arm_keys
from regraft.trial.stored.repetition import Repetition
from regraft.trial.stored.store import Store, opened, read_about

BackendMaker = Callable[[Plan], Backend]


@dataclass(frozen=True)
class RunOptions:
    """How a run is carried out; nothing here changes a number in its result.

    Parameters
    ----------
    threads : of the engine where chunks are computed in this process, all cores if None
    backend : makes what computes the chunks of a plan; this process if None
    chunk : candidates in a chunk of a new run
    extend : a run that is there may get more patients, arms, replicates or draws
    replicates : repetitions of the trial with other patients, itself among them, for ``run_repeats``
    draws : posterior draws under which the trial is repeated, for ``run_repeats``
    allow_failed : per cent of an arm's patients that may fail; the trial stops as soon as more did, never if None
    stop_from : fewer failed patients of an arm stop nothing: a small trial is soon over, and its report tells of them
    """

    threads: int | None = None
    backend: BackendMaker | None = None
    chunk: int | None = None
    extend: bool = False
    replicates: int = 1
    draws: int = 0
    allow_failed: float | None = None
    stop_from: int = 10

    @property
    def is_repeated(self) -> bool:
        """Whether more is to be run than the trial itself."""
        return self.replicates > 1 or self.draws > 0

    def extended(self, folder: Path) -> RunOptions:
        """Return the same with all repetitions that the folder holds, where a run is extended: it loses none."""
        about = (read_about(folder) if self.extend else None) or {}
        replicates, draws = (int(about.get(name, 0)) for name in ("replicates", "draws"))
        return replace(self, replicates=max(self.replicates, replicates), draws=max(self.draws, draws))

    def opened(self, plan: Plan, folder: Path) -> AbstractContextManager[Store]:
        """Open the folder of a run for this process; see ``store.opened``."""
        return opened(
            plan,
            folder,
            replicates=self.replicates,
            draws=self.draws,
            chunk=self.chunk,
            extend=self.extend,
        )


def run_stored(
    design: TrialDesign,
    folder: Path,
    *,
    seed: int | None = None,
    options: RunOptions | None = None,
    listener: Listener | None = None,
    progress: Progress | None = None,
) -> TrialResult:
    """Run a trial, or go on with one that was interrupted, and keep its chunks in a folder.

    The result is that of ``run_trial``, bit for bit, except that it reads readings and events from the folder when
    they are asked for, and that its population has the covariates only.

    Parameters
    ----------
    design, seed : as in ``run_trial``
    folder : for the chunks; new, or that of the same run
    options : how to run
    listener : told after each chunk how far the run is
    progress : told after each endpoint

    Raises
    ------
    UsageError : too few patients are eligible, the folder holds another run, or draws without a posterior
    OutputFolderError : the folder cannot be written; what is finished stays there
    TooManyFailed : more patients of an arm failed than may; what is finished stays there
    InvalidField, UnknownEntry, InvalidModel, UnitMismatch : the design or something it names cannot be run
    """
    options = options or RunOptions()
    timings: dict[str, float] = {}
    with timed(timings, "plan"):
        plan = make_plan(design, seed=seed, threads=options.threads)
    with options.opened(plan, folder) as store:
        with timed(timings, "patients"):
            chunks = compute(plan, store, Repetition(), options=options, listener=listener)
        return summarise_stored(plan, store, Repetition(), chunks, timings=timings, progress=progress)


def compute(
    plan: Plan, store: Store, repetition: Repetition, *, options: RunOptions, listener: Listener | None = None
) -> int:
    """Compute what is missing of a repetition; return how many chunks it takes."""
    plan = repetition.plan(plan)
    with _working(options.backend(plan) if options.backend else InProcess(partial(simulate_chunk, plan))) as backend:
        # the limit is one of the trial itself
        allowed = options.allow_failed if repetition == Repetition() else None
        drive = Drive(plan, store, repetition, arm_keys(plan), allow_failed=allowed, stop_from=options.stop_from)
        return drive.run(backend, listener)


def summarise_stored(
    plan: Plan,
    store: Store,
    repetition: Repetition,
    chunks: int,
    *,
    timings: dict[str, float] | None = None,
    progress: Progress | None = None,
) -> TrialResult:
    """Evaluate a repetition whose chunks are finished."""
    plan = repetition.plan(plan)
    give_back()  # of what computing has left behind
    cohort, pieces = stored_cohort(plan, store, repetition, chunks)
    arms = stored_arms(plan, pieces, arm_keys(plan))
    return conclude(plan, cohort, arms, timings=timings, progress=progress)


@contextmanager
def _working(backend: Backend) -> Iterator[Backend]:
    """Close a backend whatever happens."""
    try:
        yield backend
    finally:
        backend.close()
