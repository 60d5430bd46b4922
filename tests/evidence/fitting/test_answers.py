"""What a trial says about a published row."""

from __future__ import annotations

import math

import pytest
from tests.evidence.fitting.rows import published

from regraft.errors import InvalidField
from regraft.evidence.fitting.answers import answer
from regraft.evidence.published_types import Kind
from regraft.trial.endpoints.base import ArmEstimate, EndpointResult
from regraft.trial.statistics import Estimate


def estimate(arm, value, *, statistic="event-free", months=24.0, unit="%", error=2.0, n=200):
    return ArmEstimate(arm, statistic, "label", Estimate(value, math.nan, math.nan, n, unit, "made up", error), months)


def endpoints(*rows, name="confirmed_worsening"):
    return {name: EndpointResult(name, "title", "definition", tuple(rows))}


RATIO = published(
    endpoint_id="free_of_worsening",
    kind=Kind.HAZARD_RATIO,
    unit="dimensionless",
    time_months=24.0,
    value=0.5,
    reference_class="untreated",
)
A = (("a", 1.0),)
ROW = published(endpoint_id="free_of_worsening", kind=Kind.SURVIVAL, unit="%", time_months=24.0, value=80.0)


def test_the_nearest_visit_of_the_arm_answers():
    found = answer(ROW, endpoints(estimate("a", 70.0, months=12.0), estimate("a", 81.0), estimate("b", 50.0)), A)
    assert found is not None
    assert (found.value, found.variance, found.patients) == (81.0, 4.0, 200)


def test_no_visit_near_is_refused_with_the_visits_there_are():
    with pytest.raises(InvalidField, match="month 24.*months 12, 36"):
        answer(ROW, endpoints(estimate("a", 70.0, months=12.0), estimate("a", 60.0, months=36.0)), A)


def test_an_endpoint_that_the_trial_lacks_is_named():
    with pytest.raises(InvalidField, match="'confirmed_worsening'"):
        answer(ROW, {}, A)


def test_another_unit_is_refused():
    with pytest.raises(InvalidField, match="'1/year'"):
        answer(ROW, endpoints(estimate("a", 0.3, unit="1/year")), A)


def test_an_estimate_that_does_not_exist_gives_none():
    assert answer(ROW, endpoints(estimate("a", math.nan)), A) is None


def test_a_hazard_ratio_is_that_of_cumulative_hazards():
    both = endpoints(estimate("a", 90.0), estimate("b", 80.0))
    found = answer(RATIO, both, A, "b")
    assert found is not None
    assert found.value == pytest.approx(math.log(0.9) / math.log(0.8))
    # delta method: sd of log hazard = sd(S) / (S |log S|)
    parts = [(0.02 / (s * math.log(s))) ** 2 for s in (0.9, 0.8)]
    assert found.variance == pytest.approx(found.value**2 * sum(parts))
    with pytest.raises(InvalidField, match="'reference'"):
        answer(RATIO, both, A)


def test_a_rate_ratio_and_a_rate_of_zero():
    row = published(endpoint_id="annualised_relapse_rate", kind=Kind.RATE, unit="1/year", time_months=24.0, value=0.2)
    rates = endpoints(
        estimate("a", 0.0, statistic="rate", unit="1/year", error=0.0),
        estimate("b", 0.4, statistic="rate", unit="1/year", error=0.04),
        name="annualised_relapse_rate",
    )
    none = answer(row, rates, A)
    assert none is not None
    assert none.value == pytest.approx(0.5 / 400)  # half an event in 200 patients times two years
    ratio = published(
        endpoint_id="annualised_relapse_rate",
        kind=Kind.RATIO,
        unit="dimensionless",
        time_months=24.0,
        value=0.3,
        reference_class="untreated",
    )
    assert answer(ratio, rates, A, "b") is None
    same = answer(ratio, rates, (("b", 1.0),), "b")
    assert same is not None
    assert (same.value, same.variance) == (1.0, pytest.approx(2 * 0.1**2))


def test_a_mixture_of_arms_is_their_average_by_shares():
    rows = endpoints(estimate("a", 90.0), estimate("b", 60.0, error=4.0, n=100), estimate("c", math.nan))
    found = answer(ROW, rows, (("a", 0.25), ("b", 0.75)))
    assert found is not None
    assert found.value == pytest.approx(0.25 * 90 + 0.75 * 60)
    assert found.variance == pytest.approx(0.25**2 * 4 + 0.75**2 * 16)
    assert found.patients == 300
    assert answer(ROW, rows, (("a", 0.5), ("c", 0.5))) is None


def test_a_ratio_of_a_mixture_is_refused():
    both = endpoints(estimate("a", 90.0), estimate("b", 80.0))
    with pytest.raises(InvalidField, match="name one arm"):
        answer(RATIO, both, (("a", 0.5), ("b", 0.5)), "b")
