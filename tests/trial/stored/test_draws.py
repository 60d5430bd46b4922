"""Posterior draws in a folder: each is the trial with other typical values, and none is computed twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from regraft.errors import UsageError
from regraft.trial import TrialDesign
from regraft.trial.arms import simulate_arm
from regraft.trial.draws import read_draws
from regraft.trial.plan import Plan, make_plan
from regraft.trial.run import summarise
from regraft.trial.screening import screen
from regraft.trial.stored.backends import Backend
from regraft.trial.stored.pool import PlannedWork, Pool
from regraft.trial.stored.repeats import run_repeats
from regraft.trial.stored.repetition import Repetition, repetitions
from regraft.trial.stored.run import BackendMaker, RunOptions, run_stored
from regraft.trial.typical import with_typical

from ..designs import VALID
from ..posteriors import write_posterior
from .test_run import Counting, contents


@pytest.fixture(scope="module")
def posterior(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_posterior(tmp_path_factory.mktemp("fit") / "draws")


@pytest.fixture(scope="module")
def small(posterior: Path) -> TrialDesign:
    """Return a trial of three patients, without criteria and with a posterior."""
    changes = {"patients_per_arm": 3, "eligibility": [], "outcomes": [], "endpoints": ["new_lesions", "edss_change"]}
    return TrialDesign.model_validate({**VALID, **changes, "posterior": str(posterior)})


class Counted:
    """Makes backends that count chunks, and stop before one when told to."""

    def __init__(self, stop_before: int | None = None) -> None:
        self.made: list[Counting] = []
        self._stop_before = stop_before

    def __call__(self, plan: Plan) -> Backend:
        left = None if self._stop_before is None else self._stop_before - self.chunks
        self.made.append(Counting(plan, left))
        return self.made[-1]

    @property
    def chunks(self) -> int:
        return sum(len(one.tasks) for one in self.made)


def repeated(
    design: TrialDesign, folder: Path, backend: BackendMaker | None = None, *, chunk: int = 2, **options: int
) -> pd.DataFrame:
    """Return the estimates of all repetitions."""
    return run_repeats(design, folder, options=RunOptions(threads=1, backend=backend, chunk=chunk, **options))


def whole_contents(folder: Path) -> dict[str, bytes]:
    """Return all chunk files of a folder, by place and name."""
    paths = sorted(folder.glob("replicate-*/*"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def three(small: TrialDesign, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """Return a folder of the trial, a replicate and three draws, and the estimates."""
    folder = tmp_path_factory.mktemp("three")
    return folder, repeated(small, folder, replicates=2, draws=3)


def test_a_repetition_names_its_folder_and_makes_its_plan(small: TrialDesign) -> None:
    plan = make_plan(small, threads=1)
    assert Repetition().folder == "replicate-0000"
    assert Repetition(3).folder == "replicate-0003"
    assert Repetition(0, 57).folder == "replicate-0000-draw-0057"
    drawn = Repetition(0, 3).plan(plan)
    assert (drawn.seed, drawn.draw) == (plan.seed, 3)
    assert Repetition(1).plan(plan).seed != plan.seed
    chosen = plan.draws.first(2)
    wanted = (Repetition(), Repetition(1), Repetition(0, chosen[0]), Repetition(0, chosen[1]))
    assert repetitions(plan, replicates=2, draws=2) == wanted


def test_a_draw_is_the_plain_trial_with_those_typical_values(
    small: TrialDesign, posterior: Path, three: tuple, tmp_path: Path
) -> None:
    folder, found = three
    draws = read_draws(posterior)
    number = draws.first(3)[1]
    assert set(found["draw"].dropna()) == set(draws.first(3))
    bare = make_plan(small.model_copy(update={"posterior": None}), threads=1)
    plan = with_typical(bare, draws.values(number))
    people, screening = screen(plan)
    arms = [simulate_arm(plan, people, position) for position in range(len(small.arms))]
    for name, endpoint in summarise(plan, people, screening, arms).endpoints.items():
        for row in endpoint.estimates:
            same = found["statistic"].eq(row.statistic) & found["arm"].eq(row.arm) & found["label"].eq(row.label)
            mine = found[same & found["draw"].eq(number) & found["endpoint"].eq(name)]
            np.testing.assert_array_equal(mine["value"], [row.estimate.value])
    # and its files are those of a run of which its values are the central ones
    values = "".join(f'"{name}" = {value!r}\n' for name, value in draws.values(number).items())
    entry = posterior.parent / "moved"
    entry.mkdir()
    for path in posterior.iterdir():
        text = path.read_text(encoding="utf-8")
        if path.name == "entry.toml":
            text = text[: text.index("[central]")] + "[central]\n" + values + text[text.index("[contraction]") :]
        (entry / path.name).write_text(text, encoding="utf-8")
    moved = small.model_copy(update={"posterior": str(entry)})
    run_stored(moved, tmp_path / "moved", options=RunOptions(threads=1, chunk=2))
    assert contents(tmp_path / "moved")
    for path in (tmp_path / "moved" / "replicate-0000").iterdir():
        assert path.read_bytes() == (folder / Repetition(0, number).folder / path.name).read_bytes()


def test_draws_have_the_people_of_the_trial_and_other_estimates(three: tuple) -> None:
    _, found = three
    draws = found[found["draw"].notna() | found["replicate"].eq(0)]
    assert draws["seed"].nunique() == 1
    lesions = draws[(draws["endpoint"] == "new_lesions") & (draws["arm"] == "untreated")]
    one = lesions[lesions["label"] == lesions["label"].iloc[0]]
    assert len(one) == 4
    assert one["value"].nunique() > 1


@pytest.mark.parametrize("workers", [1, 2])
def test_draws_in_other_processes_are_the_same(small: TrialDesign, three: tuple, tmp_path: Path, workers: int) -> None:
    folder, found = three

    def pool(plan: Plan) -> Backend:
        return Pool(PlannedWork.of(plan), workers)

    elsewhere = repeated(small, tmp_path, pool, replicates=2, draws=3)
    assert elsewhere.equals(found)
    wanted, files = whole_contents(folder), whole_contents(tmp_path)
    assert {name: files[name] for name in wanted} == wanted  # a pool works ahead


def test_more_draws_are_added_without_computing_the_others(small: TrialDesign, tmp_path: Path) -> None:
    first = Counted()
    repeated(small, tmp_path, first, draws=2)
    before = whole_contents(tmp_path)
    with pytest.raises(UsageError, match="this trial with other 'draws'.*--extend"):
        repeated(small, tmp_path, draws=4)
    more = Counted()
    found = repeated(small, tmp_path, more, draws=4, extend=True)
    assert found["draw"].nunique() == 4
    assert [bool(one.tasks) for one in more.made] == [False, False, False, True, True]
    after = whole_contents(tmp_path)
    assert {name: after[name] for name in before} == before
    assert len(after) > len(before)


def test_a_run_that_was_stopped_among_its_draws_goes_on(small: TrialDesign, three: tuple, tmp_path: Path) -> None:
    folder, found = three
    counted = Counted()
    repeated(small, tmp_path / "whole", counted, replicates=2, draws=3)
    stopped = Counted(stop_before=counted.chunks - 2)
    with pytest.raises(KeyboardInterrupt):
        repeated(small, tmp_path / "run", stopped, replicates=2, draws=3)
    (tmp_path / "run" / Repetition(0, 1).folder).mkdir(exist_ok=True)
    stray = tmp_path / "run" / Repetition(0, 1).folder / ".half.parquet.1"
    stray.write_bytes(b"half")
    rest = Counted()
    assert repeated(small, tmp_path / "run", rest, replicates=2, draws=3).equals(found)
    assert rest.chunks == 2
    assert not stray.exists()
    assert whole_contents(tmp_path / "run") == whole_contents(folder)


def test_draws_that_there_are_not_are_refused_before_anything_is_written(small: TrialDesign, tmp_path: Path) -> None:
    without = small.model_copy(update={"posterior": None})
    for design, count, told in (
        (without, 20, "20 draws were asked for, but design 'small' has no posterior"),
        (small, 1, "at least 2"),
        (small, 201, "201 draws were asked for, and 200 are stored"),
    ):
        for run in (repeated, lambda *given, **options: run_stored(*given, options=RunOptions(**options))):
            with pytest.raises(UsageError, match=told):
                run(design, tmp_path / "run", draws=count)
    assert not (tmp_path / "run").exists()


def test_of_a_draw_that_finds_too_few_patients_the_number_is_told(small: TrialDesign, tmp_path: Path) -> None:
    folder = write_posterior(tmp_path / "fit", others={"relapse_share": 1e-9})  # nobody has relapses
    number = read_draws(folder).first(2)[0]
    criteria = [{"measure": "relapses_last_12_months", "min": 1}]
    content = {**small.model_dump(mode="json"), "posterior": str(folder), "screening_limit": 40}
    hopeless = TrialDesign.model_validate({**content, "eligibility": criteria})
    with pytest.raises(UsageError, match=f"Under posterior draw {number}: Only 0 of "):
        repeated(hopeless, tmp_path / "run", draws=2, chunk=20)
