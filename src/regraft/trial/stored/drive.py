"""Chunks run ahead until the first of them hold enough eligible patients."""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from regraft.errors import TooManyFailed, UsageError
from regraft.trial.plan import Plan
from regraft.trial.stored.backends import Backend, Done
from regraft.trial.stored.chunk import Report, Task, report
from regraft.trial.stored.parquet import read
from regraft.trial.stored.repetition import Repetition
from regraft.trial.stored.search import find_lost, no_one
from regraft.trial.stored.store import Store

TRIES = 2  # a process may die for a reason of its own once
MOST_DEATHS = 5  # of one chunk, searches apart; then patients are not the reason


@dataclass(frozen=True)
class News:
    """How far a trial is: eligible patients found of those wanted, and failed runs, from finished chunks.

    ``trial`` counts repetitions from 0 in the order in which they are run; ``rate`` is patients per second since this
    one was started, 0 until one is found.
    """

    trial: int
    done: int
    wanted: int
    failed: int
    rate: float

    @property
    def seconds_left(self) -> float:
        """How long the rest will take at this rate."""
        return (self.wanted - self.done) / self.rate if self.rate > 0 else math.nan


Listener = Callable[[News], None]


class Drive:
    """The chunks of one repetition on their way: finished ones by number, and how many were handed out.

    Parameters
    ----------
    keys : id of each arm and the key of its files
    allow_failed : per cent of an arm's patients that may fail before the run stops; it never stops if None
    stop_from : it does not stop for fewer failed patients than these either
    """

    def __init__(
        self,
        plan: Plan,
        store: Store,
        repetition: Repetition,
        keys: tuple[tuple[str, str], ...],
        *,
        allow_failed: float | None = None,
        stop_from: int = 0,
    ) -> None:
        self._trial, self._chunk, self._keys = store.trials.index(repetition), store.chunk, keys
        self._folder = store.place(repetition)
        self._allow_failed, self._stop_from = allow_failed, stop_from
        self._wanted, self._limit = plan.design.patients_per_arm, plan.design.most_screened
        self._reports: dict[int, Report] = {}
        self._deaths: Counter[int] = Counter()
        self._settled: deque[Done] = deque()
        self._running = self._next = self._found_before = 0

    def run(self, backend: Backend, listener: Listener | None = None) -> int:
        """Compute what is missing; return how many chunks the repetition takes.

        Raises
        ------
        OutputFolderError : the disk is full; what is finished stays
        TooManyFailed : more patients of an arm failed than may; what is finished stays
        """
        began = time.perf_counter()
        while True:
            self._hand_out(backend)
            chunks, found = self._prefix()
            if found >= self._wanted or chunks * self._chunk >= self._limit:
                if listener:
                    listener(self._news(time.perf_counter() - began))
                return chunks
            self._require_few_failed(chunks)
            done = self._settled.popleft() if self._settled else backend.next_done()
            if self._settle(done, backend) and listener:
                listener(self._news(time.perf_counter() - began))

    def _hand_out(self, backend: Backend) -> None:
        """Give the backend as many chunks as it can work on and are likely to be needed."""
        while self._running <= backend.places and self._is_worth_another():
            task = self._task(self._next)
            self._next += 1
            if task.is_done:
                found = report(task)
                self._reports[self._next - 1] = found
                self._found_before += found.eligible
            elif self._running < backend.places:
                backend.submit(task)
                self._running += 1
            else:
                self._next -= 1
                return

    def _task(self, number: int) -> Task:
        """Return what is to be done for a chunk."""
        return Task(self._folder, number * self._chunk, self._chunk, self._keys)

    def _settle(self, done: Done, backend: Backend) -> bool:
        """Take a task that came to an end; return whether its chunk is finished."""
        number = done.task.first // self._chunk
        if done.report is not None:
            self._reports[number] = done.report
            self._running -= 1
            return True
        self._deaths[number] += 1
        task = done.task
        if self._deaths[number] > MOST_DEATHS:
            raise UsageError(no_one(task))
        if self._deaths[number] >= TRIES:
            task = replace(task, lost=find_lost(task, backend, self._settled))
        backend.submit(task)
        return False

    def _prefix(self) -> tuple[int, int]:
        """Return how many chunks are finished from the first on without a gap, and the eligible in them."""
        number = found = 0
        while number in self._reports and found < self._wanted:
            found += self._reports[number].eligible
            number += 1
        return number, found

    def _require_few_failed(self, chunks: int) -> None:
        """Stop where more patients failed than may, in chunks all of whose eligible are enrolled whatever comes."""
        if self._allow_failed is None:
            return
        for arm, key in self._keys:
            failed = sum(self._reports[number].failed.get(arm, 0) for number in range(chunks))
            if failed >= self._stop_from and failed > self._allow_failed / 100 * self._wanted:
                raise TooManyFailed(self._too_many(arm, failed, self._reasons(chunks, key)))

    def _reasons(self, chunks: int, key: str) -> Counter[str]:
        """Count how the failed patients of an arm ended."""
        files = [self._task(number).files for number in range(chunks) if self._reports[number].eligible]
        status = [read(one.arm(key), ["status"])["status"] for one in files]
        return Counter(str(one) for part in status for one in part if one)

    def _too_many(self, arm: str, failed: int, reasons: Counter[str]) -> str:
        """Say which arm it is, why its patients failed, and how to go on."""
        listed = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
        return (
            f"In arm {arm!r} {failed} patients could not be computed ({listed}), and of the {self._wanted} wanted no "
            f"more than {self._allow_failed:g} % may. The run stopped early; what is finished is kept. The same "
            "command with a larger --allow-failed goes on from there."
        )

    def _is_worth_another(self) -> bool:
        """Return whether what is found and running is unlikely to be enough."""
        if self._next * self._chunk >= self._limit:
            return False
        found = sum(one.eligible for one in self._reports.values())
        share = found / max(len(self._reports), 1)  # per chunk
        return found + self._running * share < self._wanted

    def _news(self, seconds: float) -> News:
        """Say how far the trial is."""
        found = sum(one.eligible for one in self._reports.values())
        failed = sum(sum(one.failed.values()) for one in self._reports.values())
        rate = (found - self._found_before) / seconds
        return News(self._trial, min(found, self._wanted), self._wanted, failed, rate)
