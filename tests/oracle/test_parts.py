"""Every model of the catalog on its own, written as SBML, against libRoadRunner where no event is random."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import roadrunner
from tests.oracle.test_flat_sbml import FLOOR, TOLERANCE, without_luck

from regraft.engine import SolverSettings, compile_model, solve
from regraft.entries import list_entries
from regraft.model import load_part, write_sbml
from regraft.model.expressions import Number

TIMES = np.linspace(0.0, 1095.0, 147)
SMALLEST = 1e-3  # of an assigned quantity: it may be a difference of numbers near one, each known to some 1e-8


@pytest.mark.parametrize("part", list_entries("models"))
def test_the_part_gives_the_same_course(part: str) -> None:
    equations = without_luck(load_part(part).equations)
    names = [*equations.state_index, *equations.assignment_index]
    ours = solve(
        compile_model(equations, names),
        [[parameter.value for parameter in equations.parameters]],
        times=TIMES,
        patient_ids=[0],
        seed=0,
        settings=SolverSettings(rtol=1e-10, atol=1e-13),
    )
    assert not ours.failed.any(), ours.status_detail
    # The other simulator takes initial values that are numbers.
    states = tuple(replace(s, initial=Number(float(ours.output(s.id)[0, 0]))) for s in equations.states)
    simulator = roadrunner.RoadRunner(write_sbml(replace(equations, states=states)))
    simulator.integrator.relative_tolerance = 1e-11
    simulator.integrator.absolute_tolerance = 1e-14
    simulator.integrator.maximum_num_steps = 200_000
    theirs = np.array(simulator.simulate(times=list(TIMES), selections=["time", *names]))[:, 1:]
    assert theirs.shape == (TIMES.size, len(names))
    apart = {}
    for k, name in enumerate(names):
        least = SMALLEST if name in equations.assignment_index else 1e-9
        scale = np.maximum(np.abs(theirs[:, k]), max(FLOOR * np.abs(theirs[:, k]).max(), least))
        apart[name] = float(np.max(np.abs(ours.output(name)[0] - theirs[:, k]) / scale))
    name = max(apart, key=lambda each: apart[each])
    assert apart[name] < TOLERANCE, (
        f"{name} differs by {apart[name]:.1e} (largest value {np.max(np.abs(ours.output(name))):.1e})"
    )
