"""Products of a bank: lots that patients share, release limits, doses per kg or in all, routes and intervals."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.therapy.clinic import people, write_protocol

from regraft.engine import compile_model, solve
from regraft.engine.administrations import Administrations
from regraft.errors import DoseOutOfRange, InvalidField, UnitMismatch
from regraft.model import join, load_part
from regraft.model.equations import Equations
from regraft.patients import Population
from regraft.therapy import compile_protocol, load_protocol, load_treatment

CELLS: dict[str, Any] = {
    "phase": "infuse",
    "product": "msc_marrow",
    "day": 0,
    "doses": {"cell_dose": "2 Mcell/kg"},
    "route": "intravenous",
}
HUNDRED = people(*[70.0] * 1000)


@cache
def model() -> Equations:
    return join([load_part("msc")], id="cells").equations


def compiled(folder: Path, *steps: dict[str, Any], patients: Population = HUNDRED) -> Administrations:
    return compile_protocol(load_protocol(write_protocol(folder, *steps)), patients, model()).administrations


def amounts(doses: Administrations, state: str, patients: int) -> np.ndarray:
    """Return what each patient got of a state, NaN for none."""
    found = np.full(patients, np.nan)
    mine = np.array(doses.target) == state
    found[doses.patient_row[mine]] = doses.amount[mine]
    return found


def test_patients_of_one_lot_share_potency_and_viability(tmp_path: Path) -> None:
    doses = compiled(tmp_path, CELLS)
    size = int(load_treatment("msc_marrow").rows["patients_per_lot"].value)
    for state in ("msc_potency", "msc_lung"):
        by_lot = amounts(doses, state, 1000).reshape(-1, size)
        assert (by_lot == by_lot[:, :1]).all()
        assert np.unique(by_lot[:, 0]).size > 90


def test_cells_are_live_or_dead_and_only_some_of_the_live_work(tmp_path: Path) -> None:
    doses = compiled(tmp_path, CELLS | {"viability": 0.8})
    functional = load_treatment("msc_marrow").rows["functional_share"].value
    np.testing.assert_allclose(amounts(doses, "msc_lung", 1000), 2 * 0.8 * functional)
    np.testing.assert_allclose(amounts(doses, "msc_nonviable", 1000), 2 * 0.2)


def test_a_lot_below_its_release_limit_is_replaced_and_the_model_notes_it(tmp_path: Path) -> None:
    doses = compiled(tmp_path, CELLS)
    rows = load_treatment("msc_marrow").rows
    viability = amounts(doses, "msc_lung", 1000) / (2 * rows["functional_share"].value)
    assert viability.min() >= rows["viability_release"].value
    refused = np.nan_to_num(amounts(doses, "msc_lot_below_release", 1000))
    assert 0 < np.count_nonzero(refused) < 200
    kernel = compile_model(model(), ["msc_lots_refused"])
    result = solve(kernel, HUNDRED.parameter_matrix(model()), times=[-1, 1], patient_ids=np.arange(1000), seed=1,
                   administrations=doses)  # fmt: skip
    np.testing.assert_array_equal(result.values[:, -1, 0], refused)
    noted = np.array(result.event_ids)[result.event_index] == "lot_refused"
    assert set(result.event_patient[noted]) == set(np.flatnonzero(refused))


def test_a_total_is_divided_by_the_weight_of_each_patient(tmp_path: Path) -> None:
    two = people(50, 100)
    doses = compiled(tmp_path, CELLS | {"doses": {"cell_dose": "100 Mcell total"}, "viability": 1.0}, patients=two)
    given = amounts(doses, "msc_lung", 2)
    assert given[0] == pytest.approx(2 * given[1])
    assert given[1] == pytest.approx(1 * load_treatment("msc_marrow").rows["functional_share"].value)


def test_the_route_decides_where_cells_go(tmp_path: Path) -> None:
    assert "msc_site" not in compiled(tmp_path, CELLS).target
    local = compiled(tmp_path, CELLS | {"route": "local"}).target
    assert "msc_site" in local
    assert "msc_lung" not in local


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"doses": {"cell_dose": "140 Mcell"}}, UnitMismatch, "for nobody in particular. Write '140 Mcell/kg'.*total"),
        ({"doses": {"cell_dose": "2 mg/kg"}}, UnitMismatch, "give it in Mcell/kg, or a total"),
        ({"doses": {"cell_dose": "50 Mcell/kg"}}, DoseOutOfRange, "holds 0.05 to 20 Mcell/kg"),
        ({"doses": {"cell_dose": "5000 Mcell total"}}, DoseOutOfRange, "holds 0.05 to 20 Mcell/kg"),
        ({"doses": {"cells": "2 Mcell/kg"}}, InvalidField, "'cell_dose'"),
        ({"doses": {"lot_potency": "2 dimensionless"}}, InvalidField, "is no dose of 'msc_marrow'"),
        ({"route": "intrathecal"}, InvalidField, "route: 'intrathecal' is not possible.*'intravenous'"),
        ({"route": None}, InvalidField, "route is missing: 'msc_marrow' is given intravenous or local"),
        ({"viability": 0.6}, DoseOutOfRange, "viability is 0.6; a lot of 'msc_marrow' is released from 0.7 on"),
        ({"viability": 1.4}, InvalidField, "viability"),
    ],
)
def test_what_nobody_can_give_is_refused(
    tmp_path: Path, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        compiled(tmp_path, CELLS | change)


def test_infusions_that_overlap_are_refused(tmp_path: Path) -> None:
    fat = CELLS | {"product": "msc_adipose", "day": 0.5}
    with pytest.raises(
        InvalidField, match="'msc_marrow' is infused on day 0 and 'msc_adipose' on day 0.5;.*1 day apart"
    ):
        compiled(tmp_path, CELLS, fat)
    assert compiled(tmp_path, CELLS, fat | {"day": 1}).target


def test_a_graft_that_is_collected_has_no_lot(tmp_path: Path) -> None:
    collect = {"phase": "collect", "product": "autologous_graft", "days": [-9]}
    infuse = {"phase": "infuse", "product": "autologous_graft", "day": 0, "viability": 0.9}
    with pytest.raises(InvalidField, match="'autologous_graft' does not come in lots"):
        load_protocol(write_protocol(tmp_path, collect, infuse))


def test_lots_that_never_meet_their_limit_are_a_mistake(tmp_path: Path) -> None:
    text = (load_treatment("msc_marrow").entry.folder / "parameters.csv").read_text()
    folder = tmp_path / "bad"
    folder.mkdir()
    source = load_treatment("msc_marrow").entry.folder / "entry.toml"
    (folder / "entry.toml").write_text(source.read_text())
    (folder / "parameters.csv").write_text(
        text.replace("viability,0.85,dimensionless,normal,0.08", "viability,0.2,dimensionless,normal,0.01")
    )
    product = load_treatment(folder)
    step = load_protocol(write_protocol(tmp_path, CELLS)).steps[0]
    from regraft.therapy.infusion import infuse

    with pytest.raises(DoseOutOfRange, match="lots of 'msc_marrow' in a row lie below the release limit 0.7"):
        infuse(step, product, HUNDRED, model())  # type: ignore[arg-type]
