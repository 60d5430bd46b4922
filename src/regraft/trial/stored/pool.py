"""Chunks in other processes of this machine; one that dies takes nothing with it but its chunk."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from threading import Lock
from typing import Any

from regraft.trial.design import TrialDesign
from regraft.trial.plan import Plan, make_plan
from regraft.trial.stored.backends import Backend, Done, Work
from regraft.trial.stored.chunk import Report, Task, simulate_chunk

_PLANNING = Lock()


@dataclass(frozen=True)
class PlannedWork:
    """Computes the chunks of a trial in any process, which makes the plan once.

    Parameters
    ----------
    design : as JSON, with paths that are valid where it is computed
    seed : of the replicate
    """

    design: str
    seed: int

    @classmethod
    def of(cls, plan: Plan) -> PlannedWork:
        """Describe the work of a plan."""
        return cls(plan.design.model_dump_json(), plan.seed)

    def __call__(self, task: Task) -> Report:
        """Compute a chunk."""
        with _PLANNING:  # a worker of a cluster may have several threads
            plan = _plan(self.design, self.seed)
        return simulate_chunk(plan, task)


@lru_cache(maxsize=1)
def _plan(design: str, seed: int) -> Plan:
    """Make a plan whose engine uses one thread: there are as many processes as cores."""
    return make_plan(TrialDesign.model_validate_json(design), seed=seed, threads=1)


def spare_cores() -> int:
    """Return how many processes leave one core free, at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(cores - 1, 1)


class Pool(Backend):
    """Processes that are started when there is work for them, each with one task at a time.

    Parameters
    ----------
    work : can be sent to another process
    workers : how many processes
    """

    def __init__(self, work: Work, workers: int) -> None:
        self.places = workers
        self._work = work
        self._waiting: deque[Task] = deque()
        self._idle: list[_Worker] = []
        self._busy: dict[Any, tuple[_Worker, Task]] = {}

    def submit(self, task: Task) -> None:
        """Take a task."""
        self._waiting.append(task)
        self._dispatch()

    def next_done(self) -> Done:
        """Wait for the first task to end, or for its process to die."""
        connection = wait(list(self._busy))[0]
        worker, task = self._busy.pop(connection)
        try:
            answer = worker.connection.recv()
        except (EOFError, OSError):
            worker.end()
            answer = None
        else:
            self._idle.append(worker)
        self._dispatch()
        if isinstance(answer, BaseException):
            raise answer
        return Done(task, answer)

    def close(self) -> None:
        """End all processes; a file that one of them is writing does not appear."""
        for worker in [*self._idle, *(worker for worker, _ in self._busy.values())]:
            worker.end()
        self._idle, self._busy, self._waiting = [], {}, deque()

    def _dispatch(self) -> None:
        """Give waiting tasks to idle processes, or to new ones where there is room."""
        while self._waiting and len(self._busy) < self.places:
            worker = self._idle.pop() if self._idle else _start(self._work)
            try:
                worker.connection.send(self._waiting[0])
            except OSError:  # it died while it had nothing to do
                worker.end()
                continue
            self._busy[worker.connection] = worker, self._waiting.popleft()


@dataclass(frozen=True)
class _Worker:
    """A process and the way to talk to it."""

    process: SpawnProcess
    connection: Connection

    def end(self) -> None:
        """End the process now."""
        self.process.kill()
        self.process.join()
        self.connection.close()


def _start(work: Work) -> _Worker:
    """Start a process that knows nothing of this one but its work."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, work), daemon=True)
    process.start()
    there.close()
    return _Worker(process, here)


def _serve(connection: Connection, work: Work) -> None:
    """Compute one task after the other until the other side is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is answered by the process that waits for the tasks
    while True:
        try:
            task = connection.recv()
        except EOFError:
            return
        try:
            answer: object = work(task)
        except Exception as error:
            answer = error
        connection.send(answer)
