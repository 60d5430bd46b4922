"""Graft failure."""

from __future__ import annotations

from regraft.trial.endpoints.base import Endpoint, Findings
from regraft.trial.endpoints.incidence import first_event
from regraft.trial.observation import ObservedTrial


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate every arm; death without the event competes."""
    return first_event(
        observed, "graft_rejected", name="rejection", label="Graft failure", code="GRFAIL", title=ENDPOINT.title
    )


ENDPOINT = Endpoint(
    id="graft_failure",
    title="Graft failure",
    definition=("Rejection of the graft, from randomisation on; death without it competes."),
    needs=("rejected",),
    evaluate=evaluate,
)
