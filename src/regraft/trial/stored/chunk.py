"""A chunk: a range of candidates through run-in and screening, and those eligible through the arms, into files."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from regraft.trial.arms import simulate_arm
from regraft.trial.eligibility import ELIGIBLE
from regraft.trial.plan import Plan
from regraft.trial.run import baseline_of
from regraft.trial.screening import (
    RUN_IN_FAILED,
    Enrolled,
    screen_again,
    screen_batch,
    status_names,
    take_enrolled,
)
from regraft.trial.statistics import Integers
from regraft.trial.stored.files import BASELINE, ChunkFiles, Lost, write_arm
from regraft.trial.stored.parquet import column, event_columns, is_whole, read, row_count, write_whole

RUN_IN = "run-in"


@dataclass(frozen=True)
class Task:
    """What is to be done for one range of candidates.

    Parameters
    ----------
    folder : where the chunks are kept
    first, count : ids of the candidates are ``first`` to ``first + count - 1``
    arms : id of each arm to be simulated, and the key of its files
    lost : who is not tried again in a stage (``RUN_IN`` or an arm's id)
    only : candidates of a search for such patients: nobody else is simulated, and nothing is written
    """

    folder: Path
    first: int
    count: int
    arms: tuple[tuple[str, str], ...]
    lost: tuple[Lost, ...] = ()
    only: tuple[int, ...] | None = None

    @property
    def everybody(self) -> Integers:
        """Ids of all candidates of the range."""
        return np.arange(self.first, self.first + self.count)

    @property
    def candidates(self) -> Integers:
        """Ids of those whose run-in is simulated."""
        ids = self.everybody if self.only is None else np.array(self.only, dtype=np.int64)
        return ids[~np.isin(ids, list(self.lost_in(RUN_IN)))]

    @property
    def most_runs(self) -> int:
        """How many times at most a patient is simulated: all in the run-in, and in each arm if all are eligible."""
        return int(self.candidates.size) * (1 + len(self.arms))

    @property
    def files(self) -> ChunkFiles:
        """The files of the range."""
        return ChunkFiles(self.folder, self.first)

    def lost_in(self, stage: str) -> dict[int, str]:
        """Return the ids of who is not tried again in a stage, and why."""
        return {one.patient: one.status for one in self.lost if one.stage == stage}

    @property
    def is_done(self) -> bool:
        """Whether everything that the task asks for is there and can be read."""
        if not (is_whole(self.files.screened) and is_whole(self.files.people)):
            return False
        return not row_count(self.files.people) or all(is_whole(self.files.arm(key)) for _, key in self.arms)


@dataclass(frozen=True)
class Report:
    """What a chunk says of itself when it is done; ``failed`` counts by arm."""

    first: int
    eligible: int
    failed: Mapping[str, int]
    seconds: float


def simulate_chunk(plan: Plan, task: Task) -> Report:
    """Do what a task asks for, except what its files hold already.

    What a file holds depends on the plan, the range and the arm only, bit for bit.
    """
    began = time.perf_counter()
    is_search, people = task.only is not None, None
    if is_search or not (is_whole(task.files.screened) and is_whole(task.files.people)):
        people = _screen(plan, task)  # None where nobody was left to be screened
    eligible = people.patient_ids.size if people is not None else 0 if is_search else row_count(task.files.people)
    for position, arm in enumerate(plan.design.arms):
        key = dict(task.arms).get(arm.id)
        if not eligible or key is None or (not is_search and is_whole(task.files.arm(key))):
            continue
        people = people or _again(plan, task)
        _run_arm(plan, people, position, key, task)
    return report(task, seconds=time.perf_counter() - began)


def report(task: Task, *, seconds: float = 0.0) -> Report:
    """Read from the files of a finished chunk what became of it."""
    if task.only is not None:
        return Report(task.first, 0, {}, seconds)
    eligible = row_count(task.files.people)
    paths = {arm: task.files.arm(key) for arm, key in task.arms if eligible}
    failed = {arm: int(read(path, ["is_missing"])["is_missing"].sum()) for arm, path in paths.items()}
    return Report(task.first, eligible, failed, seconds)


def _screen(plan: Plan, task: Task) -> Enrolled | None:
    """Simulate the run-in of all candidates, keep what became of each, and return the eligible."""
    everybody = task.everybody
    failed = np.full(everybody.size, RUN_IN_FAILED, dtype=np.int64)
    lost = task.lost_in(RUN_IN)
    status = np.array([lost.get(int(patient), "") for patient in everybody], dtype=object)
    ids, people = task.candidates, None
    columns = {"patient_id": column(everybody[:0]), "onset": column(np.empty(0))}
    names: tuple[str, ...] = ()
    if ids.size:
        batch = screen_batch(plan, ids)
        known = np.isin(everybody, ids)
        failed[known], status[known] = batch.failed, status_names(batch.status)
        people = take_enrolled(plan, [batch], np.flatnonzero(batch.failed == ELIGIBLE))
        names = people.events.ids
        columns = {"patient_id": column(people.patient_ids), "onset": column(people.onset)}
        columns |= {BASELINE + name: column(values) for name, values in baseline_of(plan, people).items()}
        columns |= event_columns(people.events)
    if task.only is None:
        write_whole(columns, task.files.people, events=names)
        fates = {"patient_id": column(everybody), "failed": column(failed), "run_in": column(status)}
        write_whole(fates, task.files.screened)
    return people


def _again(plan: Plan, task: Task) -> Enrolled:
    """Return the eligible of a chunk that was screened before; the run-in of nobody else is simulated again."""
    ids = read(task.files.people, ["patient_id"])["patient_id"]
    return screen_again(plan, ids)


def _run_arm(plan: Plan, people: Enrolled, position: int, key: str, task: Task) -> None:
    """Simulate one arm of the eligible and write it, unless this is a search."""
    lost = task.lost_in(plan.design.arms[position].id)
    is_lost = np.isin(people.patient_ids, list(lost))
    kept = np.flatnonzero(~is_lost)
    arm = None
    if kept.size:
        arm = simulate_arm(plan, people.take(plan, kept) if is_lost.any() else people, position)
    if task.only is None:
        write_arm(plan, arm, people, kept, task.files.arm(key), lost=lost)
