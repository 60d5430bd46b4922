"""Severe acute graft-versus-host disease."""

from __future__ import annotations

from regraft.trial.endpoints.base import Endpoint, Findings
from regraft.trial.endpoints.incidence import first_event
from regraft.trial.observation import ObservedTrial


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate every arm; death without the event competes."""
    return first_event(
        observed,
        "severe_acute_gvhd",
        name="grade III to IV",
        label="Acute GvHD III to IV",
        code="AGVHD34",
        title=ENDPOINT.title,
    )


ENDPOINT = Endpoint(
    id="severe_acute_gvhd",
    title="Severe acute graft-versus-host disease",
    definition=(
        "Onset of acute graft-versus-host disease of grades III to IV, from randomisation on; "
        "death without it competes."
    ),
    needs=("acute_gvhd_grade",),
    evaluate=evaluate,
)
