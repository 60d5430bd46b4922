"""How cases of the stochastic suite are judged, on cases made by hand: cells that die, each at its own time."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from verification.stochastic_suite import distances, main, run_case

from regraft.model.antimony_text import antimony_to_sbml

TIMES = np.linspace(0.0, 3.0, 7)
DEATH = "substanceOnly species A; A = 20; gone: A -> ; d*A; d = 0.7"


def write_case(folder, text, rate):
    """Write a model, and what theory says of twenty cells that die at a rate."""
    folder.mkdir()
    (folder / f"{folder.name}-sbml-l3v1.xml").write_text(antimony_to_sbml(text), encoding="utf-8")
    alive = np.exp(-rate * TIMES)
    table = np.column_stack([TIMES, 20 * alive, np.sqrt(20 * alive * (1 - alive))])
    with (folder / f"{folder.name}-results.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["time", "A-mean", "A-sd"], *np.round(table, 5).tolist(), []])
    return folder


def test_a_right_model_passes(tmp_path):
    outcome = run_case(write_case(tmp_path / "1", DEATH, 0.7), 2000)
    assert outcome.kind == "passed", outcome.detail


# five per cent move the mean at day 1.5 by 0.37 of 20 cells: six standard errors at n = 2000
@pytest.mark.parametrize("rate", [0.665, 0.735])
def test_a_rate_that_is_five_per_cent_off_is_wrong(tmp_path, rate):
    outcome = run_case(write_case(tmp_path / "1", DEATH, rate), 2000)
    assert outcome.kind == "wrong", outcome.detail


def test_what_cannot_be_run_is_refused_and_trouble_in_a_run_is_a_failure(tmp_path, capsys):
    write_case(tmp_path / "1", DEATH, 0.7)
    write_case(tmp_path / "2", DEATH + "; full: at A < 3: A = 20", 0.7)
    assert main([str(tmp_path), "--simulations", "500"]) == 0
    assert "passed 1 of 2, refused by name 1" in capsys.readouterr().out
    write_case(tmp_path / "3", "substanceOnly species A; A = 20; gone: A -> ; 100", 0.7)
    assert main([str(tmp_path), "--simulations", "500"]) == 1
    assert "failed  3: Patient 0: reaction 'gone' would leave -1" in capsys.readouterr().out


def test_no_spread_in_theory_allows_none():
    mean, none = np.array([5.0]), np.array([0.0])
    assert [float(x[0]) for x in distances(np.full((10, 1), 5.0), mean, none)] == [0.0, 0.0]
    assert [float(x[0]) for x in distances(np.full((10, 1), 6.0), mean, none)] == [np.inf, 0.0]
    assert float(distances(np.arange(10.0)[:, None], np.array([4.5]), none)[1][0]) == np.inf
