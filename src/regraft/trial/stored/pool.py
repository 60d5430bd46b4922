"""Chunks in other processes of this machine; one that dies or hangs takes nothing with it but its chunk."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from threading import Lock, Thread
from typing import Any, Protocol

from regraft.engine.settings import usable_cores
from regraft.trial.design import TrialDesign
from regraft.trial.plan import Plan, make_plan
from regraft.trial.stored.backends import Backend, Done
from regraft.trial.stored.chunk import Report, Task, simulate_chunk
from regraft.trial.stored.files import LATE

BEGUN = "begun"  # what a process says when it is ready and starts to compute
LOADING = 30.0  # seconds that the first task of a process may take more: it loads machine code
_PLANNING = Lock()


class PreparedWork(Protocol):
    """Work that a process gets ready for once, which may take some seconds, and that can be sent to it."""

    def prepare(self) -> None:
        """Get ready."""

    def __call__(self, task: Task) -> Report:
        """Compute a chunk."""


@dataclass(frozen=True)
class PlannedWork:
    """Computes the chunks of a trial in any process, which makes the plan once.

    Parameters
    ----------
    design : as JSON, with paths that are valid where it is computed
    seed : of the repetition
    draw : whose typical values are used, the central ones if None
    """

    design: str
    seed: int
    draw: int | None = None

    @classmethod
    def of(cls, plan: Plan) -> PlannedWork:
        """Describe the work of a plan."""
        return cls(plan.design.model_dump_json(), plan.seed, plan.draw)

    def prepare(self) -> None:
        """Make the plan."""
        self._plan()

    def __call__(self, task: Task) -> Report:
        """Compute a chunk."""
        return simulate_chunk(self._plan(), task)

    def _plan(self) -> Plan:
        """Return the plan of this process."""
        with _PLANNING:  # a worker of a cluster may have several threads
            return _plan(self.design, self.seed, self.draw)


@lru_cache(maxsize=1)
def _plan(design: str, seed: int, draw: int | None) -> Plan:
    """Make a plan whose engine uses one thread: there are as many processes as cores."""
    return make_plan(TrialDesign.model_validate_json(design), seed=seed, threads=1).under(draw)


def spare_cores() -> int:
    """Return how many processes leave one core free, at least 1."""
    return max(usable_cores() - 1, 1)


class Pool(Backend):
    """Processes that are started when there is work for them, each with one task at a time.

    Parameters
    ----------
    work : can be sent to another process
    workers : how many processes
    patient_seconds : how long one patient may take, no limit if None; a task may take as long as all of its patients
        together, and a process that takes longer is ended
    """

    def __init__(self, work: PreparedWork, workers: int, *, patient_seconds: float | None = None) -> None:
        self.places = workers
        self._work, self._patient_seconds = work, patient_seconds
        self._waiting: deque[Task] = deque()
        self._idle: list[_Worker] = []
        self._busy: dict[Any, _Job] = {}

    def submit(self, task: Task) -> None:
        """Take a task."""
        self._waiting.append(task)
        self._dispatch()

    def next_done(self) -> Done:
        """Wait for the first task to end, for its process to die, or for its time to be over."""
        while True:
            ready = wait(list(self._busy), self._seconds_left())
            heard = (self._hear(connection) for connection in ready)
            done = next((one for one in heard if one), None) or self._give_up()
            if done:
                self._dispatch()
                return done

    def _seconds_left(self) -> float | None:
        """Return how long the first of all tasks may still take, None where there is no limit."""
        ends = [job.end for job in self._busy.values() if job.end is not None]
        return max(min(ends) - time.monotonic(), 0.0) if ends else None

    def _hear(self, connection: Any) -> Done | None:
        """Take what a process says; None where its task has only begun."""
        job = self._busy[connection]
        try:
            answer = job.worker.connection.recv()
        except (EOFError, OSError):
            del self._busy[connection]
            job.worker.end()
            return Done(job.task, None)
        if answer == BEGUN:
            job.end = self._end_of(job)
            return None
        del self._busy[connection]
        self._idle.append(replace(job.worker, is_new=False))
        if isinstance(answer, BaseException):
            raise answer
        return Done(job.task, answer)

    def _end_of(self, job: _Job) -> float | None:
        """Return when the time of a job is over that begins now."""
        if self._patient_seconds is None:
            return None
        more = LOADING if job.worker.is_new else 0.0
        return time.monotonic() + self._patient_seconds * job.task.most_runs + more

    def _give_up(self) -> Done | None:
        """End a process whose time is over, if there is one."""
        now = time.monotonic()
        for connection, job in self._busy.items():
            if job.end is not None and job.end <= now and not job.worker.connection.poll():
                del self._busy[connection]
                job.worker.end()
                return Done(job.task, None, LATE)
        return None

    def close(self) -> None:
        """End all processes; a file that one of them is writing does not appear."""
        for worker in [*self._idle, *(job.worker for job in self._busy.values())]:
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
            self._busy[worker.connection] = _Job(worker, self._waiting.popleft())


@dataclass(frozen=True)
class _Worker:
    """A process and the way to talk to it."""

    process: SpawnProcess
    connection: Connection
    is_new: bool = True

    def end(self) -> None:
        """End the process now."""
        self.process.kill()
        self.process.join()
        self.connection.close()


@dataclass
class _Job:
    """A process at work on a task; ``end`` is when its time is over, None before it begins or without a limit."""

    worker: _Worker
    task: Task
    end: float | None = None


def _start(work: PreparedWork) -> _Worker:
    """Start a process that knows nothing of this one but its work, and never hears of Ctrl-C."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, work), daemon=True)
    resource_tracker.ensure_running()  # starting it unblocks interrupts, so it comes first
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # a process inherits what is blocked
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    there.close()
    return _Worker(process, here)


def _serve(connection: Connection, work: PreparedWork) -> None:
    """Compute one task after the other until the other side is gone."""
    Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):
        while True:
            task = connection.recv()
            connection.send(_answer(connection, work, task))


def _answer(connection: Connection, work: PreparedWork, task: Task) -> Report | Exception:
    """Compute a task; return its report, or the error in it."""
    try:
        work.prepare()
        connection.send(BEGUN)
        return work(task)
    except Exception as error:
        return error


def _end_with_parent() -> None:
    """End this process in the middle of its task when the one that started it is gone: nobody would take the answer."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
