"""Stromal cells: what every model of them must show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import pytest

from regraft.engine import compile_model, solve
from regraft.engine.administrations import Administrations
from regraft.model import join, load_part
from regraft.therapy import load_treatment

ALONE = ("msc",)
DISEASE = ("msc", "ra")
FUNCTIONAL = {"fresh": 0.5, "thawed": 0.2}
MONTH = 365.25 / 12


@cache
def _kernel(parts: tuple[str, ...], quantities: tuple[str, ...]):  # type: ignore[no-untyped-def]
    return compile_model(join([load_part(part) for part in parts]).equations, list(quantities))


def course(
    quantities: Sequence[str],
    times: Sequence[float],
    given: Sequence[tuple[float, str, float]],
    *,
    parts: tuple[str, ...] = ALONE,
    **parameters: float,
) -> Mapping[str, np.ndarray]:
    """Return the courses of a typical patient who was given (day, state, amount)."""
    kernel = _kernel(parts, tuple(quantities))
    row = [parameters.get(one.id, one.value) for one in kernel.equations.parameters]
    one = np.array([0])
    doses = [Administrations.dose(one, day, state, np.array([amount])) for day, state, amount in given]
    result = solve(
        kernel, [row], times=times, patient_ids=[0], seed=1, administrations=Administrations.concatenate(doses)
    )
    assert not result.failed.any()
    return {name: np.array(result.values[0, :, k]) for k, name in enumerate(quantities)}


def infusion(dose: float, handling: str = "fresh", day: float = 0.0) -> list[tuple[float, str, float]]:
    """Return an infusion of viable and dead cells, in Mcell/kg."""
    viability = load_treatment("msc_marrow").rows["viability"].value
    return [(day, "msc_lung", dose * viability * FUNCTIONAL[handling]), (day, "msc_nonviable", dose * (1 - viability))]


def test_handling_is_that_of_the_products() -> None:
    assert load_treatment("msc_marrow").rows["functional_share"].value == FUNCTIONAL["thawed"]
    assert load_treatment("msc_marrow_fresh").rows["functional_share"].value == FUNCTIONAL["fresh"]


@pytest.mark.parametrize("dose", [1.0, 10.0])
def test_live_cells_are_gone_in_two_days_and_the_effect_stays_for_weeks(dose: float) -> None:
    found = course(["msc_lung", "msc_dead", "msc_active"], [-1, 0.01, 2, 28], infusion(dose))
    assert found["msc_lung"][2] + found["msc_dead"][2] < 1e-3 * found["msc_lung"][1]
    assert found["msc_active"][3] > 0.2


def test_the_label_outlives_the_cells_and_moves_to_liver_and_spleen() -> None:
    found = course(["msc_lung", "msc_debris", "msc_debris_organs"], [-1, 1, 10], infusion(1))
    lung = found["msc_lung"] + found["msc_debris"]
    assert lung[2] == pytest.approx(3.7 / 30.2 * lung[1], rel=0.6)  # counts of a gamma camera on days 0 and 10
    assert found["msc_debris_organs"][2] > 3 * lung[2]


def test_dead_cells_keep_part_of_the_effect_through_phagocytes() -> None:
    times = [-1, 7]
    dead = course(["msc_active"], times, [(0, "msc_nonviable", 0.5)])["msc_active"][1]
    live = course(["msc_active"], times, [(0, "msc_lung", 0.5)])["msc_active"][1]
    without = course(["msc_active"], times, [(0, "msc_nonviable", 0.5)], monocytes=0.0)["msc_active"][1]
    assert 0.2 * live < dead < 0.9 * live
    assert without == 0


def test_without_licence_there_is_no_effect() -> None:
    logs = ["msc_effector", "msc_treg", "msc_b_cell", "msc_macrophage", "msc_repair"]
    cold = course([*logs, "msc_primed"], [-1, 7], infusion(2), inflammatory_milieu=0.0)
    assert cold["msc_primed"][1] > 0.5
    assert [cold[name][1] for name in logs] == [0] * 5
    warm, hot = (course(logs, [-1, 7], infusion(2), inflammatory_milieu=level) for level in (0.2, 1.0))
    assert all(0 < abs(warm[name][1]) < abs(hot[name][1]) for name in logs)


@pytest.mark.parametrize("handling", FUNCTIONAL)
def test_the_dose_saturates(handling: str) -> None:
    times = np.linspace(-1, 90, 400)
    low, two, four = (
        np.trapezoid(course(["msc_active"], times, infusion(dose, handling))["msc_active"], times)
        for dose in (0.25, 2, 4)
    )
    assert 1.0 < four / two < 1.15
    assert two / low > 1.15


def test_the_effect_fades_within_three_months_and_a_second_dose_brings_it_back() -> None:
    found = course(["msc_active"], [-1, 1, 3 * MONTH, 3 * MONTH + 2], [*infusion(2), *infusion(2, day=3 * MONTH + 1)])
    active = found["msc_active"]
    assert active[2] < 0.05 * active[1]
    assert active[3] == pytest.approx(active[1], rel=0.1)


def test_a_weak_response_is_raised_and_a_strong_one_calmed() -> None:
    weak, typical, strong = (
        course(["msc_effector"], [-1, 7], infusion(2), immune_response=level)["msc_effector"][1]
        for level in (0.02, 1, 2)
    )
    assert weak > 0
    assert strong < typical < 0


def test_no_patient_is_moved_for_good_unless_the_switch_is_on() -> None:
    times = np.array([-1, 28, 3 * 365.25])
    thrice = [given for day in (0, 28, 56) for given in infusion(4, day=day)]
    quantities = ["synovitis", "synovial_memory", "synovial_treg"]
    never = course(quantities, times, infusion(0), parts=DISEASE)
    off, on = (course(quantities, times, thrice, parts=DISEASE, msc_restores_tolerance=switch) for switch in (0.0, 1.0))
    assert off["synovitis"][1] < 0.99 * never["synovitis"][1]
    for name in quantities:
        assert off[name][2] == pytest.approx(never[name][2], rel=0.01)
    assert on["synovial_memory"][2] < 0.8 * never["synovial_memory"][2]


def test_stromal_cells_add_no_infections() -> None:
    targets = {quantity.adds_to for quantity in load_part("msc").quantities.values()} - {""}
    assert "drug_infection_risk" not in targets
    assert targets == {
        "effector_proliferation_log",
        "treg_induction_log",
        "b_cell_activity_log",
        "macrophage_activity_log",
        "tissue_repair_log",
        "tolerance_pressure",
    }
