"""Quantiles of measured counts over the living patients of an arm, for curves."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from regraft.trial.measurement import RHEUMATOLOGY
from regraft.trial.observation import SHARES, ObservedArm
from regraft.trial.statistics import Floats, Integers
from regraft.trial.weighted import quantiles
from regraft.trial.weighting import Weights

QUANTILES = (0.1, 0.5, 0.9)
UNITS = (
    {"edss": "edss", "igg": "g/L", "haemoglobin": "g/dL", "igg_own": "g/L"}
    | dict.fromkeys((*SHARES, *RHEUMATOLOGY), "dimensionless")
    | {"crp": "mg/L", "esr": "mm/hour"}
)  # all others are cells/uL


@dataclass(frozen=True)
class Ribbon:
    """Median and 10 to 90 % range of a measured quantity; ``day`` counts from day 0, ``n`` patients were measured."""

    quantity: str
    unit: str
    arm: str
    period: str
    day: Floats
    n: Integers
    lower: Floats
    median: Floats
    upper: Floats


def ribbons(arm: ObservedArm) -> tuple[Ribbon, ...]:
    """Return the ribbons of one arm: ``daily`` around engraftment and ``visits`` over the whole follow-up."""
    daily = [_ribbon(arm, name, "daily") for name in arm.daily]
    visits = [_ribbon(arm, name, "visits") for name in arm.readings]
    return (*daily, *visits)


def _quantiles(values: Floats, weights: Weights | None) -> Floats:
    """Return the quantiles of the known values; NaN where there is none, or too few to be told."""
    known = np.isfinite(values)
    if weights is None or not weights.matter(known):
        return np.asarray(np.nanquantile(values, QUANTILES), dtype=np.float64)
    if not known.any() or weights.lack(known):
        return np.full(len(QUANTILES), np.nan)
    return quantiles(values[known], np.array(QUANTILES), weights.values[known])


def _ribbon(arm: ObservedArm, quantity: str, period: str) -> Ribbon:
    """Return one ribbon; NaN where nobody was measured."""
    is_daily = period == "daily"
    day = arm.schedule.daily if is_daily else arm.schedule.visit_days
    rows, n = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nobody measured: NaN is the answer
        for values in arm.over_days(quantity) if is_daily else arm.over_visits(quantity):
            rows.append(_quantiles(values, arm.weights))
            n.append(int(np.isfinite(values).sum()))
    lower, median, upper = np.array(rows).reshape(-1, len(QUANTILES)).T
    counts = np.array(n, dtype=np.int64)
    return Ribbon(quantity, UNITS.get(quantity, "cells/uL"), arm.id, period, day, counts, lower, median, upper)
