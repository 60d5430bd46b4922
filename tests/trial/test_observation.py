from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.engine.models import event, model

from regraft.engine import Result, SolverSettings, compile_model, solve
from regraft.trial.events import EventGroups, EventLog, find_groups
from regraft.trial.observation import ArmRun, ObservedArm, ObservedTrial, observe
from regraft.trial.visits import Schedule

from .hand_made import MONTH, YEAR, arm, clinic, schedule, trial

# Scores and counts rise by one per quarter of a year; lesions come on days 100, 300 and 400; a death on day 500.
EQUATIONS = model(
    {"lesions": (0, 0), "alive": (1, 0), "clock": (0, "harm / (harm - broken)")},
    {"harm": 0.0, "broken": -1.0},
    assignments={"edss": "2 + time / 91.3125", "cd4": "100 + time", "naive_share": "0.5", "neutrophils": "1000 + time"},
    events=[
        *(event(f"spot_{day}", f"time > {day}", {"lesions": "lesions + 1"}) for day in (100, 300, 400)),
        event("death_infection", "time > 500 and harm > 0.5", {"alive": 0}),
    ],
)
OUTPUTS = ["edss", "cd4", "naive_share", "neutrophils", "clock"]
ERRORS = {
    f"{kind}_cv_{name}": 0.0 for kind in ("assay", "biological") for name in ("cd4", "naive_share", "neutrophils")
}
LIVES, DIES, FAILS = 0, 1, 2


def run(plan: Schedule) -> tuple[Result, EventGroups]:
    groups = find_groups(EQUATIONS)
    # who has harm = broken has a rate of 1/0 and cannot be solved
    result = solve(
        compile_model(EQUATIONS, OUTPUTS),
        [[0.0, -1.0], [1.0, -1.0], [0.5, 0.5]],
        times=plan.times,
        patient_ids=[10, 11, 12],
        seed=3,
        terminal_events=groups.death,
        settings=SolverSettings(),
    )
    return result, groups


def look(plan: Schedule, **changes: float) -> ObservedArm:
    result, groups = run(plan)
    arm_run = ArmRun("treated", "Treated", result, EventLog.of(result), np.full(3, -YEAR))
    return observe(arm_run, plan, groups=groups, clinic=clinic(**(ERRORS | changes)), seed=3)


@pytest.fixture(scope="module")
def seen() -> ObservedArm:
    return look(schedule(daily=20))


def test_readings_are_the_truth_where_the_clinic_does_not_err(seen: ObservedArm) -> None:
    days = seen.schedule.visit_days
    np.testing.assert_allclose(seen.readings["cd4"][LIVES], 100 + days, rtol=1e-9)
    np.testing.assert_allclose(seen.readings["cd4_naive"][LIVES], (100 + days) / 2, rtol=1e-9)
    np.testing.assert_allclose(seen.readings["edss"][LIVES], np.round(2 * (2 + days / 91.3125)) / 2, rtol=1e-9)
    np.testing.assert_allclose(seen.daily["neutrophils"][LIVES], 1000 + np.arange(21), rtol=1e-9)


def test_nothing_is_read_after_death(seen: ObservedArm) -> None:
    alive = seen.schedule.visit_days < 500
    for values in seen.readings.values():
        assert np.isfinite(values[DIES]).tolist() == alive.tolist()
    assert seen.death_day[DIES] == pytest.approx(500, rel=1e-9)
    assert seen.death_cause.tolist() == ["", "infection", ""]
    assert seen.last_day[DIES] == seen.death_day[DIES]
    assert seen.last_day[LIVES] == seen.schedule.end_day


def test_a_patient_whose_run_failed_is_missing_everywhere_with_a_reason(seen: ObservedArm) -> None:
    assert seen.is_missing.tolist() == [False, False, True]
    assert "clock" in seen.reason[FAILS]
    assert seen.reason[LIVES] == ""
    for values in (*seen.readings.values(), *seen.daily.values(), seen.scans.seen):
        assert np.isnan(values[FAILS]).all()
    assert np.isnan([seen.last_day[FAILS], seen.death_day[FAILS]]).all()
    assert np.isnan(seen.known(np.zeros(3))).tolist() == [False, False, True]


def test_a_failure_late_in_the_run_makes_earlier_readings_missing_too() -> None:
    plan = schedule(daily=20)
    result, groups = run(plan)
    late = replace(result, status=np.array([0, 1, 0]) + np.array([3, 0, 0]))
    assert np.isfinite(late.output("cd4")[LIVES, 0])
    arm_run = ArmRun("treated", "Treated", late, EventLog.of(late), np.full(3, -YEAR))
    again = observe(arm_run, plan, groups=groups, clinic=clinic(**ERRORS), seed=3)
    assert np.isnan(again.readings["cd4"][LIVES]).all()
    assert np.isnan(again.daily["neutrophils"][LIVES]).all()


def test_scans_show_lesions_since_the_scan_before(seen: ObservedArm) -> None:
    np.testing.assert_allclose(seen.scans.months, [6, 12, 24])
    np.testing.assert_allclose(seen.scans.days, np.array([6, 12, 24]) * MONTH)
    np.testing.assert_array_equal(seen.scans.seen[LIVES], [1, 1, 1])
    np.testing.assert_array_equal(seen.scans.seen[DIES], [1, 1, np.nan])


def test_no_scan_comes_before_the_new_baseline() -> None:
    late = look(schedule(daily=20), mri_rebaseline=12.0, mri_interval=6.0)
    np.testing.assert_allclose(late.scans.months, [12, 18, 24])
    np.testing.assert_array_equal(late.scans.seen[LIVES], [2, 1, 0])


def test_a_follow_up_shorter_than_the_first_scan_has_none() -> None:
    early = look(schedule((1, 3), daily=20))
    assert early.scans.months.size == 0
    assert early.scans.seen.shape == (3, 0)


def test_lesions_before_randomisation_are_on_no_scan() -> None:
    late = look(schedule((6, 12), start=-0.5, daily=20))
    result, groups = run(late.schedule)
    before = EventLog(3, result.event_ids, np.zeros(2, np.int64), np.zeros(2, np.int64), np.array([-0.5, 10.0]))
    arm_run = ArmRun("treated", "Treated", result, before, np.full(3, -YEAR))
    again = observe(arm_run, late.schedule, groups=groups, clinic=clinic(**ERRORS), seed=3)
    np.testing.assert_array_equal(again.scans.seen[LIVES], [1, 0])


def test_arms_with_equal_truth_have_equal_readings_also_where_the_clinic_errs() -> None:
    plan = schedule(daily=20)
    changes = {"edss_rater_cv": 0.2, "assay_cv_cd4": 0.2, "mri_detection": 0.5}
    first, second = look(plan, **changes), look(plan, **changes)
    np.testing.assert_array_equal(first.readings["cd4"], second.readings["cd4"])
    assert (first.readings["cd4"][LIVES] != look(plan).readings["cd4"][LIVES]).all()


def test_times_count_from_randomisation_on_demand(seen: ObservedArm) -> None:
    np.testing.assert_array_equal(seen.since_randomisation(5.0), [15, 15, np.nan])


def test_a_trial_knows_its_reference_and_its_whole_years() -> None:
    both = trial(arm("treated"), arm("control"), arm("third"), reference="control")
    assert both.reference_arm.id == "control"
    assert [one.id for one in both.compared] == ["treated", "third"]
    assert both.years == (1, 2)


@pytest.mark.parametrize(("months", "years"), [(11.9, ()), (12, (1,)), (35, (1, 2)), (36, (1, 2, 3))])
def test_only_years_within_the_follow_up_are_reported(months: float, years: tuple[int, ...]) -> None:
    only = arm(plan=schedule((months,)))
    assert ObservedTrial((only,), "treated", clinic()).years == years
