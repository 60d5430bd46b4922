"""Event-free survival."""

from __future__ import annotations

from regraft.trial.endpoints.base import Endpoint, Findings
from regraft.trial.endpoints.incidence import GRAFT_FAILURE, SECOND_GRAFT, free_of
from regraft.trial.observation import ObservedTrial

EVENTS = {"graft failure": GRAFT_FAILURE, "second transplant": SECOND_GRAFT}  # what ends it, besides death


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate every arm."""
    return free_of(observed, EVENTS, label=ENDPOINT.title, code="EFS")


ENDPOINT = Endpoint(
    id="event_free_survival",
    title="Event-free survival",
    definition=(
        "Time from randomisation to graft failure (rejection, or no engraftment), a second transplant or death; others "
        "are censored at the end of follow-up."
    ),
    needs=("alive", "rejected"),
    evaluate=evaluate,
)
