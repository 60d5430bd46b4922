"""Do patients whose runs failed differ from the others? If they do, what is estimated from the others is biased."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from regraft.trial.result import TrialResult


@dataclass(frozen=True)
class Imbalance:
    """Means of one measure at randomisation among failed and completed patients of an arm.

    ``standardised`` is their difference in standard deviations of all patients, NaN where nobody differs.
    """

    arm: str
    measure: str
    failed: float
    completed: float
    standardised: float


def imbalances(result: TrialResult) -> tuple[Imbalance, ...]:
    """Compare failed with completed patients, arm by arm; nothing where no run failed, or all did."""
    rows = []
    for arm in result.observed.arms:
        lost = arm.is_missing
        if not lost.any() or lost.all():
            continue
        for name, values in result.tables.baseline.items():
            failed, completed = (float(np.nanmean(values[group])) for group in (lost, ~lost))
            spread = float(np.nanstd(values))
            standardised = (failed - completed) / spread if spread > 0 else float("nan")
            rows.append(Imbalance(arm.id, name, failed, completed, standardised))
    return tuple(rows)
