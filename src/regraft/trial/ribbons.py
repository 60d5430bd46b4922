"""Quantiles of measured counts over the living patients of an arm, for curves."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from regraft.trial.observation import ObservedArm
from regraft.trial.statistics import Floats, Integers

QUANTILES = (0.1, 0.5, 0.9)
UNITS = {"edss": "edss", "igg": "g/L", "naive_share": "dimensionless"}  # all others are cells/uL


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
    daily = [_ribbon(arm, name, values, "daily") for name, values in arm.daily.items()]
    visits = [_ribbon(arm, name, values, "visits") for name, values in arm.readings.items()]
    return (*daily, *visits)


def _ribbon(arm: ObservedArm, quantity: str, values: Floats, period: str) -> Ribbon:
    """Return one ribbon; NaN where nobody was measured."""
    day = arm.schedule.daily if period == "daily" else arm.schedule.visit_days
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nobody measured: NaN is the answer
        lower, median, upper = np.nanquantile(values, QUANTILES, axis=0)
    n = np.isfinite(values).sum(axis=0).astype(np.int64)
    return Ribbon(quantity, UNITS.get(quantity, "cells/uL"), arm.id, period, day, n, lower, median, upper)
