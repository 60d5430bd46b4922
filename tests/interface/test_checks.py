"""Checks of what belongs to no single entry: published results and fits."""

from __future__ import annotations

import shutil

import regraft.entries
from regraft.interface.checks import check_evidence


def test_the_published_table_and_all_fits_of_the_catalog_are_sound() -> None:
    assert check_evidence() == []


def test_a_fit_that_cannot_be_read_is_found(tmp_path, monkeypatch) -> None:
    catalog = tmp_path / "catalog"
    shutil.copytree(regraft.entries.catalog_root(), catalog)
    fitted = catalog / "calibrations" / "ms" / "fitted.csv"
    fitted.write_text(fitted.read_text().replace(",natalizumab,", ",natalizumaab,"))
    monkeypatch.setattr(regraft.entries, "catalog_root", lambda: catalog)
    (finding,) = check_evidence()
    assert finding.entry == "calibrations/ms"
    assert "natalizumaab" in finding.message
