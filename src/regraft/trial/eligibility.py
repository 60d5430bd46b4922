"""Who may enter: criteria at randomisation, the first one not met counted, after a simulated run-in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from regraft.trial.design import Criterion
from regraft.trial.measures import MEASURES, Screened
from regraft.trial.statistics import Floats

ELIGIBLE = -1


def measure_all(criteria: Sequence[Criterion], people: Screened) -> dict[str, Floats]:
    """Take every measure that the criteria ask for, (patient,) each."""
    return {criterion.measure: MEASURES[criterion.measure].take(people) for criterion in criteria}


def first_failed(criteria: Sequence[Criterion], measured: dict[str, Floats], patients: int) -> NDArray[np.int64]:
    """Return the position of the first criterion that each patient does not meet, ``ELIGIBLE`` for all met.

    A measure that is NaN meets no criterion.
    """
    found = np.full(patients, ELIGIBLE, dtype=np.int64)
    for position, criterion in enumerate(criteria):
        value = measured[criterion.measure]
        low = -np.inf if criterion.min is None else criterion.min
        high = np.inf if criterion.max is None else criterion.max
        met = (value >= low) & (value <= high)
        found[(found == ELIGIBLE) & ~met] = position
    return found


def count_failed(criteria: Sequence[Criterion], failed: NDArray[np.int64]) -> tuple[tuple[str, int], ...]:
    """Pair each criterion with the number of patients for whom it was the first one not met."""
    counts = Counter(failed.tolist())
    return tuple((criterion.text, counts.get(position, 0)) for position, criterion in enumerate(criteria))
