"""What happens first to each patient: failure of the graft, or death by one of its causes."""

from __future__ import annotations

import numpy as np

from regraft.trial.endpoints.base import Endpoint, Findings
from regraft.trial.endpoints.incidence import GRAFT_FAILURE, competing
from regraft.trial.events import DEATH
from regraft.trial.observation import ObservedArm, ObservedTrial
from regraft.trial.statistics import Floats


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate every arm; all causes compete, so that they and those without event add up to everybody."""
    return competing(observed, _days, label="First event", code="FATE", title=ENDPOINT.title)


def _days(arm: ObservedArm) -> dict[str, Floats]:
    """Return the days of graft failure and of death by each cause."""
    causes = [name.removeprefix(DEATH) for name in arm.groups.death]
    return {"graft failure": arm.events.first(GRAFT_FAILURE, arm.schedule.randomisation_day)} | {
        f"death: {cause.replace('_', ' ').replace('gvhd', 'GvHD')}": np.where(
            arm.death_cause == cause, arm.death_day, np.nan
        )
        for cause in causes
    }


ENDPOINT = Endpoint(
    id="fates",
    title="First event after transplantation",
    definition=(
        "First of failure of the graft (rejection, or no engraftment) and death by each cause, from randomisation on; "
        "all compete (Aalen-Johansen), and with those free of all they add up to everybody."
    ),
    needs=("alive", "rejected"),
    evaluate=evaluate,
)
