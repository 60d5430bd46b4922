"""DAS28 with either reactant, CDAI, remission and EULAR response at the visits."""

from __future__ import annotations

from functools import partial

import numpy as np

from regraft.trial.endpoints.base import ArmEstimate, Contrast, Endpoint, Findings
from regraft.trial.endpoints.core_set import (
    CORE_SET,
    POINTS,
    add_odds_ratios,
    cdai,
    das28,
    eular_met,
    last_seen,
    on_study,
)
from regraft.trial.observation import ObservedArm, ObservedTrial
from regraft.trial.statistics import Floats, mean, paired_difference, share


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate mean changes (last reading before leaving), remission and response at every visit."""
    findings = Findings()
    clinic = observed.clinic
    scores = {
        "DAS28-CRP": partial(das28, clinic=clinic, reactant="crp"),
        "DAS28-ESR": partial(das28, clinic=clinic, reactant="esr"),
        "CDAI": partial(cdai, clinic=clinic),
    }
    for arm in observed.arms:
        for name, score in scores.items():
            values = score(arm)
            start = mean(values[:, 0], POINTS, arm.weights)
            findings.estimates.append(ArmEstimate(arm.id, f"{name} at baseline", f"{name}, Baseline", start, 0.0))
            _add(findings, arm, f"{name} change", last_seen(arm, values))
        _add(findings, arm, "remission", _remission(arm, scores["DAS28-CRP"](arm), clinic.value("das28_remission")))
        _add(findings, arm, "EULAR response", eular_met(arm, clinic))
    add_odds_ratios(findings, observed, "EULAR response", partial(eular_met, clinic=clinic))
    reference = last_seen(observed.reference_arm, scores["DAS28-CRP"](observed.reference_arm))[:, -1]
    for arm in observed.compared:
        last = last_seen(arm, scores["DAS28-CRP"](arm))[:, -1]
        difference = paired_difference(last, reference, POINTS, observed.weights)
        label = f"DAS28-CRP change, {observed.schedule.visits[-1].name}"
        findings.contrasts.append(Contrast(arm.id, observed.reference, label, "difference", difference, is_paired=True))
    return findings


def _remission(arm: ObservedArm, score: Floats, limit: float) -> Floats:
    """Return 1 in remission, 0 above or after leaving."""
    with np.errstate(invalid="ignore"):
        found = np.where(on_study(arm), score < limit, 0.0)
    return np.where(arm.is_missing[:, None], np.nan, found)


def _add(findings: Findings, arm: ObservedArm, name: str, values: Floats) -> None:
    """Add a mean change or a share at each visit after the baseline."""
    for column, visit in enumerate(arm.schedule.visits[1:], start=1):
        change = name.endswith("change")
        found = mean(values[:, column], POINTS, arm.weights) if change else share(values[:, column], arm.weights)
        label = f"{name[0].upper()}{name[1:]}, {visit.name}"
        findings.estimates.append(ArmEstimate(arm.id, name, label, found, visit.month))


ENDPOINT = Endpoint(
    id="disease_activity_28",
    title="DAS28 and CDAI",
    definition=(
        "Mean change of DAS28-CRP, DAS28-ESR and CDAI since randomisation, with the last reading before withdrawal or "
        "death carried on; remission (DAS28-CRP below 2.6) and good or moderate EULAR response, where who left is none."
    ),
    needs=(*CORE_SET, "esr"),
    evaluate=evaluate,
)
