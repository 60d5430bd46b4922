"""Core set of rheumatoid arthritis: responses and activity scores from readings, who left counts as no responder."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from regraft.trial.clinic import Clinic
from regraft.trial.endpoints.base import Contrast, Findings
from regraft.trial.observation import ObservedArm, ObservedTrial
from regraft.trial.statistics import Booleans, Estimate, Floats, missing

JOINTS = ("tender_joints", "swollen_joints")
FURTHER = ("pain", "patient_global", "physician_global", "haq", "crp")
CORE_SET = (*JOINTS, *FURTHER)
POINTS = "points"


def on_study(arm: ObservedArm) -> Booleans:
    """Return whether each patient is still treated and seen at each visit, (patient, visit)."""
    return arm.schedule.visit_days[None, :] < arm.left_day()[:, None]


def acr_met(arm: ObservedArm, clinic: Clinic, improvement: float) -> Floats:
    """Return 1 where the core set improved by a share of its baseline, 0 where not or where the patient left.

    Parameters
    ----------
    improvement : share of the baseline, such as 0.2

    Returns
    -------
    (patient, visit) float; NaN for missing patients
    """

    def met(part: ObservedArm) -> Floats:
        better = {name: _fell(part.readings[name], improvement) for name in CORE_SET}
        further = np.sum([better[name] for name in FURTHER], axis=0) >= clinic.value("acr_core")
        return np.asarray(better["tender_joints"] & better["swollen_joints"] & further, dtype=np.float64)

    return _of_those_who_stayed(arm, arm.per_patient(met))


def _fell(readings: Floats, improvement: float) -> Booleans:
    """Return whether readings fell by a share of the first; no reading is no fall."""
    with np.errstate(invalid="ignore"):
        return np.asarray(readings <= (1 - improvement) * readings[:, :1])


def _of_those_who_stayed(arm: ObservedArm, responded: Floats) -> Floats:
    """Return 0 after withdrawal and death, NaN for the missing."""
    return np.where(arm.is_missing[:, None], np.nan, np.where(on_study(arm), responded, 0.0))


def joints_of_28(arm: ObservedArm, clinic: Clinic) -> tuple[Floats, Floats]:
    """Return tender and swollen joints of 28, (patient, visit) each, from the counts of 68 and 66."""
    most = clinic.value("joints28_most")
    halves = clinic.value("joints28_half_tender"), clinic.value("joints28_half_swollen")
    counts = (arm.readings[name] for name in JOINTS)
    tender, swollen = (most * count / (count + half) for count, half in zip(counts, halves, strict=True))
    return tender, swollen


def das28(arm: ObservedArm, clinic: Clinic, reactant: str) -> Floats:
    """Return DAS28 with ``crp`` or ``esr``, (patient, visit) in points."""

    def score(part: ObservedArm) -> Floats:
        tender, swollen = joints_of_28(part, clinic)
        found = clinic.value("das28_tender") * np.sqrt(tender) + clinic.value("das28_swollen") * np.sqrt(swollen)
        found = found + clinic.value("das28_global") * part.readings["patient_global"]
        if reactant == "crp":
            return (
                found + clinic.value("das28_crp") * np.log1p(part.readings["crp"]) + clinic.value("das28_constant_crp")
            )
        return found + clinic.value("das28_esr") * np.log(part.readings["esr"])

    return arm.per_patient(score)


def cdai(arm: ObservedArm, clinic: Clinic) -> Floats:
    """Return the Clinical Disease Activity Index, (patient, visit) in points."""

    def score(part: ObservedArm) -> Floats:
        tender, swollen = joints_of_28(part, clinic)
        scales = part.readings["patient_global"] + part.readings["physician_global"]
        return tender + swollen + scales / clinic.value("cdai_scale")

    return arm.per_patient(score)


def eular_met(arm: ObservedArm, clinic: Clinic) -> Floats:
    """Return 1 for a good or moderate EULAR response by DAS28-CRP, 0 without or after leaving, (patient, visit)."""
    score = das28(arm, clinic, "crp")
    with np.errstate(invalid="ignore"):
        fall = score[:, :1] - score
        small = (fall > clinic.value("eular_small_fall")) & (score <= clinic.value("eular_high"))
        responded = ((fall > clinic.value("eular_fall")) | small).astype(np.float64)
    return _of_those_who_stayed(arm, responded)


def last_seen(arm: ObservedArm, values: Floats) -> Floats:
    """Return the change from baseline at each visit; after leaving, that of the last visit before it.

    Returns
    -------
    (patient, visit) float; NaN for missing patients
    """
    change = np.where(on_study(arm), values - values[:, :1], np.nan)
    for visit in range(1, change.shape[1]):
        change[:, visit] = np.where(np.isnan(change[:, visit]), change[:, visit - 1], change[:, visit])
    return np.where(arm.is_missing[:, None], np.nan, change)


def odds_ratio(treated: Floats, reference: Floats) -> tuple[Estimate, float]:
    """Compare two shares as a trial with different people in each arm would.

    Parameters
    ----------
    treated, reference : (patient,) 1, 0 or NaN

    Returns
    -------
    odds ratio with Wald's interval on the log scale (half a patient added to each cell), and the p value of the test
    of two proportions
    """
    from statsmodels.stats.contingency_tables import Table2x2
    from statsmodels.stats.proportion import proportions_ztest

    groups = [values[np.isfinite(values)] for values in (treated, reference)]
    if any(group.size == 0 for group in groups):
        return missing(0, "ratio", "odds ratio, Wald", "no patient could be assessed"), float("nan")
    counts = np.array([[group.sum(), group.size - group.sum()] for group in groups])
    table = Table2x2(counts + 0.5, shift_zeros=False)
    lower, upper = table.oddsratio_confint()
    total = int(counts.sum())
    value = float(table.oddsratio)
    error = value * float(table.log_oddsratio_se)
    successes = counts[:, 0].sum()
    _, p = proportions_ztest(counts[:, 0], counts.sum(axis=1)) if 0 < successes < total else (0.0, 1.0)
    return Estimate(value, float(lower), float(upper), total, "ratio", "odds ratio, Wald", error), float(p)


def add_odds_ratios(
    findings: Findings, observed: ObservedTrial, label: str, responded: Callable[[ObservedArm], Floats]
) -> None:
    """Add the odds ratio of every arm against the reference at the last visit."""
    last = observed.schedule.visits[-1].name
    reference = responded(observed.reference_arm)[:, -1]
    for arm in observed.compared:
        ratio, p = odds_ratio(responded(arm)[:, -1], reference)
        findings.contrasts.append(Contrast(arm.id, observed.reference, f"{label}, {last}", "odds ratio", ratio, p))
