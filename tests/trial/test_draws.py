"""Draws are found, read, taken in a fair order, and put into a trial."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import regraft.trial.draws as module
from regraft.errors import InvalidArgument, InvalidField, UnknownEntry
from regraft.trial import TrialDesign, load_design
from regraft.trial.draws import find_draws, read_draws
from regraft.trial.plan import make_plan
from regraft.trial.provenance import trace
from regraft.trial.run import entries_used
from regraft.trial.stored.identity import identity, plain_identity

from .designs import VALID, changed, write
from .posteriors import CENTRAL, VALUES, write_posterior


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_posterior(tmp_path_factory.mktemp("fit") / "draws")


def design_with(folder: Path, place: str = "posterior", value: object = None, **more: object) -> TrialDesign:
    """Return the small design with a posterior and perhaps another change."""
    content = changed(place, str(folder) if value is None else value) | {"posterior": str(folder)} | more
    return TrialDesign.model_validate(content)


def test_what_is_stored_is_read(folder: Path) -> None:
    draws = read_draws(folder)
    assert draws.theta.shape == (200, 3)
    assert draws.central == draws.values(CENTRAL) == VALUES


def test_few_draws_are_part_of_more_and_are_spread_over_all(folder: Path) -> None:
    draws = read_draws(folder)
    everyone = draws.first(200)
    assert sorted(everyone) == list(range(200))
    assert [draws.first(count) for count in (0, 7, 40)] == [(), everyone[:7], everyone[:40]]
    assert 60 < np.mean(everyone[:100]) < 140  # not the first hundred, whose mean is 49.5
    with pytest.raises(InvalidArgument, match="201 draws were asked for, and 200 are stored"):
        draws.first(201)


def test_the_order_follows_from_the_content(folder: Path, tmp_path: Path) -> None:
    same = read_draws(write_posterior(tmp_path / "same"))
    other = read_draws(write_posterior(tmp_path / "other", seed=2))
    assert read_draws(folder).first(200) == same.first(200) != other.first(200)


def test_draws_are_found_by_path_and_by_id(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "catalog_root", lambda: tmp_path)
    stored = write_posterior(tmp_path / "calibrations" / "ms" / "draws")
    (tmp_path / "calibrations" / "als").mkdir()
    assert find_draws(str(folder)) == folder
    assert find_draws("ms") == stored
    with pytest.raises(UnknownEntry, match="no fit 'mss'. Did you mean 'ms'"):
        find_draws("mss")
    with pytest.raises(UnknownEntry, match="'als' are not in the catalog yet. Run `regraft calibrate als`"):
        find_draws("als")
    with pytest.raises(UnknownEntry, match="There is no .*nowhere/entry.toml"):
        find_draws("./nowhere")


def test_a_design_file_names_draws_beside_it(tmp_path: Path) -> None:
    write_posterior(tmp_path / "fit")
    design = load_design(write(tmp_path, {**VALID, "posterior": "./fit"}))
    assert design.posterior == str(tmp_path / "fit")
    with pytest.raises(InvalidField, match="posterior is './fti'. There is no"):
        load_design(write(tmp_path, {**VALID, "posterior": "./fti"}))


def test_central_values_are_typical_values(folder: Path) -> None:
    plan = make_plan(design_with(folder), threads=1)
    moved = plan.under(3)
    draws = read_draws(folder)
    for one, draw in ((plan, CENTRAL), (moved, 3), (moved.under(None), CENTRAL)):
        rows = {row.id: row for row in one.model.parameter_rows}
        wanted = draws.values(draw)
        assert rows["k_lesion"].value == wanted["k_lesion"]
        assert rows["drive"].spread == wanted["drive.spread"]
        parameter = one.equations.parameters[one.equations.parameter_index["relapse_share"]]
        assert parameter.value == wanted["relapse_share"]
    assert (plan.draw, moved.draw) == (None, 3)


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("k_lesions", {}, "names 'k_lesions', no parameter of its models. Did you mean 'k_lesion'"),
        ("k_lesion", {"settings": {"k_lesion": "0.01 1/day"}}, "decides 'k_lesion', but 'settings' decide it too"),
        ("body_weight.spread", {}, "decides 'body_weight', but the population"),
    ],
)
def test_what_others_decide_or_no_model_has_is_refused(tmp_path: Path, name: str, change: dict, told: str) -> None:
    folder = write_posterior(tmp_path / "draws", parameters={name: ("1/day", 0.01)})
    with pytest.raises(InvalidField, match=told):
        make_plan(design_with(folder, **change), threads=1)


def test_the_identity_holds_the_content_of_the_draws_and_not_their_place(folder: Path, tmp_path: Path) -> None:
    def of(place: Path) -> dict:
        return plain_identity(make_plan(design_with(place), threads=1))

    same, other = write_posterior(tmp_path / "same"), write_posterior(tmp_path / "other", seed=2)
    assert of(folder) == of(same) != of(other)
    assert of(folder)["posterior"] == [read_draws(folder).sha256, VALUES]


def test_a_trial_without_posterior_keeps_the_identity_of_older_runs() -> None:
    assert "posterior" not in identity(make_plan(TrialDesign.model_validate(VALID), threads=1))


def test_the_fit_and_its_method_stand_behind_the_result(folder: Path) -> None:
    found = trace(entries_used(make_plan(design_with(folder), threads=1)), seed=1)
    (fit,) = [entry for entry in found.entries if entry.kind == "calibrations"]
    assert (fit.id, fit.title) == ("made_up", "Made up")
    assert any("Kish" in line for line in found.citations)
