"""Work that does not always come to an end, for processes that import it."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass

from regraft.trial.stored.chunk import Report, Task
from regraft.trial.stored.files import LATE, Lost
from regraft.trial.stored.pool import PreparedWork

FOR_EVER = 3600.0  # seconds; longer than any test


@dataclass(frozen=True)
class Idle:
    """Work that does nothing."""

    def prepare(self) -> None:
        pass

    def __call__(self, task: Task) -> Report:
        return Report(task.first, 0, {}, 0.0)


@dataclass(frozen=True)
class Deadly:
    """The work of a plan, but a process dies of some patients, or hangs: in the run-in, or in an arm."""

    work: PreparedWork
    kills: tuple[Lost, ...]

    def prepare(self) -> None:
        self.work.prepare()

    def __call__(self, task: Task) -> Report:
        stages = {"run-in", *(arm for arm, _ in task.arms)}
        everybody = task.everybody if task.only is None else task.only
        for one in self.kills:
            if one.stage in stages and one.patient in everybody and one not in task.lost:
                if one.status == LATE:
                    time.sleep(FOR_EVER)
                os.kill(os.getpid(), signal.SIGKILL)
        return self.work(task)
