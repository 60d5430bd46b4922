"""One real run and what it leaves: report, tables and record that agree with each other."""

from __future__ import annotations

import dataclasses
import json
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from regraft.errors import OutputFolderError
from regraft.interface import results
from regraft.interface.folder import whole_folder
from regraft.interface.report.adapter import report_data
from regraft.interface.report.data import ReportData
from regraft.trial import TrialResult
from regraft.trial.stored import run as stored

from ..conftest import EXAMPLE, PATIENTS, SmallRun, assert_one_error, regraft_command

TABLES = ("adsl", "adtte", "bds")
FILES = {"report.html", "run.json", *(f"tables/{name}.{kind}" for name in TABLES for kind in ("csv", "parquet"))}


def files_in(folder: Path) -> set[str]:
    """Return every file of a folder by its path inside it, except the chunks of the run."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in paths if path.parts[0] != "chunks"}


def table(run: SmallRun, name: str) -> pd.DataFrame:
    """Read one table of a run."""
    return pd.read_parquet(run.folder / "tables" / f"{name}.parquet")


def test_the_run_ends_well_and_says_where_everything_is(small_run: SmallRun) -> None:
    assert small_run.outcome.code == 0
    assert files_in(small_run.folder) == FILES
    assert {path.name for path in small_run.folder.iterdir()} == {"report.html", "run.json", "tables", "chunks"}
    for path in ("report.html", "tables", "run.json"):
        assert str(small_run.folder / path) in small_run.outcome.out


def test_the_stages_are_told_on_standard_error(small_run: SmallRun) -> None:
    lines = small_run.outcome.err.splitlines()
    assert lines[0] == f"patients: {PATIENTS} of {PATIENTS}"
    assert lines[1].startswith("endpoints: ")
    assert len(lines) == 2


def test_csv_and_parquet_hold_the_same_rows(small_run: SmallRun) -> None:
    for name in TABLES:
        wanted = table(small_run, name)
        found = pd.read_csv(small_run.folder / "tables" / f"{name}.csv", keep_default_na=False)
        assert list(found.columns) == list(wanted.columns)
        assert len(found) == len(wanted) > 0


def test_tables_hold_the_enrolled_patients_in_every_arm(small_run: SmallRun) -> None:
    adsl, bds = table(small_run, "adsl"), table(small_run, "bds")
    consort = small_run.record["summary"]["consort"]
    assert consort["enrolled"] == PATIENTS
    assert adsl.groupby("ARMCD").size().to_dict() == dict.fromkeys(consort["arms"], PATIENTS)
    assert adsl.groupby("USUBJID").size().eq(3).all()
    assert set(bds["USUBJID"]) == set(adsl["USUBJID"])
    for arm, flow in consort["arms"].items():
        status = adsl.loc[adsl["ARMCD"] == arm, "EOSSTT"].value_counts()
        counts = [int(status.get(word, 0)) for word in ("COMPLETED", "DIED", "FAILED")]
        assert counts == [flow["completed"], flow["died"], flow["failed"]]


def test_tables_are_finished_before_figures_are_drawn(
    small_run: SmallRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished: set[str] = set()  # what draws keeps its memory, which tables would need on top

    def draw(data: ReportData) -> str:
        finished.update(path.name for path in tmp_path.rglob("*.parquet"))
        return ""

    monkeypatch.setattr(results, "render_apart", draw)
    results.write_results(small_run.result, report_data(small_run.result, []), tmp_path / "out")
    assert finished == {f"{name}.parquet" for name in TABLES}


def test_the_record_repeats_the_run(small_run: SmallRun) -> None:
    record = small_run.record
    assert record["seed"] == 11
    assert record["trial"]["patients_per_arm"] == PATIENTS
    assert record["failures"] == []
    assert record["summary"]["provenance"]["Command"].endswith(f"--seed 11 --patients {PATIENTS}")
    used = {(entry["kind"], entry["id"]) for entry in record["entries"]}
    assert record["knowledge"] == []
    assert {("models", "ms"), ("populations", "ms_relapsing"), ("protocols", "natalizumab")} <= used
    assert all(entry["content_hash"] for entry in record["entries"])


def test_the_record_agrees_with_a_mean_taken_from_the_tables(small_run: SmallRun) -> None:
    cd4 = table(small_run, "bds").query("PARAMCD == 'CD4' and AVISIT == 'Month 12'")
    row = next(row for row in small_run.record["summary"]["results"] if row["endpoint"] == "CD4 T cells, 1 year")
    for arm, cell in row["arms"].items():
        assert cell["value"] == pytest.approx(cd4.loc[cd4["ARMCD"] == arm, "AVAL"].median())
        assert cell["lower"] <= cell["value"] <= cell["upper"]


def test_report_record_and_terminal_show_the_same_numbers(small_run: SmallRun) -> None:
    page = unescape((small_run.folder / "report.html").read_text(encoding="utf-8")).replace("\u00a0", " ")
    summary = small_run.record["summary"]
    screen = " ".join(small_run.outcome.out.split())
    assert summary["title"] in page
    assert summary["title"] in screen
    assert "Typical values of all parameters come from catalog tables" in page
    screened = summary["consort"]["screened"]
    assert f"<strong>{screened}</strong> screened" in page
    assert f"Screened {screened}, enrolled {PATIENTS}" in screen
    for row in summary["results"]:
        assert row["endpoint"] in page
    for row in summary["comparisons"]:
        assert row["sentence"] in page
    assert len(summary["comparisons"]) > 20
    for entry in small_run.record["entries"]:
        assert f"{entry['kind']}/{entry['id']}" in page


def test_criteria_and_labels_read_well(small_run: SmallRun) -> None:
    screen = " ".join(small_run.outcome.out.split())
    for part in (
        "age 18 to 55 years:",
        "at least 1 relapse in the last 12 months:",
        "at least 2 relapses in the last 24 months:",
        "EDSS 1 to 6:",
        "Published values beside simulated ones: Natalizumab",
    ):
        assert part in screen
    labels = [row["endpoint"] for row in small_run.record["summary"]["results"]]
    for label in (
        "Relapse rate, years 0 to 2",
        "NEDA-3, 5 years",
        "EDSS slope after day 0",
        "New T2 lesions since new baseline, 5 years",
        "Treatment-related death, day 100",
        "Neutrophil engraftment, share",
        "Naive share above baseline, 2 years",
    ):
        assert label in labels


def test_no_line_is_longer_than_the_terminal_and_no_word_is_broken(small_run: SmallRun) -> None:
    lines = small_run.outcome.out.splitlines()
    assert max(len(line) for line in lines if str(small_run.folder) not in line) <= 80
    for word in ("Publication", "Natalizumab", "Ruiz-Arguelles", "meta-analysis", "engraftment", "Treatment-related"):
        assert word in small_run.outcome.out
    for spelt in ("edss", "dimensionless", "t2 lesions", "3.285", "1/year"):
        assert spelt not in small_run.outcome.out


def test_json_is_all_that_stands_on_standard_output(
    small_run: SmallRun, ready_result: TrialResult, tmp_path: Path
) -> None:
    outcome = regraft_command("run", EXAMPLE, "--json", "--out", tmp_path / "out")
    assert (outcome.code, outcome.err) == (0, "")
    found, wanted = json.loads(outcome.out), small_run.record["summary"]
    for part in ("results", "contrasts", "consort", "comparisons"):
        assert found[part] == wanted[part]
    assert files_in(tmp_path / "out") == FILES


def test_the_seed_decides_who_is_enrolled(trial_file: Any, tmp_path: Path) -> None:
    quick = trial_file(endpoints=["overall_survival"], outcomes=[], arms=[UNTREATED])
    found = [
        json.loads(
            regraft_command("run", quick, "--json", "--patients", 4, "--seed", seed, "--out", tmp_path / str(n)).out
        )
        for n, seed in enumerate((1, 1, 2))
    ]
    assert found[0] == found[1]
    assert found[0]["consort"]["enrolled"] == 4
    assert found[0]["consort"]["screened"] != found[2]["consort"]["screened"]
    assert [run["provenance"]["Seed"] for run in found] == ["1", "1", "2"]


UNTREATED = {"id": "untreated", "label": "No treatment", "protocol": "untreated"}


@pytest.mark.parametrize(("allowed", "code"), [(10, 4), (20, 0)])
def test_more_failed_patients_than_allowed_return_4_and_still_write(
    ready_result: TrialResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, allowed: int, code: int
) -> None:
    consort = ready_result.consort
    failed = dataclasses.replace(consort.arms[0], failed=1, failures=(("step limit", 1),))
    arms = (failed, *consort.arms[1:])
    result = dataclasses.replace(ready_result, consort=dataclasses.replace(consort, arms=arms))
    monkeypatch.setattr(stored, "run_stored", lambda *arguments, **options: result)
    outcome = regraft_command("run", EXAMPLE, "--allow-failed", allowed, "--out", tmp_path / "out")
    assert outcome.code == code
    assert ("More than 10 % of an arm's runs failed" in outcome.err) == (code == 4)
    assert "step limit: 1" in outcome.out
    assert files_in(tmp_path / "out") == FILES


def interrupt(*arguments: Any, **options: Any) -> None:
    """Press Ctrl-C."""
    raise KeyboardInterrupt


@pytest.mark.parametrize("where", ["while simulating", "while writing"])
def test_ctrl_c_leaves_nothing_and_says_so(
    ready_result: TrialResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    if where == "while simulating":
        monkeypatch.setattr(stored, "run_stored", interrupt)
    else:
        monkeypatch.setattr(pd.DataFrame, "to_csv", interrupt)
    outcome = regraft_command("run", EXAMPLE, "--out", tmp_path / "out")
    assert outcome.code == 5
    assert outcome.err == "Interrupted: nothing half-finished was left behind.\n"
    assert outcome.out == ""
    assert not list(tmp_path.iterdir())


def test_a_trial_is_repeated_into_a_table_of_its_own(trial_file: Any, tmp_path: Path) -> None:
    quick = trial_file(endpoints=["overall_survival"], outcomes=[], arms=[UNTREATED])
    out = tmp_path / "out"
    outcome = regraft_command("run", quick, "--patients", 2, "--replicates", 3, "--out", out, "--json")
    assert outcome.code == 0, outcome
    repeated = pd.read_parquet(out / "tables" / "repeats.parquet")
    assert set(repeated["replicate"]) == {0, 1, 2}
    asked = regraft_command("query", out, "select count(distinct seed) as seeds from repeats", "--json")
    assert json.loads(asked.out) == [{"seeds": 3}]


def test_what_failed_patients_have_in_common_is_told(
    ready_result: TrialResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = ready_result.observed.arms
    is_missing = np.arange(PATIENTS) < 2
    flow = dataclasses.replace(ready_result.consort.arms[0], failed=2, failures=(("step limit", 2),))
    consort = dataclasses.replace(ready_result.consort, arms=(flow, *ready_result.consort.arms[1:]))
    arms = (dataclasses.replace(first, is_missing=is_missing), *others)
    observed = dataclasses.replace(ready_result.observed, arms=arms)
    result = dataclasses.replace(ready_result, consort=consort, observed=observed)
    monkeypatch.setattr(stored, "run_stored", lambda *arguments, **options: result)
    outcome = regraft_command("run", EXAMPLE, "--out", tmp_path / "out")
    assert outcome.code == 4
    assert outcome.err.count("in failed and") == 3
    record = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert {row["arm"] for row in record["failed_against_completed"]} == {"ahsct"}


def test_another_run_in_the_folder_is_refused_unless_it_may_be_replaced(trial_file: Any, tmp_path: Path) -> None:
    quick = trial_file(endpoints=["overall_survival"], outcomes=[], arms=[UNTREATED])
    arguments = ("run", quick, "--patients", 2, "--out", tmp_path / "out", "--json")
    assert regraft_command(*arguments).code == 0
    assert_one_error(regraft_command(*arguments, "--seed", 7), 2, "holds another run", "'seed'", "--replace")
    assert regraft_command(*arguments, "--seed", 7, "--replace").code == 0
    assert_one_error(regraft_command(*arguments[:3], 3, *arguments[4:], "--seed", 7), 2, "--extend")
    assert regraft_command(*arguments[:3], 3, *arguments[4:], "--seed", 7, "--extend").code == 0


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_earlier_results_are_put_back_where_publishing_stops_half_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    old = {"a.html": "old a", "c/d.csv": "old d"}
    for name, text in old.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    replace = Path.replace

    def stop_at_the_last(self: Path, target: Path) -> Path:
        if self.name == "e.csv":
            raise error
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", stop_at_the_last)
    with pytest.raises((KeyboardInterrupt, OutputFolderError)), whole_folder(tmp_path) as staging:
        for name in ("a.html", "b/new.csv", "c/d.csv", "c/e.csv"):
            (staging / name).parent.mkdir(exist_ok=True)
            (staging / name).write_text("new", encoding="utf-8")
    assert files_in(tmp_path) == set(old)
    assert {name: (tmp_path / name).read_text(encoding="utf-8") for name in old} == old
    assert {path.name for path in tmp_path.iterdir()} == {"a.html", "c"}


def test_a_folder_in_place_of_a_result_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OutputFolderError, match="is a folder where a file"), whole_folder(tmp_path) as staging:
        (staging / "report.html").write_text("new", encoding="utf-8")
    assert (tmp_path / "report.html").is_dir()
