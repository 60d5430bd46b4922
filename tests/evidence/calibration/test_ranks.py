"""Runs of a fit as truths of made-up rows."""

from __future__ import annotations

import numpy as np
import pytest
from tests.evidence.calibration.models import QUICK, RATES, ROWS, Rates

from regraft.entries import read_table
from regraft.errors import InvalidArgument
from regraft.evidence.calibration import ranks
from regraft.evidence.calibration.emulator import fit_emulator
from regraft.evidence.calibration.forward import Runs
from regraft.evidence.calibration.ranks import rank_runs, write_ranks


def runs_of_rates(repeats=40, shift=0.0):
    white = RATES.sample_white(5, np.arange(repeats))
    answer = Rates()(RATES.natural(white), np.arange(repeats))
    failed = np.arange(repeats) == 3
    return Runs(white, answer.value + shift * white[:, :1], answer.mc_variance, failed)


def test_runs_of_a_fit_are_ranked_under_the_stand_in_of_the_others():
    found = rank_runs(RATES, ROWS, runs_of_rates(), QUICK, seed=1, draws=49, particles=100)
    assert found.ranks.shape == (39, 3)  # one failed
    assert found.failed == ()
    assert found.contraction[0] > 0.2 > found.contraction[2]
    again = rank_runs(RATES, ROWS, runs_of_rates(), QUICK, seed=1, draws=49, particles=100, workers=2)
    np.testing.assert_array_equal(again.ranks, found.ranks)


def test_a_stand_in_that_is_off_is_found(monkeypatch):
    def shifted(*given):
        surface = fit_emulator(*given)
        return lambda white: (surface(white)[0] + 2.0, *surface(white)[1:])

    monkeypatch.setattr(ranks, "fit_emulator", shifted)
    found = rank_runs(RATES, ROWS, runs_of_rates(), QUICK, seed=1, draws=49, particles=100)
    assert "gain" in found.failed or "loss" in found.failed


def test_too_few_runs_are_refused():
    with pytest.raises(InvalidArgument, match="'repeats' is 11"):
        rank_runs(RATES, ROWS, runs_of_rates(12), QUICK, seed=1)


def test_ranks_are_written_beside_the_draws(tmp_path):
    found = rank_runs(RATES, ROWS, runs_of_rates(), QUICK, seed=1, draws=49, particles=100)
    write_ranks(found, ("idle",), tmp_path)
    rows = read_table(tmp_path / "ranks.csv")
    assert [row["verdict"] for row in rows] == ["uniform", "uniform", "not identified"]
    assert sum(int(rows[0][f"ranks_{k}"]) for k in range(1, 11)) == 39
