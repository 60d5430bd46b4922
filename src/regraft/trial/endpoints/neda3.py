"""No evidence of disease activity (NEDA-3) with a new MRI baseline at month 6."""

from __future__ import annotations

import numpy as np

from regraft.trial.endpoints.base import ArmEstimate, Endpoint, Findings, TimeToEvent
from regraft.trial.endpoints.confirmation import worsening_day
from regraft.trial.endpoints.earliest import until_first
from regraft.trial.endpoints.time_to_event import add_survival, free_at, yearly_horizons
from regraft.trial.observation import ObservedArm, ObservedTrial
from regraft.trial.statistics import Floats, share

FREE_OF = ("relapse", "new lesion", "confirmed worsening")


def evaluate(observed: ObservedTrial) -> Findings:
    """Evaluate the time to loss of NEDA-3, its status at whole years, and each part alone."""
    findings = Findings()
    times = [until_first(arm, _parts(arm, observed), code="NEDA3", title=ENDPOINT.title) for arm in observed.arms]
    add_survival(findings, times, observed, label="NEDA-3", statistic="event-free")
    for arm, one in zip(observed.arms, times, strict=True):
        _add_statuses(findings, observed, one, statistic="status", label="NEDA-3 status")
        days = _parts(arm, observed)
        for name in FREE_OF:
            part = until_first(arm, {name: days[name]}, code="", title=name)
            _add_statuses(findings, observed, part, statistic=f"free of {name}", label=f"Free of {name}")
    return findings


def _parts(arm: ObservedArm, observed: ObservedTrial) -> dict[str, Floats]:
    """Return the model day on which each part of NEDA-3 is lost; activity before day 0 is before any treatment."""
    return {
        "relapse": arm.events.first(arm.groups.relapse, 0.0),
        "new lesion": arm.per_patient(_lesion_day),
        "confirmed worsening": worsening_day(arm, observed.clinic),
        "death": arm.death_day,
    }


def _lesion_day(arm: ObservedArm) -> Floats:
    """Return the day of the first scan after the new baseline that shows a new lesion."""
    later = np.nan_to_num(arm.scans.seen[:, 1:]) > 0
    if later.shape[1] == 0:
        return np.full(arm.patients, np.nan)
    return np.where(later.any(axis=1), arm.scans.days[1:][later.argmax(axis=1)], np.nan)


def _add_statuses(findings: Findings, observed: ObservedTrial, one: TimeToEvent, *, statistic: str, label: str) -> None:
    """Add the share of patients free of events at whole years, among those followed until then."""
    for horizon in yearly_horizons(observed):
        status = share(free_at(one, horizon.days), observed.weights)
        title = f"{label} at {horizon.text}"
        findings.estimates.append(ArmEstimate(one.arm, statistic, title, status, horizon.months))


ENDPOINT = Endpoint(
    id="neda3",
    title="No evidence of disease activity (NEDA-3)",
    definition=(
        "No relapse after day 0, no new lesion on a scan after the new baseline at month 6, no worsening confirmed at "
        "6 months, alive. Times count from randomisation; a lesion counts on the day of the scan that shows it."
    ),
    needs=("edss", "relapses", "lesions"),
    evaluate=evaluate,
)
