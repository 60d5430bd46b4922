"""Doses that give each patient a target of exposure, from what is known of the patient's clearance."""

from __future__ import annotations

import numpy as np

from regraft.engine import solve
from regraft.engine.administrations import Administrations
from regraft.errors import DoseOutOfRange, InvalidField, near_matches
from regraft.model.equations import Equations
from regraft.model.extract import extract
from regraft.quantities import convert, parse_quantity
from regraft.therapy.protocol import DrugStep
from regraft.therapy.sizes import Floats, Patients, in_unit, limit_unit, quantity_at, small_kernel
from regraft.therapy.treatment import EXPOSURE_DAYS, Exposure, Treatment

AGE = "age"


def check_ages(treatment: Treatment, patients: Patients, equations: Equations, day: float) -> None:
    """Refuse a patient whose age lies outside what an agent's pharmacokinetics were found for.

    Raises
    ------
    DoseOutOfRange : naming patient, age and range
    """
    low, high = treatment.limit("age_min", "year"), treatment.limit("age_max", "year")
    if (low is None and high is None) or AGE not in equations.units or patients.patient_ids.size == 0:
        return
    years = quantity_at(equations, patients, AGE, day) * convert(1.0, equations.units[AGE], "year")
    low, high = -np.inf if low is None else low, np.inf if high is None else high
    out = np.flatnonzero((years < low) | (years > high))
    if out.size:
        raise DoseOutOfRange(
            f"{treatment.id!r} for patient {patients.patient_ids[out[0]]}, aged {years[out[0]]:.3g} years: its model "
            f"holds from {low:g} to {high:g} years. Enrol patients of these ages, or use another agent."
        )


def doses_for_target(
    step: DrugStep, treatment: Treatment, patients: Patients, equations: Equations, duration_days: float
) -> Floats:
    """Return the dose that each patient gets on each day of a step with a target of exposure.

    The agent's own equations are run with a trial dose. They are linear in the dose, so the exposure tells the dose
    exactly, with everything that changes clearance during the course. With ``known: population`` the parameters in
    which patients differ for unknown reasons have their typical values; with ``known: patient`` they are the patient's
    own, and the dose carries the error with which clearance is estimated.

    Parameters
    ----------
    step : with ``target_auc``
    patients : with the covariates that the agent declares
    equations : the joined model
    duration_days : of each infusion, 0 for a bolus

    Returns
    -------
    (patient,) in the unit of the agent's state

    Raises
    ------
    InvalidField : a covariate or the quantity of exposure is missing
    DoseOutOfRange : no allowed dose reaches the target; patient, target, dose and limits are named

    Assumptions
    -----------
    No drug is left from an earlier step of the same agent.
    """
    exposure = treatment.exposure
    if exposure is None:
        raise InvalidField(f"{treatment.id!r} has no [exposure] in its entry.toml; give a 'dose' instead of a target.")
    for covariate in exposure.covariates:
        if covariate not in patients.values:
            raise InvalidField(
                f"A target of exposure to {treatment.id!r} needs each patient's {covariate!r}; add the covariate."
            )
    if exposure.quantity not in equations.state_index:
        raise InvalidField(
            f"[exposure] of {treatment.id!r} names {exposure.quantity!r}, no state of model {equations.id!r}. "
            + near_matches(exposure.quantity, equations.state_index)
        )
    value, unit = parse_quantity(str(step.target_auc))
    target = convert(value, unit, equations.units[exposure.quantity])
    row = treatment.rows["dose_max"]
    state_unit = treatment.targets[0].unit
    trial = in_unit(row.value, row.unit, state_unit, treatment, patients, equations, step.all_days[0])
    dose = trial * target / _reached(step, treatment, exposure, patients, equations, trial, duration_days)
    if step.known == "patient":
        error = treatment.rows[exposure.monitoring_error]
        dose = dose * patients.draw([error])[error.id]
    _check_reach(dose, step, treatment, patients, equations)
    return dose


def _reached(
    step: DrugStep,
    treatment: Treatment,
    exposure: Exposure,
    patients: Patients,
    equations: Equations,
    trial: Floats,
    duration_days: float,
) -> Floats:
    """Return the exposure that a trial dose on each day gives, by what is known of each patient."""
    state = treatment.targets[0].state
    kernel = small_kernel(extract(equations, [exposure.quantity, state]), (exposure.quantity,))
    parameters = patients.parameter_matrix(kernel.equations)
    if step.known != "patient":
        for name in exposure.individual:
            column = kernel.equations.parameter_index[name]
            parameters[:, column] = kernel.equations.parameters[column].value
    days = step.all_days
    wait = convert(treatment.rows[EXPOSURE_DAYS].value, treatment.rows[EXPOSURE_DAYS].unit, "day")
    rows = np.arange(patients.patient_ids.size)
    doses = [Administrations.dose(rows, day, state, trial, duration=duration_days) for day in days]
    given = Administrations.concatenate(doses)
    times = [days[0] - wait, days[-1] + wait]
    result = solve(kernel, parameters, times=times, patient_ids=patients.patient_ids, seed=0, administrations=given)
    reached = np.array(result.values[:, -1, 0])
    bad = np.flatnonzero(result.failed | ~(reached > 0))
    if bad.size:
        raise DoseOutOfRange(
            f"The exposure of patient {patients.patient_ids[bad[0]]} to {treatment.id!r} cannot be computed "
            f"({result.status_detail[bad[0]] or 'it is not above zero'}). Check the patient's covariates."
        )
    return reached


def _check_reach(dose: Floats, step: DrugStep, treatment: Treatment, patients: Patients, equations: Equations) -> None:
    """Refuse a target that some patient reaches only with a dose, or a course, outside the agent's limits."""
    basis = limit_unit(treatment)
    if basis is None:
        return
    first, count = step.all_days[0], len(step.all_days)
    doses = in_unit(dose, treatment.targets[0].unit, basis, treatment, patients, equations, first)
    low, high = treatment.limit("dose_min", basis) or 0.0, treatment.limit("dose_max", basis) or np.inf
    course = treatment.limit("course_dose_max", basis) or np.inf
    high = min(high, course / count)
    out = np.flatnonzero((doses < low) | (doses > high))
    if out.size:
        row = int(out[0])
        raise DoseOutOfRange(
            f"A target of {step.target_auc} of {treatment.id!r} for patient {patients.patient_ids[row]} needs "
            f"{doses[row]:.4g} {basis} on each of {count} days; a dose lies from {low:g} to {high:g} {basis}"
            + (f" (a course is at most {course:g})" if np.isfinite(course) else "")
            + ". Change the target or the days."
        )
