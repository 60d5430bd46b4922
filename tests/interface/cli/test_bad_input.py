"""Each kind of bad input, through the real command: one clear error, the right code, nothing half-finished."""

from __future__ import annotations

import csv
import errno
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from regraft.entries import catalog_root
from regraft.trial import TrialResult

from ..conftest import EXAMPLE, assert_one_error, regraft_command

MONTH = {"value": 1, "unit": "month"}
ARM = {"id": "ahsct", "label": "Autologous HSCT", "protocol": "ahsct_cy_atg"}
OTHER = {"id": "untreated", "label": "No treatment", "protocol": "untreated"}
Write = Callable[..., Path]


def run_refused(trial: Path, out: Path, code: int, *parts: str) -> None:
    """Require that a run is refused with one message, and leaves no folder."""
    assert_one_error(regraft_command("run", trial, "--out", out), code, *parts)
    assert not out.exists()


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        pytest.param(
            {"patients_per_amr": 20},
            ["trial.yaml: unknown key 'patients_per_amr'", "Did you mean 'patients_per_arm'?"],
            id="misspelt key",
        ),
        pytest.param(
            {"follow_up": {"valeu": 5, "value": 5, "unit": "year"}},
            ["unknown key 'follow_up.valeu'", "Did you mean 'value'?"],
            id="misspelt key inside",
        ),
        pytest.param({"follow_up": 5}, ["follow_up is 5: a time needs a unit", "unit: year"], id="time without unit"),
        pytest.param(
            {"follow_up": {"value": 5, "unit": "furlong"}},
            ["follow_up.unit is 'furlong'", "day, week, month or year"],
            id="time in a wrong unit",
        ),
        pytest.param(
            {"eligibility": [{"measure": "age", "min": 18, "unit": "month"}]},
            ["eligibility[0].unit is 'month'", "age is in year", "Write 'unit: year'"],
            id="criterion in a wrong unit",
        ),
        pytest.param(
            {"models": ["person", "hematopoesis"]},
            ["models[1] is 'hematopoesis'", "Did you mean 'hematopoiesis'"],
            id="unknown model",
        ),
        pytest.param(
            {"population": "ms_relapsin"},
            ["population is 'ms_relapsin'", "Did you mean 'ms_relapsing'"],
            id="unknown population",
        ),
        pytest.param(
            {"arms": [{**ARM, "protocol": "ahsct_cy_agt"}, OTHER]},
            ["arms[0].protocol is 'ahsct_cy_agt'", "Did you mean 'ahsct_cy_atg'"],
            id="unknown protocol",
        ),
        pytest.param({"endpoints": ["neda4"]}, ["'neda4'", "Did you mean 'neda3'?"], id="unknown endpoint"),
        pytest.param(
            {"outcomes": ["ms_ahsct_validate"]}, ["outcomes[0]", "'ms_ahsct_calibrate'"], id="unknown published trial"
        ),
        pytest.param(
            {"patients_per_arm": -5}, ["patients_per_arm is -5", "greater than or equal to 1"], id="negative patients"
        ),
        pytest.param(
            {"eligibility": [{"measure": "relapses_last_12_months", "min": -1}]},
            ["relapses_last_12_months is a count and cannot be negative", "Use 0 or more"],
            id="negative count",
        ),
        pytest.param(
            {"visits": [{"every": MONTH, "until": {"value": 9, "unit": "year"}}]},
            ["visits[0]", "'until' is month 108, but follow-up ends at month 60", "lengthen 'follow_up'"],
            id="visits after the end",
        ),
        pytest.param(
            {"visits": [{"every": {"value": 2, "unit": "year"}, "until": {"value": 1, "unit": "year"}}]},
            ["visits[0]", "'every' is 24 months, but the rule spans only 12 months"],
            id="visits further apart than the rule is long",
        ),
        pytest.param(
            {"visits": [{"every": {"value": 0, "unit": "day"}, "until": MONTH}]},
            ["visits[0].every.value is 0", "greater than 0"],
            id="visits without interval",
        ),
        pytest.param(
            {"visits": [{"every": MONTH, "until": MONTH}, {"every": MONTH, "until": MONTH}]},
            ["visits[1]", "Put rules in order"],
            id="visits backwards",
        ),
        pytest.param({"reference_arm": "untreatd"}, ["reference_arm is 'untreatd'", "'untreated'"], id="unknown arm"),
    ],
)
def test_a_mistake_in_the_trial_file_is_named(
    trial_file: Write, tmp_path: Path, changes: dict[str, Any], parts: list[str]
) -> None:
    run_refused(trial_file(**changes), tmp_path / "out", 3, "trial.yaml", *parts)


def protocol_trial(trial_file: Write, edit: Callable[[dict[str, Any]], object]) -> Path:
    """Write a protocol file of one's own with a mistake, and a trial that names it by its path."""
    source = (catalog_root() / "protocols" / "ahsct_cy_atg.yaml").read_text(encoding="utf-8")
    content = yaml.safe_load(source)
    edit(content)
    trial = trial_file(arms=[{**ARM, "protocol": "mine.yaml"}, OTHER])
    (trial.parent / "mine.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return trial


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        pytest.param({"doze": "1 mg/kg"}, ["unknown key", "doze", "Did you mean 'dose'"], id="misspelt key"),
        pytest.param({"dose": "50"}, ["steps[0].dose", "'50'", "unit"], id="dose without unit"),
        pytest.param({"dose": 50}, ["dose", "50"], id="dose as a bare number"),
        pytest.param({"dose": "50 hour"}, ["steps[0].dose", "hour", "cyclophosphamide", "mg/kg"], id="dose as a time"),
        pytest.param({"dose": "50 mgg/kg"}, ["steps[0].dose", "mgg"], id="dose in an unknown unit"),
        pytest.param({"dose": "50 g/kg"}, ["steps[0].dose", "cyclophosphamide"], id="dose a thousand times too high"),
        pytest.param({"dose": "-50 mg/kg"}, ["steps[0].dose", "-50"], id="negative dose"),
        pytest.param(
            {"agent": "cyclophosphamid"}, ["steps[0]", "Did you mean 'cyclophosphamide'"], id="unknown treatment"
        ),
        pytest.param({"days": [-2, -5]}, ["days must ascend"], id="days backwards"),
    ],
)
def test_a_mistake_in_a_protocol_file_is_named(
    trial_file: Write, tmp_path: Path, changes: dict[str, Any], parts: list[str]
) -> None:
    trial = protocol_trial(trial_file, lambda content: content["steps"][0].update(changes))
    run_refused(trial, tmp_path / "out", 3, "mine.yaml", *parts)


def edit_rows(table: Path, edit: Callable[[list[dict[str, str]]], list[dict[str, str]]]) -> None:
    """Rewrite the rows of a CSV table."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(edit(rows))


def change_row(name: str, **changes: str) -> Callable[[list[dict[str, str]]], list[dict[str, str]]]:
    """Return an edit that changes some cells of one row."""
    return lambda rows: [row | changes if row["id"] == name else row for row in rows]


def refused_by_run_and_check(entry: str, out: Path, *parts: str) -> None:
    """Require that both the run and the check of the entry name the mistake and return 3."""
    run_refused(EXAMPLE, out, 3, *parts)
    outcome = regraft_command("check", entry)
    assert outcome.code == 3
    assert "Traceback" not in outcome.out + outcome.err
    message = next(line for line in outcome.out.splitlines() if line.startswith("error: "))
    assert all(part in message for part in parts), message


def test_a_model_with_a_unit_mismatch_is_refused(catalog: Path, tmp_path: Path) -> None:
    table = catalog / "models" / "ms" / "parameters.csv"
    edit_rows(table, change_row("acute_life", unit="kg"))
    refused_by_run_and_check(
        "models/ms", tmp_path / "out", "edss_acute", "has unit edss / kg where edss / d is expected"
    )
    outcome = regraft_command("run", EXAMPLE, "--dry-run", "--out", tmp_path / "out")
    assert_one_error(outcome, 3, str(catalog / "models" / "ms" / "model.ant"), "Correct the equation")


def test_a_missing_parameter_row_is_refused(catalog: Path, tmp_path: Path) -> None:
    table = catalog / "models" / "ms" / "parameters.csv"
    edit_rows(table, lambda rows: [row for row in rows if row["id"] != "acute_life"])
    refused_by_run_and_check("models/ms", tmp_path / "out", "'ms'", "'acute_life' has no value")


def test_a_distribution_with_zero_spread_is_refused(catalog: Path, tmp_path: Path) -> None:
    table = catalog / "models" / "immunity" / "parameters.csv"
    edit_rows(table, change_row("b_memory_reference", spread="0"))
    parts = [str(table), "'b_memory_reference'", "'spread'", "must be above zero", "Write distribution 'fixed'"]
    refused_by_run_and_check("models/immunity", tmp_path / "out", *parts)


def test_a_population_with_zero_spread_is_refused(catalog: Path, tmp_path: Path) -> None:
    table = catalog / "populations" / "ms_relapsing" / "covariates.csv"
    edit_rows(table, lambda rows: [row | {"spread": "0"} if row["spread"] else row for row in rows])
    refused_by_run_and_check("ms_relapsing", tmp_path / "out", str(table), "'spread'", "must be above zero")


def test_a_negative_count_in_a_table_is_refused(catalog: Path, tmp_path: Path) -> None:
    table = catalog / "models" / "immunity" / "parameters.csv"
    edit_rows(table, change_row("b_memory_reference", value="-75"))
    parts = [str(table), "'b_memory_reference'", "'value': -75", "must be above zero"]
    refused_by_run_and_check("models/immunity", tmp_path / "out", *parts)


def refuse_reading(path: Path, patch: pytest.MonkeyPatch) -> None:
    """Let the system refuse to read one file; the tests may run as a user who may read everything."""
    read_text = Path.read_text

    def read(self: Path, *arguments: Any, **options: Any) -> str:
        if self == path:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return read_text(self, *arguments, **options)

    patch.setattr(Path, "read_text", read)


@pytest.mark.parametrize("kind", ["binary", "missing", "folder", "no permission", "empty", "no yaml"])
def test_an_unreadable_trial_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    path = tmp_path / "trial.yaml"
    expected = make_unreadable(path, kind, monkeypatch)
    run_refused(path, tmp_path / "out", 3, str(path), expected)


@pytest.mark.parametrize("kind", ["binary", "missing", "folder", "no permission", "empty", "no yaml"])
def test_an_unreadable_protocol_file_is_named(
    trial_file: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    trial = trial_file(arms=[{**ARM, "protocol": "mine.yaml"}, OTHER])
    expected = make_unreadable(trial.parent / "mine.yaml", kind, monkeypatch)
    wanted = "there is no file" if kind in ("missing", "folder") else expected
    run_refused(trial, tmp_path / "out", 3, str(trial.parent / "mine.yaml"), wanted)


def make_unreadable(path: Path, kind: str, patch: pytest.MonkeyPatch) -> str:
    """Put something at a path that cannot be read as YAML, and return what the message must say."""
    if kind == "missing":
        return "No such file"
    if kind == "folder":
        path.mkdir()
        return "Is a directory"
    if kind == "no permission":
        path.write_text("id: a\n", encoding="utf-8")
        refuse_reading(path, patch)
        return "Permission denied"
    contents = {"binary": b"\x89PNG\r\n\xff\xfe\x00", "empty": b"", "no yaml": b"id: [1, 2\ntitle: }\n"}
    path.write_bytes(contents[kind])
    return {"binary": "UTF-8", "empty": "key: value", "no yaml": "is not valid YAML"}[kind]


@pytest.mark.parametrize("file", ["parameters.csv", "model.ant", "entry.toml"])
def test_an_unreadable_file_of_a_model_is_named(catalog: Path, tmp_path: Path, file: str) -> None:
    path = catalog / "models" / "ms" / file
    path.write_bytes(b"\x89PNG\r\n\xff\xfe\x00")
    run_refused(EXAMPLE, tmp_path / "out", 3, str(path), "cannot be read")


def test_an_output_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("mine", encoding="utf-8")
    outcome = regraft_command("run", EXAMPLE, "--out", out)
    assert_one_error(outcome, 2, str(out), "is a file", "Choose another with --out")
    assert out.read_text(encoding="utf-8") == "mine"


def test_an_output_folder_under_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    outcome = regraft_command("run", EXAMPLE, "--out", tmp_path / "file" / "out")
    assert_one_error(outcome, 2, str(tmp_path / "file"), "which is a file", "Choose another folder with --out")


def test_a_read_only_output_folder_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any, **options: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    out = tmp_path / "new" / "out"
    outcome = regraft_command("run", EXAMPLE, "--out", out)
    assert_one_error(outcome, 2, str(out), "Read-only file system", "Choose another folder with --out")
    assert not out.parent.exists()


def test_a_disk_that_fills_while_writing_leaves_earlier_results_as_they_were(
    tmp_path: Path, ready_result: TrialResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*arguments: Any, **options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", no_room)
    fresh, used = tmp_path / "deep" / "fresh", tmp_path / "used"
    used.mkdir()
    (used / "report.html").write_text("earlier", encoding="utf-8")
    for out in (fresh, used):
        outcome = regraft_command("run", EXAMPLE, "--out", out)
        message = outcome.err.splitlines()[-1]
        assert outcome.code == 2
        assert message.startswith("Error: ")
        assert "No space left on device" in message
        assert "free some room or choose another folder" in message
        assert "Traceback" not in outcome.err
        assert outcome.out == ""
    assert not fresh.parent.exists()
    assert [path.name for path in used.iterdir()] == ["report.html"]
    assert (used / "report.html").read_text(encoding="utf-8") == "earlier"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["run", EXAMPLE, "--patients", "-3"], "--patients"),
        (["run", EXAMPLE, "--patients", "many"], "valid integer"),
        (["run", EXAMPLE, "--seed", "-1"], "--seed"),
        (["run", EXAMPLE, "--allow-failed", "101"], "--allow-failed"),
        (["run", EXAMPLE, "--patient-seconds", "0"], "--patient-seconds"),
        (["run", EXAMPLE, "--patient-seconds", "1", "--scheduler", "tcp://here:1"], "Leave it out, or --scheduler"),
        (["run", EXAMPLE, "--patience", "3"], "--patience"),
        (["run"], "Missing argument"),
        (["rum"], "rum"),
    ],
)
def test_wrong_usage_returns_2_with_a_message(
    arguments: list[object], part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = regraft_command(*arguments)
    assert outcome.code == 2
    assert part in outcome.err
    assert "Traceback" not in outcome.err
    assert outcome.out == ""
    assert not list(tmp_path.iterdir())


def test_a_trial_that_nobody_is_eligible_for_is_refused(trial_file: Write, tmp_path: Path) -> None:
    nobody = [{"measure": "age", "min": 17.99, "max": 18, "unit": "year"}]
    trial = trial_file(eligibility=nobody, patients_per_arm=6, screening_limit=6)
    outcome = regraft_command("run", trial, "--out", tmp_path / "out")
    assert_one_error(outcome, 2, "Only 0 of 6 patients were found among 6 screened", "age", "Loosen 'eligibility'")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("verb", ["show", "check"])
@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("hematopoesis", ["'hematopoesis'", "Did you mean 'hematopoiesis'"]),
        ("models/hematopoesis", ["'hematopoesis'", "Did you mean 'hematopoiesis'"]),
        ("modles/ms", ["'modles'", "Did you mean 'models'?"]),
        ("natalizumab", ["more than one entry 'natalizumab'", "'protocols/natalizumab'"]),
    ],
)
def test_an_unknown_entry_lists_near_matches(verb: str, name: str, parts: list[str]) -> None:
    assert_one_error(regraft_command(verb, name), 2, *parts)


def test_an_unknown_kind_lists_near_matches() -> None:
    assert_one_error(regraft_command("list", "modles"), 2, "'modles'", "Did you mean 'models'?")
