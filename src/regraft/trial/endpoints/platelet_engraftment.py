"""Day of platelet engraftment."""

from __future__ import annotations

from regraft.trial.endpoints.base import Endpoint, Findings
from regraft.trial.endpoints.engraftment import evaluate_engraftment, recovery_of
from regraft.trial.observation import ObservedTrial


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate every arm from the daily counts after day 0."""
    recovery = recovery_of(observed, "platelets")
    return evaluate_engraftment(observed, recovery, code="PLATENG", title=ENDPOINT.title)


ENDPOINT = Endpoint(
    id="platelet_engraftment",
    title="Platelet engraftment",
    definition=(
        "First of seven consecutive days with a measured count above 20,000 cells/uL (20e9/L), without transfusions, "
        "after the nadir; days from infusion, death competes."
    ),
    needs=("platelets",),
    evaluate=evaluate,
)
