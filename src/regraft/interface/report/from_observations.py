"""Turn what a trial observed in its patients into blood-count ribbons and patient counts."""

from __future__ import annotations

import warnings
from collections import Counter

import numpy as np

from regraft.interface.report import data as report
from regraft.trial.observation import ObservedArm, ObservedTrial

QUANTILES = (0.1, 0.5, 0.9)
LAST_EARLY_DAY = 60.0
# Label, unit of the page and how many units of the model make one of it.
EARLY = {"neutrophils": ("Neutrophils", "1e9/L", 1000.0), "platelets": ("Platelets", "1e9/L", 1000.0)}
LATE = {
    "cd4": ("CD4 T cells", "cells/uL", 1.0),
    "cd4_naive": ("Naive CD4 T cells", "cells/uL", 1.0),
    "cd8": ("CD8 T cells", "cells/uL", 1.0),
    "b_cells": ("B cells", "cells/uL", 1.0),
    "nk": ("NK cells", "cells/uL", 1.0),
    "igg": ("IgG", "g/L", 1.0),
}


def early_ribbons(observed: ObservedTrial) -> tuple[report.Ribbon, ...]:
    """Return daily neutrophils and platelets of each arm, from day 0 until 60 days later."""
    days = observed.schedule.daily
    keep = days <= LAST_EARLY_DAY
    return tuple(
        _ribbon(name, EARLY[name], arm.id, days=days[keep], values=arm.daily[name][:, keep])
        for name in EARLY
        for arm in observed.arms
        if name in arm.daily
    )


def late_ribbons(observed: ObservedTrial) -> tuple[report.Ribbon, ...]:
    """Return lymphocyte subsets and IgG of each arm at the visits."""
    days = observed.schedule.visit_days
    return tuple(
        _ribbon(name, LATE[name], arm.id, days=days, values=arm.readings[name])
        for name in LATE
        for arm in observed.arms
        if name in arm.readings
    )


def arm_flow(arm: ObservedArm) -> report.ArmFlow:
    """Count what became of the patients of one arm."""
    died = int(np.isfinite(arm.death_day).sum())
    failed = int(arm.is_missing.sum())
    reasons = Counter(str(reason) for reason in arm.reason[arm.is_missing])
    causes = Counter(str(cause) for cause in arm.death_cause if cause)
    return report.ArmFlow(
        arm=arm.id,
        enrolled=arm.patients,
        completed=arm.patients - died - failed,
        died=died,
        failed=failed,
        failures=tuple(reasons.most_common()),
        deaths=tuple(causes.most_common()),
    )


def _ribbon(
    quantity: str, shown: tuple[str, str, float], arm: str, *, days: report.Array, values: report.Array
) -> report.Ribbon:
    """Return median and 10 to 90 % over the patients with a reading, (time,) each."""
    label, unit, per_unit = shown
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # times at which nobody lives give NaN, and are left out
        lower, median, upper = np.nanquantile(values / per_unit, QUANTILES, axis=0)
    return report.Ribbon(quantity, label, unit, arm, days, median, lower, upper)
