"""Workers of a Dask scheduler give the same numbers, and a run lives through the death of one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from regraft.errors import InvalidField, InvalidFile, UsageError
from regraft.trial import TrialDesign, TrialResult
from regraft.trial.plan import Plan
from regraft.trial.stored import dask_cluster
from regraft.trial.stored.backends import Backend
from regraft.trial.stored.dask_cluster import DaskCluster, read_slurm, slurm_cluster
from regraft.trial.stored.drive import News
from regraft.trial.stored.pool import PlannedWork
from regraft.trial.stored.run import RunOptions, run_stored

from ..digest import digest
from .test_run import NOT_COMPARED


def dask(*arguments: str) -> subprocess.Popen[str]:
    """Start a command of Dask without its dashboard."""
    command = [sys.executable, "-m", "dask", *arguments, "--no-dashboard"]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """Start a scheduler and two workers on loopback."""
    file = tmp_path_factory.mktemp("dask") / "scheduler.json"
    processes = [dask("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))]
    assert processes[0].stderr is not None
    address = ""
    while not address:
        line = processes[0].stderr.readline()
        assert line, "the scheduler ended"
        address = "".join(re.findall(r"tcp://127\.0\.0\.1:\d+", line)[:1])
    local = str(file.parent)
    workers = [dask("worker", address, "--nthreads", "1", "--no-nanny", "--local-directory", local) for _ in range(2)]
    processes += workers
    yield address, workers
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def test_a_dask_cluster_gives_the_same_result_though_a_worker_is_killed(
    cluster: tuple[str, list[subprocess.Popen[str]]], design: TrialDesign, result: TrialResult, tmp_path: Path
) -> None:
    address, workers = cluster
    killed: list[int] = []

    def backend(plan: Plan) -> Backend:
        return DaskCluster(PlannedWork.of(plan), address)

    def kill_one(news: News) -> None:
        if not killed and news.done < news.wanted:
            os.killpg(workers[0].pid, signal.SIGKILL)
            killed.append(workers[0].wait())

    options = RunOptions(backend=backend, chunk=30)
    stored = run_stored(design, tmp_path / "chunks", options=options, listener=kill_one)
    assert killed == [-signal.SIGKILL]
    assert digest(stored, leave_out=NOT_COMPARED) == digest(result, leave_out=NOT_COMPARED)


def test_without_a_scheduler_the_commands_that_start_one_are_named(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "WAIT", "1 s")
    began = time.monotonic()
    with pytest.raises(UsageError, match="No Dask scheduler.*127.0.0.1:9.*`dask scheduler`"):
        DaskCluster(PlannedWork.of(plan), "tcp://127.0.0.1:9")
    assert time.monotonic() > began


@pytest.mark.parametrize("package", ["distributed", "dask_jobqueue"])
def test_without_dask_the_way_to_install_it_is_told(plan: Plan, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=r"pip install 'regraft\[cluster\]'"):
        DaskCluster(PlannedWork.of(plan), "tcp://127.0.0.1:9") if package == "distributed" else slurm_cluster({})


def test_a_slurm_cluster_is_described_by_a_file(tmp_path: Path) -> None:
    path = tmp_path / "cluster.toml"
    path.write_text(
        'jobs = 0\nqueue = "long"\naccount = "trials"\nmemory = "8 GB"\ncores = 4\nwalltime = "24:00:00"\n'
        'before = ["module load python"]\noptions = ["--exclusive"]\n',
        encoding="utf-8",
    )
    cluster = slurm_cluster(read_slurm(path))
    script = cluster.job_script()
    cluster.close()
    for line in ("#SBATCH -p long", "#SBATCH -A trials", "#SBATCH --cpus-per-task=4", "#SBATCH --exclusive"):
        assert line in script.splitlines()
    assert "#SBATCH -t 24:00:00" in script
    assert "module load python" in script.splitlines()
    assert "--nthreads 1 " in script
    assert "--nworkers 4 " in script


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ('memory = "1 GB"\nqueu = "long"', InvalidField, "'queu' is not known.*'queue'"),
        ('queue = "long"', InvalidField, "'memory' of a job is missing"),
        ("queue = ", InvalidFile, "cannot be read"),
    ],
)
def test_a_description_that_cannot_be_used_is_refused(
    tmp_path: Path, text: str, error: type[Exception], words: str
) -> None:
    path = tmp_path / "cluster.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(error, match=words):
        read_slurm(path)
