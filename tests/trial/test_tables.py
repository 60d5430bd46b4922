from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import logrank_test

from regraft.errors import OutputFolderError
from regraft.trial import TrialDesign, TrialResult, table_files
from regraft.trial.endpoints import ENDPOINTS
from regraft.trial.table_files import write_tables
from regraft.trial.tables import Tables, make_tables, study_day

from .hand_made import MONTH, arm, schedule, trial

NAN = math.nan
SURVIVAL = {"OS": "overall_survival", "CDW6": "confirmed_worsening", "NEDA3": "neda3"}
BDS_KEY = ["USUBJID", "ARMCD", "PARAMCD", "AVISITN"]


def known_times(result: TrialResult, code: str, *arms: str) -> pd.DataFrame:
    """Return the rows of one parameter in some arms."""
    table = result.tables.adtte
    return table[(table["PARAMCD"] == code) & table["ARMCD"].isin(arms) & table["AVAL"].notna()]


@pytest.fixture(scope="module")
def made() -> Tables:
    """Return tables of two arms with a death, a relapse and a missing patient, randomised ten days before day 0."""
    plan = schedule((6, 12), daily=5)
    treated = arm(
        "treated",
        3,
        plan=plan,
        edss=[[3, 3.5, 4], [2, 2, NAN], [3, 3, 3]],
        deaths={1: (200.0, "infection")},
        events=[(0, "relapse", 30.0)],
        missing=[2],
        seen=np.zeros((3, 2)),
    )
    control = arm("control", 3, plan=plan, seen=np.zeros((3, 2)))
    observed = trial(treated, control)
    results = {name: ENDPOINTS[name].result(observed) for name in ("overall_survival", "neda3")}
    baseline = {"age": np.array([30.0, 40.0, 50.0])}
    return make_tables(observed, results, trial="small", patient_ids=np.array([4, 7, 9]), baseline=baseline)


@pytest.mark.parametrize(
    ("day", "start", "expected"),
    [(-42, -42, 1), (-41, -42, 2), (-42.5, -42, -1), (-43, -42, -1), (-44, -42, -2), (0, -42, 43), (NAN, 0, NAN)],
)
def test_study_days_count_from_randomisation_without_a_day_0(day: float, start: float, expected: float) -> None:
    np.testing.assert_array_equal(study_day(np.array([float(day)]), start), [expected])


def test_adsl_says_what_became_of_each_patient(made: Tables) -> None:
    treated = made.adsl[made.adsl["ARMCD"] == "treated"].set_index("USUBJID")
    assert list(treated.index) == ["small-000004", "small-000007", "small-000009"]
    assert treated["EOSSTT"].tolist() == ["COMPLETED", "DIED", "FAILED"]
    assert treated["DTHFL"].tolist() == ["N", "Y", "N"]
    assert treated["DTHCAUS"].tolist() == ["", "infection", ""]
    assert treated["DCSREAS"].tolist() == ["", "", "step limit"]
    np.testing.assert_array_equal(treated["DTHDY"], [NAN, 211, NAN])
    np.testing.assert_array_equal(treated["EOSDY"], [math.floor(12 * MONTH) + 11, 211, NAN])
    assert treated["AGE"].tolist() == [30, 40, 50]
    assert set(treated["TRTSDY"]) == {11}


def test_adtte_codes_events_as_not_censored(made: Tables) -> None:
    rows = made.adtte[(made.adtte["ARMCD"] == "treated") & (made.adtte["PARAMCD"] == "OS")]
    assert rows["CNSR"].tolist()[:2] == [1, 0]
    assert rows["CNSR"].isna().tolist() == [False, False, True]
    assert rows["EVNTDESC"].tolist() == ["censored", "death", "step limit"]
    np.testing.assert_allclose(rows["AVAL"], [12 * MONTH + 10, 210, NAN])
    np.testing.assert_array_equal(rows["ADY"], [math.floor(12 * MONTH) + 11, 211, NAN])
    lost = made.adtte[(made.adtte["ARMCD"] == "treated") & (made.adtte["PARAMCD"] == "NEDA3")]
    assert lost["EVNTDESC"].tolist() == ["relapse", "death", "step limit"]
    assert set(made.adtte["STARTDY"]) == {1}


def test_bds_has_a_row_for_each_reading_with_its_change(made: Tables) -> None:
    rows = made.bds[(made.bds["ARMCD"] == "treated") & (made.bds["PARAMCD"] == "EDSS")]
    assert rows["USUBJID"].value_counts().to_dict() == {"small-000004": 3, "small-000007": 2}
    first = rows[rows["USUBJID"] == "small-000004"]
    assert first["AVISIT"].tolist() == ["Baseline", "Month 6", "Month 12"]
    assert first["ABLFL"].tolist() == ["Y", "", ""]
    np.testing.assert_array_equal(first["CHG"], [NAN, 0.5, 1])
    assert first["BASE"].tolist() == [3, 3, 3]
    assert first["ADY"].tolist() == [1, math.floor(6 * MONTH) + 11, math.floor(12 * MONTH) + 11]


def test_each_patient_has_one_row_per_arm_and_parameter(result: TrialResult) -> None:
    adsl, adtte, bds = result.tables.adsl, result.tables.adtte, result.tables.bds
    assert len(adsl) == 3 * 12
    assert not adsl.duplicated(["USUBJID", "ARMCD"]).any()
    assert adsl["USUBJID"].nunique() == 12
    assert not adtte.duplicated(["USUBJID", "ARMCD", "PARAMCD"]).any()
    assert set(adtte["PARAMCD"]) >= {*SURVIVAL, "TRM", "NEUTENG", "PLATENG"}
    assert set(adtte.groupby(["ARMCD", "PARAMCD"]).size()) == {12}
    assert not bds.duplicated(BDS_KEY).any()
    assert bds["AVAL"].notna().all()
    for table in (adtte, bds):
        assert set(table["USUBJID"]) <= set(adsl["USUBJID"])
        assert set(table["STUDYID"]) == {"ms_ahsct"}


def test_visits_lie_within_their_windows(result: TrialResult) -> None:
    bds = result.tables.bds
    assert (bds["AWLO"] <= bds["ADY"]).all()
    assert (bds["ADY"] <= bds["AWHI"]).all()


def test_change_is_the_value_minus_the_baseline_of_the_same_patient(result: TrialResult) -> None:
    bds = result.tables.bds
    baseline = bds[bds["AVISITN"] == 0].set_index(BDS_KEY[:3])["AVAL"]
    later = bds[bds["AVISITN"] > 0]
    expected = baseline.loc[pd.MultiIndex.from_frame(later[BDS_KEY[:3]])].to_numpy()
    np.testing.assert_array_equal(later["BASE"], expected)
    np.testing.assert_array_equal(later["CHG"], later["AVAL"] - expected)


def test_survival_from_the_table_is_that_of_the_result(result: TrialResult, design: TrialDesign) -> None:
    events = 0
    for code, name in SURVIVAL.items():
        for one in design.arms:
            rows = known_times(result, code, one.id)
            other = KaplanMeierFitter().fit(rows["AVAL"], rows["CNSR"] == 0)
            events += int((rows["CNSR"] == 0).sum())
            for year in range(1, 6):
                found = result.endpoint(name).estimate(one.id, "event-free", 12.0 * year)
                assert found is not None
                share = 100 * float(other.predict(365.25 * year - design.randomisation_day))
                assert found.value == pytest.approx(share, rel=1e-6, abs=1e-9)
    assert events > 12


def test_hazard_ratios_from_the_table_are_those_of_the_result(result: TrialResult, design: TrialDesign) -> None:
    compared = 0
    for code, name in SURVIVAL.items():
        for contrast in result.endpoint(name).contrasts:
            if contrast.measure != "hazard ratio" or math.isnan(contrast.estimate.value):
                continue
            rows = known_times(result, code, contrast.arm, contrast.reference)
            data = pd.DataFrame(
                {
                    "time": rows["AVAL"],
                    "event": (rows["CNSR"] == 0).astype(int),
                    "treated": (rows["ARMCD"] == contrast.arm).astype(float),
                }
            )
            cox = CoxPHFitter().fit(data, "time", "event", fit_options={"precision": 1e-16})
            assert contrast.estimate.value == pytest.approx(cox.hazard_ratios_["treated"], rel=1e-6)
            bounds = np.exp(cox.confidence_intervals_.loc["treated"].to_numpy())
            assert (contrast.estimate.lower, contrast.estimate.upper) == pytest.approx(tuple(bounds), rel=1e-6)
            compared += 1
    assert compared


def test_log_rank_from_the_table_is_that_of_the_result(result: TrialResult) -> None:
    compared = 0
    for code, name in SURVIVAL.items():
        for contrast in result.endpoint(name).contrasts:
            if contrast.p_value is None or math.isnan(contrast.p_value):
                continue
            groups = [known_times(result, code, arm) for arm in (contrast.arm, contrast.reference)]
            times, events = zip(*((rows["AVAL"], rows["CNSR"] == 0) for rows in groups), strict=True)
            assert contrast.p_value == pytest.approx(logrank_test(*times, *events).p_value, rel=1e-6)
            compared += 1
    assert compared > 2


def test_parquet_and_csv_hold_the_same_table(result: TrialResult, made: Tables, tmp_path: Path) -> None:
    for number, tables in enumerate((result.tables, made)):
        folder = tmp_path / f"tables_{number}"
        write_tables(tables, folder)
        assert {path.name for path in folder.iterdir()} == {
            f"{name}.{kind}" for name in tables.named() for kind in ("csv", "parquet")
        }
        for name, table in tables.named().items():
            parquet = pd.read_parquet(folder / f"{name}.parquet")
            pd.testing.assert_frame_equal(parquet, table, check_exact=True)
            texts = [column for column in table if parquet[column].dtype == object]
            csv = pd.read_csv(
                folder / f"{name}.csv",
                dtype=dict.fromkeys(texts, str),
                keep_default_na=False,
                na_values={column: [""] for column in table if column not in texts},
                float_precision="round_trip",
            )
            pd.testing.assert_frame_equal(csv, parquet, check_exact=True, check_dtype=False)


def test_bytes_of_a_table_do_not_depend_on_the_pieces_of_its_rows(
    result: TrialResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_files, "ROWS", 100)
    whole = result.tables.bds
    for size in (7, 100, 333, len(whole)):
        frames = (whole[first : first + size] for first in range(0, len(whole), size))
        table_files.write_frames(frames, tmp_path / str(size))
    for kind in ("csv", "parquet"):
        assert len({path.read_bytes() for path in tmp_path.glob(f"*.{kind}")}) == 1
    assert pq.read_metadata(tmp_path / "7.parquet").num_row_groups == math.ceil(len(whole) / 100)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "7.parquet"), whole, check_exact=True)


def test_tables_replace_older_ones_whole(made: Tables, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "tables"
    write_tables(made, folder)
    (folder / "stray.txt").write_text("old")
    write_tables(made, folder)
    assert not (folder / "stray.txt").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["tables"]


def test_tables_that_cannot_be_written_leave_nothing_behind(
    made: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tables(made, tmp_path / "tables")
    before = (tmp_path / "tables" / "adsl.csv").read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(OutputFolderError, match="No space left"):
        write_tables(made, tmp_path / "tables")
    assert [path.name for path in tmp_path.iterdir()] == ["tables"]
    assert (tmp_path / "tables" / "adsl.csv").read_bytes() == before


def test_older_tables_come_back_when_new_ones_cannot_take_their_place(
    made: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tables(made, tmp_path / "tables")
    (tmp_path / "tables" / "older.txt").write_text("older")
    rename = Path.rename

    def refuse_new(path: Path, target: Path) -> Path:
        if path.parent == tmp_path and path.name.startswith(".tables-"):
            raise OSError(13, "Permission denied")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse_new)
    with pytest.raises(OutputFolderError, match="Permission denied"):
        write_tables(made, tmp_path / "tables")
    assert [path.name for path in tmp_path.iterdir()] == ["tables"]
    assert (tmp_path / "tables" / "older.txt").read_text() == "older"


def test_a_file_in_the_place_of_a_folder_is_named(made: Tables, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputFolderError, match="taken"):
        write_tables(made, tmp_path / "taken" / "tables")


def test_without_times_to_events_the_table_is_empty_but_has_its_columns() -> None:
    observed = trial(arm("treated"))
    tables = make_tables(observed, {}, trial="small", patient_ids=np.array([1]), baseline={})
    assert tables.adtte.empty
    assert "PARAMCD" in tables.adtte
