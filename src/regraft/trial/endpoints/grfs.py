"""GvHD-free and rejection-free survival."""

from __future__ import annotations

from regraft.trial.endpoints.base import Endpoint, Findings
from regraft.trial.endpoints.incidence import GRAFT_FAILURE, free_of
from regraft.trial.observation import ObservedTrial

EVENTS = {
    "acute GvHD III to IV": ("severe_acute_gvhd",),
    "chronic GvHD": ("chronic_gvhd",),
    "graft failure": GRAFT_FAILURE,
}  # what ends it, besides death


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate every arm."""
    return free_of(observed, EVENTS, label=ENDPOINT.title, code="GRFS")


ENDPOINT = Endpoint(
    id="grfs",
    title="GvHD-free and rejection-free survival",
    definition=(
        "Time from randomisation to acute graft-versus-host disease of grades III to IV, chronic disease, "
        "graft failure (rejection, or no engraftment) or death."
    ),
    needs=("alive", "rejected", "acute_gvhd_grade", "chronic_gvhd_present"),
    evaluate=evaluate,
)
