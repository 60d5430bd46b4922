"""Time to worsening of the disability score, confirmed after 6 months; death is a competing end."""

from __future__ import annotations

from regraft.trial.endpoints.base import Endpoint, Findings
from regraft.trial.endpoints.confirmation import worsening_day
from regraft.trial.endpoints.earliest import until_first
from regraft.trial.endpoints.time_to_event import add_survival
from regraft.trial.observation import ObservedTrial


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate every arm; patients who die without worsening are censored at death."""
    findings = Findings()
    days = {arm.id: {"confirmed worsening": worsening_day(arm, observed.clinic)} for arm in observed.arms}
    times = [until_first(arm, days[arm.id], code="CDW6", title=ENDPOINT.title) for arm in observed.arms]
    add_survival(findings, times, observed, label="Free of confirmed worsening", statistic="event-free")
    return findings


ENDPOINT = Endpoint(
    id="confirmed_worsening",
    title="Confirmed disability worsening",
    definition=(
        "Measured EDSS 1.5 above a baseline of 0, 1.0 above one of 1 to 5, 0.5 above one of 5.5 or more, at every "
        "visit for 6 months. Baseline is randomisation. Patients who die are censored."
    ),
    needs=("edss",),
    evaluate=evaluate,
)
