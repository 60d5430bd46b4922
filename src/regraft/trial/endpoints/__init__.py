"""Endpoints, one file each. A new one is a file with an ``ENDPOINT`` and a line here."""

from collections.abc import Mapping

from regraft.trial.endpoints import (
    acute_gvhd,
    annualised_relapse_rate,
    chimerism,
    chronic_gvhd,
    confirmed_improvement,
    confirmed_worsening,
    edss_change,
    event_free_survival,
    fates,
    graft_failure,
    grfs,
    immune_reconstitution,
    immunoglobulin_independence,
    infections,
    neda3,
    neutrophil_engraftment,
    new_lesions,
    overall_survival,
    platelet_engraftment,
    second_transplant,
    severe_acute_gvhd,
    t_cell_recovery,
    thymic_recovery,
    treatment_related_mortality,
)
from regraft.trial.endpoints.base import Endpoint

_MODULES = (
    acute_gvhd,
    annualised_relapse_rate,
    chimerism,
    chronic_gvhd,
    confirmed_improvement,
    confirmed_worsening,
    edss_change,
    event_free_survival,
    fates,
    graft_failure,
    grfs,
    immune_reconstitution,
    immunoglobulin_independence,
    infections,
    neda3,
    neutrophil_engraftment,
    new_lesions,
    overall_survival,
    platelet_engraftment,
    second_transplant,
    severe_acute_gvhd,
    t_cell_recovery,
    thymic_recovery,
    treatment_related_mortality,
)

ENDPOINTS: Mapping[str, Endpoint] = {module.ENDPOINT.id: module.ENDPOINT for module in _MODULES}
