"""Every entry of the catalog is complete: description, limits, README, and checks where it is a model."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from tests.catalog.sources import bibliography, entry_folders, name_of, rows, source_keys, stray_folders

from regraft.entries import catalog_root, list_entries
from regraft.entries import read_entry as read_description
from regraft.interface.catalog import KINDS
from regraft.model import check_units, join, lint_part, load_part
from regraft.streams import stream_key
from regraft.therapy import load_protocol

MODELS = list_entries("models")
PROTOCOLS = list_entries("protocols")
CHECK_COLUMNS = ("id", "kind", "scenario", "quantity", "time_day", "lower", "upper", "unit", "source", "locator")


def test_catalog_has_the_known_kinds_and_no_stray_folder() -> None:
    # evidence is one table for all trials and calibrations are studies, not kinds of entry
    known = {*KINDS, "evidence", "calibrations"}
    assert {path.name for path in catalog_root().iterdir() if path.is_dir()} == known
    assert not stray_folders()


def test_catalog_holds_no_code() -> None:
    suffixes = {path.suffix for path in catalog_root().rglob("*") if path.is_file()}
    assert suffixes <= {".toml", ".csv", ".md", ".ant", ".yaml", ".bib"}


@pytest.mark.parametrize("folder", entry_folders(), ids=name_of)
def test_entry_describes_itself_with_limits_and_a_readme(folder: Path) -> None:
    entry = read_description(folder)
    assert entry.id == folder.name
    assert entry.limits, "entry.toml states no limits"
    readme = folder / "README.md"
    assert readme.is_file(), "README.md is missing"
    assert readme.read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize("name", PROTOCOLS)
def test_protocol_loads_and_states_its_source_and_limits(name: str) -> None:
    protocol = load_protocol(name)
    assert protocol.id == name
    assert protocol.source.strip()
    assert protocol.limits


@pytest.mark.parametrize("name", MODELS)
def test_model_loads_alone_with_sound_units_and_no_lint(name: str) -> None:
    part = load_part(name)
    assert not check_units(part.equations)
    assert not lint_part(part)


@cache
def known_quantities() -> frozenset[str]:
    """Quantities of all models."""
    return frozenset(quantity for model in MODELS for quantity in load_part(model).quantities)


@pytest.mark.parametrize("name", MODELS)
def test_model_has_checks_of_quantities_that_the_catalog_knows(name: str) -> None:
    table = catalog_root() / "models" / name / "checks.csv"
    assert table.is_file(), "checks.csv is missing"
    known = known_quantities()
    publications = bibliography(catalog_root())
    for row in rows(table):
        assert all((row[column] or "").strip() for column in CHECK_COLUMNS), row
        assert float(row["lower"]) <= float(row["upper"]), row
        assert row["quantity"] in known, row
        assert row["scenario"] in PROTOCOLS, row
        if row["kind"] == "published":
            assert set(source_keys(row)) <= publications, row


def test_all_models_join_to_one_patient() -> None:
    joined = join([load_part(name) for name in MODELS])
    assert not check_units(joined.equations)


def test_no_two_things_that_are_drawn_share_a_random_stream() -> None:
    joined = join([load_part(name) for name in MODELS])
    names = {row.id for row in joined.parameter_rows} | {state.id for state in joined.equations.states}
    names |= {event.id for event in joined.equations.events}
    names |= {
        row["id"]
        for kind in ("treatments", "populations")
        for path in (catalog_root() / kind).glob("*/*.csv")
        for row in rows(path)
        if "id" in row
    }
    assert len({stream_key(name) for name in names}) == len(names)
