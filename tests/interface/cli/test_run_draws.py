"""A run under posterior draws through the command: tables, view, record, page and terminal agree."""

from __future__ import annotations

import json
from html import unescape
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from tests.trial.posteriors import write_posterior

from regraft.evidence.compare import number

from ..conftest import assert_one_error, regraft_command

UNTREATED = {"id": "untreated", "label": "No treatment", "protocol": "untreated"}


def test_draws_tell_what_is_unknown_in_tables_page_record_and_on_the_terminal(trial_file: Any, tmp_path: Path) -> None:
    write_posterior(tmp_path / "fit")
    quick = trial_file(
        endpoints=["edss_change", "overall_survival"], outcomes=[], arms=[UNTREATED], eligibility=[], posterior="./fit"
    )
    out = tmp_path / "out"
    arguments = ("run", quick, "--patients", 3, "--out", out)
    plain = regraft_command(*arguments)
    assert plain.code == 0, plain
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "is not included: run the same trial with --extend --draws 20" in page
    assert "What is unknown:" not in plain.out
    assert not (out / "tables" / "knowledge.csv").exists()
    assert_one_error(regraft_command(*arguments, "--draws", 2), 2, "other 'draws'", "--extend")
    outcome = regraft_command(*arguments, "--draws", 2, "--extend")
    assert outcome.code == 0, outcome
    assert outcome.err.splitlines()[-1].startswith("patients: 3 of 3, trial 3 of 3")
    assert "What is unknown: 2 posterior draws" in outcome.out
    assert "80 % of knowledge" in " ".join(outcome.out.split())
    assert_pages_and_tables_agree(out)
    asked = regraft_command("query", out, "select count(distinct draw) as draws from repeats", "--json")
    assert json.loads(asked.out) == [{"draws": 2}]
    assert_patients_of_a_draw_can_be_repeated(out, quick)
    more = regraft_command("run", quick, "--patients", 4, "--out", out, "--extend")
    assert more.code == 0, more
    assert "What is unknown: 2 posterior draws" in more.out  # extending loses none
    asked = regraft_command("query", out, "select max(n) as most from repeats where draw is not null", "--json")
    assert json.loads(asked.out) == [{"most": 4}]
    assert regraft_command(*arguments, "--replace").code == 0
    assert not (out / "tables" / "knowledge.csv").exists()  # no longer true of what the page says


def assert_patients_of_a_draw_can_be_repeated(out: Path, trial: Path) -> None:
    """Require a patient to meet under a draw what the chunks of that draw say, which is not what the trial's say."""
    drawn = next((out / "chunks").glob("replicate-0000-draw-*"))
    draw = int(drawn.name[-4:])
    assert_one_error(regraft_command("replay", out, 0), 2, "entries of your own (fit)", "--trial")
    last = []
    for folder, chosen in ((drawn, ("--draw", draw)), (out / "chunks" / "replicate-0000", ())):
        (path,) = folder.glob("*-arm-untreated-*")
        row = pq.read_table(path).to_pylist()[0]
        outcome = regraft_command("replay", out, row["patient_id"], "--trial", trial, *chosen)
        assert outcome.code == 0, outcome
        last.append(row["event_day"][-1])
        assert f"  day {last[-1]:10.2f}  " in outcome.out
    assert last[0] != last[1]
    assert len(list((out / "replays").iterdir())) == 2
    assert_one_error(
        regraft_command("replay", out, 0, "--trial", trial, "--draw", 9999),
        2,
        "no replicate-0000-draw-9999",
        drawn.name,
    )


def assert_pages_and_tables_agree(out: Path) -> None:
    """Require the interval of one estimate to be the same in table, view, record and page."""
    sql = "select * from knowledge where statistic = 'slope' and arm = 'untreated'"
    (row,) = json.loads(regraft_command("query", out, sql, "--json").out)
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    (known,) = [one for one in record["knowledge"] if one["statistic"] == "slope"]
    (cell,) = [one["arms"]["untreated"] for one in record["summary"]["results"] if "EDSS slope" in one["endpoint"]]
    interval = [row["knowledge_lower80"], row["knowledge_upper80"]]
    assert [known["lower80"], known["upper80"]] == cell["knowledge80"] == interval
    assert interval[0] < interval[1]
    assert record["summary"]["posterior_draws"] == 2
    page = unescape((out / "report.html").read_text(encoding="utf-8"))
    assert f"{number(interval[0])} to {number(interval[1])}" in page
    assert "What is unknown: 2 posterior draws" in page
    assert "come from 2 posterior draws, fewer than 20: their ends are rough" in page


def test_draws_without_a_posterior_are_refused_before_anything_runs(trial_file: Any, tmp_path: Path) -> None:
    quick = trial_file(endpoints=["overall_survival"], outcomes=[], arms=[UNTREATED])
    outcome = regraft_command("run", quick, "--patients", 2, "--out", tmp_path / "out", "--draws", 20)
    assert_one_error(outcome, 2, "20 draws", "has no posterior", "posterior: ms", "--draws")
    assert not (tmp_path / "out").exists()
