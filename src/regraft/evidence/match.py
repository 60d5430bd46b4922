"""Find, for each published number, the simulated estimate of the same thing; say why where there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from regraft.errors import UnitMismatch
from regraft.evidence.compare import Comparison, Estimate, compare
from regraft.evidence.published_types import PublishedResult
from regraft.evidence.targets import Target
from regraft.trial.design import ArmDesign
from regraft.trial.endpoints.base import ArmEstimate, EndpointResult

# What a published endpoint is called, and where a trial reports it: endpoint and statistic.
REPORTED_AS: Mapping[str, tuple[str, str]] = {
    "annualised_relapse_rate": ("annualised_relapse_rate", "rate"),
    "annualised_relapse_rate_in_year": ("annualised_relapse_rate", "rate in year"),
    "neda3": ("neda3", "event-free"),
    "free_of_relapse": ("neda3", "free of relapse"),
    "free_of_new_lesions": ("neda3", "free of new lesion"),
    "free_of_worsening": ("confirmed_worsening", "event-free"),
    "free_of_edss_6": ("edss_milestones", "free of EDSS 6"),
    "free_of_edss_7": ("edss_milestones", "free of EDSS 7"),
    "confirmed_improvement": ("confirmed_improvement", "improved"),
    "edss_slope": ("edss_change", "slope"),
    "new_t2_lesions": ("new_lesions", "since baseline"),
    "overall_survival": ("overall_survival", "event-free"),
    "treatment_related_mortality": ("treatment_related_mortality", "incidence"),
    "neutrophil_engraftment_day": ("neutrophil_engraftment", "median day"),
    "platelet_engraftment_day": ("platelet_engraftment", "median day"),
    "cd4_count": ("immune_reconstitution", "cd4"),
    "naive_cd4_count": ("immune_reconstitution", "cd4_naive"),
    "naive_share_fold": ("immune_reconstitution", "naive share fold"),
    "infection_rate": ("infections", "rate: all"),
    "event_free_survival": ("event_free_survival", "event-free"),
    "acute_gvhd": ("acute_gvhd", "incidence"),
    "severe_acute_gvhd": ("severe_acute_gvhd", "incidence"),
    "chronic_gvhd": ("chronic_gvhd", "incidence"),
    "graft_failure": ("graft_failure", "incidence"),
    "early_cd4": ("t_cell_recovery", "early CD4"),
    "t_cells_recovered": ("t_cell_recovery", "recovered"),
    "lymphocyte_count": ("t_cell_recovery", "lymphocytes"),
    "full_myeloid_chimerism": ("chimerism", "myeloid_chimerism: full"),
    "mixed_myeloid_chimerism": ("chimerism", "myeloid_chimerism: mixed"),
    "no_myeloid_chimerism": ("chimerism", "myeloid_chimerism: none"),
    "full_t_chimerism": ("chimerism", "t_chimerism: full"),
    "immunoglobulin_independence": ("immunoglobulin_independence", "independent"),
    "acr20": ("acr_response", "ACR20"),
    "acr50": ("acr_response", "ACR50"),
    "acr70": ("acr_response", "ACR70"),
    "eular_response": ("disease_activity_28", "EULAR response"),
    "das28_esr_change": ("disease_activity_28", "DAS28-ESR change"),
    "das28_crp_change": ("disease_activity_28", "DAS28-CRP change"),
    "cdai_change": ("disease_activity_28", "CDAI change"),
    "haq_change": ("haq_change", "change"),
    "sharp_score_change": ("radiographic_progression", "change"),
    "sharp_score_change_of_completers": ("radiographic_progression", "change of who stayed"),
    "sharp_score_progression": ("radiographic_progression", "progression"),
}
# Rates over the time since day 0: they change little when that is a little longer or shorter.
OVER_A_PERIOD = ("annualised_relapse_rate", "infection_rate")
EXACT_MONTHS = 0.5  # visits fall within half a month of a whole number of months
RATE_MONTHS = 6.0  # a rate per year may be read over a follow-up that differs by this much


def match(
    targets: Sequence[Target], endpoints: Mapping[str, EndpointResult], arms: Sequence[ArmDesign]
) -> tuple[tuple[Comparison, ...], tuple[tuple[str, str], ...]]:
    """Set published numbers beside the estimates of a trial.

    A row belongs to the arms whose ``arm_class`` it names. The time must be the same; only a rate per year may come
    from the reported period that is nearest, at most half a year shorter or longer.

    Parameters
    ----------
    targets : published rows
    endpoints : results of a trial by endpoint
    arms : arms of its design

    Returns
    -------
    the pairs in the order of the rows, and (row id, reason) of each row without a counterpart
    """
    pairs: list[Comparison] = []
    missing: list[tuple[str, str]] = []
    for target in targets:
        chosen = [arm.id for arm in arms if arm.class_name == target.arm_class]
        found = [compare(target, estimate) for arm in chosen for estimate in _estimates(target, endpoints, arm)]
        pairs += found
        if not found:
            missing.append((target.id, _reason(target, endpoints, chosen)))
    return tuple(pairs), tuple(missing)


def _estimates(target: Target, endpoints: Mapping[str, EndpointResult], arm: str) -> list[Estimate]:
    """Return the one estimate of an arm that answers a row, or none."""
    candidates = [row for row in same_kind(target, endpoints) if row.arm == arm and math.isfinite(row.estimate.value)]
    near = [row for row in candidates if months_apart(target, row) <= months_allowed(target)]
    if not near:
        return []
    row = min(near, key=lambda candidate: months_apart(target, candidate))
    found = row.estimate
    if found.unit != target.unit:
        raise UnitMismatch(
            f"Published row {target.id!r} is in {target.unit!r}, but the trial reports it in {found.unit!r}: write the "
            f"row's value and interval in {found.unit!r}."
        )
    lower, upper = (bound if math.isfinite(bound) else None for bound in (found.lower, found.upper))
    return [Estimate(arm, found.value, lower, upper, found.n, found.unit, row.time_months)]


def same_kind(target: Target | PublishedResult, endpoints: Mapping[str, EndpointResult]) -> list[ArmEstimate]:
    """Return the estimates of all arms and times that measure what a row measures."""
    endpoint, statistic = REPORTED_AS.get(target.endpoint_id, ("", ""))
    rows = endpoints[endpoint].estimates if endpoint in endpoints else ()
    return [row for row in rows if row.statistic == statistic]


def months_apart(target: Target | PublishedResult, row: ArmEstimate) -> float:
    """Return how many months lie between a row and an estimate.

    An estimate without a time is about the whole follow-up and answers any row; a row without a time is answered by
    such an estimate only.
    """
    if row.time_months is None:
        return 0.0
    if target.time_months is None:
        return math.inf
    return abs(target.time_months - row.time_months)


def months_allowed(target: Target | PublishedResult) -> float:
    """Return how many months a published and a simulated time may differ."""
    return RATE_MONTHS if target.endpoint_id in OVER_A_PERIOD else EXACT_MONTHS


def _reason(target: Target, endpoints: Mapping[str, EndpointResult], arms: Sequence[str]) -> str:
    """Say why a row has no counterpart."""
    if target.endpoint_id not in REPORTED_AS:
        return f"no endpoint of a trial answers {target.endpoint_id!r}"
    if not arms:
        return f"the trial has no arm of class {target.arm_class!r}"
    if REPORTED_AS[target.endpoint_id][0] not in endpoints:
        return f"the trial does not report {REPORTED_AS[target.endpoint_id][0]!r}"
    if target.time_months is None:
        return "the row names no time, and the trial reports this at several times"
    return f"the trial reports nothing at {target.time_months:g} months"
