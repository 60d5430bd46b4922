"""Waiting times of hazards that stand in a model as text: their distribution, and which of two comes first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from regraft.engine import Result, SolverSettings, Status, compile_model, solve
from regraft.model import read_antimony

from .line import Line

Floats = NDArray[np.float64]
# Seeds are fixed, so a check fails by change of the engine only, never by chance.
_SEED = 20_000
_LEVEL = 0.01
_LARGEST_Z = 4.0
_RTOL, _ATOL = 1e-6, 1e-9
# Times against the formula at the patient's own threshold; both the rate and the crossing are solved to 1e-6.
_LARGEST_TIME_ERROR = 1e-5
# Below a tenth of a day errors count relative to that: there the absolute tolerance of the cumulative hazard decides.
_SHORT_DAYS = 0.1
_GROUPS = 20


@dataclass(frozen=True)
class Waiting:
    """A waiting time: its hazard as Antimony, and the time at which the cumulative hazard reaches a threshold."""

    name: str
    hazard: str
    time_at: Callable[[Floats], Floats]
    distribution: Callable[[Floats], Floats]


RATE, SHAPE, SCALE, LEVEL, GROWTH = 0.25, 1.7, 12.0, 0.01, 0.15
WAITINGS = (
    Waiting("exponential", f"{RATE}", lambda e: e / RATE, stats.expon(scale=1 / RATE).cdf),
    Waiting(
        "Weibull",
        f"{SHAPE}/{SCALE}*(time/{SCALE})^({SHAPE}-1)",
        lambda e: SCALE * e ** (1 / SHAPE),
        stats.weibull_min(SHAPE, scale=SCALE).cdf,
    ),
    Waiting(
        "Gompertz",
        f"{LEVEL}*exp({GROWTH}*time)",
        lambda e: np.log1p(GROWTH * e / LEVEL) / GROWTH,
        stats.gompertz(LEVEL / GROWTH, scale=1 / GROWTH).cdf,
    ),
)


def hazard_model(hazards: dict[str, str]) -> str:
    """Return Antimony in which each cause strikes when its cumulative hazard reaches an exponential threshold."""
    lines = ["model hazards()"]
    for cause, hazard in hazards.items():
        lines += [
            f"  hazard_{cause} := {hazard};",
            f"  H_{cause}' = hazard_{cause};",
            f"  H_{cause} = 0;",
            f"  E_{cause} = exponential(1);",
            f"  {cause}: at (H_{cause} >= E_{cause}), t0=false: E_{cause} = E_{cause} + exponential(1);",
        ]
    return "\n".join([*lines, "end", ""])


def run_until_first(hazards: dict[str, str], patients: int, last_day: float) -> Result:
    """Run patients until the first event of any cause; the thresholds at the start are recorded."""
    equations = read_antimony(hazard_model(hazards))
    kernel = compile_model(equations, [f"E_{cause}" for cause in hazards])
    matrix = np.tile([p.value for p in equations.parameters], (patients, 1)).reshape(patients, -1)
    return solve(
        kernel,
        matrix,
        times=[0.0, last_day],
        patient_ids=np.arange(patients),
        seed=_SEED,
        settings=SolverSettings(rtol=_RTOL, atol=_ATOL),
        terminal_events=list(hazards),
    )


def check_waiting_times(patients: int, waitings: Sequence[Waiting] = WAITINGS) -> list[Line]:
    """Compare each waiting time with its distribution, and with its formula at each patient's threshold.

    Draws are keyed by name, so waiting times of different names are independent checks.
    """
    lines = []
    for waiting in waitings:
        # No threshold of this many patients is above 30 (probability 1e-13 each).
        result = run_until_first(
            {f"wait_{waiting.name}": waiting.hazard}, patients, float(waiting.time_at(np.array(30.0)))
        )
        rows, times = result.events_of(f"wait_{waiting.name}")
        everybody = rows.size == patients and bool((result.status == Status.ENDED).all())
        chance = float(stats.kstest(times, waiting.distribution).pvalue)
        exact = waiting.time_at(result.values[rows, 0, 0])
        error = float((np.abs(times - exact) / np.maximum(exact, _SHORT_DAYS)).max())
        lines += [
            Line(
                f"{waiting.name} waiting times, Kolmogorov-Smirnov",
                f"n = {rows.size}, p = {chance:.3f} (above {_LEVEL})",
                everybody and chance > _LEVEL,
            ),
            Line(
                f"{waiting.name} waiting times, formula per patient",
                f"largest relative error {error:.1e} (at most {_LARGEST_TIME_ERROR:g})",
                everybody and error <= _LARGEST_TIME_ERROR,
            ),
        ]
    return lines


def aalen_johansen(time: Floats, cause: NDArray[np.int64], moments: Floats) -> Floats:
    """Return the cumulative incidence of causes 1 and 2 at some moments as (cause, moment); cause 0 is censored."""
    order = np.argsort(time, kind="stable")
    at_risk = time.size - np.arange(time.size)
    event = cause[order] > 0
    before = np.concatenate([[1.0], np.cumprod(1.0 - event / at_risk)[:-1]])
    found = np.searchsorted(time[order], moments, side="right")
    steps = [np.concatenate([[0.0], np.cumsum(before * (cause[order] == k) / at_risk)]) for k in (1, 2)]
    return np.array([step[found] for step in steps])


# Two causes with the same shape (their share is constant) and with different constant rates.
_FIRST, _SECOND = 0.05, 0.03
_PAIRS = {
    "constant hazards": 1.0,
    "Weibull hazards": 1.7,
}


def check_competing_hazards(patients: int) -> list[Line]:
    """Compare Aalen-Johansen estimates of simulated patients, a third of them censored, with the closed form."""
    lines = []
    for name, shape in _PAIRS.items():
        power = f"{shape}*time^({shape}-1)" if shape != 1.0 else "1"
        hazards = {"first": f"{_FIRST}*{power}", "second": f"{_SECOND}*{power}"}
        together, last_day = _FIRST + _SECOND, (30.0 / (_FIRST + _SECOND)) ** (1.0 / shape)
        result = run_until_first(hazards, patients, last_day)
        time, cause = np.full(patients, last_day), np.zeros(patients, dtype=np.int64)
        time[result.event_patient], cause[result.event_patient] = result.event_time, result.event_index + 1
        censored = np.random.default_rng(_SEED).exponential((2.0 / together) ** (1.0 / shape), patients)
        cause[censored < time] = 0
        time = np.minimum(time, censored)
        moments = np.quantile(time, np.linspace(0.1, 0.9, 9))
        closed = 1.0 - np.exp(-together * moments**shape)
        exact = np.array([_FIRST, _SECOND])[:, None] / together * closed
        groups = [
            aalen_johansen(time[rows], cause[rows], moments) for rows in np.array_split(np.arange(patients), _GROUPS)
        ]
        # The spread between groups of patients gives the standard error of their mean.
        error = np.std(groups, axis=0, ddof=1) / np.sqrt(_GROUPS)
        z = float(np.abs((np.mean(groups, axis=0) - exact) / error).max())
        difference = float(np.abs(aalen_johansen(time, cause, moments) - exact).max())
        lines.append(
            Line(
                f"two competing hazards, {name}, Aalen-Johansen",
                f"n = {patients}, {np.mean(cause == 0):.0%} censored, largest difference {difference:.4f}, "
                f"largest |z| {z:.2f} (at most {_LARGEST_Z:g})",
                z <= _LARGEST_Z and result.event_patient.size == patients,
            )
        )
    return lines
