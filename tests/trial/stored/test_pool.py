"""Other processes give the same numbers, and one that dies loses only the patient it died of."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import deque
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from regraft.errors import UsageError
from regraft.trial import TrialDesign, TrialResult
from regraft.trial.plan import Plan
from regraft.trial.stored import pool
from regraft.trial.stored.backends import Backend, Done, InProcess
from regraft.trial.stored.chunk import Report, Task, simulate_chunk
from regraft.trial.stored.files import DIED, LATE, WHY_LOST, Lost
from regraft.trial.stored.pool import PlannedWork, Pool
from regraft.trial.stored.run import RunOptions, run_stored
from regraft.trial.stored.search import find_lost

from ..digest import digest
from .test_run import NOT_COMPARED
from .work import Deadly, Idle


def test_other_processes_give_the_same_result_bit_for_bit(
    design: TrialDesign, result: TrialResult, tmp_path: Path
) -> None:
    def processes(plan: Plan) -> Backend:
        return Pool(PlannedWork.of(plan), 2)

    stored = run_stored(design, tmp_path / "chunks", options=RunOptions(backend=processes, chunk=40))
    assert digest(stored, leave_out=NOT_COMPARED) == digest(result, leave_out=NOT_COMPARED)


def test_a_patient_who_kills_its_process_is_found_and_reported(
    design: TrialDesign, result: TrialResult, tmp_path: Path
) -> None:
    ids = result.population.patient_ids.tolist()
    enrolled = ids[3]
    never = next(number for number in range(enrolled // 16 * 16, 1000) if number not in ids)
    kills = (Lost("run-in", never), Lost("natalizumab", enrolled))

    def processes(plan: Plan) -> Backend:
        return Pool(Deadly(PlannedWork.of(plan), kills), 2)

    stored = run_stored(design, tmp_path / "chunks", options=RunOptions(backend=processes, chunk=16))
    assert stored.consort.screening.run_in_failures == ((DIED, 1),)
    assert stored.population.patient_ids.tolist() == ids
    (failure,) = stored.failures
    assert (failure.patient_id, failure.arm, failure.status) == (enrolled, "natalizumab", DIED)
    assert "ended without a message" in failure.reason
    lost = f"ms_ahsct-{enrolled:06d}"
    mine, usual = stored.tables.bds, result.tables.bds
    is_lost = (usual["ARMCD"] == "natalizumab") & (usual["USUBJID"] == lost)
    assert is_lost.any()
    assert digest(mine) == digest(usual[~is_lost].reset_index(drop=True))


class Dying(Backend):
    """Loses every task, except the probes of a search."""

    places = 1

    def __init__(self) -> None:
        self.tasks: list[Task] = []

    def submit(self, task: Task) -> None:
        self.tasks.append(task)

    def next_done(self) -> Done:
        task = self.tasks.pop()
        return Done(task, Report(task.first, 0, {}, 0.0) if task.only is not None else None)

    def close(self) -> None:
        self.tasks.clear()


def test_processes_that_die_of_no_patient_end_the_run_with_a_next_step(design: TrialDesign, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no single patient is the reason.*--cores"):
        run_stored(design, tmp_path / "chunks", options=RunOptions(backend=lambda plan: Dying()))


def test_an_error_in_another_process_is_raised_here(design: TrialDesign, tmp_path: Path) -> None:
    def processes(plan: Plan) -> Backend:
        return Pool(PlannedWork("{}", plan.seed), 1)

    with pytest.raises(ValueError, match="validation errors"):
        run_stored(design, tmp_path / "chunks", options=RunOptions(backend=processes))


def test_a_patient_who_takes_too_long_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "LOADING", 2.0)
    kills = (Lost("run-in", 6, LATE), Lost("run-in", 9))
    backend = Pool(Deadly(Idle(), kills), 1, patient_seconds=0.5)
    try:
        found = find_lost(Task(tmp_path, 4, 6, ()), backend, deque())
    finally:
        backend.close()
    assert sorted(found, key=lambda one: one.patient) == list(kills)


@pytest.mark.parametrize("status", [LATE, DIED])
def test_why_a_patient_was_given_up_is_kept(design: TrialDesign, tmp_path: Path, status: str) -> None:
    small = design.model_copy(update={"patients_per_arm": 2, "endpoints": ("overall_survival",)})
    usual = run_stored(small, tmp_path / "usual", options=RunOptions(threads=1))
    patient = int(usual.population.patient_ids[0])
    lost = (Lost("untreated", patient, status), Lost("run-in", patient - 1, status))

    def backend(plan: Plan) -> Backend:
        return InProcess(lambda task: simulate_chunk(plan, replace(task, lost=lost)))

    stored = run_stored(small, tmp_path / "lost", options=RunOptions(threads=1, backend=backend))
    (failure,) = stored.failures
    assert (failure.patient_id, failure.status, failure.reason) == (patient, status, WHY_LOST[status])
    assert stored.consort.screening.run_in_failures == ((status, 1),)


def with_pool(folder: Path, call: str, end: str) -> Path:
    """Write a program in which a pool of one process has a task, ``call``, and return its file."""
    code = (
        "import signal, time\n"
        "from regraft.trial.stored import pool\n"
        "class Work:\n"
        "    def prepare(self): pass\n"
        f"    def __call__(self, task): {call}\n"
        "if __name__ == '__main__':\n"
        "    crew = pool.Pool(Work(), 1)\n"
        "    crew.submit(None)\n"
        f"    {end}\n"
    )
    script = folder / "program.py"
    script.write_text(code, encoding="utf-8")
    return script


def test_processes_of_a_pool_do_not_hear_interrupts_from_their_first_moment(tmp_path: Path) -> None:
    call = "return signal.pthread_sigmask(signal.SIG_BLOCK, [])"
    script = with_pool(tmp_path, call, "print(signal.SIGINT in crew.next_done().report); crew.close()")
    told = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True).stdout
    assert told == "True\n"


def test_processes_end_in_the_middle_of_a_task_when_the_run_is_killed(tmp_path: Path) -> None:
    script = with_pool(tmp_path, "print('at work', flush=True); time.sleep(3600)", "crew.next_done()")
    run = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert run.stdout is not None
    try:
        assert run.stdout.readline() == "at work\n"
        run.kill()
        # the output ends when nobody holds it any more; a process left over would hold it for an hour
        assert run.communicate(timeout=60)[0] == ""
    finally:
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
