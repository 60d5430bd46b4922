"""Patients for whom no step was short enough are tried again, and nobody else notices."""

from __future__ import annotations

import numpy as np
import pytest
from tests.engine.models import event, model, parameter_matrix

from regraft.engine import Administrations, SolverSettings, Status, compile_model, solve
from regraft.engine import rescue as rescue_module
from regraft.engine.rescue import Attempt

EQUATIONS = model(
    {"x": (1, "s - k * x"), "h": (0, "0.3 * x"), "e": ("exponential(1)", 0), "count": (0, 0), "drug": (0, "-drug")},
    {"s": 1.0, "k": 1.0},
    events=[event("hit", "h >= e", {"e": "e + exponential(1)", "x": "x + 0.5", "count": "count + 1"})],
)
KERNEL = compile_model(EQUATIONS, ["x", "h", "count", "drug"])
PATIENTS = 5
STIFF = 3
PARAMETERS = parameter_matrix(EQUATIONS, PATIENTS, k=[1.0, 2.0, 0.5, 1e5, 1.5], s=[1.0, 1.0, 1.0, 1e5, 1.0])
TIMES = np.array([0.0, 0.5, 3.0, 3.5, 20.0])
DOSES = Administrations([0, 3], [3.0, 3.0], ["drug", "drug"], [0, 1], [2.0, 4.0], [0.0, 5.0])
# The first step of the stiff patient after an event is rejected down to less than this.
COARSE = SolverSettings(rtol=1e-6, atol=1e-9, min_step_days=1e-3, first_step_days=0.5, threads=1)


def run(settings, rows=slice(None), times=TIMES, **options):
    return solve(
        KERNEL,
        PARAMETERS[rows],
        times=times,
        patient_ids=np.arange(PATIENTS)[rows],
        seed=3,
        settings=settings,
        **options,
    )


def test_a_patient_whose_steps_became_too_small_is_solved_at_the_second_attempt():
    fine = run(SolverSettings(rtol=1e-8, atol=1e-11, threads=1), administrations=DOSES)
    rescued = run(COARSE, administrations=DOSES)
    assert rescued.attempt.tolist() == [Attempt.TIGHTER if row == STIFF else Attempt.FIRST for row in range(PATIENTS)]
    assert (rescued.status == Status.OK).all()
    np.testing.assert_allclose(rescued.values, fine.values, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(rescued.event_patient, fine.event_patient)
    np.testing.assert_allclose(rescued.event_time, fine.event_time, rtol=1e-5)


def test_a_rescue_changes_nobody_else():
    others = np.arange(PATIENTS) != STIFF
    np.testing.assert_array_equal(run(COARSE).values[others], run(COARSE, rows=others).values)


def test_scipy_is_the_third_attempt_and_agrees(monkeypatch):
    monkeypatch.setattr(rescue_module, "run", lambda kernel, settings, inputs, ends, values, terminal: _fail(ends))
    rescued = run(COARSE, administrations=DOSES)
    assert rescued.attempt[STIFF] == Attempt.SCIPY
    fine = run(SolverSettings(rtol=1e-8, atol=1e-11, threads=1), administrations=DOSES)
    assert rescued.attempt.max() == Attempt.SCIPY
    np.testing.assert_allclose(rescued.values, fine.values, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(rescued.event_patient, fine.event_patient)


def _fail(ends):
    ends.status[:] = Status.STEP_TOO_SMALL
    return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)


def test_a_run_that_goes_on_can_be_rescued_too():
    begun = run(SolverSettings(rtol=1e-6, atol=1e-9, threads=1), times=[0.0, 3.0])
    rescued = run(COARSE, times=[3.0, 3.5, 20.0], start=begun.snapshot)
    whole = run(SolverSettings(rtol=1e-8, atol=1e-11, threads=1))
    assert (rescued.status == Status.OK).all()
    np.testing.assert_allclose(rescued.values, whole.values[:, 2:], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("atol", [1e-7, {"x": 1e-6}])
def test_settings_of_the_second_attempt_are_tighter(atol):
    tight = rescue_module.tighter(SolverSettings(atol=atol))
    assert tight.rtol == pytest.approx(1e-6)
    assert tight.min_step_days < SolverSettings().min_step_days
