"""Agents of transplantation: laws that their equations must keep."""

from __future__ import annotations

import numpy as np
import pytest

from regraft.engine import compile_model, solve
from regraft.engine.administrations import Administrations, Kind
from regraft.model import join, load_part


def given_at_once(state: str, dose: float, *days: float) -> Administrations:
    """Return doses to one patient."""
    count = len(days)
    return Administrations(
        patient_row=np.zeros(count, dtype=int),
        time=np.array(days),
        target=(state,) * count,
        kind=np.full(count, int(Kind.BOLUS)),
        amount=np.full(count, dose),
        duration=np.zeros(count),
    )


def course(parts: tuple[str, ...], quantity: str, times: np.ndarray, doses: Administrations) -> np.ndarray:
    """Return the course of a quantity in a typical patient."""
    equations = join([load_part(part) for part in parts]).equations
    parameters = [[parameter.value for parameter in equations.parameters]]
    kernel = compile_model(equations, [quantity])
    result = solve(kernel, parameters, times=times, patient_ids=[0], seed=1, administrations=doses)
    assert not result.failed.any()
    return np.array(result.values[0, :, 0])


@pytest.mark.parametrize("fraction", [2.0, 4.0])
def test_a_fraction_of_irradiation_kills_by_the_linear_quadratic_law(fraction: float) -> None:
    rows = {row.id: row.value for row in load_part("tbi").parameter_rows}
    times = np.arange(-1e-9, 1.0, 1e-4)
    kill = course(("tbi",), "tbi_kill_hsc", times, given_at_once("tbi", fraction, 0.0))
    expected = rows["potency_tbi_hsc"] * (fraction + fraction**2 / rows["tbi_ratio_early"])
    # the trapezoid rule over steps of nine seconds
    assert np.trapezoid(kill, times) == pytest.approx(expected, rel=2e-3)


def test_two_agents_leave_the_product_of_what_each_leaves_of_activation() -> None:
    parts = ("tacrolimus", "mycophenolate", "immunosuppression")
    both = Administrations.concatenate(
        [given_at_once("tacrolimus", 1.0, 0.0), given_at_once("mycophenolate", 900.0, 0.0)]
    )
    times = np.array([-1.0, 0.25])
    block, first, second = (
        course(parts, name, times, both)[-1]
        for name in ("t_activation_block", "tacrolimus_effect", "mycophenolate_effect")
    )
    assert 0.1 < first < 0.9
    assert 0.1 < second < 0.7
    assert block == pytest.approx(1 - (1 - first) * (1 - second), rel=1e-9)
