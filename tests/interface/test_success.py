"""What report, terminal and run.json say of the chance that a smaller trial succeeds."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from regraft.evidence.success import Chance, WhatIf, chance_of_success
from regraft.interface.cli.run import _chance
from regraft.interface.cli.summary import print_summary
from regraft.interface.report.adapter import report_data
from regraft.interface.report.page import render
from regraft.interface.report.plain import summary_json
from regraft.trial import load_design, run_trial
from regraft.trial.plan import make_plan

from .conftest import SmallRun

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "ra_msc.yaml"
CHANCE = Chance(
    arm="ahsct",
    reference="untreated",
    statistic="ACR20",
    months=2.76,
    patients=50,
    parameter="msc_class_gain",
    control=0.26,
    treated=0.31,
    by_mechanism=0.105,
    by_class=0.1,
    log_odds_ratio=0.22,
    needed=1.2,
    needed_value=5.4,
    what_if=(WhatIf("msc_primed_life", 4.0, 0.38, 0.26),),
)


def test_the_page_says_how_likely_success_is_and_what_would_have_to_change(small_run: SmallRun) -> None:
    page = render(report_data(small_run.result, [], chance=CHANCE)).replace("\u00a0", " ")
    assert "Would a trial of 50 patients an arm succeed?" in page
    assert "with a probability of 10.5 %" in page
    assert "log odds ratio of 1.2" in page
    assert "about 5.4" in page
    assert "msc primed life x 4" in page
    assert 'id="success"' not in render(report_data(small_run.result, []))


def test_terminal_and_record_say_it_too(small_run: SmallRun, capsys: pytest.CaptureFixture[str]) -> None:
    data = report_data(small_run.result, [], chance=CHANCE)
    print_summary(data)
    said = capsys.readouterr().out
    assert "Would a trial of 50 patients an arm succeed?" in said
    record = summary_json(data)["success"]
    assert record["rows"] == (("msc primed life x 4", 38.0, 26.0),)
    assert summary_json(report_data(small_run.result, []))["success"] is None


def test_an_effect_that_cannot_be_reached_is_said(small_run: SmallRun) -> None:
    none = replace(CHANCE, needed=math.nan, by_class=None)
    (first, second) = report_data(small_run.result, [], chance=none).success.sentences  # type: ignore[union-attr]
    assert "beats" in first
    assert second.startswith("No effect gives a probability of 80 %")
    flat = replace(CHANCE, needed_value=math.nan)
    assert "does not reach" in report_data(small_run.result, [], chance=flat).success.sentences[-1]  # type: ignore[union-attr]


def test_the_chance_is_computed_with_the_patients_of_the_run_and_nobody_is_screened_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    design = load_design(EXAMPLE)
    assert design.success is not None
    rule = design.success.model_copy(update={"what_if": {}})
    result = run_trial(design.model_copy(update={"patients_per_arm": 12, "success": rule}))
    anew = chance_of_success(make_plan(result.design), rule)
    with monkeypatch.context() as changed:
        changed.setattr("regraft.evidence.success.screen", None)
        assert _chance(result, cores=None) == anew
    monkeypatch.setattr("regraft.interface.cli.run.MOST_FOR_CHANCE", 8)
    fewer = _chance(result, cores=None)
    assert fewer == chance_of_success(make_plan(result.design.model_copy(update={"patients_per_arm": 8})), rule)
    assert fewer != anew
