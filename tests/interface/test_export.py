"""Tables in other forms hold the same values."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from regraft.interface.export import TITLES

from .conftest import SmallRun, assert_one_error, regraft_command


def test_dataset_json_holds_every_value(small_run: SmallRun, tmp_path: Path) -> None:
    outcome = regraft_command("export", small_run.folder, "--out", tmp_path / "out")
    assert outcome.code == 0
    for name, title in TITLES.items():
        assert str(tmp_path / "out" / f"{name}.json") in outcome.out
        content = json.loads((tmp_path / "out" / f"{name}.json").read_text(encoding="utf-8"))
        table = pd.read_parquet(small_run.folder / "tables" / f"{name}.parquet")
        assert (content["datasetJSONVersion"], content["name"], content["label"]) == ("1.1.0", name.upper(), title)
        assert content["records"] == len(content["rows"]) == len(table)
        assert [column["name"] for column in content["columns"]] == list(table.columns)
        for column, described in zip(table, content["columns"], strict=True):
            assert described["itemOID"] == f"IT.{name.upper()}.{column}"
            assert described["label"]
            place = list(table.columns).index(column)
            values = [row[place] for row in content["rows"]]
            wanted = [None if value is pd.NA or value != value else value for value in table[column].tolist()]
            assert values == wanted
            kind = {"string": str, "double": float, "integer": int}[described["dataType"]]
            assert {type(value) for value in values} <= {kind, type(None)}


def test_csv_and_parquet_are_those_of_the_run(small_run: SmallRun, tmp_path: Path) -> None:
    for form in ("csv", "parquet"):
        assert regraft_command("export", small_run.folder, "--format", form, "--out", tmp_path).code == 0
        for name in TITLES:
            file = f"{name}.{form}"
            assert (tmp_path / file).read_bytes() == (small_run.folder / "tables" / file).read_bytes()


def test_another_form_is_refused(small_run: SmallRun, tmp_path: Path) -> None:
    assert_one_error(regraft_command("export", small_run.folder, "--format", "sas"), 2, "'sas'", "dataset-json")
    assert_one_error(regraft_command("export", tmp_path, "--out", tmp_path / "x"), 2, "holds no finished run")
