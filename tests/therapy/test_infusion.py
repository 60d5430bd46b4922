"""Grafts of donors and corrected cells: lineages, fixed doses, release limits with a fallback."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.therapy.clinic import people, write_protocol

from regraft.engine import compile_model, solve
from regraft.engine.administrations import Kind
from regraft.errors import DoseOutOfRange, InvalidField, UnitMismatch
from regraft.model import join, load_part
from regraft.model.equations import Equations
from regraft.therapy import CompiledProtocol, compile_protocol, load_protocol, load_treatment
from regraft.therapy.treatment import LINEAGES

PARTS = ("person", "hematopoiesis", "immunity", "allogeneic", "harm")
SIBLING = {"relation": "sibling", "hla": "10/10", "age": "8 year"}
MARROW: dict[str, Any] = {"phase": "infuse", "product": "marrow_graft", "day": 0, "donor": SIBLING}
LOW = "0.8 Mcell/kg"  # below the release limit of marrow


@cache
def model(*lineages: str) -> Equations:
    return join([load_part(part) for part in PARTS], id="body", lineages=lineages or LINEAGES).equations


def compiled(folder: Path, *steps: dict[str, Any], equations: Equations | None = None) -> CompiledProtocol:
    return compile_protocol(load_protocol(write_protocol(folder, *steps)), people(10, 20), equations or model())


def test_cells_enter_the_lineage_of_whoever_gave_them(tmp_path: Path) -> None:
    doses = compiled(tmp_path, MARROW).administrations
    cells = {target for target, kind in zip(doses.target, doses.kind, strict=True) if kind == Kind.BOLUS}
    assert cells == {"graft_cd34_donor", "graft_progenitors_donor", "graft_t_cells_donor"}
    collect = {"phase": "collect", "product": "corrected_graft", "days": [-9]}
    infuse = {"phase": "infuse", "product": "corrected_graft", "day": 0, "doses": {"cd34_dose": "5 Mcell/kg"}}
    own = compiled(tmp_path, collect, infuse).administrations
    names = ("graft_cd34", "graft_progenitors", "graft_t_cells")
    assert set(own.target) == {f"{name}_{lineage}" for name in names for lineage in ("host", "corrected")}
    cd34 = own.amount[[target.startswith("graft_cd34") for target in own.target]]
    viable = load_treatment("corrected_graft").rows["viability"].value
    np.testing.assert_allclose(cd34.reshape(2, 2).sum(axis=0), 5.0 * viable)  # what is not corrected is the patient's
    assert (cd34 > 0).all()


def test_the_model_is_told_who_the_donor_is(tmp_path: Path) -> None:
    doses = compiled(tmp_path, MARROW).administrations
    told = {t: a for t, a, k in zip(doses.target, doses.amount, doses.kind, strict=True) if k == Kind.SET}
    assert told == {"donor_is_other": 1.0, "donor_is_related": 1.0, "hla_mismatches": 0.0, "donor_age": 8.0}


def test_a_fixed_dose_wins_and_progenitors_follow_it(tmp_path: Path) -> None:
    doses = compiled(tmp_path, MARROW | {"doses": {"cd34_dose": "6 Mcell/kg"}}).administrations
    amounts = dict(zip(doses.target, doses.amount, strict=True))
    ratio = load_treatment("marrow_graft").rows["progenitors_per_cd34"].value
    assert amounts["graft_cd34_donor"] == 6.0
    assert amounts["graft_progenitors_donor"] == pytest.approx(6.0 * ratio)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"product": "cord_graft", "doses": {"cd34_dose": "4 Mcell/kg"}}, DoseOutOfRange, "holds 0.05 to 1 Mcell/kg"),
        ({"doses": {"cd34_dose": "5 mg/kg"}}, UnitMismatch, "give it in Mcell/kg"),
        ({"doses": {"cd43_dose": "5 Mcell/kg"}}, InvalidField, "or 'cd34_dose'"),
        ({"doses": {"cd34_dose": LOW}}, DoseOutOfRange, "below its release limit for 2 of 2 patients"),
    ],
)
def test_doses_that_a_graft_cannot_have_are_refused(
    tmp_path: Path, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        compiled(tmp_path, MARROW | change)


def test_cells_of_a_donor_need_a_model_with_donors(tmp_path: Path) -> None:
    with pytest.raises(InvalidField, match="lineages: .host, donor"):
        compiled(tmp_path, MARROW, equations=join([load_part(p) for p in PARTS], id="body").equations)


def test_a_graft_below_its_release_limit_is_replaced_and_the_trial_counts_it(tmp_path: Path) -> None:
    step = MARROW | {"doses": {"cd34_dose": LOW}, "fallback": "mobilised_graft"}
    doses = compiled(tmp_path, step).administrations
    given = doses.amount[[target == "graft_cd34_donor" for target in doses.target]]
    assert given.size == 2
    assert (given > 1).all()  # of the other product
    equations = model()
    values = np.tile([parameter.value for parameter in equations.parameters], (2, 1))
    kernel = compile_model(equations, ["grafts_replaced"])
    result = solve(kernel, values, times=[-1.0, 1.0], patient_ids=[0, 1], seed=1, administrations=doses)
    assert result.values[:, 1, 0].tolist() == [1.0, 1.0]
    events = [kernel.event_ids[index] for index in result.event_index]
    assert events.count("fallback_given") == 2


def told(compiled: CompiledProtocol) -> dict[str, list[float]]:
    """Return what the model is told of the second graft, by patient."""
    doses = compiled.administrations
    chosen = [name for name in dict.fromkeys(doses.target) if name.startswith("second_")]
    assert all(k == Kind.SET for t, k in zip(doses.target, doses.kind, strict=True) if t in chosen)
    return {name: doses.amount[[target == name for target in doses.target]].tolist() for name in chosen}


def test_the_model_is_told_what_answers_a_failed_graft(tmp_path: Path) -> None:
    second = {"after": "3 week", "product": "cord_graft", "doses": {"cd34_dose": "0.5 Mcell/kg"}, "suppression": 0.9}
    one = compiled(tmp_path, MARROW | {"second": second})
    said = told(one)
    ratio = load_treatment("cord_graft").rows["progenitors_per_cd34"].value
    assert said["second_graft_after"] == [21.0, 21.0]
    assert said["second_graft_suppression"] == [0.9, 0.9]
    assert said["second_graft_cd34"] == [0.5, 0.5]
    assert said["second_graft_progenitors"] == pytest.approx([0.5 * ratio] * 2)
    assert all(value > 0 for value in said["second_graft_naive_t_cells"])
    assert "if it fails: Cord blood after 3 week" in [item.detail for item in one.timeline]
    assert told(compiled(tmp_path, MARROW)) == {}


def test_a_second_graft_below_its_release_limit_is_not_given(tmp_path: Path) -> None:
    second = {"after": "42 day", "product": "marrow_graft", "doses": {"cd34_dose": LOW}}
    assert told(compiled(tmp_path, MARROW | {"second": second}))["second_graft_cd34"] == [0.0, 0.0]


def test_without_a_part_in_which_grafts_fail_nothing_is_answered(tmp_path: Path) -> None:
    parts = [load_part(part) for part in PARTS if part != "allogeneic"]
    equations = join(parts, id="body", lineages=LINEAGES).equations
    second = {"after": "42 day", "product": "marrow_graft"}
    assert told(compiled(tmp_path, MARROW | {"second": second}, equations=equations)) == {}
