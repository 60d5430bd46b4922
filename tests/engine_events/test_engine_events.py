"""Short versions of the checks in ``verification/engine_events.py``."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from verification.engine_checks.convergence import PROBLEMS, check_convergence
from verification.engine_checks.event_counts import check_counts
from verification.engine_checks.spread import check_spread
from verification.engine_checks.waiting_times import (
    WAITINGS,
    aalen_johansen,
    check_competing_hazards,
    check_waiting_times,
)


def assert_all_pass(lines):
    assert lines
    assert not [str(line) for line in lines if not line.passed]


def test_exponential_weibull_and_gompertz_waiting_times_have_their_distributions():
    assert_all_pass(check_waiting_times(2000))


@pytest.mark.parametrize("right", WAITINGS, ids=lambda waiting: waiting.name)
def test_a_hazard_that_is_a_fifth_too_large_is_found(right):
    wrong = dataclasses.replace(right, hazard=f"1.2*({right.hazard})")
    assert not any(line.passed for line in check_waiting_times(2000, [wrong]))


def test_competing_hazards_agree_with_aalen_johansen():
    assert_all_pass(check_competing_hazards(2000))


def test_event_counts_do_not_depend_on_the_tolerance():
    assert_all_pass(check_counts(100))


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_steps_converge_at_the_order_of_the_method(problem):
    assert_all_pass(check_convergence((problem,)))


def test_absurd_parameters_end_with_a_status_and_touch_no_neighbour():
    assert_all_pass(check_spread(75))


def test_aalen_johansen_counts_censored_patients_until_they_leave():
    # By hand: of four at risk one has cause 1; one leaves; of the remaining two one has cause 2 and one cause 1.
    time, cause = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1, 0, 2, 1])
    found = aalen_johansen(time, cause, np.array([0.5, 1.0, 3.0, 9.0]))
    np.testing.assert_allclose(found, [[0, 0.25, 0.25, 0.625], [0, 0, 0.375, 0.375]])
