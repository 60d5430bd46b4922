"""Run one function over many items in processes that may hang or die without taking the others with them."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

# A new process may have to compile the driver of the engine first.
STARTING = 240.0


def run_over(
    function: Callable[[Any], Any], items: Sequence[Any], *, processes: int, seconds: float
) -> Iterator[tuple[Any, Any]]:
    """Yield (item, result) as results come; the result is a sentence where a process hung or died.

    Parameters
    ----------
    function : of a module, so that a fresh process can import it
    items : what it is called with, one at a time
    processes : how many work at once
    seconds : how long one item may take; the first of a new process may take ``STARTING`` more
    """
    waiting = list(reversed(items))
    workers = [_Worker(function) for _ in range(min(processes, len(items)))]
    busy: list[_Worker] = []
    try:
        while waiting or busy:
            for worker in workers:
                if waiting and worker not in busy:
                    worker.begin(waiting.pop())
                    busy.append(worker)
            ready = wait([worker.pipe for worker in busy], timeout=1.0)
            for worker in [w for w in busy if w.pipe in ready or w.age() > w.allowed(seconds)]:
                busy.remove(worker)
                yield worker.item, worker.answer(worker.allowed(seconds))
    finally:
        for worker in workers:
            worker.process.kill()


class _Worker:
    """One process, its pipe, and the item it works on."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function
        self.item: Any = None
        self._start()

    def _start(self) -> None:
        self.is_new = True
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(self.function, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def begin(self, item: Any) -> None:
        """Hand out an item."""
        self.item, self.since = item, time.monotonic()
        self.pipe.send(item)

    def age(self) -> float:
        """Return for how long the item has been worked on, in seconds."""
        return time.monotonic() - self.since

    def allowed(self, seconds: float) -> float:
        """Return how long the item may take."""
        return seconds + STARTING if self.is_new else seconds

    def answer(self, seconds: float) -> Any:
        """Return the result, or what happened instead; the process is then replaced."""
        problem = f"no answer within {seconds:g} s"
        if self.pipe.poll():
            try:
                result = self.pipe.recv()
                self.is_new = False
                return result
            except (EOFError, OSError):
                problem = "the process died"
        self.process.kill()
        self._start()
        return problem


def _serve(function: Callable[[Any], Any], pipe: Connection) -> None:
    """Answer items until the other side goes away."""
    while True:
        try:
            item = pipe.recv()
        except EOFError:
            return
        pipe.send(function(item))
