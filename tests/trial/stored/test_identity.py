"""Files of the final tables are the same, byte for byte, wherever and in whatever pieces a trial is computed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from regraft.trial import TrialDesign, TrialResult, run_trial
from regraft.trial.arms import SimulatedArm, simulate_arm
from regraft.trial.plan import Plan, make_plan
from regraft.trial.screening import Enrolled
from regraft.trial.stored import chunk as chunks
from regraft.trial.stored.backends import Backend
from regraft.trial.stored.dask_cluster import DaskCluster
from regraft.trial.stored.pool import PlannedWork, Pool
from regraft.trial.stored.run import RunOptions, run_stored
from regraft.trial.table_files import write_tables
from regraft.trial.tables import NAMES

CHUNKS = (1, 7, 250)
PLACES = ("this process", *(f"{kind} of {workers}" for kind in ("pool", "dask") for workers in (1, 2, 3)))
ENDPOINTS = ("overall_survival", "confirmed_worsening", "neda3", "neutrophil_engraftment")
TOO_LARGE = 1e300  # as a parameter: rates overflow
KEY = ["USUBJID", "ARMCD", "PARAMCD", "AVISITN"]

Maker = Callable[[Plan], Backend] | None


class Kept(Pool):
    """Processes that several runs use one after the other."""

    def close(self) -> None:
        """Wait for what was begun ahead."""
        while self._busy or self._waiting:
            self.next_done()


@pytest.fixture(scope="module")
def small(design: TrialDesign) -> TrialDesign:
    return design.model_copy(update={"patients_per_arm": 3, "endpoints": ENDPOINTS})


@pytest.fixture(scope="module")
def turned(small: TrialDesign) -> TrialDesign:
    return small.model_copy(update={"arms": (small.arms[2], small.arms[0], small.arms[1])})


@pytest.fixture(scope="module")
def wanted(small: TrialDesign, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the tables of the trial that was never kept in files."""
    return files_of(run_trial(small, threads=1), tmp_path_factory.mktemp("wanted"))


@pytest.fixture(scope="module", params=PLACES)
def place(request: pytest.FixtureRequest, small: TrialDesign) -> Iterator[Maker]:
    """Yield what makes a backend; processes live as long as the tests that use them."""
    kind, _, workers = request.param.partition(" of ")
    if kind == "pool":
        kept = Kept(PlannedWork.of(make_plan(small, threads=1)), int(workers))
        yield lambda plan: same_work(kept, plan)
        Pool.close(kept)
    elif kind == "dask":
        from distributed import LocalCluster

        options = {"threads_per_worker": 1, "dashboard_address": None, "host": "127.0.0.1"}
        with LocalCluster(n_workers=int(workers), **options) as cluster:
            address = cluster.scheduler_address
            yield lambda plan: DaskCluster(PlannedWork.of(plan), address)
    else:
        yield None


def same_work(kept: Kept, plan: Plan) -> Kept:
    """Return the pool, whose new tasks are of another plan; a process makes its plan when the first one comes."""
    if kept._work != PlannedWork.of(plan):
        Pool.close(kept)
        kept._work = PlannedWork.of(plan)
    return kept


def files_of(result: TrialResult, folder: Path) -> dict[str, bytes]:
    """Return the content of all tables."""
    write_tables(result.tables, folder / "tables")
    return {path.name: path.read_bytes() for path in (folder / "tables").iterdir()}


def in_order(folder: Path, name: str) -> pd.DataFrame:
    """Return a table with its rows in an order that no arm decides."""
    table = pd.read_parquet(folder / "tables" / f"{name}.parquet")
    return table.sort_values([column for column in KEY if column in table], ignore_index=True)


@pytest.mark.parametrize("size", CHUNKS)
def test_tables_do_not_depend_on_where_and_in_what_pieces_they_are_computed(
    place: Maker, small: TrialDesign, wanted: dict[str, bytes], tmp_path: Path, size: int
) -> None:
    options = RunOptions(threads=1, backend=place, chunk=size)
    assert files_of(run_stored(small, tmp_path / "chunks", options=options), tmp_path) == wanted


def test_rows_of_tables_do_not_depend_on_the_order_of_arms(
    place: Maker, turned: TrialDesign, wanted: dict[str, bytes], tmp_path: Path
) -> None:
    result = run_stored(turned, tmp_path / "turned", options=RunOptions(threads=1, backend=place, chunk=7))
    assert files_of(result, tmp_path) != wanted  # the order of rows is that of the arms
    (tmp_path / "usual" / "tables").mkdir(parents=True)
    for name in NAMES:
        (tmp_path / "usual" / "tables" / f"{name}.parquet").write_bytes(wanted[f"{name}.parquet"])
        found, usual = in_order(tmp_path, name), in_order(tmp_path / "usual", name)
        pd.testing.assert_frame_equal(found, usual, check_exact=True)


def test_a_patient_who_fails_at_any_place_leaves_all_others_as_they_were(
    design: TrialDesign, result: TrialResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = result.tables.named()
    ids = result.population.patient_ids.tolist()
    options = RunOptions(threads=1, chunk=250)
    run_stored(design, tmp_path, options=options)
    for patient in ids:
        for path in tmp_path.glob("replicate-0000/*-arm-natalizumab-*"):
            path.unlink()

        def broken(plan: Plan, people: Enrolled, position: int, lost: int = patient) -> SimulatedArm:
            parameters = people.parameters.copy()
            parameters[people.patient_ids == lost] = TOO_LARGE
            return simulate_arm(plan, replace(people, parameters=parameters), position)

        monkeypatch.setattr(chunks, "simulate_arm", broken)
        found = run_stored(design, tmp_path, options=options)
        assert [(one.patient_id, one.arm, one.status) for one in found.failures] == [
            (patient, "natalizumab", "non finite")
        ]
        for name, table in found.tables.named().items():
            is_lost = (usual[name]["USUBJID"] == f"ms_ahsct-{patient:06d}") & (usual[name]["ARMCD"] == "natalizumab")
            mine = (table["USUBJID"] == f"ms_ahsct-{patient:06d}") & (table["ARMCD"] == "natalizumab")
            assert is_lost.any()
            pd.testing.assert_frame_equal(
                table[~mine].reset_index(drop=True), usual[name][~is_lost].reset_index(drop=True), check_exact=True
            )
    shutil.rmtree(tmp_path)
