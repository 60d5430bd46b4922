"""A run in which too many patients fail stops as soon as that is certain, and goes on when more may fail."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from regraft.errors import TooManyFailed
from regraft.trial import TrialDesign
from regraft.trial.plan import Plan
from regraft.trial.stored.backends import Backend, InProcess
from regraft.trial.stored.chunk import Report, Task, simulate_chunk
from regraft.trial.stored.files import DIED, LATE, Lost
from regraft.trial.stored.run import RunOptions, run_stored

ARM, PATIENTS = "untreated", 8


@pytest.fixture(scope="module")
def quick(design: TrialDesign) -> TrialDesign:
    """Return a trial that everybody enters, so that the first patients are enrolled by number."""
    arms = tuple(arm for arm in design.arms if arm.id in (ARM, "natalizumab"))
    changes = {"arms": arms, "endpoints": ("overall_survival",), "eligibility": (), "patients_per_arm": PATIENTS}
    return design.model_copy(update=changes)


class Failing(InProcess):
    """Computes in this process; some patients fail in one arm."""

    def __init__(self, plan: Plan, lost: tuple[Lost, ...]) -> None:
        self.tasks: list[Task] = []

        def work(task: Task) -> Report:
            self.tasks.append(task)
            return simulate_chunk(plan, replace(task, lost=lost))

        super().__init__(work)


def run(design: TrialDesign, folder: Path, failing: dict[int, str], **options: object) -> tuple:
    """Run with patients that fail; return how many failed in each arm and the tasks that were computed."""
    made: list[Failing] = []

    def backend(plan: Plan) -> Backend:
        made.append(Failing(plan, tuple(Lost(ARM, patient, status) for patient, status in failing.items())))
        return made[-1]

    try:
        chosen = {"threads": 1, "backend": backend, "chunk": 2, "stop_from": 0} | options
        result = run_stored(design, folder, options=RunOptions(**chosen))
        return {flow.arm: flow.failed for flow in result.consort.arms}, made[0].tasks
    except TooManyFailed as error:
        return str(error), made[0].tasks


def test_a_run_stops_when_more_patients_failed_than_may_and_says_how_to_go_on(
    quick: TrialDesign, tmp_path: Path
) -> None:
    failing = {0: DIED, 2: LATE, 3: DIED}
    told, tasks = run(quick, tmp_path / "run", failing, allow_failed=25)
    assert [task.first for task in tasks] == [0, 2]
    assert "In arm 'untreated' 3 patients could not be computed (worker died 2, time limit 1)" in told
    assert "of the 8 wanted no more than 25 % may" in told
    assert "larger --allow-failed goes on" in told


def test_a_run_that_stopped_stops_again_at_once_and_goes_on_when_more_may_fail(
    quick: TrialDesign, tmp_path: Path
) -> None:
    failing = {0: DIED, 2: LATE, 3: DIED}
    told, _ = run(quick, tmp_path / "run", failing, allow_failed=25)
    again, tasks = run(quick, tmp_path / "run", failing, allow_failed=25)
    assert again == told
    assert tasks == []
    failed, tasks = run(quick, tmp_path / "run", failing, allow_failed=37.5)
    assert failed == {ARM: 3, "natalizumab": 0}
    assert [task.first for task in tasks] == [4, 6]


def test_as_many_as_may_fail_stop_nothing_nor_do_those_who_are_not_enrolled(quick: TrialDesign, tmp_path: Path) -> None:
    few = quick.model_copy(update={"patients_per_arm": 7})  # the last chunk has one patient too many
    failed, _ = run(few, tmp_path / "run", {0: DIED, 7: DIED}, allow_failed=100 / 7)
    assert failed[ARM] == 1


def test_a_few_failed_patients_of_a_small_trial_do_not_stop_it(quick: TrialDesign, tmp_path: Path) -> None:
    failing = {0: DIED, 2: LATE, 3: DIED}
    failed, _ = run(quick, tmp_path / "run", failing, allow_failed=1, stop_from=4)
    assert failed[ARM] == 3
    told, _ = run(quick, tmp_path / "other", failing, allow_failed=1, stop_from=3)
    assert "In arm 'untreated' 3 patients could not be computed" in told


def test_without_a_limit_nothing_stops(quick: TrialDesign, tmp_path: Path) -> None:
    failed, _ = run(quick, tmp_path / "run", dict.fromkeys(range(5), DIED))
    assert failed[ARM] == 5
