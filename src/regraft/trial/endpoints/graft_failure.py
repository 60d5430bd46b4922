"""Graft failure."""

from __future__ import annotations

from regraft.trial.endpoints.base import Endpoint, Findings
from regraft.trial.endpoints.incidence import GRAFT_FAILURE, first_event
from regraft.trial.observation import ObservedTrial


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate every arm; death without the event competes."""
    return first_event(
        observed, *GRAFT_FAILURE, name="graft failure", label="Graft failure", code="GRFAIL", title=ENDPOINT.title
    )


ENDPOINT = Endpoint(
    id="graft_failure",
    title="Graft failure",
    definition=(
        "Rejection of the graft, or no neutrophils on the day when engraftment is judged, from randomisation on; death "
        "without it competes."
    ),
    needs=("rejected",),
    evaluate=evaluate,
)
