"""Time to death from any cause."""

from __future__ import annotations

from regraft.trial.endpoints.base import Endpoint, Findings
from regraft.trial.endpoints.earliest import until_first
from regraft.trial.endpoints.time_to_event import add_survival
from regraft.trial.observation import ObservedTrial


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate every arm."""
    findings = Findings()
    times = [until_first(arm, {"death": arm.death_day}, code="OS", title=ENDPOINT.title) for arm in observed.arms]
    add_survival(findings, times, observed, label="Overall survival", statistic="event-free")
    return findings


ENDPOINT = Endpoint(
    id="overall_survival",
    title="Overall survival",
    definition="Time from randomisation to death from any cause; the living are censored at the end of follow-up.",
    needs=("alive",),
    evaluate=evaluate,
)
