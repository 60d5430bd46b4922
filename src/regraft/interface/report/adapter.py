"""Turn a trial result into what the report shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from regraft.evidence.match import match
from regraft.evidence.success import Chance
from regraft.evidence.targets import Target
from regraft.interface.report import data as report
from regraft.interface.report.charts import readable_unit
from regraft.interface.report.courses import courses
from regraft.interface.report.from_endpoints import (
    contrasts,
    deaths,
    fates,
    relapse_rates,
    result_rows,
    survival_figures,
)
from regraft.interface.report.people import people_notes, people_summary, weighting
from regraft.interface.report.published import COUNTED, in_words
from regraft.interface.report.success import success_section
from regraft.trial.design import Criterion, TrialDesign
from regraft.trial.knowledge import FEW
from regraft.trial.observation import ObservedArm
from regraft.trial.result import ArmFlow, Screening, TrialResult
from regraft.trial.ribbons import Ribbon

LAST_EARLY_DAY = 60.0
# Label, unit of the page, and how many units of the model make one of it.
EARLY = {"neutrophils": ("Neutrophils", "1e9/L", 1000.0), "platelets": ("Platelets", "1e9/L", 1000.0)}
LATE = {
    "cd4": ("CD4 T cells", "cells/uL", 1.0),
    "cd4_naive": ("Naive CD4 T cells", "cells/uL", 1.0),
    "cd8": ("CD8 T cells", "cells/uL", 1.0),
    "b_cells": ("B cells", "cells/uL", 1.0),
    "nk": ("NK cells", "cells/uL", 1.0),
    "igg": ("IgG", "g/L", 1.0),
    "cd3": ("T cells", "cells/uL", 1.0),
    "haemoglobin": ("Haemoglobin", "g/dL", 1.0),
    "igg_own": ("IgG of own making", "g/L", 1.0),
}
LINES = {
    "t_chimerism": ("T cells", "percent", 0.01),
    "b_chimerism": ("B cells", "percent", 0.01),
    "nk_chimerism": ("NK cells", "percent", 0.01),
    "myeloid_chimerism": ("Myeloid cells", "percent", 0.01),
}


def report_data(
    result: TrialResult, targets: Sequence[Target], *, command: str = "", chance: Chance | None = None
) -> report.ReportData:
    """Collect everything that a report says about a trial.

    Parameters
    ----------
    result : a finished trial
    targets : published rows to set beside it
    command : the command that made the result, for the section on repeating it
    chance : that a smaller trial succeeds, where the design asks for it
    """
    arms = tuple(report.Arm(arm.id, arm.label) for arm in result.design.arms)
    results = tuple(result.endpoints.values())
    comparisons, not_compared = match(targets, result.endpoints, result.design.arms)
    return report.ReportData(
        title=result.design.title,
        summary=_summary(result),
        arms=arms,
        results=result_rows(results, arms, result.knowledge),
        consort=_consort(result),
        contrasts=contrasts(results),
        protocols=_treatments(result),
        relapse_rates=relapse_rates(results),
        courses=courses(results),
        survival=survival_figures(results, arms),
        deaths=deaths(results),
        early_reconstitution=_ribbons(result.curves, EARLY, "daily", last_day=LAST_EARLY_DAY),
        late_reconstitution=_ribbons(result.curves, LATE, "visits", last_day=np.inf),
        chimerism=_ribbons(result.curves, LINES, "visits", last_day=np.inf),
        fates=fates(results),
        comparisons=comparisons,
        not_compared=not_compared,
        entries=tuple(report.EntryUsed(**vars(entry)) for entry in result.provenance.entries),
        citations=result.provenance.citations,
        provenance=_provenance(result, command),
        notes=_notes(result),
        definitions=tuple((found.title, found.definition) for found in result.endpoints.values()),
        weights=weighting(result),
        draws=max((one.draws + one.without for one in result.knowledge), default=0),
        unknown=_unknown(result),
        success=success_section(chance, arms) if chance is not None else None,
    )


def _summary(result: TrialResult) -> tuple[tuple[str, str], ...]:
    """Describe the design in words."""
    design = result.design
    arms = ", ".join(arm.label for arm in design.arms)
    follow_up = f"{design.follow_up.value:g} {design.follow_up.unit}{'s' if design.follow_up.value != 1 else ''}"
    criteria = "; ".join(criterion_text(criterion) for criterion in design.eligibility) or "none"
    return (
        ("Arms", arms),
        ("Patients", f"{design.patients_per_arm} per arm: the same virtual patients, with the same luck, in every arm"),
        ("Population", f"{design.population}, followed in simulation from disease onset until screening"),
        ("Eligibility", criteria),
        *people_summary(design),
        ("Randomisation", _randomisation(design)),
        ("Follow-up", f"{follow_up} after infusion or first dose"),
        ("Endpoints", "; ".join(found.title for found in result.endpoints.values())),
    )


def _treatments(result: TrialResult) -> tuple[report.ProtocolItem, ...]:
    """Return what each arm receives until the last visit, arms in their order."""
    last = float(result.observed.schedule.visit_days[-1])
    return tuple(
        report.ProtocolItem(arm.id, item.label, item.start_day, min(item.end_day, last), item.detail)
        for arm in result.design.arms
        for item in result.timelines[arm.id]
        if item.start_day <= last
    )


def _randomisation(design: TrialDesign) -> str:
    """Say when patients are randomised, in days before the treatment."""
    day = -design.randomisation_day
    return f"{day:g} days before infusion or first dose" if day else "on the day of infusion or first dose"


def _consort(result: TrialResult) -> report.Consort:
    """Return the flow of patients, with the causes of death of each arm."""
    screening = result.consort.screening
    observed = {arm.id: arm for arm in result.observed.arms}
    return report.Consort(
        screened=screening.screened,
        reasons=_reasons(screening, result.design),
        enrolled=screening.enrolled,
        arms=tuple(_flow(flow, observed[flow.arm]) for flow in result.consort.arms),
        funnel=screening.funnel,
    )


def _reasons(screening: Screening, design: TrialDesign) -> tuple[tuple[str, int], ...]:
    """Return why screened patients were not enrolled."""
    words = {criterion.text: criterion_text(criterion) for criterion in design.eligibility}
    criteria = tuple((words.get(text, text), count) for text, count in screening.failed_criteria)
    failed = tuple((f"run-in could not be computed: {reason}", count) for reason, count in screening.run_in_failures)
    implausible = tuple((f"not plausible: {text}", count) for text, count in screening.implausible if count)
    declined = (("eligible, did not take part", screening.declined),) if design.enrolment else ()
    return (*implausible, *criteria, *declined, *failed)


def criterion_text(criterion: Criterion) -> str:
    """Return an eligibility criterion as a reader says it: age 18 to 55 years, at least 2 relapses in the last ..."""
    name, limits = in_words(criterion.measure), _limits(criterion)
    if " last " in name:  # a count of events in recent months
        name = name.replace(" last ", " in the last ")
        is_one = limits in ("at least 1", "at most 1")
        return f"{limits} {name.replace('s in the', ' in the', 1) if is_one else name}"
    unit = criterion.unit or ""
    return f"{name} {limits} {f'{unit}s' if unit in COUNTED else readable_unit(unit)}".rstrip()


def _limits(criterion: Criterion) -> str:
    """Return the limits of a criterion in words."""
    if criterion.min is not None and criterion.max is not None:
        return f"{criterion.min:g} to {criterion.max:g}"
    return f"at least {criterion.min:g}" if criterion.min is not None else f"at most {criterion.max:g}"


def _flow(flow: ArmFlow, arm: ObservedArm) -> report.ArmFlow:
    """Return the fate of one arm's patients."""
    causes = Counter(str(cause) for cause in arm.death_cause if cause)
    return report.ArmFlow(**vars(flow), deaths=tuple(causes.most_common()))


def _ribbons(
    curves: Sequence[Ribbon], shown: Mapping[str, tuple[str, str, float]], period: str, *, last_day: float
) -> tuple[report.Ribbon, ...]:
    """Return the ribbons of some quantities, in the order and the units of the page."""
    return tuple(
        _ribbon(curve, shown[name], last_day)
        for name in shown
        for curve in curves
        if curve.quantity == name and curve.period == period
    )


def _ribbon(curve: Ribbon, shown: tuple[str, str, float], last_day: float) -> report.Ribbon:
    """Return one ribbon up to a day."""
    label, unit, per_unit = shown
    keep = curve.day <= last_day
    lower, median, upper = (values[keep] / per_unit for values in (curve.lower, curve.median, curve.upper))
    return report.Ribbon(curve.quantity, label, unit, curve.arm, curve.day[keep], median, lower, upper)


def _provenance(result: TrialResult, command: str) -> tuple[tuple[str, str], ...]:
    """Return what is needed to repeat the run."""
    provenance = result.provenance
    rows = [("Regraft", provenance.regraft_version), ("Seed", str(provenance.seed)), ("Trial", result.design.id)]
    if command:
        rows.append(("Command", command))
    return tuple(rows)


def _unknown(result: TrialResult) -> str:
    """Say where typical values come from, and whether it is told how well they are known."""
    posterior = result.design.posterior
    if posterior is None:
        return (
            "Typical values of all parameters come from catalog tables; how well they are known is not part of this "
            "trial, because it names no 'posterior'."
        )
    fit = next(entry.id for entry in result.provenance.entries if entry.kind == "calibrations")
    if not result.knowledge:
        return (
            f"Typical values are the central ones of the fit {fit!r}. How well they are known is not "
            "included: run the same trial with --extend --draws 20."
        )
    return (
        f"Typical values are the central ones of the fit {fit!r}; the trial was repeated for the same people "
        "with the same luck under other draws, each a set of parameters that the published results allow."
    )


def _notes(result: TrialResult) -> tuple[str, ...]:
    """Return the warnings that stand at the top of the page."""
    provenance = result.provenance
    notes = []
    draws = max((one.draws for one in result.knowledge), default=FEW)
    if draws < FEW:
        notes.append(
            f"Intervals of knowledge come from {draws} posterior draws, fewer than {FEW}: their ends are rough."
        )
    if provenance.unreviewed:
        count = len(provenance.unreviewed)
        notes.append(f"{count} of {len(provenance.entries)} catalog entries behind this result have not been reviewed.")
    if provenance.assumed:
        notes.append(f"{provenance.assumed} numbers behind this result are assumptions without a published source.")
    if result.failures:
        notes.append(f"{len(result.failures)} patient runs could not be computed; they are missing in all endpoints.")
    return (*people_notes(result), *notes)
