"""Which patients end the process that computes them, or keep it for too long, found by halving."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from regraft.errors import UsageError
from regraft.trial.stored.backends import Backend, Done
from regraft.trial.stored.chunk import RUN_IN, Task
from regraft.trial.stored.files import Lost

MOST_LOST = 10  # in one stage of a chunk; more is a fault of the machine or the model, not of patients


def find_lost(task: Task, backend: Backend, settled: deque[Done]) -> tuple[Lost, ...]:
    """Search a chunk that killed its worker for the patients who did it, stage by stage.

    Parameters
    ----------
    task : the chunk
    backend : computes the probes, between other tasks
    settled : takes other tasks that come to an end meanwhile

    Raises
    ------
    UsageError : workers die without a single patient to blame
    """
    probe = replace(task, arms=(), only=tuple(int(patient) for patient in task.everybody))
    for stage in ((), *((arm,) for arm in task.arms)):
        probe = replace(probe, arms=stage)
        for _ in range(MOST_LOST):
            if _try(probe, backend, settled).report:
                break
            patient, status = _halve(probe, backend, settled)
            name = stage[0][0] if stage else RUN_IN
            probe = replace(probe, lost=(*probe.lost, Lost(name, patient, status)))
        else:
            raise UsageError(no_one(task))
    return probe.lost


def _halve(probe: Task, backend: Backend, settled: deque[Done]) -> tuple[int, str]:
    """Return a patient who alone cannot be computed, and why."""
    suspects = probe.only or ()
    while len(suspects) > 1:
        first, rest = suspects[: len(suspects) // 2], suspects[len(suspects) // 2 :]
        suspects = rest if _try(replace(probe, only=first), backend, settled).report else first
    last = _try(replace(probe, only=suspects), backend, settled)
    if last.report:
        raise UsageError(no_one(probe))
    return suspects[0], last.status


def _try(probe: Task, backend: Backend, settled: deque[Done]) -> Done:
    """Compute some patients of a search."""
    backend.submit(probe)
    while (done := backend.next_done()).task != probe:
        settled.append(done)
    return done


def no_one(task: Task) -> str:
    """Say that workers die and no patient explains it."""
    return (
        f"Processes that compute the candidates from {task.first} on end without a message, and no single patient is "
        "the reason. Is there enough memory? Use fewer --cores; what is finished stays, and the same command goes on."
    )
