"""Chronic graft-versus-host disease."""

from __future__ import annotations

from regraft.trial.endpoints.base import Endpoint, Findings
from regraft.trial.endpoints.incidence import first_event
from regraft.trial.observation import ObservedTrial


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate every arm; death without the event competes."""
    return first_event(
        observed, "chronic_gvhd", name="chronic", label="Chronic GvHD", code="CGVHD", title=ENDPOINT.title
    )


ENDPOINT = Endpoint(
    id="chronic_gvhd",
    title="Chronic graft-versus-host disease",
    definition=("Onset of chronic graft-versus-host disease, from randomisation on; death without it competes."),
    needs=("chronic_gvhd_present",),
    evaluate=evaluate,
)
