"""What happens first to each patient: rejection of the graft, or death by one of its causes."""

from __future__ import annotations

import numpy as np

from regraft.trial.endpoints.base import Endpoint, Findings, TimeToEvent
from regraft.trial.endpoints.earliest import until_first
from regraft.trial.endpoints.time_to_event import add_incidence, yearly_horizons
from regraft.trial.events import DEATH
from regraft.trial.observation import ObservedArm, ObservedTrial

REJECTED = "graft_rejected"


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate every arm; all causes compete, so that they and those without event add up to everybody."""
    findings = Findings()
    times = [_first(arm, observed.schedule.randomisation_day) for arm in observed.arms]
    horizons = yearly_horizons(observed)
    add_incidence(
        findings, times, label="First event", horizons=horizons, statistic="incidence", weights=observed.weights
    )
    return findings


def _first(arm: ObservedArm, start: float) -> TimeToEvent:
    """Return the time of the first event of each patient, with its cause."""
    causes = [name.removeprefix(DEATH) for name in arm.groups.death]
    days = {"rejection": arm.events.first((REJECTED,), start)}
    days |= {
        f"death: {cause.replace('_', ' ').replace('gvhd', 'GvHD')}": np.where(
            arm.death_cause == cause, arm.death_day, np.nan
        )
        for cause in causes
    }
    return until_first(arm, days, code="FATE", title=ENDPOINT.title)


ENDPOINT = Endpoint(
    id="fates",
    title="First event after transplantation",
    definition=(
        "First of rejection of the graft and death by each cause, from randomisation on; all compete (Aalen-Johansen), "
        "and with those free of all they add up to everybody."
    ),
    needs=("alive", "rejected"),
    evaluate=evaluate,
)
