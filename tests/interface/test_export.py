"""Tables in other forms hold the same values."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import logrank_test

from regraft.interface.export import FORMATS, TITLES
from regraft.interface.report.adapter import report_data
from regraft.interface.results import write_results
from regraft.trial import TrialResult, load_design
from regraft.trial.stored.run import run_stored

from .conftest import EXAMPLE, SmallRun, assert_one_error, regraft_command

TIMES = {"overall_survival": "OS", "confirmed_worsening": "CDW6", "confirmed_improvement": "CDI6", "neda3": "NEDA3"}
EXACT = 1e-6


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


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrialResult, Path]:
    """Return a trial with enough events for ratios of hazards, and its folder."""
    folder = tmp_path_factory.mktemp("larger")
    design = load_design(EXAMPLE).model_copy(update={"patients_per_arm": 40, "endpoints": tuple(TIMES)})
    result = run_stored(design, folder / "chunks")
    write_results(result, report_data(result, []), folder)
    return result, folder


@pytest.fixture(scope="module", params=FORMATS)
def exported(
    request: pytest.FixtureRequest, larger: tuple[TrialResult, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[TrialResult, pd.DataFrame]:
    """Return a trial, and its ADTTE as a statistician reads it from a file."""
    result, folder = larger
    out = tmp_path_factory.mktemp("exported")
    assert regraft_command("export", folder, "--format", request.param, "--out", out).code == 0
    if request.param == "csv":
        return result, pd.read_csv(out / "adtte.csv", float_precision="round_trip")
    if request.param == "parquet":
        return result, pd.read_parquet(out / "adtte.parquet")
    content = json.loads((out / "adtte.json").read_text(encoding="utf-8"))
    return result, pd.DataFrame(content["rows"], columns=[column["name"] for column in content["columns"]])


def observed(table: pd.DataFrame, code: str, arm: str) -> tuple[pd.Series, pd.Series]:
    """Return the times of one parameter in one arm, and who had the event."""
    rows = table[(table["PARAMCD"] == code) & (table["ARMCD"] == arm) & table["AVAL"].notna()]
    return rows["AVAL"].astype(float), rows["CNSR"].astype(int) == 0


def test_kaplan_meier_from_the_exported_adtte_is_that_of_the_report(exported: tuple[TrialResult, pd.DataFrame]) -> None:
    result, table = exported
    steps = 0
    for name, code in TIMES.items():
        for curve in (one for one in result.endpoint(name).curves if not one.cause):
            other = KaplanMeierFitter().fit(*observed(table, code, curve.arm))
            np.testing.assert_allclose(other.predict(curve.curve.time), curve.curve.value, rtol=EXACT, atol=EXACT)
            steps += len(curve.curve.time) - 1
    assert steps > 50


def test_contrasts_from_the_exported_adtte_are_those_of_the_report(exported: tuple[TrialResult, pd.DataFrame]) -> None:
    result, table = exported
    compared = {"log-rank": 0, "hazard ratio": 0}
    for name, code in TIMES.items():
        for contrast in (one for one in result.endpoint(name).contrasts if one.measure == "hazard ratio"):
            (times, events), (others, other_events) = (
                observed(table, code, arm) for arm in (contrast.arm, contrast.reference)
            )
            if contrast.p_value is not None and not math.isnan(contrast.p_value):
                p_value = logrank_test(times, others, events, other_events).p_value
                assert contrast.p_value == pytest.approx(p_value, rel=EXACT)
                compared["log-rank"] += 1
            if math.isnan(contrast.estimate.value):
                continue
            data = pd.DataFrame({"time": [*times, *others], "event": [*events, *other_events]})
            data["treated"] = np.arange(len(data)) < len(times)
            cox = CoxPHFitter().fit(data.astype(float), "time", "event", fit_options={"precision": 1e-16})
            low, high = np.exp(cox.confidence_intervals_.loc["treated"])
            found = contrast.estimate
            assert (found.value, found.lower, found.upper) == pytest.approx(
                (cox.hazard_ratios_["treated"], low, high), rel=EXACT
            )
            compared["hazard ratio"] += 1
    assert min(compared.values()) >= 4, compared
