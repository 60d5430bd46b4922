"""Endpoints of transplants from others on arms made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.trial.hand_made import MONTH, arm, schedule, trial

from regraft.trial.endpoints import ENDPOINTS
from regraft.trial.observation import CHIMERISM
from regraft.trial.weighting import Weights

EVENTS = [
    (0, "acute_gvhd", 20.0),
    (0, "severe_acute_gvhd", 20.0),
    (1, "acute_gvhd", 40.0),
    (1, "chronic_gvhd", 120.0),
    (2, "graft_rejected", 30.0),
    (2, "second_graft", 72.0),
    (3, "acute_gvhd", -5.0),  # before day 0, after randomisation
]
DEATHS = {0: (60.0, "gvhd"), 4: (15.0, "infection")}
GRAFTED = arm("grafted", 6, events=EVENTS, deaths=DEATHS, missing=[5])


def incidence(endpoint: str, months: float = 12.0) -> float:
    found = ENDPOINTS[endpoint].result(trial(GRAFTED)).estimate("grafted", "incidence", months)
    assert found is not None
    assert found.n == 5  # the missing do not count
    return found.value


@pytest.mark.parametrize(
    ("endpoint", "patients"),
    [("acute_gvhd", 3), ("severe_acute_gvhd", 1), ("chronic_gvhd", 1), ("graft_failure", 1)],
)
def test_incidence_counts_first_events_among_all_with_death_competing(endpoint: str, patients: int) -> None:
    assert incidence(endpoint) == pytest.approx(100 * patients / 5)


@pytest.mark.parametrize(("endpoint", "patients"), [("event_free_survival", 2), ("grfs", 1), ("overall_survival", 3)])
def test_survival_is_free_of_what_the_endpoint_names_and_of_death(endpoint: str, patients: int) -> None:
    found = ENDPOINTS[endpoint].result(trial(GRAFTED)).estimate("grafted", "event-free", 12.0)
    assert found is not None
    assert found.value == pytest.approx(100 * patients / 5)


def test_fates_and_those_free_of_all_add_up_to_everybody() -> None:
    result = ENDPOINTS["fates"].result(trial(GRAFTED))
    ends = {curve.cause: curve.curve.value[-1] for curve in result.curves}
    assert ends["graft failure"] == pytest.approx(1 / 5)
    assert [ends["death: GvHD"], ends["death: infection"]] == pytest.approx([1 / 5, 1 / 5])
    free = (result.times[0].cause[np.isfinite(result.times[0].time)] == 0).mean()
    assert sum(ends.values()) + free == pytest.approx(1.0)


def test_weights_reach_every_graft_endpoint() -> None:
    weights = Weights(np.array([1.0, 1.0, 2.0, 1.0, 1.0, 1.0]), smallest=1.0)
    heavy = trial(replace(GRAFTED, weights=weights))
    found = ENDPOINTS["graft_failure"].result(heavy).estimate("grafted", "incidence", 12.0)
    assert found is not None
    assert found.value == pytest.approx(100 * 2 / 6)


PLAN = schedule((1, 2, 3, 6))
VISITS = len(PLAN.visits)


def course(*values: float) -> list[float]:
    assert len(values) == VISITS
    return list(values)


def test_chimerism_is_full_mixed_or_none() -> None:
    shares = [course(0, 0.5, 0.96, 0.97, 1.0), course(0, 0.5, 0.5, 0.2, 0.04), course(0, 0, 0, 0, np.nan)]
    one = arm("grafted", 3, plan=PLAN, readings=dict.fromkeys(CHIMERISM, shares))
    result = ENDPOINTS["chimerism"].result(trial(one))

    def told(kind: str, months: float) -> float:
        found = result.estimate("grafted", kind, months)
        assert found is not None
        return found.value

    assert told("t_chimerism", 6.0) == pytest.approx(0.52)
    assert [told(f"t_chimerism: {kind}", 6.0) for kind in ("full", "mixed", "none")] == [50.0, 0.0, 50.0]
    assert [told(f"b_chimerism: {kind}", 1.0) for kind in ("full", "mixed", "none")] == pytest.approx(
        [0.0, 200 / 3, 100 / 3]
    )


def test_t_cells_are_early_when_two_visits_in_a_row_say_so() -> None:
    cd4 = [course(0, 60, 70, 10, 500), course(0, 60, 10, 60, 500), course(0, 10, 60, 70, 500), course(0, 0, 0, 0, 0)]
    cd3 = [course(0, 100, 1200, 1300, 1500), course(0, 0, 0, 999, 1001), course(0, 0, 0, 0, 0), course(0, 0, 0, 0, 0)]
    readings = {"cd4": cd4, "cd3": cd3, "lymphocytes": [course(0, 200, 300, 400, k) for k in (500, 700, 900, np.nan)]}
    one = arm("grafted", 4, plan=PLAN, readings=readings, deaths={3: (40.0, "infection")})
    result = ENDPOINTS["t_cell_recovery"].result(trial(one))
    early = result.estimate("grafted", "early CD4")
    assert early is not None
    assert early.value == pytest.approx(100 * 2 / 4)
    (times,) = result.times
    start = PLAN.randomisation_day
    assert times.time[:2] == pytest.approx([2 * MONTH - start, 6 * MONTH - start])
    assert times.cause.tolist() == [1, 1, 0, 2]
    by_visit = [result.estimate("grafted", "recovered", month) for month in (2.0, 3.0, 6.0)]
    assert [one.value for one in by_visit if one is not None] == pytest.approx([25.0, 25.0, 50.0])
    counted = result.estimate("grafted", "lymphocytes", 6.0)
    assert counted is not None
    assert counted.value == pytest.approx(700.0)  # of the three who live


def test_independence_needs_enough_own_immunoglobulin() -> None:
    own = [course(0, 1, 2, 3, 5), course(0, 0, 0, 0, 3.9)]
    one = arm("grafted", 2, plan=PLAN, readings={"igg_own": own})
    found = ENDPOINTS["immunoglobulin_independence"].result(trial(one)).estimate("grafted", "independent", 6.0)
    assert found is not None
    assert found.value == pytest.approx(50.0)


def test_incidence_by_day_100_counts_what_came_by_then() -> None:
    assert incidence("chronic_gvhd", 100 / MONTH) == 0.0
    assert incidence("acute_gvhd", 100 / MONTH) == pytest.approx(100 * 3 / 5)


def test_failure_is_rejection_or_no_engraftment_and_second_transplants_are_counted() -> None:
    events = [
        (0, "graft_rejected", 20.0),
        (0, "second_graft", 62.0),
        (1, "no_engraftment", 42.0),
        (1, "second_graft", 84.0),
        (2, "no_engraftment", 42.0),  # dies before the second
        (3, "second_graft", 90.0),  # of whom no failure was noted
    ]
    one = arm("grafted", 6, events=events, deaths={2: (50.0, "infection")})

    def told(endpoint: str, kind: str) -> float:
        found = ENDPOINTS[endpoint].result(trial(one)).estimate("grafted", kind, 12.0)
        assert found is not None
        return found.value

    assert told("graft_failure", "incidence") == pytest.approx(100 * 3 / 6)
    assert told("second_transplant", "incidence") == pytest.approx(100 * 3 / 6)
    assert told("event_free_survival", "event-free") == pytest.approx(100 * 2 / 6)
    assert told("grfs", "event-free") == pytest.approx(100 * 3 / 6)
    (times,) = ENDPOINTS["second_transplant"].result(trial(one)).times
    assert times.cause.tolist() == [1, 1, 2, 1, 0, 0]


def test_t_cells_and_circles_are_told_at_the_named_times_within_the_follow_up() -> None:
    counts = [course(1, 2, 3, 4, 5), course(1, 20, 30, 40, 50), course(1, 200, 300, np.nan, np.nan)]
    names = ("cd3", "cd4", "cd4_naive", "trec")
    one = arm("grafted", 3, plan=PLAN, readings=dict.fromkeys(names, counts), deaths={2: (80.0, "infection")})
    result = ENDPOINTS["thymic_recovery"].result(trial(one))
    told = {(row.statistic, row.label, row.time_months): row.estimate.value for row in result.estimates}
    assert len(told) == 2 * len(names)  # a year lies after the follow-up
    assert told["trec", "Receptor excision circles, 100 days", 3] == pytest.approx(22.0)
    assert told["cd4_naive", "Naive CD4 T cells, 6 months", 6] == pytest.approx(27.5)
