from __future__ import annotations

from pathlib import Path

import pytest

from regraft.entries import (
    catalog_root,
    content_hash,
    entry_folder,
    list_entries,
    read_entry,
    read_number,
    read_table,
    read_text,
    read_yaml,
)
from regraft.errors import InvalidField, InvalidFile, UnknownEntry

ENTRY = 'id = "a"\nname = "A"\nversion = "1"\nstatus = "draft"\nlimits = ["none"]\n'


def write(folder: Path, text: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_every_listed_entry_can_be_found() -> None:
    for kind in ("models", "treatments", "populations", "protocols"):
        ids = list_entries(kind)
        assert ids == sorted(ids)
        assert ids
        assert all(entry_folder(kind, entry_id).exists() for entry_id in ids)


def test_an_unknown_entry_lists_near_matches() -> None:
    with pytest.raises(UnknownEntry, match="Did you mean 'hematopoiesis'"):
        entry_folder("models", "haematopoiesis")


@pytest.mark.parametrize("kind", ["modles", "../catalog", "models/..", ""])
def test_an_unknown_kind_is_refused(kind: str) -> None:
    with pytest.raises(UnknownEntry):
        list_entries(kind)


@pytest.mark.parametrize("entry_id", ["../models/person", "person/..", ""])
def test_an_id_cannot_leave_the_catalog(entry_id: str) -> None:
    with pytest.raises(UnknownEntry):
        entry_folder("models", entry_id)


def test_a_table_is_read_as_stripped_text(tmp_path: Path) -> None:
    path = write(tmp_path, '\ufeffid,note\na, "x, y" \nb,\n')
    with pytest.raises(InvalidFile, match="row 2: expected 2 values"):
        read_table(path)
    assert read_table(write(tmp_path, '\ufeffid,note\r\na,"x, y"\r\nb, \r\n')) == [
        {"id": "a", "note": "x, y"},
        {"id": "b", "note": ""},
    ]


def test_a_quoted_cell_may_hold_a_line_break(tmp_path: Path) -> None:
    assert read_table(write(tmp_path, 'id,note\na,"x\ny"\n')) == [{"id": "a", "note": "x\ny"}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("id,vlaue\na,1\n", "column 'value' is missing.*Did you mean 'vlaue'"),
        ("id,value,value\na,1,2\n", "column 'value' appears twice"),
        ("id,value\na\n", "row 2: expected 2 values"),
        ("id,value\na,1\nb,1,2\n", "row 3: expected 2 values"),
        ('id,value\n"a,1\n', "line 2"),
        (b"id,value\n\xff\xfe,1\n", "cannot be read"),
    ],
)
def test_a_broken_table_names_file_and_place(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(InvalidFile, match=f"table.csv.*{message}"):
        read_table(write(tmp_path, text), columns=("id", "value"))


@pytest.mark.parametrize("cell", ["", "1,5", "nan", "-inf", "1e999", "twelve"])
def test_a_cell_that_is_no_finite_number_names_row_and_column(tmp_path: Path, cell: str) -> None:
    with pytest.raises(InvalidField, match="t.csv, row 'k', column 'value'"):
        read_number(cell, path=tmp_path / "t.csv", row="k", column="value")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="nothing.csv cannot be read"):
        read_text(tmp_path / "nothing.csv")


def test_entry_toml_gives_status_and_limits(tmp_path: Path) -> None:
    write(tmp_path, ENTRY, "entry.toml")
    entry = read_entry(tmp_path)
    assert (entry.title, entry.status, entry.limits) == ("A", "draft", ("none",))


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('version = "1"', "", "field 'version' is missing"),
        ('version = "1"', "version = 1", "field 'version' is missing or empty"),
        ('"draft"', '"perfect"', "'status' is 'perfect'; use one of draft, reviewed"),
        ('["none"]', '"none"', "write a list of sentences"),
        ('id = "a"', "id = ", "is not valid TOML"),
    ],
)
def test_a_broken_entry_names_its_field(tmp_path: Path, before: str, after: str, message: str) -> None:
    write(tmp_path, ENTRY.replace(before, after), "entry.toml")
    with pytest.raises(InvalidFile, match=message):
        read_entry(tmp_path)


def test_the_hash_of_an_entry_changes_with_bytes_and_names(tmp_path: Path) -> None:
    path = write(tmp_path, "id\na\n")
    first = content_hash(tmp_path)
    assert first == content_hash(tmp_path)
    assert len(first) == 16
    path.rename(tmp_path / "other.csv")
    second = content_hash(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "other.csv").rename(tmp_path / "sub" / "other.csv")
    third = content_hash(tmp_path)
    write(tmp_path / "sub", "id\nb\n", "other.csv")
    assert len({first, second, third, content_hash(tmp_path)}) == 4


def test_every_catalog_entry_has_a_readable_entry_file() -> None:
    for path in sorted(catalog_root().rglob("entry.toml")):
        place = path.parent if path.parent.name != "draws" else path.parent.parent  # draws have the id of their fit
        assert read_entry(path.parent).id == place.name


def test_yaml_is_read_as_plain_data(tmp_path: Path) -> None:
    path = write(tmp_path, "id: a\nbase: &b {x: 1}\nother:\n  <<: *b\n  x: 2\n  y: [1, two]\n", "a.yaml")
    assert read_yaml(path, "start")["other"] == {"x": 2, "y": [1, "two"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: {c: 1, d: 2, c: 3}\n", "a.yaml, line 2 is not valid YAML: key 'c' appears twice"),
        ("a: [1\nb: 2\n", "a.yaml, line 2 is not valid YAML"),
        ("a: !!python/name:os.getpid\n", "a.yaml, line 1 is not valid YAML: could not determine"),
        ("just text", "a.yaml holds no 'key: value' lines; it starts with 'id:'"),
        ("{" * 3000, "a.yaml nests values too deeply"),
    ],
)
def test_yaml_that_is_not_plain_keys_and_values_names_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidFile, match=message):
        read_yaml(write(tmp_path, text, "a.yaml"), "it starts with 'id:'")


def test_files_may_be_left_out_of_the_hash(tmp_path: Path) -> None:
    write(tmp_path, "id\na\n")
    first = content_hash(tmp_path, without=("README.md",))
    write(tmp_path, "words", "README.md")
    assert content_hash(tmp_path, without=("README.md",)) == first
    assert content_hash(tmp_path) != first
