"""Day of neutrophil engraftment."""

from __future__ import annotations

from regraft.trial.endpoints.base import Endpoint, Findings
from regraft.trial.endpoints.engraftment import evaluate_engraftment, recovery_of
from regraft.trial.observation import ObservedTrial


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate every arm from the daily counts after day 0."""
    recovery = recovery_of(observed, "neutrophils")
    return evaluate_engraftment(observed, recovery, code="NEUTENG", title=ENDPOINT.title)


ENDPOINT = Endpoint(
    id="neutrophil_engraftment",
    title="Neutrophil engraftment",
    definition=(
        "First of three consecutive days with a measured count above 500 cells/uL (0.5e9/L) "
        "after the nadir; days from infusion, death competes."
    ),
    needs=("neutrophils",),
    evaluate=evaluate,
)
