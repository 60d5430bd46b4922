"""The joined model of the first trial, written as flat SBML, against libRoadRunner, an independent simulator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import roadrunner

from regraft.engine import Result, SolverSettings, compile_model, solve
from regraft.model import join, load_part
from regraft.model.equations import Equations
from regraft.model.expressions import TIME, Apply, Expression, Number, Symbol, draws, substitute
from regraft.model.sbml_writer import with_scheduled_jumps, write_sbml
from regraft.patients import load_population, sample_population
from regraft.therapy import compile_protocol, load_protocol
from regraft.trial import TrialDesign, load_design
from regraft.trial.visits import make_schedule

EXAMPLE = Path(__file__).parents[2] / "examples" / "ms_ahsct.yaml"
NEVER = Number(1e9)  # a cumulative hazard that nobody reaches
YEARS_BEFORE = 8.0
TOLERANCE = 1e-4
# A value far below the largest of its own course carries no information, and neither solver resolves it.
FLOOR = 1e-5
ROUNDING = 1e-9  # differences of balanced terms that should be zero, in any unit of the model
PATIENTS = np.array([3, 14])


def from_zero(equations: Equations, days: float) -> Equations:
    """Return the model on a clock that starts at 0, because libRoadRunner evaluates triggers at 0 when it loads."""

    def later(expression: Expression) -> Expression:
        return substitute(expression, {TIME: Apply("sub", (Symbol(TIME), Number(days)))})

    states = tuple(replace(s, derivative=later(s.derivative)) for s in equations.states)
    assignments = tuple(replace(a, expression=later(a.expression)) for a in equations.assignments)
    events = tuple(
        replace(e, trigger=later(e.trigger), assignments=tuple((name, later(value)) for name, value in e.assignments))
        for e in equations.events
    )
    return replace(equations, states=states, assignments=assignments, events=events)


def without_luck(equations: Equations) -> Equations:
    """Return the model with thresholds out of reach and without events that draw."""
    states = tuple(replace(state, initial=NEVER) if draws(state.initial) else state for state in equations.states)
    events = tuple(event for event in equations.events if not any(draws(value) for _, value in event.assignments))
    return replace(equations, states=states, events=events)


@pytest.fixture(scope="module")
def design() -> TrialDesign:
    return load_design(EXAMPLE)


@pytest.fixture(scope="module")
def equations(design: TrialDesign) -> Equations:
    return without_luck(join([load_part(part) for part in design.models], id="flat").equations)


@pytest.mark.parametrize("arm", ["ahsct", "natalizumab", "untreated"])
def test_the_flat_file_gives_the_same_course_at_all_visits(design: TrialDesign, equations: Equations, arm: str) -> None:
    joined = join([load_part(part) for part in design.models], id="flat")
    people = sample_population(load_population(design.population), joined.parameter_rows, PATIENTS, design.seed)
    protocol = load_protocol(next(each.protocol for each in design.arms if each.id == arm))
    treatment = compile_protocol(protocol, people, equations)
    schedule = make_schedule(design, daily_until=0.0)
    start = -YEARS_BEFORE * 365.25
    times = np.concatenate([[start], schedule.visit_days])
    names = [*equations.state_index, *equations.assignment_index]
    matrix = people.parameter_matrix(equations)
    ours = solve(
        compile_model(equations, names),
        matrix,
        times=times,
        patient_ids=PATIENTS,
        seed=design.seed,
        administrations=treatment.administrations,
        settings=SolverSettings(rtol=1e-8, atol=1e-11),
    )
    assert not ours.failed.any(), ours.status_detail
    for row in range(PATIENTS.size):
        patient = from_zero(_as_patient(equations, matrix[row], ours, row), -start)
        doses = [replace(jump, time_days=jump.time_days - start) for jump in treatment.jumps(row)]
        flat = with_scheduled_jumps(patient, doses)
        simulator = roadrunner.RoadRunner(write_sbml(flat))
        simulator.integrator.relative_tolerance = 1e-9
        simulator.integrator.absolute_tolerance = 1e-12
        simulator.integrator.maximum_time_step = 0.1  # short infusions and the start of risk lie between steps
        simulator.integrator.maximum_num_steps = 200_000
        theirs = np.array(simulator.simulate(times=list(times - start), selections=["time", *names]))[:, 1:]
        apart = {name: _distance(ours.output(name)[row], theirs[:, k]) for k, name in enumerate(names)}
        name = max(apart, key=lambda each: apart[each])
        assert apart[name] < TOLERANCE, f"{name} of patient {PATIENTS[row]} differs by {apart[name]:.1e}"


def _as_patient(equations: Equations, values: np.ndarray, ours: Result, row: int) -> Equations:
    """Return the model with the parameters of one patient, starting where our run starts.

    libRoadRunner evaluates initial formulas at time 0 whatever the start of a run, so they are written as numbers.
    """
    parameters = tuple(replace(p, value=float(values[k])) for k, p in enumerate(equations.parameters))
    states = tuple(replace(s, initial=Number(float(ours.output(s.id)[row, 0]))) for s in equations.states)
    return replace(equations, parameters=parameters, states=states)


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    """Return the largest relative difference over the visits."""
    scale = np.maximum(np.abs(other), max(FLOOR * np.max(np.abs(other)), ROUNDING))
    return float(np.max(np.abs(one - other) / scale))
