"""What draws say of an estimate, against numbers worked out by hand."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from regraft.trial.endpoints.base import ArmEstimate, Contrast, EndpointResult
from regraft.trial.estimates import Estimate
from regraft.trial.knowledge import knowledge, knowledge_table

ABOUT = {"endpoint": "edss_change", "arm": "ahsct", "statistic": "slope", "label": "Slope", "months": math.nan}
LATER = {"endpoint": "neda3", "arm": "ahsct", "statistic": "event-free", "label": "NEDA-3", "months": 24.0}
RATIO = {"endpoint": "neda3", "arm": "ahsct", "statistic": "hazard ratio", "label": "NEDA-3", "months": math.nan}


def slope(**changes: object) -> Estimate:
    """Return a mean of 16 patients with a standard error of 0.5."""
    fields = {"method": "mean, t interval", "standard_error": 0.5} | changes
    return Estimate(2.0, 1.0, 3.0, 16, "edss/year", **fields)  # type: ignore[arg-type]


def endpoints(first: Estimate | None = None) -> dict[str, EndpointResult]:
    """Return two endpoints: one without a time, one with a time and a contrast."""
    share = Estimate(70.0, 60.0, 80.0, 16, "%", "Wilson", 5.0)
    ratio = Estimate(0.5, 0.2, 0.9, 32, "ratio", "Cox", 0.1)
    return {
        "edss_change": EndpointResult(
            "edss_change", "", "", (ArmEstimate("ahsct", "slope", "Slope", first or slope()),)
        ),
        "neda3": EndpointResult(
            "neda3",
            "",
            "",
            (ArmEstimate("ahsct", "event-free", "NEDA-3", share, 24.0),),
            (Contrast("ahsct", "untreated", "NEDA-3", "hazard ratio", ratio),),
        ),
    }


def repeats(about: dict, draws: list[float], replicates: list[float] = ()) -> list[dict]:
    """Return rows of the table of repetitions: the trial itself, further replicates, draws."""
    rows = [about | {"replicate": k, "draw": None, "value": value} for k, value in enumerate([2.0, *replicates])]
    return rows + [about | {"replicate": 0, "draw": 10 + k, "value": value} for k, value in enumerate(draws)]


def table(rows: list[dict]) -> pd.DataFrame:
    """Return the table as a run makes it."""
    return pd.DataFrame(rows).astype({"draw": "Int64"})


TWENTY_ONE = [float(k) for k in range(21)]  # its tenth is at 2, its 2.5th hundredth at 0.5


def test_intervals_and_spreads_are_those_worked_out_by_hand() -> None:
    rows = repeats(ABOUT, TWENTY_ONE, [4.0, 6.0, 8.0, 10.0]) + repeats(LATER, [50.0, 70.0] + [60.0] * 19)
    one, share, ratio = knowledge(endpoints(), table(rows + repeats(RATIO, [0.1, 0.3])))
    assert (one.lower80, one.upper80, one.lower95, one.upper95) == (2.0, 18.0, 0.5, 19.5)
    assert one.knowledge_sd == pytest.approx(math.sqrt(770 / 20))  # sum of squares of -10 to 10
    assert one.replicates_sd == pytest.approx(math.sqrt(40 / 4))  # of 2, 4, 6, 8, 10
    assert (one.luck_sd, one.patients_sd) == (0.5, 2.0)  # 0.5 times the root of 16
    assert (one.draws, one.without, one.note, one.time_months) == (21, 0, "", None)
    assert (share.time_months, share.lower80, share.upper95) == (24.0, 60.0, pytest.approx(65.0))
    assert math.isnan(share.patients_sd)
    assert (ratio.statistic, ratio.draws, ratio.without, ratio.luck_sd) == ("hazard ratio", 2, 19, 0.1)
    assert ratio.lower80 == pytest.approx(0.12)


def test_patients_who_are_weighted_differ_by_what_they_are_worth() -> None:
    weighted = slope(method="mean, t interval, weighted", effective_size=4.0)
    assert knowledge(endpoints(weighted), table(repeats(ABOUT, TWENTY_ONE)))[0].patients_sd == 1.0


def test_few_replicates_tell_no_spread() -> None:
    rows = repeats(ABOUT, TWENTY_ONE, [4.0, 6.0, 8.0])
    assert math.isnan(knowledge(endpoints(), table(rows))[0].replicates_sd)


def test_few_draws_and_draws_without_a_number_are_told() -> None:
    one, share, _ = knowledge(endpoints(), table(repeats(ABOUT, [1.0, math.nan, 3.0]) + repeats(LATER, [math.nan] * 3)))
    assert one.note == "only 2 draws: the ends of the intervals are rough; 1 of 3 draws gave no number"
    assert (one.draws, one.without, one.lower80) == (2, 1, pytest.approx(1.2))
    assert (share.draws, share.without) == (0, 3)
    assert math.isnan(share.lower80)
    assert math.isnan(share.knowledge_sd)


def test_without_draws_nothing_is_told() -> None:
    assert knowledge(endpoints(), table(repeats(ABOUT, [], [4.0] * 5))) == ()


def test_the_table_has_a_row_for_each_with_luck_beside_knowledge() -> None:
    found = knowledge_table(knowledge(endpoints(), table(repeats(ABOUT, TWENTY_ONE))))
    assert len(found) == 3
    first = found.iloc[0]
    assert (first["luck_lower95"], first["luck_upper95"], first["knowledge_upper80"]) == (1.0, 3.0, 18.0)
    assert found["months"].tolist()[1] == 24.0
    assert found.dtypes[["draws", "draws_without"]].astype(str).tolist() == ["int64", "int64"]
