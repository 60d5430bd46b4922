from __future__ import annotations

import json

import pytest

from regraft.interface.cli.summary import print_summary
from regraft.interface.report.plain import summary_json

from .example_report import example_report


def test_the_terminal_shows_estimates_patients_and_judgements(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    print_summary(example_report())
    text = capsys.readouterr().out
    for expected in ("85 (80.4 to 89.1)", "Screened 1210, enrolled 300", "step limit reached: 1", "inside 1 of them"):
        assert expected in text


def test_the_json_holds_no_value_that_json_lacks() -> None:
    text = json.dumps(summary_json(example_report()), allow_nan=False)
    values = json.loads(text)
    assert values["consort"]["arms"]["ahsct"]["failed"] == 1
    assert values["results"][0]["arms"]["ahsct"]["lower"] == 80.4
    assert [row["inside"] for row in values["comparisons"]] == [True, False, None, False]
