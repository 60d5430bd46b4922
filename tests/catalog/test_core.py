"""Marrow, thymus and lymphocytes: the healthy course from birth to old age, and lineages that are only labels."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from regraft.engine import Kernel, compile_model, solve
from regraft.engine.administrations import Administrations
from regraft.entries import read_table
from regraft.model import JoinedModel, join, load_part
from regraft.model.expressions import Apply, Number
from regraft.model.sbml_writer import write_sbml

PARTS = ("person", "hematopoiesis", "erythropoiesis", "immunity", "cyclophosphamide", "atg_rabbit", "gcsf")
HEALTHY = {
    name: f"{name}_healthy"
    for name in ("cd4_naive", "cd8_naive", "cd4_memory", "cd8_memory", "treg", "b_naive", "b_memory", "nk", "red_cells")
} | {"plasma_short": "plasma_healthy", "plasma_long": "plasma_healthy"}
STEADY = {"neutrophils": 4000.0, "platelets": 250_000.0, "hsc": 1.0, "stroma": 1.0}
SHARES = {"host": 0.4, "donor": 0.6}


@cache
def core(lineages: tuple[str, ...] = ("host",)) -> JoinedModel:
    model = join([load_part(part) for part in PARTS], id="core", lineages=lineages)
    if len(lineages) == 1:
        return model
    shares = {f"_{lineage}": share for lineage, share in SHARES.items()}
    first = {one.id.removesuffix("_host"): one.initial for one in model.equations.states if one.id.endswith("_host")}
    states = []
    for one in model.equations.states:
        suffix = next((s for s in shares if one.id.endswith(s)), None)
        if suffix and one.id.removesuffix(suffix) in first:
            whole = first[one.id.removesuffix(suffix)]
            one = replace(one, initial=Apply("mul", (Number(shares[suffix]), whole)))
        states.append(one)
    return replace(model, equations=replace(model.equations, states=tuple(states)))


@cache
def kernel(lineages: tuple[str, ...] = ("host",)) -> Kernel:
    equations = core(lineages).equations
    return compile_model(equations, [*equations.state_index, *equations.assignment_index])


def parameters(lineages: tuple[str, ...] = ("host",), **values: np.ndarray | float) -> np.ndarray:
    equations = core(lineages).equations
    count = max(np.size(value) for value in values.values())
    matrix = np.tile([p.value for p in equations.parameters], (count, 1))
    for name, value in values.items():
        matrix[:, equations.parameter_index[name]] = value
    return matrix


@pytest.mark.parametrize("years", [10.0])
def test_a_healthy_person_stays_on_the_healthy_course_at_any_age(years: float) -> None:
    ages = np.array([0.0, 0.25, 1.0, 3.0, 8.0, 18.0, 35.0, 55.0, 70.0])
    result = solve(
        kernel(),
        parameters(age_at_start=ages, naive_pool_fraction=1.0),
        times=np.linspace(0, 365.25 * years, 21),
        patient_ids=np.arange(ages.size),
        seed=1,
    )
    assert (result.status == 0).all()
    at = {name: result.values[:, :, index] for index, name in enumerate(result.output_ids)}
    for name, healthy in HEALTHY.items():
        np.testing.assert_allclose(at[name], at[healthy], rtol=2e-3, err_msg=name)
    for name, level in STEADY.items():
        np.testing.assert_allclose(at[name], level, rtol=1e-3, err_msg=name)
    np.testing.assert_allclose(at["igg_made"], 10.5 * at["plasma_healthy"], rtol=2e-3)
    assert (result.values >= -1e-9)[:, :, [result.output_ids.index(s) for s in core().equations.state_index]].all()


def test_healthy_cd4_lies_in_the_published_ranges_of_children() -> None:
    rows = read_table(
        Path(__file__).with_name("children.csv"),
        columns=("quantity", "age_year", "lower", "upper", "unit", "source", "locator"),
    )
    ages = np.array([float(row["age_year"]) for row in rows])
    result = solve(
        kernel(),
        parameters(age_at_start=ages, naive_pool_fraction=1.0),
        times=[0.0],
        patient_ids=np.arange(ages.size),
        seed=1,
    )
    for patient, row in enumerate(rows):
        value = result.values[patient, 0, result.output_ids.index(row["quantity"])]
        assert float(row["lower"]) < value < float(row["upper"]), row


def graft(lineages: tuple[str, ...]) -> Administrations:
    """Give cells on day 0, in the shares of the lineages, after a strong but incomplete kill by cyclophosphamide."""
    doses = {"graft_cd34": 4.0, "graft_progenitors": 4.0, "graft_t_cells": 50.0}
    rows = [(-3.0, "cyclophosphamide", 150.0), (-2.0, "atg", 4.0)]
    for name, dose in doses.items():
        if len(lineages) == 1:
            rows.append((0.0, name, dose))
        else:
            rows += [(0.0, f"{name}_{lineage}", dose * SHARES[lineage]) for lineage in lineages]
    days, targets, amounts = zip(*rows, strict=True)
    zero = np.zeros(len(rows))
    return Administrations(zero.astype(int), np.array(days), tuple(targets), zero.astype(int), np.array(amounts), zero)


def test_cells_that_carry_two_labels_behave_as_cells_with_one() -> None:
    courses = []
    for lineages in (("host",), ("host", "donor")):
        chosen = parameters(lineages, age_at_start=9.0, naive_pool_fraction=0.8)
        chosen[:, core(lineages).equations.parameter_index["hsc_number"]] = 1e14  # draws without scatter
        result = solve(
            kernel(lineages),
            chosen,
            times=np.array([-10.0, 0.0, 7, 14, 30, 100, 365, 1500]),
            patient_ids=[0],
            seed=1,
            administrations=graft(lineages),
        )
        courses.append({name: result.values[0, :, i] for i, name in enumerate(result.output_ids)})
    one, two = courses
    assert one["neutrophils"].min() < 200 < 2000 < one["neutrophils"][-1]
    for name in one:
        scale = np.abs(one[name]).max() + 1e-12
        np.testing.assert_allclose(two[name], one[name], rtol=2e-3, atol=2e-4 * scale, err_msg=name)
    share = two["cd4_naive_donor"] / two["cd4_naive"]
    np.testing.assert_allclose(share, SHARES["donor"], rtol=1e-3)


def test_a_model_in_lineages_is_one_standard_file() -> None:
    text = write_sbml(core(("host", "donor")).equations)
    assert 'id="neutrophils_donor"' in text
    assert 'id="hsc_rejected_donor"' in text
