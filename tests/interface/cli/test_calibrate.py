"""The commands calibrate and validate on a fit that runs in seconds."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from tests.evidence.fitting.small import FITTED, STUDY, write_study
from typer.testing import CliRunner

from regraft.evidence.fitting.fit_study import has_same_model
from regraft.evidence.fitting.study import load_study
from regraft.interface.cli.main import app
from regraft.trial.draws import read_draws

runner = CliRunner()


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fit")
    study = write_study(folder / "study")
    result = runner.invoke(app, ["calibrate", str(study), "--out", str(folder / "out"), "--cores", "1"])
    assert result.exit_code == 0, result.output
    return study, folder / "out", result.output


def test_the_result_names_parameters_notes_and_the_next_step(fitted):
    _, out, text = fitted
    assert "k_lesion" in text
    assert "Learned" in text
    assert "regraft validate" in text
    assert len((out / "draws" / "small" / "draws.csv").read_text().splitlines()) == 201


def test_killed_at_any_moment_the_same_command_ends_with_the_same_draws(fitted, tmp_path):
    study, out, _ = fitted
    command = [sys.executable, "-m", "regraft", "calibrate", str(study), "--out", str(tmp_path / "out"), "--cores", "1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    runs = tmp_path / "out" / "runs"
    while process.poll() is None and len(list(runs.glob("**/*.parquet"))) < 2:
        time.sleep(0.02)
    was_alive = process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert was_alive, "the fit was finished before it could be killed"
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    for name in ("draws.csv", "entry.toml"):
        once, again = (folder / "draws" / "small" / name for folder in (out, tmp_path / "out"))
        assert once.read_bytes() == again.read_bytes()


def test_the_scorecard_is_written_as_page_and_json(fitted, tmp_path):
    study, out, _ = fitted
    draws = tmp_path / "draws"
    shutil.copytree(out / "draws" / "small", draws)
    entry = (draws / "entry.toml").read_text().splitlines()
    (draws / "entry.toml").write_text("\n".join('model = "older"' if "model =" in line else line for line in entry))
    command = ["validate", str(study), "--draws", str(draws), "--out", str(tmp_path), "--cores", "1"]
    result = runner.invoke(app, [*command, "--most-draws", "10"])
    assert result.exit_code == 0, result.output
    assert "of 2 published values" in result.output
    card = json.loads((tmp_path / "scorecard.json").read_text())["cards"][0]
    assert [score["id"] for score in card["scores"]] == [line.split(",")[0] for line in FITTED.splitlines()[1:]]
    (shares,) = json.loads((tmp_path / "scorecard.json").read_text())["variance_shares"]
    assert shares["endpoint"] == "neda3"
    assert sum(shares["shares"].values()) == pytest.approx(1.0)
    assert "were changed after these draws were made" in " ".join(result.output.split())
    page = (tmp_path / "scorecard.html").read_text()
    assert "What decides an outcome" in page
    assert "Not for treating patients" in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_the_model_of_draws_is_known_again(fitted, tmp_path):
    study, out, _ = fitted
    plan, stored = load_study(study), read_draws(out / "draws" / "small")
    assert has_same_model(plan, stored.model, log=tmp_path)
    assert not has_same_model(dataclasses.replace(plan, seed=8), stored.model, log=tmp_path)


def test_ranks_are_written_where_a_check_is_asked_for(fitted, tmp_path):
    study = write_study(
        tmp_path / "study", fit=STUDY.replace("ensemble: 10", "ensemble: 25").replace("runs: 20", "runs: 40")
    )
    command = ["calibrate", str(study), "--out", str(tmp_path / "out"), "--cores", "1", "--check"]
    result = runner.invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "Ranks of 25 true values" in " ".join(result.output.split())
    assert (tmp_path / "out" / "draws" / "small" / "ranks.csv").is_file()


def test_a_dry_run_writes_nothing(tmp_path):
    study = write_study(tmp_path / "study")
    result = runner.invoke(app, ["calibrate", str(study), "--dry-run", "--out", str(tmp_path / "out"), "--json"])
    assert result.exit_code == 0
    assert json.loads(result.output)["rows"][0] == "kappos_2010_relapse_rate_placebo_2y"
    assert not (tmp_path / "out").exists()


def test_draws_of_another_fit_are_refused(fitted, tmp_path):
    _, out, _ = fitted
    result = runner.invoke(app, ["validate", "ms", "--draws", str(out / "draws" / "small"), "--out", str(tmp_path)])
    assert result.exit_code == 3
    assert "regraft calibrate ms" in result.output


def test_another_fit_in_the_same_folder_is_refused(fitted, tmp_path):
    _, out, _ = fitted
    study = write_study(tmp_path / "study", fit=STUDY.replace("seed: 7", "seed: 8"))
    result = runner.invoke(app, ["calibrate", str(study), "--out", str(out), "--cores", "1"])
    assert result.exit_code != 0
    assert "another fit" in result.output
