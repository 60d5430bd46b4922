from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.therapy.clinic import COLLECT, CORE, DOSE, INFUSE, MONITOR, people, write_protocol

from regraft.engine import compile_model, solve
from regraft.engine.administrations import Kind
from regraft.entries import list_entries
from regraft.errors import DoseOutOfRange, InvalidField, UnitMismatch
from regraft.model import join, load_part, read_antimony
from regraft.model.equations import Equations
from regraft.model.sbml_writer import with_scheduled_jumps
from regraft.patients import Population, load_population, sample_population
from regraft.therapy import CompiledProtocol, TimelineItem, compile_protocol, load_protocol, load_treatment
from regraft.therapy.treatment import LINEAGES

GCSF = {"phase": "mobilise", "agent": "gcsf", "dose": "10 ug/kg", "days": {"start": -34, "every": 1, "until": -32}}


@pytest.fixture(scope="module")
def core() -> Equations:
    return join([load_part(name) for name in CORE], id="core").equations


def compiled(folder: Path, equations: Equations, patients: Population, *steps: dict[str, Any]) -> CompiledProtocol:
    return compile_protocol(load_protocol(write_protocol(folder, *steps)), patients, equations)


def test_every_patient_gets_every_dose_over_the_entry_s_own_time(tmp_path: Path, core: Equations) -> None:
    doses = compiled(tmp_path, core, people(70, 80, first_id=40), DOSE).administrations
    assert len(doses) == 8
    assert sorted(zip(doses.patient_row.tolist(), doses.time.tolist(), strict=True)) == [
        (row, day) for row in (0, 1) for day in (-5.0, -4.0, -3.0, -2.0)
    ]
    assert set(doses.target) == {"cyclophosphamide"}
    assert set(doses.kind) == {Kind.INFUSION}
    assert set(doses.amount) == {50.0}
    hours = load_treatment("cyclophosphamide").limit("infusion_duration", "day")
    assert set(doses.duration) == {hours}


def test_a_duration_of_the_protocol_wins_over_the_entry_s(tmp_path: Path, core: Equations) -> None:
    doses = compiled(tmp_path, core, people(70), DOSE | {"duration": "6 hour"}).administrations
    assert set(doses.duration) == {0.25}


def test_a_bolus_has_no_duration(tmp_path: Path, core: Equations) -> None:
    doses = compiled(tmp_path, core, people(70), GCSF).administrations
    assert (set(doses.kind), set(doses.duration), doses.time.tolist()) == ({Kind.BOLUS}, {0.0}, [-34.0, -33.0, -32.0])


@pytest.mark.parametrize(
    ("dose", "amounts"),
    [
        ("50 mg/kg", [50.0, 50.0]),
        ("50000 ug/kg", [50.0, 50.0]),
        ("3500 mg", [50.0, 43.75]),
        ("3.5 g", [50.0, 43.75]),
    ],
)
def test_a_flat_dose_is_divided_by_body_weight_and_a_dose_per_kg_is_not(
    tmp_path: Path, core: Equations, dose: str, amounts: list[float]
) -> None:
    doses = compiled(tmp_path, core, people(70, 80), DOSE | {"dose": dose, "days": [-5]}).administrations
    assert doses.amount.tolist() == pytest.approx(amounts, rel=1e-12)


def test_a_dose_per_kg_or_per_body_surface_into_a_flat_state_is_multiplied(tmp_path: Path, core: Equations) -> None:
    step = {"phase": "condition", "agent": "fludarabine", "days": [-5]}
    tall = people(70, 35)
    tall = replace(tall, values={**tall.values, "height": np.array([1.8, 1.4])})
    per_kg = compiled(tmp_path, core, tall, step | {"dose": "0.8 mg/kg"}).administrations.amount
    assert per_kg.tolist() == pytest.approx([56.0, 28.0], rel=1e-12)
    surface = compiled(tmp_path, core, tall, step | {"dose": "30 mg/m**2"}).administrations.amount
    # Mosteller with cm and kg
    expected = [30 * (180 * 70 / 3600) ** 0.5, 30 * (140 * 35 / 3600) ** 0.5]
    assert surface.tolist() == pytest.approx(expected, rel=1e-9)


def test_a_dose_per_body_surface_needs_height_and_lies_within_the_limits_per_kg(
    tmp_path: Path, core: Equations
) -> None:
    step = {"phase": "condition", "agent": "fludarabine", "dose": "30 mg/m**2", "days": [-5]}
    with pytest.raises(InvalidField, match="dose per body surface of 'fludarabine' needs each patient's 'height'"):
        compiled(tmp_path, core, people(70), step)
    tall = replace(people(70, first_id=9), values={"body_weight": np.array([70.0]), "height": np.array([1.7])})
    with pytest.raises(DoseOutOfRange, match=r"a dose of 200 mg/m\*\*2 for patient 9: 5.* lies from 0.1 to 4 mg/kg"):
        compiled(tmp_path, core, tall, step | {"dose": "200 mg/m**2"})
    bodiless = join([load_part("fludarabine")]).equations
    with pytest.raises(InvalidField, match="needs 'body_surface'.*Join the part 'person'"):
        compiled(tmp_path, bodiless, tall, step)


def test_a_flat_dose_into_a_flat_state_is_given_as_it_is(tmp_path: Path, core: Equations) -> None:
    step = {"phase": "maintain", "agent": "natalizumab", "dose": "300 mg", "days": [0]}
    assert compiled(tmp_path, core, people(50, 100), step).administrations.amount.tolist() == [300.0, 300.0]


def test_a_flat_dose_without_body_weights_is_refused(tmp_path: Path, core: Equations) -> None:
    unweighed = replace(people(70), values={})
    with pytest.raises(InvalidField, match="flat dose of 'cyclophosphamide' needs each patient's 'body_weight'"):
        compiled(tmp_path, core, unweighed, DOSE | {"dose": "3500 mg"})


@pytest.mark.parametrize(("dose", "patient"), [("3500 mg", 41), ("100 mg", 42)])
def test_a_flat_dose_beyond_the_limits_per_kg_names_the_patient(
    tmp_path: Path, core: Equations, dose: str, patient: int
) -> None:
    with pytest.raises(DoseOutOfRange, match=f"a dose of {dose} for patient {patient}: .*lies from 1 to 60 mg/kg"):
        compiled(tmp_path, core, people(70, 40, 120, first_id=40), DOSE | {"dose": dose})


def test_cells_are_drawn_per_patient_and_times_viability(tmp_path: Path, core: Equations) -> None:
    patients = people(70, 80, 90, first_id=5)
    product = load_treatment("autologous_graft")
    doses = compiled(tmp_path, core, patients, COLLECT, INFUSE).administrations
    drawn = patients.draw(list(product.rows.values()))
    assert doses.target == ("graft_cd34",) * 3 + ("graft_progenitors",) * 3 + ("graft_t_cells",) * 3
    np.testing.assert_array_equal(doses.amount[:3], drawn["cd34_dose"] * drawn["viability"])
    np.testing.assert_array_equal(doses.amount[6:], drawn["cd3_dose"] * drawn["viability"])
    assert len(set(doses.amount[:3])) == 3
    assert set(doses.time) == {0.0}


def test_dead_cells_do_not_count(tmp_path: Path, core: Equations, monkeypatch: pytest.MonkeyPatch) -> None:
    product = load_treatment("autologous_graft")
    halved = replace(product, rows=dict(product.rows) | {"viability": replace(product.rows["viability"], value=0.5)})
    full = compiled(tmp_path, core, people(70), COLLECT, INFUSE).administrations.amount
    monkeypatch.setattr("regraft.therapy.compile.load_treatment", lambda _: halved)
    np.testing.assert_array_equal(
        compiled(tmp_path, core, people(70), COLLECT, INFUSE).administrations.amount, full / 2
    )


def test_a_patient_gets_the_same_cells_whoever_else_is_treated(tmp_path: Path, core: Equations) -> None:
    alone = compiled(tmp_path, core, people(80, first_id=6), COLLECT, INFUSE).administrations
    among = compiled(tmp_path, core, people(70, 80, 90, first_id=5), COLLECT, INFUSE).administrations
    np.testing.assert_array_equal(alone.amount, among.amount[among.patient_row == 1])


def test_an_infusion_brings_in_its_whole_amount(tmp_path: Path, core: Equations) -> None:
    # the drug's own state with its loss switched off: all that was given is still there
    parts = replace(
        read_antimony("model m()\n  cyclophosphamide = 0; k = 0;\n  cyclophosphamide' = -k*cyclophosphamide;\nend\n")
    )
    equations = replace(parts, states=tuple(replace(s, unit="mg/kg") for s in parts.states))
    patients = people(70, 80)
    plan = compiled(tmp_path, equations, patients, DOSE | {"duration": "5 hour"})
    kernel = compile_model(equations, ["cyclophosphamide"])
    result = solve(
        kernel,
        np.zeros((2, 1)),
        times=np.array([-6.0, -4.9, 3.0]),
        patient_ids=patients.patient_ids,
        seed=1,
        administrations=plan.administrations,
    )
    # 0.1 of a day of an infusion that lasts 5/24 of one; sums of floats
    expected = np.array([0.0, 50 * 0.1 * 24 / 5, 200.0])
    np.testing.assert_allclose(result.values[0, :, 0], expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(result.values[1, :, 0], expected, rtol=1e-9, atol=1e-9)


def test_the_table_has_the_columns_of_nonmem_and_rates_that_give_the_amounts(tmp_path: Path, core: Equations) -> None:
    plan = compiled(tmp_path, core, people(70, 80, first_id=40), GCSF, COLLECT, DOSE, INFUSE)
    table = plan.table()
    assert list(table.columns) == ["ID", "TIME", "AMT", "CMT", "RATE", "EVID"]
    assert len(table) == len(plan.administrations) == 2 * (3 + 4 + 3)
    assert set(table["ID"]) == {40, 41}
    assert set(table["EVID"]) == {1}
    infused = table[table["CMT"] == "cyclophosphamide"]
    hours = load_treatment("cyclophosphamide").limit("infusion_duration", "day")
    np.testing.assert_allclose(infused["RATE"] * hours, infused["AMT"], rtol=1e-12)
    assert set(table[table["CMT"] != "cyclophosphamide"]["RATE"]) == {0.0}


def test_the_jumps_of_a_patient_are_that_patient_s_rows(tmp_path: Path, core: Equations) -> None:
    plan = compiled(tmp_path, core, people(70, 80), COLLECT, DOSE, INFUSE)
    jumps = plan.jumps(1)
    own = plan.administrations.patient_row == 1
    assert [j.amount for j in jumps] == plan.administrations.amount[own].tolist()
    assert [j.time_days for j in jumps] == [-5.0, -4.0, -3.0, -2.0, 0.0, 0.0, 0.0]
    assert [j.duration_days > 0 for j in jumps] == [True] * 4 + [False] * 3
    assert not any(j.is_set for j in jumps)
    assert len(with_scheduled_jumps(core, jumps).events) == len(core.events) + 2 * 4 + 3


def test_the_timeline_tells_every_step_in_order(tmp_path: Path, core: Equations) -> None:
    step = DOSE | {"days": [-5, -4], "duration": "6 hour"}
    plan = compiled(tmp_path, core, people(70), COLLECT | {"note": "frozen"}, step, INFUSE, MONITOR)
    assert plan.timeline == (
        TimelineItem("collect", "Collect: Autologous mobilised blood stem cells", -25, -25, "frozen"),
        TimelineItem("condition", "Condition: Cyclophosphamide", -5, -4.75, "50 mg/kg"),
        TimelineItem("condition", "Condition: Cyclophosphamide", -4, -3.75, "50 mg/kg"),
        TimelineItem("infuse", "Infuse: Autologous mobilised blood stem cells", 0, 0, ""),
        TimelineItem("monitor", "In hospital", -6, 21, ""),
    )


def test_a_model_without_the_state_of_a_drug_is_refused_with_near_matches(tmp_path: Path, core: Equations) -> None:
    renamed = replace(core, states=tuple(replace(s, id=s.id.replace("cyclo", "ciclo")) for s in core.states))
    with pytest.raises(InvalidField, match="'cyclophosphamide', which model 'core' does not have.*'ciclophosphamide'"):
        compiled(tmp_path, renamed, people(70), DOSE)


def test_a_model_that_keeps_a_drug_in_another_unit_is_refused(tmp_path: Path, core: Equations) -> None:
    other = replace(core, states=tuple(replace(s, unit="g/kg") if s.unit == "mg/kg" else s for s in core.states))
    with pytest.raises(UnitMismatch, match="enters 'cyclophosphamide' in mg/kg, but model 'core' keeps it in g/kg"):
        compiled(tmp_path, other, people(70), DOSE)


@pytest.mark.parametrize("name", list_entries("protocols"))
def test_every_catalog_protocol_compiles_for_the_core_model(name: str, core: Equations) -> None:
    has_lineages = name.startswith(("scid_", "bu45_", "bu90_"))
    if has_lineages:
        parts = [*CORE, "scid"] if name.startswith("scid_") else CORE  # enzyme replacement is a matter of that part
        core = join([load_part(part) for part in parts], id="core", lineages=LINEAGES).equations
    people_of = {"scid": "scid_infants", "bu45": "nonmalignant_children", "bu90": "nonmalignant_children"}
    population = load_population(people_of.get(name.split("_")[0], "ms_relapsing"))
    patients = sample_population(population, (), np.arange(200), 1)
    plan = compile_protocol(load_protocol(name), patients, core)
    doses = plan.administrations
    assert set(doses.target) <= core.state_index.keys() | core.parameter_index.keys()
    assert np.isfinite(doses.amount).all()
    assert (doses.amount > 0).all()
    steps = load_protocol(name).steps
    may_differ = any(getattr(step, "fallback", None) for step in steps)
    may_differ |= any(load_treatment(one).is_banked for one in load_protocol(name).treatment_ids)  # refused lots
    assert may_differ or np.unique(np.bincount(doses.patient_row, minlength=200)).size == 1
    assert set(doses.patient_row) == set(range(200)) or not load_protocol(name).treatment_ids
    assert plan.timeline or not load_protocol(name).steps
