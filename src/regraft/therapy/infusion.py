"""Infusion of a cell product: how many cells each patient receives, and what is given where a graft is too small."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regraft.engine.administrations import Administrations
from regraft.entries import list_entries
from regraft.errors import DoseOutOfRange, InvalidField, UnitMismatch, near_matches
from regraft.model.equations import Equations
from regraft.model.lineages import HOST, in_lineage
from regraft.quantities import convert, equivalent
from regraft.therapy.protocol import InfuseStep, duration_days
from regraft.therapy.sizes import BODY_WEIGHT, Floats, Patients
from regraft.therapy.treatment import Target, Treatment, load_treatment

Flags = NDArray[np.bool_]
MOST_LOTS = 50  # that may fail in a row before it is called a mistake
SECOND = "second_"  # before the name of a state: parameter with what a second graft brings to it
SECOND_AFTER, SECOND_SUPPRESSION = "second_graft_after", "second_graft_suppression"
BELOW_RELEASE = "graft_below_release"  # state of the model that notes a product given in place of another


def infuse(step: InfuseStep, product: Treatment, patients: Patients, equations: Equations) -> list[Administrations]:
    """Return the cells that each patient receives; doses differ between patients by the product's rows.

    A graft whose viable dose lies below its release limit is not given; the step's ``fallback`` is, and the model notes
    it as an event where it can.

    Raises
    ------
    DoseOutOfRange : a dose outside the product's limits, or a graft below its release limit without a fallback
    InvalidField : the model lacks a state that the product enters
    """
    everybody = np.ones(patients.patient_ids.size, dtype=bool)
    tables = _donor(step, patients, equations)
    drawn = _doses(step.doses, product, patients)
    if product.lot is not None:
        drawn, refused = _lots(step, product, drawn, patients)
        tables += _counted(product.lot.refused, step.day, refused, equations)
        return tables + _cells(step, product, drawn, equations, everybody)
    tables += _second(step, patients, equations)
    is_small = _below_release(product, drawn, everybody.size)
    tables += _cells(step, product, drawn, equations, everybody & ~is_small)
    if not is_small.any():
        return tables
    if step.fallback is None:
        first = patients.patient_ids[int(np.argmax(is_small))]
        raise DoseOutOfRange(
            f"The graft {product.id!r} lies below its release limit for {int(is_small.sum())} of {is_small.size} "
            f"patients (the first is {first}). Name a 'fallback' product in the step that infuses it."
        )
    other = load_treatment(step.fallback)
    tables += _cells(step, other, _drawn(other, patients), equations, is_small)
    if BELOW_RELEASE in equations.state_index:
        rows = np.flatnonzero(is_small)
        tables.append(Administrations.dose(rows, step.day, BELOW_RELEASE, np.ones(rows.size), is_set=True))
    return tables


def state_of(target: Target, treatment: Treatment, equations: Equations) -> str:
    """Return the state that a treatment enters, of its lineage where the model has several; or the parameter it sets.

    Raises
    ------
    InvalidField : there is no such state, or a donor's cells meet a model with one lineage
    UnitMismatch : state and treatment disagree about the unit
    """
    if target.share == "set" and target.state in equations.parameter_index:
        return target.state
    own = in_lineage(target.state, treatment.lineage)
    state = own if own in equations.state_index else target.state
    if state not in equations.state_index:
        part = treatment.id if treatment.id in list_entries("models") else "that has it"
        raise InvalidField(
            f"Treatment {treatment.id!r} enters the state {state!r}, which model {equations.id!r} does not "
            f"have. Join the part {part} (a design names it under 'models'). "
            + near_matches(state, equations.state_index)
        )
    if state == target.state and treatment.lineage != HOST:
        raise InvalidField(
            f"{treatment.id!r} holds cells of lineage {treatment.lineage!r}, and model {equations.id!r} has no such "
            f"lineage. Write 'lineages: [{HOST}, {treatment.lineage}]' in the design."
        )
    unit = equations.units[state]
    if not equivalent(unit, target.unit):
        raise UnitMismatch(
            f"Treatment {treatment.id!r} enters {state!r} in {target.unit}, "
            f"but model {equations.id!r} keeps it in {unit}. Agree on one unit."
        )
    return state


def _donor(step: InfuseStep, patients: Patients, equations: Equations) -> list[Administrations]:
    """Tell the model who the donor is, as far as it asks."""
    if step.donor is None:
        return []
    rows = np.arange(patients.patient_ids.size)
    return [
        Administrations.dose(rows, step.day, name, np.full(rows.size, value), is_set=True)
        for name, value in step.donor.values().items()
        if name in equations.parameter_index
    ]


def _drawn(product: Treatment, patients: Patients) -> dict[str, Floats]:
    """Draw the rows of a product for every patient."""
    return patients.draw(list(product.rows.values()))


def _second(step: InfuseStep, patients: Patients, equations: Equations) -> list[Administrations]:
    """Tell the model what answers a graft that fails; who would get less than the release limit gets nothing.

    In a model in which no graft fails there is nothing to answer.
    """
    if step.second is None or SECOND_AFTER not in equations.parameter_index:
        return []
    product = load_treatment(step.second.product)
    drawn = _doses(step.second.doses, product, patients)
    is_released = ~_below_release(product, drawn, patients.patient_ids.size)
    told = {SECOND_AFTER: np.full(is_released.size, duration_days(step.second.after, "second.after"))}
    if step.second.suppression is not None:
        told[SECOND_SUPPRESSION] = np.full(is_released.size, step.second.suppression)
    for target in product.targets:
        state_of(target, product, equations)
        told[f"{SECOND}{target.state}"] = np.where(is_released, _amount(target, product, drawn), 0.0)
    for name in told:
        if name not in equations.parameter_index:
            raise InvalidField(
                f"second.product: a second graft cannot bring what {product.id!r} holds; model {equations.id!r} has no "
                f"parameter {name!r}. Name another product. {near_matches(name, equations.parameter_index)}"
            )
    rows = np.arange(is_released.size)
    return [Administrations.dose(rows, step.day, name, values, is_set=True) for name, values in told.items()]


def _doses(doses: Mapping[str, str], product: Treatment, patients: Patients) -> dict[str, Floats]:
    """Return the rows of a product for every patient, with the doses that a step fixes."""
    drawn = _drawn(product, patients)
    for name, text in doses.items():
        dose, is_total = product.fixed_dose(name, text, f"doses.{name}")
        amounts = np.full_like(drawn[name], dose)
        if is_total:
            amounts /= _weights(product, patients)
        for amount in {float(amounts.min(initial=np.inf)), float(amounts.max(initial=-np.inf))} - {np.inf, -np.inf}:
            _check_limits(product, name, amount)
        drawn[name] = amounts
    return drawn


def _weights(product: Treatment, patients: Patients) -> Floats:
    """Return body weights in kg, for a dose that is a total."""
    if BODY_WEIGHT not in patients.values:
        raise InvalidField(f"A total dose of {product.id!r} needs each patient's {BODY_WEIGHT!r}; add the covariate.")
    return patients.values[BODY_WEIGHT]


def _lots(
    step: InfuseStep, product: Treatment, drawn: dict[str, Floats], patients: Patients
) -> tuple[dict[str, Floats], Floats]:
    """Return the rows with those of lots drawn once for each lot, and how many lots each patient's hospital refused.

    A lot below the release limit is replaced by the next; a protocol that states the viability of its lot refuses none.

    Raises
    ------
    DoseOutOfRange : lot after lot lies below the release limit
    """
    assert product.lot is not None and product.release is not None
    rows = [product.rows[name] for name in product.lot.rows]
    numbers = patients.patient_ids // int(product.rows[product.lot.size].value)
    measured, limit = product.release
    found = drawn | patients.draw(rows, of=numbers, label=f"lot on day {step.day:g}")
    refused = np.zeros(numbers.size)
    if step.viability is not None:
        return found | {measured: np.full(numbers.size, step.viability)}, refused
    for attempt in range(MOST_LOTS):
        bad = found[measured] < found[limit]
        if not bad.any():
            return found, refused
        refused += bad
        other = patients.draw(rows, of=numbers, label=f"lot on day {step.day:g}, replacement {attempt + 1}")
        found |= {name: np.where(bad, other[name], found[name]) for name in product.lot.rows}
    raise DoseOutOfRange(
        f"{MOST_LOTS} lots of {product.id!r} in a row lie below the release limit {product.rows[limit].value:g}. "
        f"Correct {measured!r} or {limit!r} in its parameters.csv."
    )


def _counted(state: str, day: float, count: Floats, equations: Equations) -> list[Administrations]:
    """Let the model note what happened, where it can."""
    rows = np.flatnonzero(count)
    if not rows.size or state not in equations.state_index:
        return []
    return [Administrations.dose(rows, day, state, count[rows])]


def _check_limits(product: Treatment, name: str, dose: float) -> None:
    """Refuse a dose that such a product never has."""
    row = product.rows[name]
    low, high = (product.limit(f"{name}_{end}", row.unit) for end in ("min", "max"))
    if dose < 0 or (low is not None and dose < low) or (high is not None and dose > high):
        allowed = f"{low or 0:g} to {high:g}" if high is not None else f"at least {low or 0:g}"
        raise DoseOutOfRange(
            f"doses.{name} is {dose:g} {row.unit}; {product.entry.title!r} holds {allowed} {row.unit}. Change the dose "
            "or the product."
        )


def _below_release(product: Treatment, drawn: Mapping[str, Floats], patients: int) -> Flags:
    """Return whose graft may not be released."""
    if product.release is None:
        return np.zeros(patients, dtype=bool)
    dose, limit = product.release
    return (drawn[dose] * _viable(product, drawn) < drawn[limit]).astype(bool)


def _viable(product: Treatment, drawn: Mapping[str, Floats]) -> Floats | float:
    """Return the share of cells that live."""
    return drawn[product.viability] if product.viability else 1.0


def _amount(target: Target, product: Treatment, drawn: Mapping[str, Floats]) -> Floats:
    """Return what of a product's cells, live or dead, enters one target, (patient,) in the target's unit."""
    row = product.rows[str(target.dose_parameter)]
    amount = drawn[row.id] * convert(1.0, row.unit, target.unit)
    if target.share == "set":
        return amount
    amount = amount * (_viable(product, drawn) if target.share == "live" else 1 - _viable(product, drawn))
    return amount if target.factor_parameter is None else amount * drawn[target.factor_parameter]


def _cells(
    step: InfuseStep, product: Treatment, drawn: Mapping[str, Floats], equations: Equations, chosen: Flags
) -> list[Administrations]:
    """Return the cells of some patients."""
    rows = np.flatnonzero(chosen)
    if not rows.size:
        return []
    tables = []
    for target in product.targets:
        if target.route not in (None, step.route):
            continue
        state = state_of(target, product, equations)
        amount = _amount(target, product, drawn)
        if target.share == "set":
            tables.append(Administrations.dose(rows, step.day, state, amount[rows], is_set=True))
            continue
        if product.corrected is not None:
            own = state_of(target, replace(product, lineage=HOST), equations)
            corrected = drawn[product.corrected]
            tables.append(Administrations.dose(rows, step.day, own, (amount * (1 - corrected))[rows]))
            amount = amount * corrected
        tables.append(Administrations.dose(rows, step.day, state, amount[rows]))
    return tables
