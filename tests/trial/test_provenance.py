from __future__ import annotations

from pathlib import Path

import pytest

from regraft import entries
from regraft.errors import InvalidFile
from regraft.trial.provenance import citations, trace

TABLE = "id,value,source,method\na,1,smith_2001;jones_2002,measured\nb,2,assumption,assumed\nc,3,smith_2001,measured\n"
BOOKS = """@article{smith_2001,
  author = {Smith, {\\"O}.},
  title = {On {CD34} cells},
  journal = {Blood},
  year = {2001},
  doi = {10.1/x}
}
@book{unused_2000, title = {Unused}}
"""


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a catalog of one model with three numbers."""
    folder = tmp_path / "models" / "cells"
    folder.mkdir(parents=True)
    (folder / "entry.toml").write_text(
        'id = "cells"\nname = "Cells"\nversion = "2"\nstatus = "reviewed"\nlimits = ["a"]\n'
    )
    (folder / "parameters.csv").write_text(TABLE)
    (tmp_path / "references.bib").write_text(BOOKS)
    for module in (entries, __import__("regraft.trial.provenance", fromlist=["catalog_root"])):
        monkeypatch.setattr(module, "catalog_root", lambda: tmp_path)
    return tmp_path


def test_an_entry_tells_title_version_status_and_where_its_numbers_come_from(catalog: Path) -> None:
    found = trace([("models", "cells"), ("models", "cells")], seed=7)
    (entry,) = found.entries
    assert (entry.kind, entry.id, entry.title, entry.version, entry.status) == (
        "models",
        "cells",
        "Cells",
        "2",
        "reviewed",
    )
    assert entry.methods == (("measured", 2), ("assumed", 1))
    assert (entry.assumed, found.assumed, entry.limits, found.seed) == (1, 1, ("a",), 7)
    assert found.unreviewed == ()
    assert found.citations == ("jones_2002", "Smith, O. On CD34 cells. Blood (2001). doi:10.1/x")


def test_any_change_of_an_entry_changes_its_hash(catalog: Path) -> None:
    before = trace([("models", "cells")], seed=7).entries[0].content_hash
    path = catalog / "models" / "cells" / "parameters.csv"
    path.write_text(path.read_text().replace("a,1,", "a,1.0,"))
    assert trace([("models", "cells")], seed=7).entries[0].content_hash != before


def test_a_protocol_of_ones_own_is_traced_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("id: own\ntitle: My protocol\nlimits: [none]\nsteps: []\n")
    (entry,) = trace([("protocols", str(path))], seed=1).entries
    assert (entry.id, entry.title, entry.status, entry.limits) == ("own", "My protocol", "draft", ("none",))
    assert entry.content_hash


def test_an_entry_that_does_not_describe_itself_is_refused_by_file(catalog: Path) -> None:
    (catalog / "models" / "cells" / "entry.toml").write_text("id = ")
    with pytest.raises(InvalidFile, match="entry.toml cannot be read"):
        trace([("models", "cells")], seed=1)


def test_a_key_without_a_book_stands_for_itself_and_assumptions_are_no_source(catalog: Path) -> None:
    assert citations(["unknown_1999", "assumption", "definition"]) == ("unknown_1999",)
