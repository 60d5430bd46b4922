"""The width of the vector, the size of a call, threads and a failing neighbour change no bit."""

from __future__ import annotations

import numpy as np
import pytest
from tests.engine.models import event, model, parameter_matrix

from regraft.engine import Administrations, SolverSettings, Status, compile_model, solve
from regraft.errors import InvalidArgument

# Every mathematical function, a switch in time, a domain guard, random events and a state that only jumps.
EQUATIONS = model(
    {
        "x": (1, "s - k * x * y / (1 + x ** n) + 0.01 * exp(-x) * tanh(y)"),
        "y": (0.5, "x - y + 0.1 * sin(time) + 0.01 * cos(time) * ln(1 + x) - 0.01 * log10(1 + y) + tan(0.01 * x)"),
        "h": (0, "rate * y * piecewise(1, time > 11, 0)"),
        "z": (1, "-0.1 * sqrt(z) + 0.01 * z ** 3 / (1 + z ** 3)"),
        "e": ("exponential(1)", 0),
        "count": (0, 0),
    },
    {"s": 1.0, "k": 2.0, "n": 1.5, "rate": 0.1},
    events=[
        event("hit", "h >= e", {"e": "e + exponential(1)", "x": "x + 0.1 * uniform(0, 1)", "count": "count + 1"}),
        event("refill", "z < 0.2", {"z": "1 + 0.1 * normal(0, 1)"}),
    ],
)
OUTPUTS = ["x", "y", "z", "count"]
KERNELS = {lanes: compile_model(EQUATIONS, OUTPUTS, lanes=lanes) for lanes in (8, 4, 2, 1)}
PATIENTS = 250
PARAMETERS = parameter_matrix(
    EQUATIONS, PATIENTS, k=np.linspace(0.5, 4, PATIENTS), rate=np.geomspace(0.01, 0.5, PATIENTS)[::-1]
)
IDS = np.arange(1000, 1000 + PATIENTS)
TIMES = np.linspace(0, 60, 25)
DOSES = Administrations(
    [3, 3, 5, 7, 8], [7.0, 30.0, 11.5, 0.0, 59.0], ["x", "k", "y", "x", "x"], [0, 2, 1, 0, 0], [2.0, 1, 5, 1, 1],
    [0.0, 0.0, 40.0, 0.0, 0.0],
)  # fmt: skip


def run(lanes=8, rows=slice(None), parameters=PARAMETERS, threads=1, administrations=DOSES):
    return solve(
        KERNELS[lanes],
        parameters[rows],
        times=TIMES,
        patient_ids=IDS[rows],
        seed=5,
        administrations=administrations,
        settings=SolverSettings(threads=threads),
    )


REFERENCE = run()


def assert_same(one, other):
    for name in ("values", "status", "steps", "end_time", "event_patient", "event_index", "event_time"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    np.testing.assert_array_equal(one.snapshot.states, other.snapshot.states)


def test_the_reference_has_something_to_show():
    assert (REFERENCE.status == Status.OK).all()
    assert REFERENCE.event_time.size > 3 * PATIENTS
    assert np.unique(REFERENCE.steps).size > 50


@pytest.mark.parametrize("lanes", [4, 2, 1])
def test_the_width_of_the_vector_changes_no_bit(lanes):
    assert_same(run(lanes), REFERENCE)


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_change_no_bit(threads):
    assert_same(run(threads=threads), REFERENCE)


@pytest.mark.parametrize("size", [1, 7])
def test_the_size_of_a_call_changes_no_bit(size):
    plain = run(administrations=None)
    for first in range(0, PATIENTS, size if size > 1 else 25):
        rows = slice(first, first + size)
        part = run(rows=rows, administrations=None)
        np.testing.assert_array_equal(part.values, plain.values[rows])
        np.testing.assert_array_equal(part.steps, plain.steps[rows])


@pytest.mark.parametrize("lane", range(8))
def test_a_failing_patient_in_any_lane_changes_no_neighbour(lane):
    broken = PARAMETERS[:16].copy()
    broken[lane, EQUATIONS.parameter_index["s"]] = 1e300
    result, healthy = run(rows=slice(16), parameters=broken), run(rows=slice(16))
    others = np.arange(16) != lane
    assert result.failed[lane]
    np.testing.assert_array_equal(result.values[others], healthy.values[others])
    np.testing.assert_array_equal(result.steps[others], healthy.steps[others])


def test_a_width_that_no_processor_has_is_refused():
    with pytest.raises(InvalidArgument, match="lanes is 3"):
        compile_model(EQUATIONS, OUTPUTS, lanes=3)


def test_the_processor_computes_with_small_numbers_as_before_once_the_solver_is_done():
    run(rows=slice(9))
    smallest = np.array([5e-324])
    assert (smallest * 1.0)[0] > 0


def test_a_switch_in_time_leaks_nothing_to_the_other_side():
    equations = model(
        {"late": (0, "piecewise(1, time > start, 0)"), "early": (0, "piecewise(1, time < start, 0)")}, {"start": 4.7}
    )
    kernel = compile_model(equations, ["late", "early"])
    starts = np.array([4.7, 0.1, 5.0, 9.99, 17.0])
    result = solve(
        kernel,
        starts[:, None],
        times=[0.0, 5.0, 10.0],
        patient_ids=np.arange(starts.size),
        seed=1,
        settings=SolverSettings(threads=1),
    )
    for k, t in enumerate(result.times[0]):
        np.testing.assert_allclose(result.values[:, k, 0], np.maximum(t - starts, 0), atol=1e-12)
        np.testing.assert_allclose(result.values[:, k, 1], np.minimum(t, starts), atol=1e-12)


def test_ten_thousand_wild_patients_all_end_with_a_status():
    patients = 10_000
    random = np.random.default_rng(8)
    wild = parameter_matrix(EQUATIONS, patients) * np.exp(0.7 * random.normal(size=(patients, 4)))
    result = solve(
        KERNELS[8],
        wild,
        times=[0.0, 20.0],
        patient_ids=np.arange(patients),
        seed=2,
        settings=SolverSettings(max_steps=5000, max_events=500),
    )
    known = np.isfinite(result.values[:, -1]).all(axis=1)
    np.testing.assert_array_equal(known, result.status == Status.OK)
    assert all(detail for detail in result.status_detail[result.failed])
    assert known.mean() > 0.9
