"""Acute graft-versus-host disease."""

from __future__ import annotations

from regraft.trial.endpoints.base import Endpoint, Findings
from regraft.trial.endpoints.incidence import first_event
from regraft.trial.observation import ObservedTrial


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate every arm; death without the event competes."""
    return first_event(
        observed, "acute_gvhd", name="grade II to IV", label="Acute GvHD II to IV", code="AGVHD24", title=ENDPOINT.title
    )


ENDPOINT = Endpoint(
    id="acute_gvhd",
    title="Acute graft-versus-host disease",
    definition=(
        "Onset of acute graft-versus-host disease of grades II to IV, from randomisation on; death without it competes."
    ),
    needs=("acute_gvhd_grade",),
    evaluate=evaluate,
)
