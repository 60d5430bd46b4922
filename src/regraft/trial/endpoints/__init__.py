"""Endpoints, one file each. A new one is a file with an ``ENDPOINT`` and a line here."""

from collections.abc import Mapping

from regraft.trial.endpoints import (
    acr_response,
    acute_gvhd,
    annualised_relapse_rate,
    chimerism,
    chronic_gvhd,
    confirmed_improvement,
    confirmed_worsening,
    disease_activity_28,
    edss_change,
    event_free_survival,
    fates,
    graft_failure,
    grfs,
    haq_change,
    immune_reconstitution,
    immunoglobulin_independence,
    infections,
    neda3,
    neutrophil_engraftment,
    new_lesions,
    overall_survival,
    platelet_engraftment,
    radiographic_progression,
    severe_acute_gvhd,
    t_cell_recovery,
    treatment_related_mortality,
)
from regraft.trial.endpoints.base import Endpoint

_MODULES = (
    acr_response,
    acute_gvhd,
    annualised_relapse_rate,
    chimerism,
    chronic_gvhd,
    confirmed_improvement,
    confirmed_worsening,
    disease_activity_28,
    edss_change,
    event_free_survival,
    fates,
    graft_failure,
    grfs,
    haq_change,
    immune_reconstitution,
    immunoglobulin_independence,
    infections,
    neda3,
    neutrophil_engraftment,
    new_lesions,
    overall_survival,
    platelet_engraftment,
    radiographic_progression,
    severe_acute_gvhd,
    t_cell_recovery,
    treatment_related_mortality,
)

ENDPOINTS: Mapping[str, Endpoint] = {module.ENDPOINT.id: module.ENDPOINT for module in _MODULES}
