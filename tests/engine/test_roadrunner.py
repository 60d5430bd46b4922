"""Agreement with libRoadRunner, an independent simulator of SBML."""

from __future__ import annotations

import numpy as np
import pytest
from tests.engine.models import event, model, parameter_matrix

from regraft.engine import SolverSettings, compile_model, solve

TEXT = """
model twin()
  x = 0.3; y = 2; z = 0; k = 1.3; n = 2.5; on = 0;
  hill := x^n / (0.5 + x^n);
  x' = k * (1 + on) / (1 + y) - 0.2 * x;
  y' = 3 * hill - 0.4 * y + 0.1 * sin(time);
  z' = piecewise(1, x > 2, 0.1) - 0.05 * z;
  on' = 0;
  up: at (y > 2.2), t0=false: on = 1 - on, x = x / 2;
  down: at (z > 1.5), t0=false: z = z - 1;
end
"""
EQUATIONS = model(
    {
        "x": (0.3, "k * (1 + on) / (1 + y) - 0.2 * x"),
        "y": (2, "3 * hill - 0.4 * y + 0.1 * sin(time)"),
        "z": (0, "piecewise(1, x > 2, 0.1) - 0.05 * z"),
        "on": (0, 0),
    },
    {"k": 1.3, "n": 2.5},
    assignments={"hill": "x ** n / (0.5 + x ** n)"},
    events=[event("up", "y > 2.2", {"on": "1 - on", "x": "x / 2"}), event("down", "z > 1.5", {"z": "z - 1"})],
)


@pytest.fixture(scope="module")
def reference():
    antimony = pytest.importorskip("antimony")
    roadrunner = pytest.importorskip("roadrunner")
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(TEXT) >= 0, antimony.getLastError()
    simulator = roadrunner.RoadRunner(antimony.getSBMLString("twin"))
    simulator.integrator.relative_tolerance = 1e-10
    simulator.integrator.absolute_tolerance = 1e-13
    simulator.integrator.maximum_time_step = 0.01
    return np.array(simulator.simulate(0, 60, 121, ["time", "x", "y", "z", "on"]))


def test_a_nonlinear_model_with_events_agrees(reference):
    kernel = compile_model(EQUATIONS, ["x", "y", "z", "on"])
    result = solve(
        kernel,
        parameter_matrix(EQUATIONS, 1),
        times=reference[:, 0],
        patient_ids=[0],
        seed=0,
        settings=SolverSettings(rtol=1e-9, atol=1e-12, max_step_days=0.1, threads=1),
    )
    assert result.event_time.size >= 4
    # libRoadRunner finds events to about 1e-6 days, and each jump passes that on.
    np.testing.assert_allclose(result.values[0], reference[:, 1:], rtol=2e-4, atol=1e-5)
