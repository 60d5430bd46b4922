"""Work that does not always come to an end, for processes that import it."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass

from regraft.trial.stored.chunk import Report, Task
from regraft.trial.stored.pool import PlannedWork


@dataclass(frozen=True)
class Deadly:
    """The work of a plan, but a process dies of some patients: in the run-in, or in an arm."""

    work: PlannedWork
    kills: tuple[tuple[str, int], ...]

    def __call__(self, task: Task) -> Report:
        stages = {"run-in", *(arm for arm, _ in task.arms)}
        everybody = task.everybody if task.only is None else task.only
        for stage, patient in self.kills:
            if stage in stages and patient in everybody and (stage, patient) not in task.lost:
                os.kill(os.getpid(), signal.SIGKILL)
        return self.work(task)
