"""A trial in a folder is the trial in memory, bit for bit, and goes on from what is there."""

from __future__ import annotations

import fcntl
from pathlib import Path

import numpy as np
import pytest

from regraft.errors import OutputFolderError, UsageError
from regraft.trial import TrialDesign, TrialResult, run_trial
from regraft.trial.design import Criterion
from regraft.trial.plan import Plan
from regraft.trial.stored import parquet, reading
from regraft.trial.stored.backends import Backend, InProcess
from regraft.trial.stored.chunk import Report, Task, simulate_chunk
from regraft.trial.stored.run import RunOptions, run_stored

from ..digest import digest

# What a stored result has in another form: readings and events are on disk, the population has covariates only.
NOT_COMPARED = ("timings", "population", "observed")


class Counting(InProcess):
    """Computes in this process and keeps the tasks; stops before a task when told to."""

    def __init__(self, plan: Plan, stop_before: int | None = None) -> None:
        self.tasks: list[Task] = []

        def work(task: Task) -> Report:
            if len(self.tasks) == stop_before:
                raise KeyboardInterrupt
            self.tasks.append(task)
            return simulate_chunk(plan, task)

        super().__init__(work)


def counted(folder: Path, design: TrialDesign, *, stop_before: int | None = None, **options: object) -> tuple:
    """Run in a folder; return the result and the tasks that were computed."""
    made: list[Counting] = []

    def backend(plan: Plan) -> Backend:
        made.append(Counting(plan, stop_before))
        return made[-1]

    result = run_stored(design, folder, options=RunOptions(threads=1, backend=backend, **options))
    return result, made[0].tasks


def contents(folder: Path) -> dict[str, bytes]:
    """Return all chunk files of a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("replicate-*/*"))}


@pytest.fixture(scope="module")
def small(design: TrialDesign) -> TrialDesign:
    return design.model_copy(update={"patients_per_arm": 3, "endpoints": ("overall_survival", "edss_change")})


@pytest.mark.parametrize("chunk", [7, 250])
def test_whatever_the_size_of_chunks_the_result_is_that_in_memory(
    design: TrialDesign, result: TrialResult, tmp_path: Path, chunk: int
) -> None:
    stored = run_stored(design, tmp_path / "chunks", options=RunOptions(threads=1, chunk=chunk))
    assert digest(stored, leave_out=NOT_COMPARED) == digest(result, leave_out=NOT_COMPARED)
    assert stored.population.patient_ids.tolist() == result.population.patient_ids.tolist()
    for mine, usual in zip(stored.observed.arms, result.observed.arms, strict=True):
        assert digest(mine.readings) == digest(usual.readings)
        assert digest(mine.daily) == digest(usual.daily)
        assert digest(mine.scans.seen) == digest(usual.scans.seen)
        for names in (usual.groups.relapse, usual.groups.lesion, usual.groups.infection, usual.groups.death):
            for start, stop in ((-9000.0, 0.0), (0.0, 365.25), (0.0, 2000.0)):
                count = mine.events.count(names, start, stop)
                np.testing.assert_array_equal(count, usual.events.count(names, start, stop))
            np.testing.assert_array_equal(mine.events.has(names), usual.events.has(names))


def test_chunks_of_one_candidate_and_another_order_of_arms_change_nothing(small: TrialDesign, tmp_path: Path) -> None:
    turned = small.model_copy(update={"arms": small.arms[::-1]})
    stored = run_stored(turned, tmp_path / "chunks", options=RunOptions(threads=1, chunk=1))
    usual = run_trial(turned, threads=1)
    assert digest(stored, leave_out=NOT_COMPARED) == digest(usual, leave_out=NOT_COMPARED)


def test_a_run_that_was_stopped_goes_on_and_ends_with_the_same_files(small: TrialDesign, tmp_path: Path) -> None:
    whole, all_tasks = counted(tmp_path / "whole", small, chunk=4)
    assert len(all_tasks) > 3
    for stop in (1, 3):
        folder = tmp_path / f"stopped-{stop}"
        with pytest.raises(KeyboardInterrupt):
            counted(folder, small, stop_before=stop, chunk=4)
        again, tasks = counted(folder, small)
        assert len(tasks) == len(all_tasks) - stop
        assert digest(again, leave_out=NOT_COMPARED) == digest(whole, leave_out=NOT_COMPARED)
        assert contents(folder) == contents(tmp_path / "whole")


def test_a_file_that_is_not_whole_is_computed_again(small: TrialDesign, tmp_path: Path) -> None:
    counted(tmp_path / "run", small, chunk=40)
    before = contents(tmp_path / "run")
    for name in before:
        path = tmp_path / "run" / "replicate-0000" / name
        path.write_bytes(before[name][: len(before[name]) // 2])
        _, tasks = counted(tmp_path / "run", small)
        assert [task.first for task in tasks] == [int(name[:10])]
    assert contents(tmp_path / "run") == before


def test_what_a_killed_process_left_is_removed(small: TrialDesign, tmp_path: Path) -> None:
    stray = tmp_path / "run" / "replicate-0000" / ".0000000000-people.parquet.123"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"half")
    counted(tmp_path / "run", small)
    assert not stray.exists()


def test_more_patients_and_arms_are_added_to_what_is_there(small: TrialDesign, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    fewer = small.model_copy(update={"arms": small.arms[1:]})
    _, first = counted(folder, fewer, chunk=50)
    before = contents(folder)
    with pytest.raises(UsageError, match="this trial with other 'arms'.*--extend"):
        counted(folder, small)
    stored, _ = counted(folder, small, extend=True)
    assert digest(stored, leave_out=NOT_COMPARED) == digest(run_trial(small, threads=1), leave_out=NOT_COMPARED)
    more = small.model_copy(update={"patients_per_arm": 8})
    with pytest.raises(UsageError, match="'patients_per_arm'"):
        counted(folder, more)
    stored, tasks = counted(folder, more, extend=True)
    assert digest(stored, leave_out=NOT_COMPARED) == digest(run_trial(more, threads=1), leave_out=NOT_COMPARED)
    assert {task.first for task in tasks}.isdisjoint({task.first for task in first})
    after = contents(folder)
    assert {name: after[name] for name in before} == before


def test_another_run_is_refused_with_what_differs(small: TrialDesign, tmp_path: Path) -> None:
    counted(tmp_path / "run", small)
    older = small.model_copy(update={"eligibility": (Criterion(measure="age", min=20, unit="year"),), "seed": 5})
    with pytest.raises(UsageError, match="holds another run; it differs in 'eligibility', 'seed'.*--replace"):
        counted(tmp_path / "run", older, extend=True)


def test_other_endpoints_need_no_new_patients(small: TrialDesign, tmp_path: Path) -> None:
    counted(tmp_path / "run", small)
    _, tasks = counted(tmp_path / "run", small.model_copy(update={"endpoints": ("infections",)}))
    assert tasks == []


def test_two_processes_cannot_write_to_one_folder(small: TrialDesign, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with (tmp_path / "run" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(OutputFolderError, match="Another process is writing"):
            counted(tmp_path / "run", small)


def test_a_full_disk_is_told_and_the_run_goes_on_afterwards(
    small: TrialDesign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = counted(tmp_path / "whole", small, chunk=40)
    write, written = parquet.pq.write_table, []

    def full(table: object, path: Path, **options: object) -> None:
        written.append(path)
        if len(written) > 4:
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device")
        write(table, path, **options)

    monkeypatch.setattr(parquet.pq, "write_table", full)
    with pytest.raises(OutputFolderError, match="No space left on device.*same command again"):
        counted(tmp_path / "run", small, chunk=40)
    assert len(contents(tmp_path / "run")) == 4
    monkeypatch.setattr(parquet.pq, "write_table", write)
    again, _ = counted(tmp_path / "run", small)
    assert digest(again, leave_out=NOT_COMPARED) == digest(whole, leave_out=NOT_COMPARED)


def test_a_trial_that_finds_too_few_patients_says_the_same_as_in_memory(small: TrialDesign, tmp_path: Path) -> None:
    hopeless = small.model_copy(update={"screening_limit": 5})
    with pytest.raises(UsageError) as usual:
        run_trial(hopeless, threads=1)
    with pytest.raises(UsageError) as stored:
        counted(tmp_path / "run", hopeless, chunk=2)
    assert str(stored.value) == str(usual.value)


def test_events_are_not_kept_after_the_endpoints_and_can_be_read_again(
    small: TrialDesign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = small.model_copy(update={"endpoints": ("annualised_relapse_rate",)})
    stored, _ = counted(tmp_path / "run", changed)
    reads, read = [], reading.read_events

    def told(path: Path, *arguments: object) -> tuple:
        reads.append(path)
        return read(path, *arguments)

    monkeypatch.setattr(reading, "read_events", told)
    arm = stored.observed.arms[0]
    first = arm.events.chosen(arm.groups.relapse)
    assert reads
    del reads[:]
    assert arm.events.chosen(arm.groups.relapse) is first
    assert not reads
