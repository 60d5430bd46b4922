"""Event-free survival."""

from __future__ import annotations

from regraft.trial.endpoints.base import Endpoint, Findings
from regraft.trial.endpoints.incidence import free_of
from regraft.trial.observation import ObservedTrial

EVENTS = {"graft failure": "graft_rejected"}  # what ends it, besides death


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate every arm."""
    return free_of(observed, EVENTS, label=ENDPOINT.title, code="EFS")


ENDPOINT = Endpoint(
    id="event_free_survival",
    title="Event-free survival",
    definition=(
        "Time from randomisation to rejection of the graft or death; others are censored at the end of follow-up."
    ),
    needs=("alive", "rejected"),
    evaluate=evaluate,
)
