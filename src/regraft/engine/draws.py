"""Random draws from keyed uniform numbers: each draw has its own key, so none depends on another.

A draw that needs more than one uniform number takes them from the upper half of the key's draw word.
"""

from __future__ import annotations

import math

from regraft import streams
from regraft.engine.jit import compiled
from regraft.engine.program import DRAW_CODES

_EXPONENTIAL = DRAW_CODES["exponential"]
_UNIFORM = DRAW_CODES["uniform"]
_NORMAL = DRAW_CODES["normal"]
_POISSON = DRAW_CODES["poisson"]
_SECOND = 1 << 16
_NEGLIGIBLE = 1e-300


@compiled
def draw(
    code: int, first: float, second: float, seed: int, patient: int, stream: int, occurrence: int, number: int
) -> float:
    """Return one draw, NaN where its arguments are outside the distribution's domain."""
    u = streams.uniform(seed, patient, stream, occurrence, number)
    if code == _EXPONENTIAL:
        return -math.log(u) / first if first > 0.0 else math.nan
    if code == _UNIFORM:
        return first + (second - first) * u if first <= second else math.nan
    if code == _NORMAL:
        angle = 2.0 * math.pi * streams.uniform(seed, patient, stream, occurrence, number + _SECOND)
        return first + second * math.sqrt(-2.0 * math.log(u)) * math.cos(angle) if second >= 0.0 else math.nan
    if code == _POISSON:
        return poisson(first, u)
    return binomial(first, second, u)


@compiled
def poisson(mean: float, u: float) -> float:
    """Return a Poisson count by exact inversion that walks outwards from the mode, so large means stay cheap."""
    if not 0.0 <= mean < math.inf:
        return math.nan
    if mean == 0.0:
        return 0.0
    mode = float(math.floor(mean))
    down = up = mode
    p_down = p_up = math.exp(mode * math.log(mean) - mean - math.lgamma(mode + 1.0))
    u -= p_down
    while u > 0.0 and (p_up > _NEGLIGIBLE or p_down > _NEGLIGIBLE):
        up += 1.0
        p_up *= mean / up
        u -= p_up
        if u <= 0.0:
            return up
        if down > 0.0:
            p_down *= down / mean
            down -= 1.0
            u -= p_down
            if u <= 0.0:
                return down
        else:
            p_down = 0.0
    return mode


@compiled
def binomial(trials: float, probability: float, u: float) -> float:
    """Return a binomial count by exact inversion that walks outwards from the mode; trials are rounded down."""
    n = float(math.floor(trials))
    if not (0.0 <= n < math.inf and 0.0 <= probability <= 1.0):
        return math.nan
    if n == 0.0 or probability == 0.0 or probability == 1.0:
        return n * probability
    odds = probability / (1.0 - probability)
    mode = min(float(math.floor((n + 1.0) * probability)), n)
    ways = math.lgamma(n + 1.0) - math.lgamma(mode + 1.0) - math.lgamma(n - mode + 1.0)
    down = up = mode
    p_down = p_up = math.exp(ways + mode * math.log(probability) + (n - mode) * math.log1p(-probability))
    u -= p_down
    while u > 0.0 and (p_up > _NEGLIGIBLE or p_down > _NEGLIGIBLE):
        p_up *= odds * (n - up) / (up + 1.0)
        up += 1.0
        u -= p_up
        if u <= 0.0:
            return up
        p_down *= down / (odds * (n - down + 1.0))
        down -= 1.0
        u -= p_down
        if u <= 0.0:
            return down
    return mode
