from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.evidence.calibration.models import QUICK, RATES, ROWS, Rates

from regraft.entries import catalog_root, read_entry
from regraft.errors import InvalidField, InvalidFile
from regraft.evidence.calibration.draws import method_sources, write_draws
from regraft.evidence.calibration.fit import fit_population
from regraft.trial.draws import read_draws


@pytest.fixture(scope="module")
def posterior(tmp_path_factory):
    return fit_population(
        RATES, ROWS, Rates(), seed=5, folder=tmp_path_factory.mktemp("fit"), model="abc 1", settings=QUICK
    )


def test_what_is_written_is_read(posterior, tmp_path):
    write_draws(posterior, tmp_path / "rates", name='Rates, "fitted"', limits=("Made up.",))
    found = read_draws(tmp_path / "rates")
    np.testing.assert_allclose(found.theta, posterior.theta, rtol=1e-8)
    assert found.theta.shape == (200, 3)
    assert (found.names, found.units) == (("gain", "loss", "idle"), ("1/day",) * 3)
    assert (found.rows, found.seed, found.model) == (ROWS.ids, 5, "abc 1")
    assert found.not_identified == ("idle",)
    assert list(found.contraction.values()) == pytest.approx(posterior.identifiability.contraction, abs=1e-4)
    entry = read_entry(tmp_path / "rates")
    assert (entry.id, entry.title, entry.limits) == ("rates", 'Rates, "fitted"', ("Made up.",))
    assert (tmp_path / "rates" / "README.md").read_text(encoding="utf-8").startswith("# Rates")


def test_warnings_of_the_fit_become_limits_of_the_entry(posterior, tmp_path):
    doubtful = dataclasses.replace(posterior, warnings=("Row 'share' is not reached.",))
    write_draws(doubtful, tmp_path / "rates", name="Rates")
    assert read_entry(tmp_path / "rates").limits == ("Row 'share' is not reached.",)


def test_a_table_changed_by_hand_is_refused(posterior, tmp_path):
    write_draws(posterior, tmp_path / "rates", name="Rates")
    table = tmp_path / "rates" / "draws.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("\n7,", "\n7,1", 1), encoding="utf-8")
    with pytest.raises(InvalidFile, match="never edited by hand"):
        read_draws(tmp_path / "rates")


def test_an_entry_without_its_fit_is_refused(posterior, tmp_path):
    write_draws(posterior, tmp_path / "rates", name="Rates")
    entry = tmp_path / "rates" / "entry.toml"
    whole = entry.read_text(encoding="utf-8")
    entry.write_text(whole.replace("sha256", "sha"), encoding="utf-8")
    with pytest.raises(InvalidField, match="'fit.sha256' is missing"):
        read_draws(tmp_path / "rates")
    entry.write_text(whole.replace("[units]", "[unit]"), encoding="utf-8")
    with pytest.raises(InvalidField, match=r"\[units\] is missing"):
        read_draws(tmp_path / "rates")


def test_fewer_than_200_draws_and_infinite_ones_are_no_entry(posterior, tmp_path):
    few = dataclasses.replace(posterior, theta=posterior.theta[:199])
    with pytest.raises(InvalidField, match="199 draws"):
        write_draws(few, tmp_path / "few", name="Few")
    infinite = dataclasses.replace(posterior, theta=np.full_like(posterior.theta, np.inf))
    with pytest.raises(InvalidField, match="not finite"):
        write_draws(infinite, tmp_path / "few", name="Few")
    assert not (tmp_path / "few").exists()


def test_every_source_of_the_method_is_in_the_bibliography():
    text = (catalog_root() / "references_calibration.bib").read_text(encoding="utf-8")
    assert len(method_sources()) > 5
    assert all(f"{{{source}," in text for source in method_sources())


def test_central_values_are_the_mean_of_the_scores(posterior, tmp_path):
    write_draws(posterior, tmp_path / "rates", name="Rates")
    found = read_draws(tmp_path / "rates")
    middle = np.exp(np.log(found.theta).mean(axis=0))  # the priors are lognormal with median 1
    assert list(found.central.values()) == pytest.approx(middle, rel=1e-6)
    assert list(found.central.values()) == pytest.approx(posterior.central, rel=1e-8)
    assert abs(np.log(found.central["idle"])) < 0.7 / 3  # nothing is learned of it


def test_a_parameter_without_a_central_value_is_refused(posterior, tmp_path):
    write_draws(posterior, tmp_path / "rates", name="Rates")
    entry = tmp_path / "rates" / "entry.toml"
    text = entry.read_text(encoding="utf-8")
    place = text.index('"idle" = ', text.index("[central]"))
    for wrong in ('"other" = 1', '"idle" = "1"', '"idle" = nan'):
        entry.write_text(text[:place] + wrong + text[text.index("\n", place) :], encoding="utf-8")
        with pytest.raises(InvalidField, match=r"'central.idle' is .* a number for every parameter"):
            read_draws(tmp_path / "rates")
