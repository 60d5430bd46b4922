"""ACR20, ACR50 and ACR70 at the visits; who left is no responder."""

from __future__ import annotations

from functools import partial

from regraft.trial.endpoints.base import ArmEstimate, Endpoint, Findings
from regraft.trial.endpoints.core_set import CORE_SET, acr_met, add_odds_ratios
from regraft.trial.observation import ObservedTrial
from regraft.trial.statistics import share

LEVELS = (20, 50, 70)
PER_CENT = 100.0


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate shares of responders at every visit, and odds ratios at the last."""
    findings = Findings()
    for level in LEVELS:
        name = f"ACR{level}"
        met = partial(acr_met, clinic=observed.clinic, improvement=level / PER_CENT)
        for arm in observed.arms:
            responded = met(arm)
            for column, visit in enumerate(arm.schedule.visits[1:], start=1):
                counted = share(responded[:, column], arm.weights)
                findings.estimates.append(ArmEstimate(arm.id, name, f"{name}, {visit.name}", counted, visit.month))
        add_odds_ratios(findings, observed, name, met)
    return findings


ENDPOINT = Endpoint(
    id="acr_response",
    title="ACR response",
    definition=(
        "Tender and swollen joints and 3 of 5 further measures (pain, both global assessments, HAQ, C-"
        "reactive protein) improved by 20, 50 or 70 % since randomisation. Who withdrew or died before the visit is no "
        "responder."
    ),
    needs=CORE_SET,
    evaluate=evaluate,
)
