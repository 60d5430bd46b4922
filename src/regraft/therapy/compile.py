"""Compile a protocol to administrations for a set of patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from regraft.engine.administrations import Administrations, Kind
from regraft.model.equations import Equations
from regraft.model.sbml_writer import Jump
from regraft.quantities import parse_quantity
from regraft.therapy.exposure import check_ages, doses_for_target
from regraft.therapy.infusion import infuse, state_of
from regraft.therapy.protocol import CollectStep, DrugStep, InfuseStep, MonitorStep, Protocol, duration_days
from regraft.therapy.sizes import Patients, check_amounts, in_unit
from regraft.therapy.timeline import TimelineItem
from regraft.therapy.treatment import Treatment, load_treatment

DEFAULT_DURATION = "infusion_duration"


@dataclass(frozen=True)
class CompiledProtocol:
    """What a protocol does to each patient, as the engine and as a reader need it."""

    administrations: Administrations
    timeline: tuple[TimelineItem, ...]
    patient_ids: NDArray[np.int64]

    def table(self) -> pd.DataFrame:
        """Return one row per administration with NONMEM's column names (TIME in days, CMT is the state's id)."""
        doses = self.administrations
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(doses.duration > 0, doses.amount / doses.duration, 0.0)
        return pd.DataFrame(
            {
                "ID": self.patient_ids[doses.patient_row],
                "TIME": doses.time,
                "AMT": doses.amount,
                "CMT": doses.target,
                "RATE": rate,
                "EVID": 1,
            }
        )

    def jumps(self, row: int) -> list[Jump]:
        """Return the administrations of one patient (by row) for export into an SBML file."""
        doses = self.administrations
        return [
            Jump(
                float(doses.time[i]),
                doses.target[i],
                float(doses.amount[i]),
                is_set=doses.kind[i] == Kind.SET,
                duration_days=float(doses.duration[i]),
            )
            for i in np.flatnonzero(doses.patient_row == row)
        ]


def compile_protocol(protocol: Protocol, patients: Patients, equations: Equations) -> CompiledProtocol:
    """Compile a protocol for patients of a model.

    Parameters
    ----------
    protocol : as read by ``load_protocol``
    patients : ids, sampled values (``body_weight`` in kg where doses are flat but a state is per kg) and ``draw``
    equations : the joined model; every target must be one of its states, in the treatment's unit

    Returns
    -------
    administrations of all patients, in the order of ``patients``, and the timeline

    Raises
    ------
    InvalidField : a treatment acts on a state that the model does not have (near matches are listed)
    UnitMismatch : state and treatment disagree about the unit, or a dose cannot be converted
    DoseOutOfRange : a flat dose lies outside the agent's limits per kg for some patient (named), a target of exposure
        needs a dose outside them, or a patient's age lies outside those of the agent's pharmacokinetics
    """
    tables: list[Administrations] = []
    timeline: list[TimelineItem] = []
    for step in protocol.steps:
        if isinstance(step, MonitorStep):
            timeline.append(TimelineItem("monitor", step.label, step.start, step.until, step.note))
            continue
        treatment = load_treatment(step.agent if isinstance(step, DrugStep) else step.product)
        name = treatment.entry.title
        if isinstance(step, CollectStep):
            timeline += [TimelineItem("collect", f"Collect: {name}", day, day, step.note) for day in step.days]
        elif isinstance(step, InfuseStep):
            tables += infuse(step, treatment, patients, equations)
            timeline.append(TimelineItem("infuse", f"Infuse: {name}", step.day, step.day, _note(step)))
        else:
            duration = _duration(step, treatment)
            tables += _dose(step, treatment, patients, equations, duration)
            label = f"{step.phase.capitalize()}: {name}"
            timeline += [TimelineItem(step.phase, label, day, day + duration, step.dose_text) for day in step.all_days]
    return CompiledProtocol(Administrations.concatenate(tables), tuple(timeline), patients.patient_ids)


def _note(step: InfuseStep) -> str:
    """Return what a reader should know of an infusion: the note of the step, and what answers a graft that fails."""
    if step.second is None:
        return step.note
    answer = f"if it fails: {load_treatment(step.second.product).entry.title} after {step.second.after}"
    return f"{step.note}; {answer}" if step.note else answer


def check_fit(protocol: Protocol, equations: Equations) -> None:
    """See that every treatment of a protocol has its state in a model, before anybody is simulated.

    Raises
    ------
    InvalidField, UnitMismatch : as ``compile_protocol``
    """
    for name in protocol.treatment_ids:
        treatment = load_treatment(name)
        for target in treatment.targets:
            state_of(target, treatment, equations)


def _duration(step: DrugStep, treatment: Treatment) -> float:
    """Return how long one dose runs, in days; 0 for a bolus."""
    if treatment.kind == "bolus":
        return 0.0
    if step.duration is not None:
        return duration_days(step.duration, f"duration of {treatment.id!r}")
    return treatment.limit(DEFAULT_DURATION, "day") or 0.0


def _dose(
    step: DrugStep, treatment: Treatment, patients: Patients, equations: Equations, duration: float
) -> list[Administrations]:
    """Return all doses of a drug for all patients."""
    target = treatment.targets[0]
    state = state_of(target, treatment, equations)
    check_ages(treatment, patients, equations, step.all_days[0])
    if step.dose is None:
        amount = doses_for_target(step, treatment, patients, equations, duration)
    else:
        value, unit = parse_quantity(step.dose)
        amount = in_unit(value, unit, target.unit, treatment, patients, equations, step.all_days[0])
        check_amounts(amount, f"a dose of {step.dose}", unit, treatment, patients, equations, step.all_days[0])
    rows = np.arange(patients.patient_ids.size)
    return [Administrations.dose(rows, day, state, amount, duration=duration) for day in step.all_days]
