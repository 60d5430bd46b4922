"""Exact simulation of reaction networks: theory, keyed luck, doses, continuation."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from tests.engine.models import parameter_matrix
from tests.engine.networks import CLONE, GIVEN, IDS, STILL, TIMES, N, doses, network, one, run
from verification.stochastic import CHECKS, simulate

from regraft import streams
from regraft.engine import Status, solve_exactly, stochastic

# Patients per check: a parameter that is a third wrong is then found by every line. Limits of z are in the checks.
PATIENTS = 2000
WRONG = {
    "birth_death": {"b": 0.6},
    "immigration_death": {"a": 3.9},
    "birth": {"b": 0.36},
    "pairs": {"k": 0.03},
    "extinction": {"d": 0.6},
    "waiting": {"k": 0.7},
    "linear": {"w": 0.3},
}


@pytest.mark.parametrize("name", CHECKS)
def test_moments_distributions_and_waiting_times_agree_with_theory(name):
    assert not [str(line) for line in CHECKS[name](PATIENTS) if not line.passed]


@pytest.mark.parametrize("name", CHECKS)
def test_a_wrong_parameter_is_found_by_every_line_of_a_check(name):
    assert not [str(line) for line in CHECKS[name](PATIENTS, WRONG[name]) if line.passed]


def assert_same(one, two):
    """Compare every number of two results, bit for bit."""
    for name in ("values", "end_time", "status", "steps", "event_patient", "event_index", "event_time"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    np.testing.assert_array_equal(one.snapshot.states, two.snapshot.states)


def test_threads_change_no_bit():
    alone = run(administrations=GIVEN)
    assert_same(alone, run(administrations=GIVEN, threads=2))
    assert alone.event_time.size > N


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_chunks_change_no_bit(chunk, monkeypatch):
    whole = run(administrations=GIVEN)
    monkeypatch.setattr(stochastic, "_CHUNK", chunk)
    assert_same(whole, run(administrations=GIVEN, threads=2))


@pytest.mark.parametrize("rows", [np.arange(N)[::-1], np.array([17]), np.arange(5, 30)])
def test_order_and_neighbours_change_no_bit(rows):
    np.testing.assert_array_equal(run(rows).values, run().values[rows])


def test_output_times_change_no_bit():
    few, many = run(times=[0.0, 20.0]), run(times=np.linspace(0.0, 20.0, 1601))
    np.testing.assert_array_equal(few.values[:, -1], many.values[:, -1])
    np.testing.assert_array_equal(few.event_time, many.event_time)
    np.testing.assert_array_equal(run().values, many.values[:, ::200])


def test_a_break_changes_no_bit():
    whole, first = run(), run(times=TIMES[:4])
    second = run(times=TIMES[3:], start=first.snapshot)
    np.testing.assert_array_equal(second.values, whole.values[:, 3:])
    np.testing.assert_array_equal(first.steps + second.steps, whole.steps)
    np.testing.assert_array_equal(
        np.sort(np.concatenate([first.event_time, second.event_time])), np.sort(whole.event_time)
    )


def test_a_part_of_the_patients_goes_on_as_all_do():
    first, rows = run(times=TIMES[:4]), np.arange(40, 60)
    every = run(times=TIMES[3:], start=first.snapshot)
    part = run(rows, times=TIMES[3:], start=first.snapshot.take(rows))
    np.testing.assert_array_equal(part.values, every.values[rows])


def test_a_parameter_that_was_set_stays_set_after_a_break():
    whole = run(administrations=GIVEN)
    first = run(times=TIMES[:6], administrations=GIVEN)
    second = run(times=TIMES[5:], start=first.snapshot)
    assert first.snapshot.switched[3, CLONE.equations.parameter_index["b"]] == 0.1
    np.testing.assert_array_equal(second.values, whole.values[:, 5:])


def test_a_changed_parameter_after_a_break_keeps_the_hazard_already_passed():
    kernel = network("substanceOnly species A; A = 1; gone: A -> ; d*A; d = 0.1", events=("gone",))
    slow, fast = (parameter_matrix(kernel.equations, 400, d=d) for d in (0.1, 0.5))
    first = run(times=[0.0, 4.0], matrix=slow, kernel=kernel, ids=np.arange(400))
    second = run(times=[4.0, 900.0], matrix=fast, kernel=kernel, ids=np.arange(400), start=first.snapshot)
    rows = second.event_patient
    hazard = [-math.log(streams.uniform(9, row, kernel.stream, 0, 0)) for row in rows]
    # two sums and a quotient of doubles
    np.testing.assert_allclose(0.4 + 0.5 * (second.event_time - 4.0), hazard, rtol=1e-13)
    assert 100 < rows.size < 400


def test_the_first_waiting_time_is_the_keyed_draw_over_the_rate():
    result = simulate(
        "substanceOnly species A; A = 4; gone: A -> ; d*A; d = 0.5", [], [0.0, 100.0], 50, events=["gone"]
    )
    stream = streams.stream_key("reactions of __main")
    drawn = [-math.log(streams.uniform(20_000, patient, stream, 0, 0)) / 2.0 for patient in range(50)]
    np.testing.assert_array_equal(result.event_time, drawn)


def test_arms_share_their_luck_until_the_dose_acts():
    plain, treated = run(), run(administrations=GIVEN)
    others = ~np.isin(np.arange(N), [3, 60])
    np.testing.assert_array_equal(plain.values[others], treated.values[others])
    before = TIMES < 5.0
    np.testing.assert_array_equal(plain.values[:, before], treated.values[:, before])
    assert not np.array_equal(plain.values[3], treated.values[3])


def test_outputs_at_the_time_of_a_dose_show_the_state_after_it():
    given = doses((0, 0.0, "A", 0, 1.0), (0, 2.0, "A", 0, 3.0), (0, 4.0, "A", 2, 7.0), (0, 9.0, "A", 0, 1.0))
    result = one(STILL, [0.0, 1.0, 2.0, 3.0, 4.0], administrations=given)
    np.testing.assert_array_equal(result.output("A")[0], [3, 3, 6, 6, 7])
    assert result.end_time[0] == 4.0


def test_rows_at_one_time_act_in_the_order_of_the_table():
    given = doses((0, 1.0, "A", 2, 5.0), (0, 1.0, "A", 0, 3.0), (0, 2.0, "A", 0, 3.0), (0, 2.0, "A", 2, 5.0))
    np.testing.assert_array_equal(one(STILL, [0.0, 1.0, 2.0], administrations=given).output("A")[0], [2, 8, 5])


def test_a_network_at_rest_wakes_when_a_parameter_is_set():
    result = one(STILL, [0.0, 5.0, 500.0], administrations=doses((0, 5.0, "d", 2, 1.0)))
    np.testing.assert_array_equal(result.output("A")[0], [2, 2, 0])
    assert result.steps[0] == 2


def test_formulas_see_a_parameter_that_was_set():
    kernel = network("substanceOnly species A; A = 2; gone: A -> ; d*A; d = 0; p = 1; twice := 2*p", ["p", "twice"])
    result = one(kernel, [0.0, 1.0], administrations=doses((0, 1.0, "p", 2, 5.0)))
    np.testing.assert_array_equal(result.values[0], [[1, 2], [5, 10]])


def test_outputs_are_amounts_formulas_rates_and_stay_empty_where_times_are():
    grid = np.tile(TIMES, (2, 1))
    grid[1, 4:] = np.nan
    result = run(slice(2), times=grid)
    np.testing.assert_array_equal(result.values[0], run(slice(2)).values[0])
    assert np.isnan(result.values[1, 4:]).all()
    assert result.end_time[1] == TIMES[3]
    np.testing.assert_array_equal(result.output("total")[0], result.output("A")[0] + result.output("B")[0])
    # the law is a product of two doubles and a quotient by one
    np.testing.assert_array_equal(result.output("turn")[0], 0.05 * result.output("A")[0])


def test_an_initial_amount_may_differ_between_patients():
    matrix = parameter_matrix(CLONE.equations, 3, n=[0.0, 5.0, 1000.0])
    np.testing.assert_array_equal(run(times=[0.0], matrix=matrix, ids=IDS[:3]).output("A")[:, 0], [0, 5, 1000])


def test_a_terminal_reaction_ends_a_run_at_its_time():
    result, whole = run(terminal_events=["turn"]), run()
    rows, times = result.events_of("turn")
    assert (result.status[rows] == Status.ENDED).all()
    assert not result.failed.any()
    np.testing.assert_array_equal(result.end_time[rows], times)
    assert rows.size > N / 2
    late = result.end_time[:, None] < TIMES
    assert np.isnan(result.values[late]).all()
    np.testing.assert_array_equal(result.values[~late], whole.values[~late])
    last = run(times=TIMES + 20.0, start=run(terminal_events=["turn"]).snapshot)
    assert np.isnan(last.values[rows]).all()


def test_kept_reactions_are_sorted_by_patient_and_time_and_counted_in_the_amounts():
    result = run()
    order = np.lexsort((result.event_time, result.event_patient))
    np.testing.assert_array_equal(order, np.arange(order.size))
    turned, back = (np.bincount(result.events_of(name)[0], minlength=N) for name in ("turn", "back"))
    np.testing.assert_array_equal(result.output("B")[:, -1], turned - back)


def test_a_kernel_survives_a_trip_to_another_process():
    copy = pickle.loads(pickle.dumps(CLONE))
    np.testing.assert_array_equal(run(slice(3), kernel=copy).values, run(slice(3)).values)


def test_arrays_that_may_not_be_written_to_do_not_compile_the_loop_again():
    ids, matrix = np.array([5]), parameter_matrix(STILL.equations, 1)
    ids.flags.writeable = matrix.flags.writeable = False
    solve_exactly(STILL, matrix, times=[0.0, 1.0], patient_ids=ids, seed=1)
    assert len(stochastic.run_rows.signatures) == 1
