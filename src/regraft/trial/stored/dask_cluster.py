"""Chunks on other machines: workers of a Dask scheduler, or of one that asks a SLURM cluster for jobs.

All machines see one file system: workers write the files of their chunks where the run is kept.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from regraft.errors import InvalidField, InvalidFile, UsageError, near_matches
from regraft.trial.stored.backends import Backend, Done, Work
from regraft.trial.stored.chunk import Task

MISSING = "Clusters need Dask, which is not installed. Install it: pip install 'regraft[cluster]'."
WAIT = "60 s"  # for a scheduler to answer and to have a worker
# What a description of a SLURM cluster may say, and how dask-jobqueue calls it.
SLURM = {
    "jobs": "n_workers",
    "queue": "queue",
    "account": "account",
    "memory": "memory",
    "walltime": "walltime",
    "cores": "cores",
    "before": "job_script_prologue",
    "options": "job_extra_directives",
    "interface": "interface",
}


class DaskCluster(Backend):
    """Computes chunks on the workers of a Dask scheduler.

    Parameters
    ----------
    work : can be sent to another process
    scheduler : address of a running scheduler, or what ``slurm_cluster`` returns; closed with the backend
    """

    def __init__(self, work: Work, scheduler: Any) -> None:
        try:
            from distributed import Client, as_completed
        except ImportError:
            raise UsageError(MISSING) from None
        try:
            self._client = Client(scheduler, timeout=WAIT, set_as_default=False)
            self._client.wait_for_workers(1, timeout=WAIT)
        except (OSError, TimeoutError, ValueError) as error:
            raise UsageError(
                f"No Dask scheduler with a worker answers at {scheduler}: {error}. Start `dask scheduler`, and "
                "`dask worker ADDRESS --nthreads 1` once per core."
            ) from error
        self.places = max(sum(self._client.nthreads().values()), 1) + 1  # one waits, so that no worker does
        self._work = work
        self._scheduler = scheduler
        self._tasks: dict[str, Task] = {}
        self._ended = as_completed(loop=self._client.loop)

    def submit(self, task: Task) -> None:
        """Send a task to the scheduler, which gives it to another worker where one dies."""
        future = self._client.submit(self._work, task, pure=False)
        self._tasks[future.key] = task
        self._ended.add(future)

    def next_done(self) -> Done:
        """Wait for the first task to end."""
        from distributed import KilledWorker

        future = next(self._ended)
        task = self._tasks.pop(future.key)
        error = future.exception() if future.status == "error" else None
        if future.status == "cancelled" or isinstance(error, KilledWorker):
            return Done(task, None)
        if error is not None:
            raise error
        return Done(task, future.result())

    def close(self) -> None:
        """Take back what no worker has begun."""
        self._client.cancel(list(self._ended.futures), force=True)
        self._client.close()
        if not isinstance(self._scheduler, str):
            self._scheduler.close()


def read_slurm(path: Path) -> dict[str, Any]:
    """Read the description of a SLURM cluster, a TOML file.

    Returns
    -------
    arguments of ``dask_jobqueue.SLURMCluster``; one process with one thread per core asked for

    Raises
    ------
    InvalidFile, InvalidField : it cannot be read, or has an unknown key or no memory
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidFile(f"{path} cannot be read: {error}. It describes a SLURM cluster in TOML.") from error
    for key in content:
        if key not in SLURM:
            raise InvalidField(f"{path}: {key!r} is not known. {near_matches(key, SLURM)}")
    if "memory" not in content:
        raise InvalidField(f"{path}: 'memory' of a job is missing; write memory = \"4 GB\".")
    options = {SLURM[key]: value for key, value in {"jobs": 1, "cores": 1, "walltime": "12:00:00", **content}.items()}
    return options | {"processes": options["cores"], "scheduler_options": {"dashboard_address": ":0"}}


def slurm_cluster(options: dict[str, Any]) -> Any:
    """Start a scheduler here that asks SLURM for jobs; workers run in them."""
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError:
        raise UsageError(MISSING) from None
    return SLURMCluster(**options)
