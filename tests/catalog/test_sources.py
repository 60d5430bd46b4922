"""Every number of the catalog says where it comes from, and every publication it names is in the bibliography."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from tests.catalog.sources import bibliography, faults, name_of, rows, tables

from regraft.entries import catalog_root


@pytest.mark.parametrize("table", tables(), ids=name_of)
def test_every_row_has_unit_source_locator_method_and_a_known_publication(table: Path) -> None:
    # a part may be made of formulas only
    assert rows(table) or table.parent.parent.name == "models"
    assert not list(faults(table, bibliography(catalog_root())))


def test_no_publication_is_listed_twice() -> None:
    texts = "\n".join(path.read_text(encoding="utf-8") for path in catalog_root().glob("*.bib"))
    counts = Counter(line.split("{", 1)[1].split(",", 1)[0] for line in texts.splitlines() if line.startswith("@"))
    assert not [key for key, count in counts.items() if count > 1]


def test_every_listed_publication_is_used() -> None:
    files = [path for path in catalog_root().rglob("*") if path.is_file() and path.suffix != ".bib"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    assert not sorted(bibliography(catalog_root()) - set(re.findall(r"\w+", text)))


def test_a_row_without_origin_and_an_unknown_publication_are_found(tmp_path: Path) -> None:
    (tmp_path / "parameters.csv").write_text(
        "id,value,unit,source,locator,method,note\n"
        "good,1,day,smith_2001; assumption,table 1,derived,\n"
        "no_unit,1,,smith_2001,table 1,measured,\n"
        "unknown,1,day,smyth_2001,table 1,measured,\n"
        "borrowed,1,day,smith_2001,table 1,assumed,\n",
        encoding="utf-8",
    )
    (tmp_path / "some.bib").write_text("@article{smith_2001, year={2001}}\n", encoding="utf-8")
    assert list(faults(tmp_path / "parameters.csv", bibliography(tmp_path))) == [
        "parameters.csv, row no_unit: unit is empty",
        "parameters.csv, row unknown: source smyth_2001 is in no bibliography",
        "parameters.csv, row borrowed: assumed although it names smith_2001; a note must say why",
    ]
