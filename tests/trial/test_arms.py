"""A patient who cannot be solved in one arm is reported, missing there, and changes nobody else's numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from regraft.trial import TrialResult
from regraft.trial.arms import SimulatedArm, flow_of, simulate_arm
from regraft.trial.plan import Plan
from regraft.trial.result import Screening
from regraft.trial.run import summarise
from regraft.trial.screening import Enrolled

from .digest import digest

BROKEN = 4  # row of the patient whose parameters cannot be solved


def with_step_limit(plan: Plan, people: Enrolled) -> SimulatedArm:
    """Return the first arm under the lowest limit of steps that leaves some patients unsolved, found by halving."""
    few, many = 1, 100_000
    arm = None
    while many - few > 1 and (arm is None or not 0 < len(arm.failures) < 6):
        limit = (few + many) // 2
        arm = simulate_arm(replace(plan, settings=replace(plan.settings, max_steps=limit)), people, 0)
        few, many = (limit, many) if arm.failures else (few, limit)
    assert arm is not None
    return arm


def with_broken_parameters(plan: Plan, people: Enrolled) -> SimulatedArm:
    """Return the first arm with one patient whose rates overflow."""
    parameters = people.parameters.copy()
    parameters[BROKEN, plan.equations.parameter_index["k_community"]] = 1e308
    parameters[BROKEN, plan.equations.parameter_index["exposure"]] = 1e308
    return simulate_arm(plan, replace(people, parameters=parameters), 0)


FAILING = {"step limit": with_step_limit, "non finite": with_broken_parameters}


@pytest.fixture(scope="module", params=list(FAILING))
def failed(request: pytest.FixtureRequest, plan: Plan, screened: tuple[Enrolled, Screening]) -> TrialResult:
    """Return the small trial in which some patients fail in the first arm only."""
    people, screening = screened
    broken = FAILING[request.param](plan, people)
    arms = [broken, *(simulate_arm(plan, people, position) for position in (1, 2))]
    result = summarise(plan, people, screening, arms)
    assert {failure.status for failure in result.failures} == {request.param}
    return result


def rows_of_failed(result: TrialResult) -> np.ndarray:
    return np.isin(result.population.patient_ids, [failure.patient_id for failure in result.failures])


def test_a_failure_names_patient_arm_day_and_reason(failed: TrialResult) -> None:
    assert 0 < len(failed.failures) < 12
    for failure in failed.failures:
        assert failure.arm == "ahsct"
        assert failure.patient_id in failed.population.patient_ids
        assert failure.reason
        assert failed.observed.schedule.randomisation_day <= failure.day <= failed.observed.schedule.end_day


def test_the_flow_counts_failures_by_reason(failed: TrialResult) -> None:
    first, *rest = failed.consort.arms
    assert first.failed == len(failed.failures)
    assert first.failures == ((failed.failures[0].status, len(failed.failures)),)
    assert first.completed + first.died + first.failed == 12
    assert [flow.failed for flow in rest] == [0, 0]


def test_who_failed_is_missing_in_that_arm_only(failed: TrialResult) -> None:
    lost = rows_of_failed(failed)
    first, *rest = failed.observed.arms
    assert first.is_missing.tolist() == lost.tolist()
    assert not any(arm.is_missing.any() for arm in rest)
    for values in (*first.readings.values(), *first.daily.values(), first.scans.seen):
        assert np.isnan(values[lost]).all()


def test_no_endpoint_of_the_arm_counts_who_failed(failed: TrialResult, result: TrialResult) -> None:
    left = 12 - len(failed.failures)
    for name, endpoint in failed.endpoints.items():
        assert all(row.estimate.n <= left for row in endpoint.estimates if row.arm == "ahsct"), name
        assert all(row.estimate.n <= left for row in endpoint.contrasts if row.arm == "ahsct" and row.is_paired), name
    for name, statistic in (("annualised_relapse_rate", "rate"), ("infections", "rate: all"), ("neda3", "event-free")):
        found = failed.endpoint(name).estimate("ahsct", statistic, 60.0)
        assert found is not None
        assert found.n == left


def test_the_missing_have_no_rows_of_readings_and_an_empty_time(failed: TrialResult) -> None:
    tables, reasons = failed.tables, {failure.patient_id: failure.reason for failure in failed.failures}
    subjects = {f"{failed.design.id}-{patient:06d}": reason for patient, reason in reasons.items()}

    def of_failed(table):
        return table[(table["ARMCD"] == "ahsct") & table["USUBJID"].isin(subjects)]

    assert of_failed(tables.bds).empty
    adsl, adtte = of_failed(tables.adsl), of_failed(tables.adtte)
    assert set(adsl["EOSSTT"]) == {"FAILED"}
    assert dict(zip(adsl["USUBJID"], adsl["DCSREAS"], strict=True)) == subjects
    assert not adtte.empty
    assert adtte[["AVAL", "CNSR", "ADY"]].isna().all(axis=None)
    assert set(adtte["EVNTDESC"]) == set(reasons.values())


def test_nobody_elses_numbers_change_by_a_bit(failed: TrialResult, result: TrialResult) -> None:
    for arm, usual in zip(failed.observed.arms[1:], result.observed.arms[1:], strict=True):
        assert digest(arm) == digest(usual)
    kept = ~rows_of_failed(failed)
    first, usual = failed.observed.arms[0], result.observed.arms[0]
    for quantity, values in first.readings.items():
        assert digest(values[kept]) == digest(usual.readings[quantity][kept])
    for quantity, values in first.daily.items():
        assert digest(values[kept]) == digest(usual.daily[quantity][kept])
    assert digest(first.scans.seen[kept]) == digest(usual.scans.seen[kept])
    assert digest(first.death_day[kept]) == digest(usual.death_day[kept])
    rows = np.flatnonzero(kept)
    assert digest(first.events.take(rows)) == digest(usual.events.take(rows))


def test_other_arms_keep_their_estimates_and_tables(failed: TrialResult, result: TrialResult) -> None:
    for name, endpoint in failed.endpoints.items():
        mine, usual = (
            [row for row in one.estimates if row.arm != "ahsct"] for one in (endpoint, result.endpoints[name])
        )
        assert digest(mine) == digest(usual)
    for name, table in failed.tables.named().items():
        usual = result.tables.named()[name]
        assert digest(table[table["ARMCD"] != "ahsct"]) == digest(usual[usual["ARMCD"] != "ahsct"])


def test_the_flow_of_an_arm_without_trouble_has_no_reasons(plan: Plan, screened: tuple[Enrolled, Screening]) -> None:
    flow = flow_of(simulate_arm(plan, screened[0], 2))
    assert (flow.arm, flow.enrolled, flow.failed, flow.failures) == ("untreated", 12, 0, ())


def test_events_of_the_run_in_and_of_the_arm_are_one_log(
    plan: Plan, screened: tuple[Enrolled, Screening], result: TrialResult
) -> None:
    before = screened[0].events
    for arm in result.observed.arms:
        early = arm.events.day <= plan.schedule.randomisation_day
        assert early.sum() == before.day.size
        assert arm.events.day.size > before.day.size
        assert arm.events.day.max() <= plan.schedule.end_day
