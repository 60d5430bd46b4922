"""Doses from a target of exposure: what is simulated with them is the target."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.therapy.clinic import write_protocol

from regraft.engine import compile_model, solve
from regraft.errors import DoseOutOfRange, InvalidField, RegraftError, UnitMismatch
from regraft.model import join, load_part
from regraft.model.equations import Equations
from regraft.model.extract import extract
from regraft.patients import Population
from regraft.patients.distributions import quantile
from regraft.streams import patient_uniforms
from regraft.therapy import compile_protocol, load_protocol, load_treatment
from regraft.therapy.sizes import quantity_at

TARGET = {"phase": "condition", "agent": "busulfan", "target_auc": "90 mg*hour/L", "days": [-5, -4, -3, -2]}
MONITORED = TARGET | {"known": "patient"}


@pytest.fixture(scope="module")
def equations() -> Equations:
    return join([load_part(name) for name in ("person", "hematopoiesis", "busulfan", "cyclophosphamide")]).equations


def children_and_adults(count: int = 50, oldest: float = 40.0) -> Population:
    """Return patients of 0.3 to 40 years with weights and heights of their ages, and their own clearance and volume."""
    age = np.geomspace(0.3, oldest, count)
    ids = np.arange(count)
    weight = np.interp(age, [0.3, 1, 5, 10, 15, 18], [6, 9.5, 18, 32, 56, 68])
    height = np.interp(age, [0.3, 1, 5, 10, 15, 18], [0.61, 0.75, 1.1, 1.38, 1.68, 1.72])
    values = {"age_at_start": age, "body_weight": weight, "height": height, "sex_female": ids % 2 * 1.0}
    rows = {row.id: row for row in load_part("busulfan").parameter_rows if row.distribution != "fixed"}
    values |= {name: quantile(row, patient_uniforms(3, ids, name)) for name, row in rows.items()}
    return Population(ids, 3, values, ("age_at_start", "body_weight", "height", "sex_female"))


def doses(folder: Path, patients: Population, equations: Equations, step: dict[str, Any]) -> np.ndarray[Any, Any]:
    """Return the dose of the first day of each patient, in mg."""
    plan = compile_protocol(load_protocol(write_protocol(folder, step)), patients, equations).administrations
    return plan.amount[plan.time == -5.0]


def exposures(folder: Path, patients: Population, equations: Equations, step: dict[str, Any]) -> np.ndarray[Any, Any]:
    """Return the simulated exposure of each patient, in mg*h/L."""
    plan = compile_protocol(load_protocol(write_protocol(folder, step)), patients, equations)
    result = solve(
        compile_model(equations, ["busulfan_auc"]),
        patients.parameter_matrix(equations),
        times=np.array([-40.0, 30.0]),
        patient_ids=patients.patient_ids,
        seed=1,
        administrations=plan.administrations,
    )
    assert not result.failed.any()
    return np.array(result.values[:, -1, 0])


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let drug monitoring find each patient's clearance without error."""

    def load(name: str) -> Any:
        treatment = load_treatment(name)
        row = replace(treatment.rows["busulfan_monitoring_error"], distribution="fixed", spread=None)
        return replace(treatment, rows={**treatment.rows, row.id: row})

    monkeypatch.setattr("regraft.therapy.compile.load_treatment", load)


@pytest.mark.usefixtures("exact")
def test_a_patient_whose_clearance_is_known_gets_the_target_at_any_age(tmp_path: Path, equations: Equations) -> None:
    patients = children_and_adults()
    # half a percent is far below what drug monitoring can tell
    np.testing.assert_allclose(exposures(tmp_path, patients, equations, MONITORED), 90.0, rtol=0.005)
    per_kg = doses(tmp_path, patients, equations, TARGET) / patients.values["body_weight"]
    # by what is typical of their age, small children need more per kg than infants and adults
    assert 1.3 * per_kg[-1] < per_kg.max() > 1.2 * per_kg[0]


@pytest.mark.parametrize(
    ("agent", "target"), [("fludarabine", 20.0), ("melphalan", 10.0), ("treosulfan", 4500.0), ("thiotepa", 25.0)]
)
def test_every_linear_agent_meets_a_target_in_typical_patients(tmp_path: Path, agent: str, target: float) -> None:
    equations = join([load_part("person"), load_part(agent)]).equations
    people = children_and_adults(30)
    grown = people.values["age_at_start"] >= 1
    people = replace(
        people, patient_ids=people.patient_ids[grown], values={k: v[grown] for k, v in people.values.items()}
    )
    step = TARGET | {"agent": agent, "target_auc": f"{target} mg*hour/L"}
    plan = compile_protocol(load_protocol(write_protocol(tmp_path, step)), people, equations)
    result = solve(
        compile_model(equations, [f"{agent}_auc"]),
        people.parameter_matrix(equations),
        times=np.array([-40.0, 30.0]),
        patient_ids=people.patient_ids,
        seed=1,
        administrations=plan.administrations,
    )
    np.testing.assert_allclose(result.values[:, -1, 0], target, rtol=0.005)


@pytest.mark.usefixtures("exact")
def test_with_a_constant_clearance_the_dose_is_clearance_times_target(tmp_path: Path, equations: Equations) -> None:
    people = children_and_adults(20)
    steady = replace(people, values={**people.values, "busulfan_clearance_fall": np.zeros(20)})
    clearance = quantity_at(equations, steady, "busulfan_clearance", -3.4)  # an infant matures during the course
    given = doses(tmp_path, steady, equations, MONITORED)
    # mg*h/L x L/day / 24 h, over four days
    np.testing.assert_allclose(given, 90.0 * clearance / 24 / 4, rtol=0.002)


def test_without_monitoring_the_dose_follows_age_and_build_only(tmp_path: Path, equations: Equations) -> None:
    people = children_and_adults(20)
    typical = replace(people, values={k: v for k, v in people.values.items() if not k.startswith("busulfan")})
    given = doses(tmp_path, people, equations, TARGET)
    np.testing.assert_array_equal(given, doses(tmp_path, typical, equations, TARGET))
    reached = exposures(tmp_path, people, equations, TARGET)
    own = load_part("busulfan").equations
    mean = own.parameters[own.parameter_index["busulfan_clearance_adult"]].value
    # who clears faster than is typical is exposed less, in proportion
    np.testing.assert_allclose(reached, 90.0 * mean / people.values["busulfan_clearance_adult"], rtol=0.01)
    np.testing.assert_allclose(exposures(tmp_path, typical, equations, TARGET), 90.0, rtol=0.005)


def test_monitoring_misses_the_target_by_its_error(tmp_path: Path, equations: Equations) -> None:
    people = children_and_adults(40)
    reached = exposures(tmp_path, people, equations, MONITORED) / 90.0
    row = load_treatment("busulfan").rows["busulfan_monitoring_error"]
    np.testing.assert_allclose(reached, people.draw([row])[row.id], rtol=0.005)
    assert 0.5 * row.spread < reached.std() < 2 * row.spread


def test_the_timeline_tells_the_target(tmp_path: Path, equations: Equations) -> None:
    plan = compile_protocol(load_protocol(write_protocol(tmp_path, TARGET)), children_and_adults(3), equations)
    assert {item.detail for item in plan.timeline} == {"AUC 90 mg*hour/L"}


@pytest.mark.parametrize(
    ("step", "error", "message"),
    [
        (
            TARGET | {"agent": "cyclophosphamide"},
            InvalidField,
            "target_auc: 'cyclophosphamide' has no .exposure. .*busulfan",
        ),
        (
            TARGET | {"target_auc": "90 mg/L"},
            UnitMismatch,
            "target_auc: '90 mg/L'; the exposure of 'busulfan' is in mg",
        ),
        (TARGET | {"target_auc": "0 mg*hour/L"}, DoseOutOfRange, "an exposure lies above 0"),
        (TARGET | {"dose": "3 mg/kg"}, InvalidField, "'dose' and 'target_auc' are both given"),
        (
            {k: v for k, v in TARGET.items() if k != "target_auc"} | {"dose": "3 mg/kg", "known": "patient"},
            InvalidField,
            "known: 'patient' goes with",
        ),
    ],
)
def test_a_target_that_makes_no_sense_is_refused_by_field(
    tmp_path: Path, step: dict[str, Any], error: type[RegraftError], message: str
) -> None:
    with pytest.raises(error, match=message):
        load_protocol(write_protocol(tmp_path, step))


@pytest.mark.parametrize("target", ["900 mg*hour/L", "0.1 mg*hour/L"])
def test_a_target_that_no_allowed_dose_reaches_names_patient_dose_and_limits(
    tmp_path: Path, equations: Equations, target: str
) -> None:
    words = (
        rf"A target of {target[:-9]}.* of 'busulfan' for patient 0 needs .* mg/kg on each of 4 days; a dose lies from"
    )
    with pytest.raises(DoseOutOfRange, match=words):
        doses(tmp_path, children_and_adults(3), equations, TARGET | {"target_auc": target})


@pytest.mark.parametrize("dose", [{"target_auc": "90 mg*hour/L"}, {"dose": "3 mg/kg"}])
def test_an_age_outside_the_range_of_the_agent_names_the_patient(
    tmp_path: Path, equations: Equations, dose: dict[str, str]
) -> None:
    step = {k: v for k, v in TARGET.items() if k != "target_auc"} | dose
    with pytest.raises(DoseOutOfRange, match="'busulfan' for patient 2, aged 70 years: .* from 0.1 to 66 years"):
        doses(tmp_path, children_and_adults(3, oldest=70.0), equations, step)


def test_a_covariate_that_is_missing_is_named(tmp_path: Path, equations: Equations) -> None:
    people = children_and_adults(3)
    short = replace(people, values={k: v for k, v in people.values.items() if k != "height"})
    with pytest.raises(InvalidField, match="A target of exposure to 'busulfan' needs each patient's 'height'"):
        doses(tmp_path, short, equations, TARGET)


def test_an_extract_gives_the_same_course_and_leaves_the_rest_out(equations: Equations) -> None:
    small = extract(equations, ["busulfan_auc", "busulfan"])
    assert {state.id for state in small.states} == {
        "busulfan",
        "busulfan_auc",
        "busulfan_peripheral",
        "busulfan_course",
        "busulfan_clock",
    }
    assert {event.id for event in small.events} == {"busulfan_begun", "busulfan_gone"}
    assert not {p.id for p in small.parameters} & {"k_cyclophosphamide", "drug_sensitivity"}
    with pytest.raises(RegraftError, match="no quantity 'busulfan_ac'.*'busulfan_auc'"):
        extract(equations, ["busulfan_ac"])
