"""What report and run.json say of plausible patients, enrolment and weights."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from regraft.interface.report.adapter import report_data
from regraft.interface.report.page import render
from regraft.interface.report.plain import summary_json
from regraft.patients.weights import Balance, BalanceRow
from regraft.trial import TrialResult
from regraft.trial.design import EnrolmentRule, Plausible, PlausibleRange, WeightsRule
from regraft.trial.result import Screening

from .conftest import SmallRun

ROW = BalanceRow("relapses_last_12_months", "mean", "dimensionless", 1.2, 1.75, 1.2, "asclepios_2022")


@pytest.fixture(scope="module")
def selected(small_run: SmallRun) -> TrialResult:
    """Return the small result as if its patients had been selected and weighted."""
    result = small_run.result
    rules = {
        "plausible": Plausible(ranges=(PlausibleRange(quantity="edss", max=6.5, unit="edss"),)),
        "enrolment": EnrolmentRule(probability=0.25),
        "weights": WeightsRule(to="ofatumumab_2022", smallest_effective_size=5, largest_share=0.5),
    }
    screening = Screening(100, (("age 18 to 55 year", 60),), (("step limit", 1),), 6, (("edss at most 6.5", 13),), 20)
    return replace(
        result,
        design=result.design.model_copy(update=rules),
        consort=replace(result.consort, screening=screening),
        balance=Balance(np.ones(6), (ROW,), 5.5, 321, 0.25),
    )


def test_the_page_shows_the_funnel_and_why_people_were_lost(selected: TrialResult) -> None:
    page = " ".join(render(report_data(selected, ())).split())
    assert "100 screened &#8594; 86 plausible &#8594; 26 eligible &#8594; 6 enrolled" in page
    assert "not plausible: edss at most 6.5: 13" in page
    assert "eligible, did not take part: 20" in page
    assert "eligible patients take part with probability 0.25" in page


def test_the_page_shows_weights_with_the_table_that_they_meet(selected: TrialResult) -> None:
    page = " ".join(render(report_data(selected, ())).split())
    assert "Patients are weighted to the published table ofatumumab_2022: 6 of them are worth 6" in page
    assert "The 6 patients are worth 5.5 equally weighted ones; patient 321 carries most, 25" in page
    assert "<td>1.2</td><td>1.75</td><td>1.2</td><td>asclepios_2022</td>" in page


def test_run_json_has_funnel_and_weights(selected: TrialResult) -> None:
    told = json.loads(json.dumps(summary_json(report_data(selected, ()))))
    assert told["consort"]["funnel"] == {"screened": 100, "plausible": 86, "eligible": 26, "enrolled": 6}
    assert told["weights"]["effective_size"] == 5.5
    assert told["weights"]["moments"][0]["before"] == 1.75


def test_a_trial_without_weights_says_nothing_of_them(small_run: SmallRun) -> None:
    told = small_run.record["summary"]
    assert told["weights"] is None
    assert list(told["consort"]["funnel"]) == ["screened", "plausible", "eligible", "enrolled"]
    assert "Weights" not in (small_run.folder / "report.html").read_text(encoding="utf-8")
