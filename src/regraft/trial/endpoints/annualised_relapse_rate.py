"""Relapses per patient-year: since day 0, by year, and in the year before randomisation."""

from __future__ import annotations

import numpy as np

from regraft.trial.design import DAYS
from regraft.trial.endpoints.base import ArmEstimate, Contrast, Endpoint, Findings
from regraft.trial.observation import ObservedArm, ObservedTrial
from regraft.trial.statistics import Floats, event_rate, paired_difference, rate_ratio

UNIT = "1/year"
YEAR = DAYS["year"]


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate every arm. The year before randomisation shows regression to the mean: patients were chosen for it."""
    findings = Findings()
    for arm in observed.arms:
        _add_rate(findings, arm, "rate in run-in year", "Last year before randomisation", 0.0, _run_in(arm))
        for year in observed.years:
            whole, single = (relapses(arm, start, year * YEAR) for start in (0.0, (year - 1) * YEAR))
            _add_rate(findings, arm, "rate", f"Day 0 to year {year}", 12.0 * year, whole)
            _add_rate(findings, arm, "rate in year", f"Year {year}", 12.0 * year, single)
        from_start = relapses(arm, arm.schedule.randomisation_day, arm.schedule.end_day)
        _add_rate(findings, arm, "rate since randomisation", "Randomisation to end of follow-up", None, from_start)
    for arm in observed.compared:
        _add_contrast(findings, arm, observed.reference_arm)
    return findings


def relapses(arm: ObservedArm, start: float, stop: float) -> tuple[Floats, Floats]:
    """Return recorded relapses and years at risk of each patient between two model days, NaN for missing patients."""
    last = np.minimum(arm.last_day, stop)
    at_risk = np.maximum(last - start, 0.0) / YEAR
    return arm.known(arm.events.count(arm.groups.relapse, start, np.nan_to_num(last, nan=start))), at_risk


def _run_in(arm: ObservedArm) -> tuple[Floats, Floats]:
    """Return relapses and years at risk in the last year before randomisation, shorter for those with later onset."""
    stop = arm.schedule.randomisation_day
    start = np.maximum(stop - YEAR, arm.onset)
    return arm.known(arm.events.count(arm.groups.relapse, start, stop)), arm.known((stop - start) / YEAR)


def _add_rate(
    findings: Findings, arm: ObservedArm, statistic: str, label: str, months: float | None, data: tuple[Floats, Floats]
) -> None:
    """Add the rate over one period."""
    findings.estimates.append(ArmEstimate(arm.id, statistic, label, event_rate(*data, UNIT, arm.weights), months))


def _add_contrast(findings: Findings, arm: ObservedArm, reference: ObservedArm) -> None:
    """Add the rate ratio of unpaired groups and the difference within patients."""
    label = "Relapse rate, day 0 to end"
    (events, years), (events_0, years_0) = (relapses(a, 0.0, a.schedule.end_day) for a in (arm, reference))
    treated = np.arange(2 * arm.patients) < arm.patients
    both = arm.weights.twice() if arm.weights is not None else None
    ratio, p_value = rate_ratio(np.concatenate([events, events_0]), np.concatenate([years, years_0]), treated, both)
    findings.contrasts.append(Contrast(arm.id, reference.id, label, "rate ratio", ratio, p_value))
    with np.errstate(invalid="ignore", divide="ignore"):
        difference = paired_difference(events / years, events_0 / years_0, UNIT, arm.weights)
    findings.contrasts.append(Contrast(arm.id, reference.id, label, "difference", difference, is_paired=True))


ENDPOINT = Endpoint(
    id="annualised_relapse_rate",
    title="Annualised relapse rate",
    definition=(
        "Recorded relapses divided by patient-years at risk, from day 0 to death or the end of follow-up; "
        "also by year, since randomisation, and in the year before it."
    ),
    needs=("relapses",),
    evaluate=evaluate,
)
