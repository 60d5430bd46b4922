"""Second transplant after the first graft failed."""

from __future__ import annotations

from regraft.trial.endpoints.base import Endpoint, Findings
from regraft.trial.endpoints.incidence import SECOND_GRAFT, first_event
from regraft.trial.observation import ObservedTrial


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate every arm; death without a second transplant competes."""
    return first_event(
        observed,
        *SECOND_GRAFT,
        name="second transplant",
        label="Second transplant",
        code="SECTX",
        title=ENDPOINT.title,
    )


ENDPOINT = Endpoint(
    id="second_transplant",
    title="Second transplant",
    definition=(
        "Second graft after the first was rejected or did not engraft, where the protocol has one, from randomisation "
        "on; death without it competes."
    ),
    needs=("second_grafts",),
    evaluate=evaluate,
)
