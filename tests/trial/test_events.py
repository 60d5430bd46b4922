from __future__ import annotations

import numpy as np
import pytest
from tests.engine.models import event, model, parameter_matrix

from regraft.engine import compile_model, solve
from regraft.trial.events import EventLog, find_groups, join_logs

from .hand_made import log

EVENTS = [
    (0, "relapse", 10.0),
    (0, "lesion", 20.0),
    (0, "relapse", 30.0),
    (2, "relapse", 20.0),
    (2, "infection_viral", 5.0),
]


@pytest.fixture
def events() -> EventLog:
    return log(EVENTS, patients=3)


def test_the_start_of_a_period_is_left_out_and_its_end_counts(events: EventLog) -> None:
    np.testing.assert_array_equal(events.count(("relapse",), 10.0, 30.0), [1, 0, 1])
    np.testing.assert_array_equal(events.count(("relapse",), 9.9, 29.9), [1, 0, 1])
    np.testing.assert_array_equal(events.count(("relapse",), -np.inf, np.inf), [2, 0, 1])


def test_periods_may_differ_between_patients(events: EventLog) -> None:
    start, stop = np.array([0.0, 0.0, 20.0]), np.array([10.0, 99.0, 99.0])
    np.testing.assert_array_equal(events.count(("relapse", "lesion"), start, stop), [1, 0, 0])


def test_the_first_event_is_the_earliest_after_a_day(events: EventLog) -> None:
    np.testing.assert_array_equal(events.first(("relapse",), 0.0), [10, np.nan, 20])
    np.testing.assert_array_equal(events.first(("relapse",), 10.0), [30, np.nan, 20])
    np.testing.assert_array_equal(events.first(("relapse", "lesion"), 10.0), [20, np.nan, 20])
    assert np.isnan(events.first(("death_toxicity",), 0.0)).all()


def test_having_an_event_is_told_per_patient(events: EventLog) -> None:
    assert events.has(("infection_viral", "infection_bacterial")).tolist() == [False, False, True]
    assert not events.has(()).any()


def test_taking_patients_numbers_them_in_the_order_asked_for(events: EventLog) -> None:
    taken = events.take(np.array([2, 1]))
    assert taken.patients == 2
    np.testing.assert_array_equal(taken.count(("relapse",), 0.0, 99.0), [1, 0])
    np.testing.assert_array_equal(taken.first(("infection_viral",), 0.0), [5, np.nan])
    assert taken.day.size == 2


def test_joined_logs_hold_the_patients_one_after_the_other(events: EventLog) -> None:
    joined = join_logs([events, log([(0, "lesion", 7.0)], patients=1), events.take(np.array([0]))])
    assert joined.patients == 5
    np.testing.assert_array_equal(joined.count(("relapse",), 0.0, 99.0), [2, 0, 1, 0, 2])
    np.testing.assert_array_equal(joined.first(("lesion",), 0.0), [20, np.nan, np.nan, 7, 20])


def test_taking_apart_and_joining_gives_the_log_back(events: EventLog) -> None:
    joined = join_logs([events.take(np.array([row])) for row in range(3)])
    assert sorted(zip(joined.row, joined.index, joined.day, strict=True)) == sorted(
        zip(events.row, events.index, events.day, strict=True)
    )


def test_groups_are_found_by_what_an_event_changes_and_infections_by_name() -> None:
    equations = model(
        {name: (start, 0) for name, start in (("relapses", 0), ("lesions", 0), ("alive", 1), ("ill", 0))},
        events=[
            event("flare", "time > 1", {"relapses": "relapses + 1", "ill": 1}),
            event("spot", "time > 2", {"lesions": "lesions + 1"}),
            event("infection_viral", "time > 3", {"ill": 1}),
            event("death_infection", "time > 4", {"alive": 0}),
        ],
    )
    groups = find_groups(equations)
    assert (groups.relapse, groups.lesion, groups.death) == (("flare",), ("spot",), ("death_infection",))
    assert groups.infection == ("infection_viral",)


def test_the_log_of_a_run_holds_its_events() -> None:
    equations = model({"relapses": (0, 0)}, events=[event("flare", "time > 1.5", {"relapses": "relapses + 1"})])
    result = solve(
        compile_model(equations, ["relapses"]),
        parameter_matrix(equations, 2),
        times=[0.0, 4.0],
        patient_ids=[5, 6],
        seed=0,
    )
    events = EventLog.of(result)
    assert events.patients == 2
    np.testing.assert_allclose(events.first(("flare",), 0.0), [1.5, 1.5], rtol=1e-6)
