"""The model in libRoadRunner (CVODE), either with doses between runs or with doses as events of the model."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import roadrunner

from regraft.model.antimony_text import antimony_to_sbml

from ..immune_model import Floats, Problem, stretches

VERSION = roadrunner.__version__
_MOST_STEPS = 100_000


def _text_with_events(problem: Problem) -> str:
    """Return the Antimony text with one event per dose."""
    lines = problem.text.rstrip().removesuffix("end").splitlines()
    lines += [
        f"  dose_{k}: at (time >= {day!r}): {state} = {state} + {amount!r};"
        for k, (day, state, amount) in enumerate(problem.doses)
    ]
    return "\n".join([*lines, "end", ""])


def prepare(
    problem: Problem, rtol: float, atol: float, *, events: bool = False, outputs: Sequence[str] = ()
) -> Callable[[int], Floats]:
    """Return a function that solves the first n patients; a patient that fails stays NaN."""
    recorded = outputs or problem.states
    text = _text_with_events(problem) if events else problem.text
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.xml"
        path.write_text(antimony_to_sbml(text), encoding="utf-8")
        runner = roadrunner.RoadRunner(str(path))
    runner.timeCourseSelections = ["time", *recorded]
    integrator = runner.getIntegrator()
    integrator.setValue("relative_tolerance", rtol)
    integrator.setValue("absolute_tolerance", atol)
    integrator.setValue("maximum_num_steps", _MOST_STEPS)
    model = runner.model
    known, species = model.getGlobalParameterIds(), model.getFloatingSpeciesIds()
    names = [parameter.id for parameter in problem.equations.parameters]
    columns = [k for k, name in enumerate(names) if name in known]
    numbers = [known.index(names[k]) for k in columns]
    states = [species.index(state) for state in problem.states]
    parts = stretches(problem)

    def begin(row: int) -> None:
        runner.reset()
        model.setGlobalParameterValues(numbers, problem.parameters[row, columns])
        model.setFloatingSpeciesAmounts(states, problem.initial[row])

    def with_events(values: Floats) -> None:
        values[:] = np.asarray(runner.simulate(0.0, problem.times[-1], problem.times.size))[:, 1:]

    def with_doses(values: Floats) -> None:
        for part, moments, places in parts:
            if part.end > part.begin:
                rows = np.asarray(runner.simulate(times=moments))
                values[part.first_output : part.first_output + part.outputs] = rows[places, 1:]
            if part.state >= 0:
                place = [states[part.state]]
                model.setFloatingSpeciesAmounts(place, model.getFloatingSpeciesAmounts(place) + part.amount)

    one = with_events if events else with_doses

    def run(patients: int) -> Floats:
        values = np.full((patients, problem.times.size, len(recorded)), np.nan)
        for row in range(patients):
            begin(row)
            try:
                one(values[row])
            except RuntimeError:
                values[row] = np.nan
        return values

    return run
