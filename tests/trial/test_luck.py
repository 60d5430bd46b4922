"""Other luck: the same people and the same past, another future."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from regraft.trial.arms import simulate_arm
from regraft.trial.luck import HAZARD, THRESHOLD, other_luck

UNTREATED = 2  # place of an arm in which much happens


def test_number_0_is_the_luck_that_the_trial_has(plan, screened):
    same_plan, same_people = other_luck(plan, screened[0], 0)
    assert same_plan is plan and same_people is screened[0]


def test_only_thresholds_of_random_events_are_drawn_again(plan, screened):
    people = screened[0]
    other_plan, other = other_luck(plan, people, 1)
    index = plan.equations.state_index
    drawn = [name for name in index if name.startswith(THRESHOLD)]
    assert len(drawn) > 10
    for name, place in index.items():
        before, after = people.snapshot.states[:, place], other.snapshot.states[:, place]
        if name in drawn:
            hazard = people.snapshot.states[:, index[HAZARD + name.removeprefix(THRESHOLD)]]
            assert (after >= hazard).all() and (after != before).all()
        else:
            np.testing.assert_array_equal(after, before)
    np.testing.assert_array_equal(other.parameters, people.parameters)
    assert other_plan.seed != plan.seed


def test_time_until_an_event_is_as_it_was_by_law(plan, screened):
    people = screened[0]
    index = plan.equations.state_index
    place, hazard = index["E_lesion"], index["H_lesion"]
    waits = [
        other.snapshot.states[:, place] - other.snapshot.states[:, hazard]
        for _, other in (other_luck(plan, people, number) for number in range(1, 201))
    ]
    assert np.mean(waits) == pytest.approx(1.0, abs=0.07)  # 2,400 exponential numbers
    assert np.var(waits) == pytest.approx(1.0, abs=0.2)


def test_the_future_is_another_and_the_past_is_not(plan, screened):
    people = screened[0]
    one = simulate_arm(plan, people, UNTREATED).observed
    other = simulate_arm(*other_luck(plan, people, 1), UNTREATED).observed
    again = simulate_arm(*other_luck(plan, people, 1), UNTREATED).observed
    before = plan.design.randomisation_day
    logs = [
        [(r, i, d) for r, i, d in zip(a.events.row, a.events.index, a.events.day, strict=True)] for a in (one, other)
    ]
    past = [sorted(event for event in log if event[2] < before) for log in logs]
    assert past[0] == past[1] and past[0]
    assert sorted(logs[0]) != sorted(logs[1])
    np.testing.assert_array_equal(other.events.day, again.events.day)


def test_without_fresh_thresholds_the_first_events_would_be_the_same(plan, screened):
    """The reason for drawing again: another seed alone leaves the next event of each kind where it was."""
    people = screened[0]
    seed_only = simulate_arm(replace(plan, seed=plan.seed + 1), people, UNTREATED).observed
    one = simulate_arm(plan, people, UNTREATED).observed
    other = simulate_arm(*other_luck(plan, people, 1), UNTREATED).observed
    first = [a.events.first(a.groups.relapse, 0.0) for a in (one, seed_only, other)]
    same = [np.mean(np.isclose(first[0], f, equal_nan=True)) for f in first[1:]]
    assert same[0] > same[1]
