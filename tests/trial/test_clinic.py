from __future__ import annotations

from pathlib import Path

import pytest

from regraft import entries
from regraft.errors import InvalidField, InvalidFile, UnknownEntry
from regraft.trial.clinic import COLUMNS, clinic_entries, load_clinic

from .hand_made import NUMBERS, clinic


def test_the_catalog_has_every_number_that_endpoints_and_readings_ask_for() -> None:
    loaded = load_clinic("ms_clinic")
    for name, (_, unit) in NUMBERS.items():
        assert loaded.units[name] == unit
        loaded.value(name)
    assert loaded.days("confirmation_period") == pytest.approx(6 * 365.25 / 12)


def test_lengths_of_time_are_converted() -> None:
    assert clinic().days("mri_interval") == pytest.approx(365.25)
    assert clinic().months("mri_interval") == pytest.approx(12)
    assert clinic().months("early_death_period") == pytest.approx(100 * 12 / 365.25)


def test_an_unknown_number_lists_near_matches() -> None:
    with pytest.raises(InvalidField, match="'made_up'.*'edss_stop'.*'edss_step'"):
        clinic().value("edss_stop")


def test_a_number_that_is_no_time_has_no_days() -> None:
    with pytest.raises(InvalidField, match="'edss_step'.*'edss' is no unit of time"):
        clinic().days("edss_step")


def test_an_unknown_entry_lists_near_matches() -> None:
    with pytest.raises(UnknownEntry, match="'ms_clinic'"):
        load_clinic("ms_clinc")


def test_an_entry_that_builds_on_another_has_its_rows_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, rows in {"base": ("one,1,day", "two,2,day"), "own": ("two,22,month", "three,3,day")}.items():
        folder = tmp_path / "measurements" / name
        folder.mkdir(parents=True)
        lines = [",".join(COLUMNS), *(row + "," * (len(COLUMNS) - 3) for row in rows)]
        (folder / "parameters.csv").write_text("\n".join([*lines, ""]))
        (folder / "entry.toml").write_text('builds_on = "base"\n' if name == "own" else "")
    monkeypatch.setattr(entries, "catalog_root", lambda: tmp_path)
    found = load_clinic("own")
    assert found.values == {"one": 1.0, "two": 22.0, "three": 3.0}
    assert found.units["two"] == "month"
    assert clinic_entries("own") == ("own", "base")
    assert clinic_entries("base") == ("base",)


@pytest.mark.parametrize(
    ("row", "kind", "words"),
    [
        ("edss_step,half,edss", InvalidField, "line 2.*'half'"),
        ("edss_step,0.5", InvalidFile, "row 2"),
    ],
)
def test_a_table_that_cannot_be_read_names_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: str, kind: type[Exception], words: str
) -> None:
    folder = tmp_path / "measurements" / "other"
    folder.mkdir(parents=True)
    rest = "," * (len(COLUMNS) - 3) if row.count(",") == 2 else ""
    (folder / "parameters.csv").write_text(f"{','.join(COLUMNS)}\n{row}{rest}\n")
    monkeypatch.setattr(entries, "catalog_root", lambda: tmp_path)
    with pytest.raises(kind, match=words):
        load_clinic("other")
