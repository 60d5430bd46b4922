"""Where chunks are computed: in this process, or in others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from regraft.trial.stored.chunk import Report, Task
from regraft.trial.stored.files import DIED

Work = Callable[[Task], Report]


@dataclass(frozen=True)
class Done:
    """A task that came to an end; where it was not finished ``report`` is None, and ``status`` says how it ended."""

    task: Task
    report: Report | None
    status: str = DIED


class Backend(ABC):
    """Computes tasks. ``places`` is how many are worked on at once."""

    places: int

    @abstractmethod
    def submit(self, task: Task) -> None:
        """Take a task."""

    @abstractmethod
    def next_done(self) -> Done:
        """Wait for a task to end; an error in it is raised here."""

    @abstractmethod
    def close(self) -> None:
        """Stop whatever is still at work."""


class InProcess(Backend):
    """Computes one task after the other, with the threads of the engine."""

    places = 1

    def __init__(self, work: Work) -> None:
        self._work = work
        self._waiting: deque[Task] = deque()

    def submit(self, task: Task) -> None:
        """Take a task."""
        self._waiting.append(task)

    def next_done(self) -> Done:
        """Compute the oldest task."""
        task = self._waiting.popleft()
        return Done(task, self._work(task))

    def close(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
