from __future__ import annotations

import dataclasses
import math

import pytest

from regraft.errors import UnitMismatch
from regraft.evidence.match import REPORTED_AS, match
from regraft.evidence.targets import Target, load_targets
from regraft.trial.design import ArmDesign
from regraft.trial.endpoints import ENDPOINTS
from regraft.trial.endpoints.base import ArmEstimate, EndpointResult
from regraft.trial.statistics import Estimate

from .test_compare import target as example

ARMS = (
    ArmDesign(id="cy", label="Cyclophosphamide", protocol="a", arm_class="ahsct"),
    ArmDesign(id="beam", label="BEAM", protocol="b", arm_class="ahsct"),
    ArmDesign(id="untreated", label="None", protocol="c"),
)


def target(**changes: object) -> Target:
    return dataclasses.replace(example(), **changes)


def result(endpoint: str, *rows: tuple[str, str, float | None, float], unit: str = "%") -> dict[str, EndpointResult]:
    """Return an endpoint with (arm, statistic, months, value) rows; each interval is the value and one around it."""
    estimates = tuple(
        ArmEstimate(arm, statistic, "", Estimate(value, value - 1, value + 1, 10, unit, "made up"), months)
        for arm, statistic, months, value in rows
    )
    return {endpoint: EndpointResult(endpoint, "", "", estimates)}


NEDA = result(
    "neda3",
    ("cy", "status", 60.0, 1),
    ("cy", "event-free", 24.0, 80),
    ("cy", "event-free", 60.0, 70),
    ("beam", "event-free", 60.0, 75),
    ("untreated", "event-free", 60.0, 5),
)


def test_a_row_is_set_beside_every_arm_of_its_class_at_its_time() -> None:
    pairs, missing = match([target()], NEDA, ARMS)
    found = [(pair.estimate.arm, pair.estimate.value, pair.estimate.time_months) for pair in pairs]
    assert found == [("cy", 70, 60), ("beam", 75, 60)]
    assert (pairs[0].estimate.lower, pairs[0].estimate.upper, pairs[0].estimate.n) == (69, 71, 10)
    assert pairs[0].target == target()
    assert missing == ()


def test_an_arm_without_a_class_is_its_own() -> None:
    ((pair,), _) = match([target(arm_class="untreated")], NEDA, ARMS)
    assert (pair.estimate.arm, pair.estimate.value) == ("untreated", 5)


@pytest.mark.parametrize(("months", "value"), [(60.4, 70), (59.5, 70), (24.5, 80), (59.4, None), (36.0, None)])
def test_a_share_is_read_within_half_a_month(months: float, value: float | None) -> None:
    pairs, missing = match([target(time_months=months)], NEDA, ARMS[:1])
    assert [pair.estimate.value for pair in pairs] == ([] if value is None else [value])
    assert len(missing) == (value is None)


@pytest.mark.parametrize(("months", "value"), [(8.0, 0.5), (19.0, 0.2), (12.0, 0.5), (30.0, 0.2), (31.0, None)])
def test_a_rate_is_read_from_the_nearest_period_within_half_a_year(months: float, value: float | None) -> None:
    rates = result("annualised_relapse_rate", ("cy", "rate", 12.0, 0.5), ("cy", "rate", 24.0, 0.2), unit="1/year")
    row = target(endpoint_id="annualised_relapse_rate", unit="1/year", time_months=months)
    pairs, _ = match([row], rates, ARMS[:1])
    assert [pair.estimate.value for pair in pairs] == ([] if value is None else [value])


def test_an_estimate_without_a_time_answers_a_row_without_one() -> None:
    days = result("neutrophil_engraftment", ("cy", "median day", None, 11), unit="day")
    row = target(endpoint_id="neutrophil_engraftment_day", unit="day", time_months=None)
    ((pair,), _) = match([row], days, ARMS[:1])
    assert pair.estimate.value == 11


def test_a_row_without_a_time_is_not_answered_by_an_estimate_at_some_time() -> None:
    pairs, missing = match([target(time_months=None)], NEDA, ARMS[:1])
    assert pairs == ()
    assert missing == (("row", "the row names no time, and the trial reports this at several times"),)


def test_an_estimate_over_the_whole_follow_up_answers_rows_with_and_without_a_time() -> None:
    slope = result("edss_change", ("cy", "change", 12.0, 1.0), ("cy", "slope", None, -0.1), unit="edss/year")
    for months in (None, 120.0):
        row = target(endpoint_id="edss_slope", unit="edss/year", time_months=months)
        ((pair,), _) = match([row], slope, ARMS[:1])
        assert pair.estimate.value == -0.1


def test_a_rate_within_a_year_is_read_in_that_year_only() -> None:
    rates = result(
        "annualised_relapse_rate", ("cy", "rate", 36.0, 0.5), ("cy", "rate in year", 36.0, 0.2), unit="1/year"
    )
    row = target(endpoint_id="annualised_relapse_rate_in_year", unit="1/year", time_months=36.0)
    ((pair,), _) = match([row], rates, ARMS[:1])
    assert pair.estimate.value == 0.2
    assert match([dataclasses.replace(row, time_months=32.0)], rates, ARMS[:1])[0] == ()


def test_bounds_that_do_not_exist_are_none() -> None:
    rows = result("neda3", ("cy", "event-free", 60.0, 70))
    bare = dataclasses.replace(rows["neda3"].estimates[0].estimate, lower=math.nan, upper=math.nan)
    one = dataclasses.replace(rows["neda3"].estimates[0], estimate=bare)
    ((pair,), _) = match([target()], {"neda3": dataclasses.replace(rows["neda3"], estimates=(one,))}, ARMS[:1])
    assert (pair.estimate.lower, pair.estimate.upper) == (None, None)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (target(endpoint_id="brain_volume"), "no endpoint of a trial answers 'brain_volume'"),
        (target(arm_class="alemtuzumab"), "the trial has no arm of class 'alemtuzumab'"),
        (target(endpoint_id="overall_survival"), "the trial does not report 'overall_survival'"),
        (target(time_months=36.0), "the trial reports nothing at 36 months"),
    ],
)
def test_a_row_without_a_counterpart_has_a_reason(row: Target, reason: str) -> None:
    assert match([row], NEDA, ARMS) == ((), (("row", reason),))


def test_an_estimate_that_does_not_exist_is_no_counterpart() -> None:
    pairs, missing = match([target()], result("neda3", ("cy", "event-free", 60.0, math.nan)), ARMS)
    assert pairs == ()
    assert missing == (("row", "the trial reports nothing at 60 months"),)


def test_a_row_in_another_unit_is_refused_with_both_units() -> None:
    with pytest.raises(UnitMismatch, match="'row' is in 'dimensionless'.*'%'"):
        match([target(unit="dimensionless")], NEDA, ARMS)


def test_pairs_follow_the_order_of_the_rows() -> None:
    rows = [target(id="b", time_months=24.0), target(id="c", endpoint_id="brain_volume"), target(id="a")]
    pairs, missing = match(rows, NEDA, ARMS[:1])
    assert [pair.target.id for pair in pairs] == ["b", "a"]
    assert [name for name, _ in missing] == ["c"]


def test_every_published_name_leads_to_an_endpoint_that_exists() -> None:
    assert {endpoint for endpoint, _ in REPORTED_AS.values()} <= set(ENDPOINTS)


def test_every_row_set_beside_the_trial_names_something_it_reports() -> None:
    assert {row.endpoint_id for row in load_targets("ms_ahsct_calibrate")} <= set(REPORTED_AS)


def test_each_row_of_the_catalog_is_paired_or_has_a_reason() -> None:
    rows = load_targets("ms_ahsct_calibrate")
    pairs, missing = match(rows, NEDA, ARMS)
    assert {pair.target.id for pair in pairs} | {name for name, _ in missing} == {row.id for row in rows}
    assert all(reason for _, reason in missing)
