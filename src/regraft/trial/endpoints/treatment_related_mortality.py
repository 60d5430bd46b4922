"""Death by infection or organ toxicity within 100 days of infusion, with all other deaths competing."""

from __future__ import annotations

import numpy as np

from regraft.trial.endpoints.base import Endpoint, Findings
from regraft.trial.endpoints.earliest import until_first
from regraft.trial.endpoints.time_to_event import add_incidence, early_horizon, yearly_horizons
from regraft.trial.observation import ObservedArm, ObservedTrial
from regraft.trial.statistics import Floats

RELATED = ("infection", "toxicity")  # causes of death as the harm model names them


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate every arm; arms without transplant show what happens by the same definition without one."""
    findings = Findings()
    period = observed.clinic.days("early_death_period")
    times = [until_first(arm, _deaths(arm, period), code="TRM", title=ENDPOINT.title) for arm in observed.arms]
    horizons = (early_horizon(observed), *yearly_horizons(observed))
    add_incidence(findings, times, label="Deaths", horizons=horizons, statistic="incidence", weights=observed.weights)
    return findings


def _deaths(arm: ObservedArm, period: float) -> dict[str, Floats]:
    """Return the day of treatment-related and of other deaths."""
    with np.errstate(invalid="ignore"):
        related = np.isin(arm.death_cause, RELATED) & (arm.death_day <= period)
    return {
        "treatment-related death": np.where(related, arm.death_day, np.nan),
        "other death": np.where(related, np.nan, arm.death_day),
    }


ENDPOINT = Endpoint(
    id="treatment_related_mortality",
    title="Treatment-related mortality",
    definition=(
        "Death by infection or organ toxicity until day 100 after infusion, from randomisation on; "
        "other deaths compete (Aalen-Johansen)."
    ),
    needs=("alive",),
    evaluate=evaluate,
)
