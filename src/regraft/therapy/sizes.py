"""Doses per kg and per body surface: what they are for each patient, and whether they lie within an agent's limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Protocol as Shape

import numpy as np
from numpy.typing import NDArray

from regraft.engine import Kernel, compile_model, solve
from regraft.errors import InvalidField, UnitMismatch
from regraft.model.equations import Equations
from regraft.model.extract import extract
from regraft.model.parameter_table import ParameterRow
from regraft.quantities import convert, same_dimension
from regraft.therapy.treatment import Treatment

Floats = NDArray[np.float64]
BODY_WEIGHT, BODY_SURFACE = "body_weight", "body_surface"
SURFACE_FROM = (BODY_WEIGHT, "height")


class Patients(Shape):
    """What compilation needs to know of the patients; ``regraft.patients.Population`` is one."""

    @property
    def patient_ids(self) -> NDArray[np.int64]:
        """(patient,) ids."""

    @property
    def values(self) -> Mapping[str, Floats]:
        """Name to (patient,) values."""

    def draw(
        self, rows: Sequence[ParameterRow], *, of: NDArray[np.int64] | None = None, label: str = ""
    ) -> dict[str, Floats]:
        """Sample rows for these patients, or for what they share (``of``, a number for each patient)."""

    def parameter_matrix(self, equations: Equations) -> Floats:
        """Return (patient, parameter) values in the order of a model's parameters."""


@lru_cache(maxsize=32)
def small_kernel(equations: Equations, outputs: tuple[str, ...]) -> Kernel:
    """Return the compiled model that gives some quantities, in the order of ``outputs``."""
    return compile_model(equations, list(outputs))


def quantity_at(equations: Equations, patients: Patients, name: str, day: float) -> Floats:
    """Return a quantity of untreated patients on a day, (patient,) in the model's unit."""
    kernel = small_kernel(extract(equations, [name]), (name,))
    parameters = patients.parameter_matrix(kernel.equations)
    result = solve(kernel, parameters, times=[day], patient_ids=patients.patient_ids, seed=0)
    return np.array(result.values[:, 0, 0])


def in_unit(
    value: Floats | float,
    unit: str,
    target: str,
    treatment: Treatment,
    patients: Patients,
    equations: Equations,
    day: float,
) -> Floats:
    """Return a dose of each patient in another unit; body weight or body surface leads from one basis to another.

    Raises
    ------
    InvalidField : body weight, height or the part that gives the body surface is missing
    UnitMismatch : the units measure different things
    """
    given = np.broadcast_to(np.asarray(value, dtype=float), patients.patient_ids.shape)
    for size, per in ((None, "1"), (BODY_WEIGHT, "kg"), (BODY_SURFACE, "m**2")):
        for sign, path in ((-1, f"({unit})/{per}"), (1, f"({unit})*{per}")):
            if same_dimension(path, target):
                factor = convert(1.0, path, target)
                if size is None:
                    return given * factor
                return given * factor * _size(size, treatment, patients, equations, day) ** sign
    raise UnitMismatch(f"A dose of {treatment.id!r} in {unit} cannot be given in {target}; write it in {target}.")


def _size(name: str, treatment: Treatment, patients: Patients, equations: Equations, day: float) -> Floats:
    """Return body weight or body surface of each patient."""
    for covariate in SURFACE_FROM if name == BODY_SURFACE else (BODY_WEIGHT,):
        if covariate not in patients.values:
            kind = "dose per body surface" if name == BODY_SURFACE else "flat dose"
            raise InvalidField(f"A {kind} of {treatment.id!r} needs each patient's {covariate!r}; add the covariate.")
    if name == BODY_WEIGHT:
        return patients.values[BODY_WEIGHT]
    if name not in equations.units:
        raise InvalidField(
            f"A dose per body surface of {treatment.id!r} needs {name!r}, which model {equations.id!r} does not have. "
            "Join the part 'person'."
        )
    return quantity_at(equations, patients, name, day)


def limit_unit(treatment: Treatment) -> str | None:
    """Return the unit of an agent's limits of a single dose, None where it has none."""
    rows = [treatment.rows[name] for name in ("dose_max", "dose_min") if name in treatment.rows]
    return rows[0].unit if rows else None


def check_amounts(
    amount: Floats, what: str, unit: str, treatment: Treatment, patients: Patients, equations: Equations, day: float
) -> None:
    """Check a dose against limits on another basis, such as a flat dose against limits per kg.

    Parameters
    ----------
    amount : (patient,) in the unit of the agent's state
    what : what the dose is, as a message begins
    unit : unit in which the dose was written; one of the limits' kind was checked when the protocol was read

    Raises
    ------
    DoseOutOfRange : naming a patient; the patients farthest out stand for all
    """
    basis = limit_unit(treatment)
    if basis is None or same_dimension(unit, basis) or amount.size == 0:
        return
    doses = in_unit(amount, treatment.targets[0].unit, basis, treatment, patients, equations, day)
    for row in {int(np.argmin(doses)), int(np.argmax(doses))}:
        treatment.check_dose(float(doses[row]), basis, f"{what} for patient {patients.patient_ids[row]}")
