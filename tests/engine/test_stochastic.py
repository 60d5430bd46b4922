"""Exact simulation of reaction networks: theory, keyed luck, doses, statuses and what is refused."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from tests.engine.models import parameter_matrix
from verification.stochastic import CHECKS, simulate

from regraft import streams
from regraft.engine import Administrations, SolverSettings, Status, compile_network, solve_exactly, stochastic
from regraft.errors import InvalidArgument, InvalidModel
from regraft.model import read_antimony_reactions

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


def network(text, outputs=("A",), events=()):
    return compile_network(read_antimony_reactions(text), outputs, events)


CLONE = network(
    "substanceOnly species A, B; A = n; B = 0; born: A -> 2 A; b*A; gone: A -> ; d*A; turn: A -> B; m*A;"
    "back: B -> A; 0.3*B; n = 6; b = 0.5; d = 0.45; m = 0.05; total := A + B",
    ["A", "B", "total", "turn"],
    ["turn", "back"],
)
N = 150
IDS = np.arange(500, 500 + N)
TIMES = np.linspace(0.0, 20.0, 9)
MATRIX = parameter_matrix(CLONE.equations, N, b=np.linspace(0.3, 0.55, N))


def doses(*rows):
    """Return administrations from rows of (patient row, time, target, kind, amount)."""
    patient, time, target, kind, amount = zip(*rows, strict=True)
    return Administrations(patient, time, target, kind, amount, np.zeros(len(rows)))


GIVEN = doses((3, 5.0, "A", 0, 4.0), (3, 12.0, "b", 2, 0.1), (60, 5.0, "B", 2, 9.0))


def run(rows=slice(None), times=TIMES, matrix=MATRIX, threads=1, kernel=CLONE, ids=IDS, **options):
    settings = options.pop("settings", SolverSettings(threads=threads))
    return solve_exactly(kernel, matrix[rows], times=times, patient_ids=ids[rows], seed=9, settings=settings, **options)


def one(kernel, times=(0.0, 10.0), settings=None, **options):
    """Run one patient with the parameters of the model."""
    matrix = parameter_matrix(kernel.equations, 1)
    return run(times=times, matrix=matrix, kernel=kernel, ids=np.array([7]), settings=settings, **options)


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


STILL = network("substanceOnly species A; A = 2; gone: A -> ; d*A; d = 0")


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


BROKEN = {
    "non_finite": ("gone: A -> ; b/A; b = 1; A = 1", Status.NON_FINITE, "'gone' is not finite"),
    "negative_rate": ("born: A -> 2 A; b*(3 - A); b = 1; A = 1; gone: A -> ; 0", Status.OK, ""),
    "below_zero": ("born: A -> 2 A; 1; turn: A -> A; 2.5 - A; A = 1", Status.DOMAIN, "'turn' is below zero"),
    "too_few": ("gone: A -> ; b; b = 1; A = 3", Status.DOMAIN, "'gone' would leave -1 of 'A'"),
    "part_at_start": ("gone: A -> ; A; n = 2.5; A = n", Status.DOMAIN, "the initial amount of 'A' is 2.5 at day 0"),
    "limit": ("born: A -> 2 A; A; A = 50", Status.STEP_LIMIT, "limit of 1000 reactions"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_trouble_is_a_status_that_names_the_reaction(name):
    text, status, words = BROKEN[name]
    settings = SolverSettings(max_steps=1000)
    result = one(network("substanceOnly species A; " + text), times=(0.0, 1.0, 200.0), settings=settings)
    assert result.status[0] == status
    assert words in result.status_detail[0]
    assert (result.status[0] == Status.OK) == bool(result.values[0, -1] >= 0)
    assert result.failed[0] == (result.status_detail[0] != "")


def test_a_total_rate_beyond_all_numbers_names_the_fastest_reaction():
    text = "substanceOnly species A; A = 1; one: A -> ; 1.0e308*A; two: A -> ; 1.5e308*A"
    assert "reaction 'two' is not finite" in one(network(text)).status_detail[0]


def test_a_dose_that_takes_more_cells_than_there_are_is_a_status():
    result = one(STILL, [0.0, 1.0, 2.0], administrations=doses((0, 1.0, "A", 0, -3.0)))
    assert result.status[0] == Status.DOMAIN
    assert "amount after an administration of 'A' is -1 at day 1" in result.status_detail[0]
    np.testing.assert_array_equal(result.output("A")[0], [2, np.nan, np.nan])


def test_a_full_log_is_a_status():
    kernel = network("substanceOnly species A; A = 1; come: -> A; 10", events=("come",))
    result = one(kernel, settings=SolverSettings(max_events=5))
    assert result.status[0] == Status.EVENT_LOG_FULL
    assert "the last 'come'" in result.status_detail[0]
    assert result.event_time.size == 5


def test_a_failing_patient_changes_nobody_and_stays_failed():
    matrix = MATRIX.copy()
    matrix[7, CLONE.equations.parameter_index["b"]] = -1.0
    result, healthy = run(matrix=matrix), run()
    others = np.arange(N) != 7
    assert result.status[7] == Status.DOMAIN
    assert "Patient 507: the rate of reaction 'born' is below zero at day 0 (-6 per day)" in result.status_detail[7]
    assert np.isnan(result.values[7]).all()
    np.testing.assert_array_equal(result.values[others], healthy.values[others])
    later = run(times=TIMES + 20.0, start=result.snapshot)
    assert later.status_detail[7] == result.status_detail[7]
    assert (later.status[others] == Status.OK).all()


def test_a_kernel_survives_a_trip_to_another_process():
    copy = pickle.loads(pickle.dumps(CLONE))
    np.testing.assert_array_equal(run(slice(3), kernel=copy).values, run(slice(3)).values)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (Administrations([0], [1.0], ["A"], [1], [2.0], [1.0]), "kind is 1; it must be a bolus or a set"),
        (doses((0, 1.0, "A", 0, 0.5)), "amount is 0.5; it must be a whole number of cells"),
        (doses((0, 1.0, "AA", 0, 1.0)), "'AA' is not a state"),
        (doses((0, -1.0, "A", 0, 1.0)), "time is -1.0"),
    ],
)
def test_doses_that_cannot_be_given_are_refused(table, words):
    with pytest.raises(InvalidArgument) as error:
        one(STILL, administrations=table)
    assert words in str(error.value)


def test_unknown_names_are_refused_with_near_matches():
    model = read_antimony_reactions("substanceOnly species A; A = 2; gone: A -> ; A")
    with pytest.raises(InvalidArgument, match="'gon' is not a reaction of the model. Did you mean 'gone'"):
        compile_network(model, ["A"], ["gon"])
    with pytest.raises(InvalidArgument, match="output 'AA' is not in the model. Did you mean 'A'"):
        compile_network(model, ["AA"])
    with pytest.raises(InvalidArgument, match="'gone' is not among the kept reactions"):
        one(STILL, terminal_events=["gone"])


def test_a_snapshot_of_other_patients_or_another_time_is_refused():
    snapshot = run(slice(3), times=TIMES[:2]).snapshot
    with pytest.raises(InvalidArgument, match="other patients"):
        run(slice(2), times=TIMES[1:], start=snapshot)
    with pytest.raises(InvalidArgument, match="taken at day 2.5 but times start at 5.0"):
        run(slice(3), times=TIMES[2:], start=snapshot)
    with pytest.raises(InvalidArgument, match="another model or from solve"):
        one(STILL, start=run(slice(1), times=[0.0], ids=np.array([7])).snapshot)


def test_a_draw_in_a_law_is_refused_by_name():
    with pytest.raises(InvalidModel, match="assignment of 'gone' .* random draw 'uniform' stands in a rate"):
        network("substanceOnly species A; A = 2; gone: A -> ; A*uniform(0, 1)")


def test_arrays_that_may_not_be_written_to_do_not_compile_the_loop_again():
    ids, matrix = np.array([5]), parameter_matrix(STILL.equations, 1)
    ids.flags.writeable = matrix.flags.writeable = False
    solve_exactly(STILL, matrix, times=[0.0, 1.0], patient_ids=ids, seed=1)
    assert len(stochastic.run_rows.signatures) == 1
