"""The verbs other than a full run, as people and programs call them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import libsbml
import pytest

from regraft.entries import list_entries
from regraft.interface.catalog import KINDS

from ..conftest import EXAMPLE, regraft_command

SHOWN = (
    "models/ms",
    "treatments/gcsf",
    "populations/ms_relapsing",
    "measurements/ms_clinic",
    "trials/ms_ahsct_calibrate",
)


def test_the_list_names_every_entry_with_its_review_status() -> None:
    outcome = regraft_command("list")
    assert (outcome.code, outcome.err) == (0, "")
    for kind in KINDS:
        for entry in list_entries(kind):
            assert re.search(rf"^{kind} +{entry} .*(draft|reviewed)", outcome.out, re.MULTILINE), entry


def test_the_list_of_one_kind_holds_that_kind_alone() -> None:
    outcome = regraft_command("list", "treatment", "--json")
    found = json.loads(outcome.out)
    assert outcome.code == 0
    assert [entry["id"] for entry in found] == list_entries("treatments")
    assert {entry["kind"] for entry in found} == {"treatments"}
    assert all(0 <= entry["assumed"] <= entry["parameter_rows"] for entry in found)


@pytest.mark.parametrize("columns", ["60", "80", "120"])
def test_tables_fit_the_terminal_and_break_no_word(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    text = regraft_command("list").out
    assert max(len(line) for line in text.splitlines()) <= int(columns)
    for word in ("anti-thymocyte", "myeloablative_no_graft", "cyclophosphamide"):
        assert word in text


@pytest.mark.parametrize("name", SHOWN)
def test_an_entry_shows_status_limits_and_where_its_numbers_come_from(name: str) -> None:
    outcome = regraft_command("show", name)
    found = json.loads(regraft_command("show", name, "--json").out)
    text = " ".join(outcome.out.split())
    assert (outcome.code, outcome.err) == (0, "")
    assert name in text
    assert f"Review status: {found['status']}" in text
    assert found["limits"]
    assert all(limit in text for limit in found["limits"])
    assert all(row["id"] in text for row in found["parameters"])
    assert all(row["unit"] and row["source"] and row["method"] for row in found["parameters"])


def test_a_protocol_is_shown_by_kind_and_id() -> None:
    outcome = regraft_command("show", "protocols/ahsct_cy_atg")
    assert outcome.code == 0
    assert "Autologous transplantation after cyclophosphamide" in outcome.out
    assert "treat its results as a draft" in outcome.out


def test_a_model_is_written_as_sbml(tmp_path: Path) -> None:
    path = tmp_path / "ms.xml"
    outcome = regraft_command("show", "models/ms", "--sbml", path)
    assert outcome.code == 0
    assert f"Wrote {path}." in outcome.out
    assert libsbml.readSBML(str(path)).getModel().getNumParameters() > 0


def test_what_is_no_model_cannot_be_written_as_sbml(tmp_path: Path) -> None:
    outcome = regraft_command("show", "treatments/gcsf", "--sbml", tmp_path / "gcsf.xml")
    assert outcome.code == 2
    assert "--sbml needs a model" in outcome.err
    assert not list(tmp_path.iterdir())


def test_sbml_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    outcome = regraft_command("show", "models/ms", "--sbml", tmp_path / "none" / "ms.xml")
    assert outcome.code == 2
    assert "cannot be written: No such file or directory. Choose another file." in outcome.err


def test_one_sound_entry_passes_its_checks() -> None:
    outcome = regraft_command("check", "person")
    assert outcome.code == 0
    assert re.search(r"models +person .*passed", outcome.out)
    assert "1 entries, 15 parameter rows, 4 of them assumed; 0 errors" in outcome.out


def test_the_whole_catalog_passes_and_the_assumed_rows_are_counted() -> None:
    outcome = regraft_command("check", "--json")
    found = json.loads(outcome.out)
    assert (outcome.code, outcome.err) == (0, "")
    assert found["entries"] == sum(len(list_entries(kind)) for kind in KINDS)
    assert found["errors"] == 0, outcome.out
    assert 0 < found["assumed"] < found["parameter_rows"]


def test_an_entry_without_limits_is_a_warning_and_one_without_a_source_an_error(catalog: Path) -> None:
    entry = catalog / "treatments" / "gcsf"
    about = (entry / "entry.toml").read_text(encoding="utf-8")
    (entry / "entry.toml").write_text(about.split("[limits]")[0], encoding="utf-8")
    outcome = regraft_command("check", "treatments/gcsf")
    assert outcome.code == 0
    assert "warning: treatments/gcsf [limits] states no limits; say in entry.toml what it leaves out." in outcome.out
    table = entry / "parameters.csv"
    rows = table.read_text(encoding="utf-8").replace("assumption", "")
    table.write_text(rows, encoding="utf-8")
    outcome = regraft_command("check", "treatments/gcsf", "--json")
    assert outcome.code == 3
    assert json.loads(outcome.out)["errors"] >= 1


def test_the_doctor_says_what_the_machine_offers_and_how_fast_it_is() -> None:
    outcome = regraft_command("doctor", "--json")
    found = json.loads(outcome.out)
    assert outcome.code == 0
    assert found["cores"] >= 1
    assert found["patients_per_vector"] in (2, 4, 8)
    assert re.search(r"ready in [\d.]+ s, then [\d,]+ patients/s on one core and [\d,]+ on all", found["speed"])
    assert "missing" not in " ".join(found["packages"].values())


def test_the_version_and_help_are_printed() -> None:
    assert re.fullmatch(r"regraft \d+\.\d+\.\d+\n", regraft_command("--version").out)
    help_text = " ".join(regraft_command("--help").out.split())
    for part in ("Exit codes: 0 ok, 2 wrong usage, 3 invalid model or data, 4", "Research use", "doctor", "check"):
        assert part in help_text


def test_a_dry_run_says_how_much_a_run_takes_and_writes_nothing(tmp_path: Path) -> None:
    outcome = regraft_command("run", EXAMPLE, "--dry-run", "--patients", 40, "--out", tmp_path / "out")
    assert (outcome.code, outcome.err) == (0, "")
    for part in ("its first patients ran through every arm", "3 arms of 40 patients", "Nothing was written"):
        assert part in " ".join(outcome.out.split())
    assert not (tmp_path / "out").exists()


def test_a_dry_run_tells_programs_the_same(tmp_path: Path) -> None:
    outcome = regraft_command("run", EXAMPLE, "--dry-run", "--json", "--patients", 4, "--out", tmp_path / "out")
    found = json.loads(outcome.out)
    assert outcome.code == 0
    assert (found["arms"], found["patients_per_arm"]) == (3, 4)
    assert found["visits"] > 20
    assert found["candidates"] >= 32
    assert 200 < found["memory_megabytes"] < 4000
    assert found["seconds"] > 0 < found["disk_megabytes"]
    assert not (tmp_path / "out").exists()
