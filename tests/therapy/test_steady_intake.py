"""Drugs of every day are written as a steady intake; it must be the licensed dose, without gaps or overlaps."""

from __future__ import annotations

import numpy as np
import pytest
from tests.therapy.clinic import people

from regraft.model import load_part
from regraft.therapy import compile_protocol, load_protocol


@pytest.mark.parametrize(
    ("protocol", "unit", "per_day"),
    [("fingolimod", "mg", 0.5), ("interferon_beta", "ug", 3 * 44 / 7)],
)
def test_a_steady_intake_is_the_licensed_dose_per_day_without_a_gap(protocol: str, unit: str, per_day: float) -> None:
    equations = load_part(protocol).equations
    doses = compile_protocol(load_protocol(protocol), people(70.0), equations).administrations
    assert set(doses.target) == {protocol}
    assert equations.units[protocol] == unit
    np.testing.assert_allclose(doses.amount / doses.duration, per_day, rtol=1e-12)
    np.testing.assert_allclose(doses.time[1:], (doses.time + doses.duration)[:-1], rtol=0, atol=1e-9)
    assert (doses.time[0], (doses.time + doses.duration)[-1]) == (0.0, 1848.0)


def test_alemtuzumab_is_five_days_and_three_days_a_year_later() -> None:
    doses = compile_protocol(
        load_protocol("alemtuzumab"), people(70.0), load_part("alemtuzumab").equations
    ).administrations
    first = doses.time < 30
    assert (first.sum(), (~first).sum()) == (5, 3)
    assert doses.time[~first].min() == 365
    assert set(doses.amount) == {12.0}


@pytest.mark.parametrize(
    ("protocol", "product"),
    [
        ("ahsct_cy", "autologous_graft"),
        ("ahsct_beam_atg", "autologous_graft"),
        ("ahsct_bu_cy_atg_cd34", "autologous_graft_cd34"),
    ],
)
def test_a_regimen_collects_and_infuses_one_product(protocol: str, product: str) -> None:
    assert [name for name in load_protocol(protocol).treatment_ids if "graft" in name] == [product]
