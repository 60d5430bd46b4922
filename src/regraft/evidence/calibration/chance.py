"""Random numbers of a fit, by key: seed, draw and the name of a parameter or a row, never by order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from regraft.streams import patient_uniforms

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def uniforms(seed: int, draws: Integers, purpose: str, occurrence: int = 0) -> Floats:
    """Return a number in (0, 1) per draw, (draw,); another purpose gives independent numbers."""
    return np.asarray(patient_uniforms(seed, draws, f"calibration, {purpose}", occurrence), dtype=np.float64)


def normals(seed: int, draws: Integers, names: Sequence[str], purpose: str, occurrence: int = 0) -> Floats:
    """Return standard normal numbers, one column per name, (draw, name).

    A column depends on its name and not on its place, so that a further name changes nobody else's numbers.
    """
    columns = [ndtri(uniforms(seed, draws, f"{purpose}, {name}", occurrence)) for name in names]
    return np.column_stack(columns) if columns else np.empty((draws.size, 0))


def systematic(weights: Floats, count: int, offset: float) -> Integers:
    """Return ``count`` indices in proportion to weights, by one number in (0, 1) [kitagawa_1996].

    Parameters
    ----------
    weights : (draw,) float, not negative, sum above 0
    count : how many indices
    offset : float in (0, 1)
    """
    edges = np.cumsum(weights) / np.sum(weights)
    places = (np.arange(count) + offset) / count
    return np.minimum(np.searchsorted(edges, places), weights.size - 1).astype(np.int64)


def effective_size(log_weights: Floats) -> float:
    """Return the effective size of a weighted sample, (sum w)^2 / sum w^2 [kish_1965]; 0 if no weight is left."""
    top = float(np.max(log_weights))
    if not np.isfinite(top):
        return 0.0
    weights = np.exp(log_weights - top)
    return float(np.sum(weights) ** 2 / np.sum(weights**2))
