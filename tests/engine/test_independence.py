"""What a patient does depends on nothing but the patient."""

from __future__ import annotations

import numpy as np
import pytest
from tests.engine.models import event, model, parameter_matrix

from regraft.engine import Administrations, SolverSettings, Status, compile_model, solve

EQUATIONS = model(
    {
        "x": (1, "s - k * x * y / (1 + x ** n)"),
        "y": (0.5, "x - y + 0.1 * sin(time)"),
        "h": (0, "0.1 * y"),
        "e": ("exponential(1)", 0),
        "count": (0, 0),
    },
    {"s": 1.0, "k": 2.0, "n": 1.5},
    events=[event("hit", "h >= e", {"e": "e + exponential(1)", "x": "x + uniform(0, 1)", "count": "count + 1"})],
)
KERNEL = compile_model(EQUATIONS, ["x", "y", "count"])
PATIENTS = 40
PARAMETERS = parameter_matrix(EQUATIONS, PATIENTS, k=np.linspace(0.5, 4, PATIENTS))
IDS = np.arange(100, 100 + PATIENTS)
TIMES = np.linspace(0, 60, 25)
DOSES = Administrations([3, 3, 5], [7.0, 30.0, 11.5], ["x", "k", "y"], [0, 2, 1], [2.0, 1.0, 5.0], [0.0, 0.0, 40.0])


def run(rows=slice(None), times=TIMES, parameters=PARAMETERS, threads=1, **options):
    return solve(
        KERNEL,
        parameters[rows],
        times=times,
        patient_ids=IDS[rows],
        seed=5,
        settings=SolverSettings(threads=threads),
        **options,
    )


def test_threads_change_no_bit():
    one, two = run(administrations=DOSES), run(administrations=DOSES, threads=2)
    np.testing.assert_array_equal(one.values, two.values)
    np.testing.assert_array_equal(one.event_time, two.event_time)
    np.testing.assert_array_equal(one.event_patient, two.event_patient)
    assert one.event_time.size > PATIENTS


@pytest.mark.parametrize("rows", [np.arange(PATIENTS)[::-1], np.array([17]), np.arange(5, 30)])
def test_order_chunks_and_neighbours_change_no_bit(rows):
    np.testing.assert_array_equal(run(rows).values, run().values[rows])


def test_output_times_do_not_change_the_steps():
    few, many = run(times=[0.0, 60.0]), run(times=np.linspace(0, 60, 1001))
    np.testing.assert_array_equal(few.values[:, -1], many.values[:, -1])
    np.testing.assert_array_equal(few.steps, many.steps)
    np.testing.assert_array_equal(few.event_time, many.event_time)


def test_a_failing_patient_changes_nobody_elses_numbers():
    broken = PARAMETERS.copy()
    broken[7, EQUATIONS.parameter_index["s"]] = 1e300
    result, healthy = run(parameters=broken), run()
    others = np.arange(PATIENTS) != 7
    assert result.status[7] not in (Status.OK, Status.ENDED)
    assert np.isnan(result.values[7, -1]).all()
    assert "'x'" in result.status_detail[7]
    assert (result.status[others] == Status.OK).all()
    np.testing.assert_array_equal(result.values[others], healthy.values[others])


def test_same_patient_has_the_same_luck_under_another_treatment_until_it_acts():
    dose = Administrations([0], [40.0], ["x"], [0], [5.0], [0.0])
    plain, treated = run(slice(1), times=TIMES), run(slice(1), times=TIMES, administrations=dose)
    before = TIMES < 30
    np.testing.assert_allclose(plain.values[0, before], treated.values[0, before], rtol=1e-12)
    assert not np.array_equal(plain.values, treated.values)


def test_ragged_times_record_what_is_asked():
    grid = np.tile(TIMES, (2, 1))
    grid[1, 10:] = np.nan
    result = run(slice(2), times=grid)
    assert np.isnan(result.values[1, 10:]).all()
    np.testing.assert_allclose(result.end_time, [60, TIMES[9]])
    np.testing.assert_allclose(result.values[1, :9], run(slice(2)).values[1, :9], rtol=1e-5)


def test_a_kernel_survives_a_trip_to_another_process():
    import pickle

    copy = pickle.loads(pickle.dumps(KERNEL))
    again = solve(copy, PARAMETERS[:2], times=TIMES, patient_ids=IDS[:2], seed=5)
    np.testing.assert_array_equal(again.values, run(slice(2)).values)
