"""Questions to a run in SQL, and one patient of it again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regraft.entries import catalog_root
from regraft.interface.cli import query as command
from regraft.interface.views import VIEWS

from ..conftest import PATIENTS, SmallRun, assert_one_error, regraft_command


def asked(run: SmallRun, sql: str) -> list[dict[str, Any]]:
    """Return the rows of a query."""
    outcome = regraft_command("query", run.folder, sql, "--json")
    assert outcome.code == 0, outcome
    rows: list[dict[str, Any]] = json.loads(outcome.out)
    return rows


def test_tables_can_be_asked(small_run: SmallRun) -> None:
    rows = asked(small_run, "select ARMCD, count(*) as patients from adsl group by ARMCD order by ARMCD")
    assert rows == [{"ARMCD": arm, "patients": PATIENTS} for arm in ("ahsct", "natalizumab", "untreated")]
    bds = pd.read_parquet(small_run.folder / "tables" / "bds.parquet")
    assert asked(small_run, "select count(*) as n from bds") == [{"n": len(bds)}]


def test_events_are_those_of_the_enrolled_in_each_arm(small_run: SmallRun) -> None:
    ids = small_run.result.population.patient_ids
    for arm in small_run.result.observed.arms:
        row, day = arm.events.chosen(arm.groups.relapse)
        names = ", ".join(f"'{name}'" for name in arm.groups.relapse)
        sql = f"select patient_id, day from events where arm in ('run-in', '{arm.id}') and event in ({names})"
        found = sorted((one["patient_id"], one["day"]) for one in asked(small_run, sql))
        assert found == sorted((int(ids[k]), float(when)) for k, when in zip(row, day, strict=True))
    assert row.size


def test_eligible_candidates_who_were_not_enrolled_are_in_no_view(trial_file: Any, tmp_path: Path) -> None:
    arm = {"id": "untreated", "label": "No treatment", "protocol": "untreated"}
    quick = trial_file(endpoints=["overall_survival"], outcomes=[], arms=[arm], eligibility=[])
    out = tmp_path / "out"
    assert regraft_command("run", quick, "--patients", 1, "--out", out).code == 0
    sql = "select count(distinct patient_id) as patients, any_value((select sum(eligible) from manifest)) as eligible"
    rows = json.loads(regraft_command("query", out, f"{sql} from events", "--json").out)
    assert rows[0]["patients"] == 1 < float(rows[0]["eligible"])


def test_the_manifest_counts_candidates(small_run: SmallRun) -> None:
    rows = asked(small_run, "select * from manifest")
    assert rows[0]["first_candidate"] == 0
    assert sum(row["eligible"] for row in rows) >= PATIENTS
    assert asked(small_run, "select * from failures") == []


def test_a_person_sees_a_table_and_is_told_where_it_is_cut(
    small_run: SmallRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "MOST_ROWS", 2)
    outcome = regraft_command("query", small_run.folder, "select USUBJID, AGE_AT_START, null as nothing from adsl")
    assert outcome.code == 0
    assert f"{3 * PATIENTS} rows" in outcome.out
    assert outcome.out.count("ms_ahsct-") == 2
    assert f"The first 2 of {3 * PATIENTS} rows; --json prints all." in outcome.out


def test_a_query_that_cannot_be_answered_names_the_tables(small_run: SmallRun, tmp_path: Path) -> None:
    outcome = regraft_command("query", small_run.folder, "select * from adls")
    assert_one_error(outcome, 2, "adls", *VIEWS)
    assert_one_error(regraft_command("query", tmp_path, "select 1"), 2, "holds no finished run")


def test_a_patient_is_repeated_with_full_curves(small_run: SmallRun, tmp_path: Path) -> None:
    patient = int(small_run.result.population.patient_ids[2])
    for path in (tmp_path / "curves.csv", tmp_path / "curves.parquet"):
        outcome = regraft_command("replay", small_run.folder, patient, "--arm", "untreated", "--out", path)
        assert outcome.code == 0, outcome
        assert outcome.out.startswith(
            f"Patient {patient} in arm untreated: eligible.\nFollowed to the end, day 1826.25."
        )
        curves = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
        assert curves["day"].is_monotonic_increasing
        assert curves["day"].iloc[-1] == 1826.25
        assert {"cd4", "edss", "relapses", "neutrophils"} <= set(curves)
    arm = next(arm for arm in small_run.result.observed.arms if arm.id == "untreated")
    row, day = arm.events.chosen(arm.groups.relapse)
    last = curves["relapses"].iloc[-1]
    assert last == (row == 2).sum() == len(day[row == 2])
    at = np.searchsorted(curves["day"], day[row == 2])
    assert (curves["relapses"].to_numpy()[at] > 0).all()


def test_a_patient_who_was_not_enrolled_can_be_repeated_too(small_run: SmallRun) -> None:
    never = next(number for number in range(99) if number not in small_run.result.population.patient_ids)
    outcome = regraft_command("replay", small_run.folder, never)
    assert f"Patient {never} in arm ahsct: not eligible: " in outcome.out
    path = small_run.folder / "replays" / f"ms_ahsct-{never:06d}-ahsct.csv"
    assert path.is_file()
    shutil.rmtree(path.parent)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [(("--arm", "ahstc"), "'ahsct'"), (("--out", "curves.xlsx"), ".csv or .parquet")],
)
def test_what_cannot_be_repeated_is_refused(small_run: SmallRun, arguments: tuple[str, str], part: str) -> None:
    assert_one_error(regraft_command("replay", small_run.folder, 1, *arguments), 2, part)


def test_a_run_of_another_catalog_cannot_be_repeated(small_run: SmallRun, catalog: Path) -> None:
    table = catalog / "models" / "ms" / "parameters.csv"
    table.write_text(table.read_text(encoding="utf-8").rstrip() + " \n", encoding="utf-8")
    assert_one_error(regraft_command("replay", small_run.folder, 1), 2, "models changed since")


def test_why_a_run_gave_a_patient_up_is_told_before_it_is_repeated(small_run: SmallRun, tmp_path: Path) -> None:
    patient = int(small_run.result.population.patient_ids[1])
    run = tmp_path / "run"
    shutil.copytree(small_run.folder, run)
    paths = sorted(run.glob("chunks/*/*-arm-untreated-*"))
    path = next(one for one in paths if patient in pq.read_table(one)["patient_id"].to_pylist())
    kept = pq.read_table(path)
    status = pa.array(["time limit" if one == patient else "" for one in kept["patient_id"].to_pylist()])
    pq.write_table(kept.set_column(kept.schema.get_field_index("status"), "status", status), path)
    out = ("--out", tmp_path / "curves.csv")
    outcome = regraft_command("replay", run, patient, "--arm", "untreated", *out)
    assert outcome.code == 0
    assert f"gave patient {patient} up: this patient alone took longer than --patient-seconds allows" in outcome.err
    assert regraft_command("replay", run, patient, "--arm", "natalizumab", *out).err == ""


def test_views_hold_an_arm_as_its_protocol_is_now(trial_file: Any, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    source = (catalog_root() / "protocols" / "natalizumab.yaml").read_text(encoding="utf-8")
    arms = [{"id": "treated", "label": "Treated", "protocol": "own.yaml"}]
    quick = trial_file(endpoints=["overall_survival"], outcomes=[], arms=arms, reference_arm="treated")
    out = tmp_path / "out"
    counts = []
    for text in (source, source + "# another content\n"):
        own.write_text(text, encoding="utf-8")
        assert regraft_command("run", quick, "--patients", 2, "--out", out).code == 0
        sql = "select count(*) as n from events where arm = 'treated'"
        counts.append(json.loads(regraft_command("query", out, sql, "--json").out))
    assert len({path.name for path in out.glob("chunks/*/0000000000-arm-treated-*")}) == 2
    assert counts[0] == counts[1] != [{"n": 0}]
    assert str(tmp_path) not in (out / "run.json").read_text(encoding="utf-8")
    shutil.rmtree(out / "chunks")
    assert regraft_command("query", out, "select count(*) from adsl").code == 0


def test_a_run_keeps_no_path_of_own_entries_and_is_repeated_with_its_trial_file(
    trial_file: Any, tmp_path: Path
) -> None:
    own = tmp_path / "own.yaml"
    source = (catalog_root() / "protocols" / "natalizumab.yaml").read_text(encoding="utf-8")
    own.write_text(source, encoding="utf-8")
    arms = [{"id": "treated", "label": "Treated", "protocol": "own.yaml"}]
    quick = trial_file(endpoints=["overall_survival"], outcomes=[], arms=arms, reference_arm="treated")
    out = tmp_path / "out"
    assert regraft_command("run", quick, "--patients", 2, "--out", out).code == 0
    record = (out / "chunks" / "run.json").read_text(encoding="utf-8")
    assert str(tmp_path) not in record
    assert json.loads(record)["design"]["arms"][0]["protocol"] == "own.yaml"
    assert_one_error(regraft_command("replay", out, 1), 2, "entries of your own (own.yaml)", "--trial")
    outcome = regraft_command("replay", out, 1, "--trial", quick)
    assert outcome.code == 0, outcome
    assert outcome.out.startswith("Patient 1 in arm treated: ")
    own.write_text(source + "# another content\n", encoding="utf-8")
    outcome = regraft_command("replay", out, 1, "--trial", quick)
    assert_one_error(outcome, 2, "the protocol of arm treated changed since")


def test_a_folder_without_a_run_cannot_be_replayed(tmp_path: Path) -> None:
    assert_one_error(regraft_command("replay", tmp_path, 1), 2, "holds no run")
