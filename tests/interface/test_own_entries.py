"""Entries of a user, given by their paths."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from regraft.entries import catalog_root
from regraft.errors import InvalidField
from regraft.interface.catalog import find_entry
from regraft.interface.checks import check_entry
from regraft.trial import load_design
from regraft.trial.plan import make_plan
from regraft.trial.provenance import trace

EXAMPLE = Path(__file__).parents[2] / "examples" / "ms_ahsct.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a user's own disease model and population, and a design that names both."""
    shutil.copytree(catalog_root() / "models" / "ms", tmp_path / "my_ms")
    shutil.copytree(catalog_root() / "populations" / "ms_relapsing", tmp_path / "my_people")
    about = tmp_path / "my_ms" / "entry.toml"
    about.write_text(about.read_text().replace('id = "ms"', 'id = "my_ms"').replace('"ms", "harm"', '"my_ms", "harm"'))
    table = tmp_path / "my_ms" / "parameters.csv"
    table.write_text(table.read_text().replace("edss_max,10,", "edss_max,9.9,"))
    text = EXAMPLE.read_text().replace("autoimmunity, ms,", "autoimmunity, ./my_ms,")
    text = text.replace("population: ms_relapsing", "population: ./my_people")
    (tmp_path / "trial.yaml").write_text(text)
    return tmp_path


def test_a_design_names_entries_by_paths_relative_to_itself(folder: Path) -> None:
    plan = make_plan(load_design(folder / "trial.yaml"))
    parameters = {parameter.id: parameter.value for parameter in plan.equations.parameters}
    assert parameters["edss_max"] == 9.9
    used = [("models", name) for name in plan.design.models] + [("populations", plan.design.population)]
    assert {"my_ms", "ms_relapsing"} & {entry.id for entry in trace(used, seed=1).entries} == {"my_ms"}


def test_a_path_without_an_entry_is_refused_by_field(folder: Path) -> None:
    path = folder / "trial.yaml"
    path.write_text(path.read_text().replace("./my_ms", "./my_sm"))
    with pytest.raises(InvalidField, match=r"models\[8\] is './my_sm', but there is no .*my_sm/entry.toml"):
        load_design(path)


def test_an_own_model_is_checked_as_one_of_the_catalog(folder: Path) -> None:
    assert not check_entry(find_entry(str(folder / "my_ms")))


def test_a_check_of_an_own_model_that_does_not_hold_is_found(folder: Path) -> None:
    table = folder / "my_ms" / "checks.csv"
    table.write_text(table.read_text().replace("lesions,0,15,50", "lesions,0,500,900"))
    (finding,) = check_entry(find_entry(str(folder / "my_ms")))
    assert finding.check == "facts"
    assert "expected 500 to 900" in finding.message
