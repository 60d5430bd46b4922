"""Tolerances and limits of a run."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from regraft.errors import InvalidArgument, near_matches


@dataclass(frozen=True)
class SolverSettings:
    """How accurately to solve and when to give up on a patient.

    ``rtol`` is for each state and step; 1e-4 suits trials, 1e-6 calibration. ``atol`` is one number or one per state
    id (states not named take ``default_atol``). Triggers are looked at once per step, so a condition that holds for a
    shorter time than ``max_step_days`` may be missed. ``threads`` None means one per core; results do not depend on it.
    """

    rtol: float = 1e-4
    atol: float | Mapping[str, float] = 1e-7
    max_steps: int = 100_000
    threads: int | None = None
    max_step_days: float = 10.0
    first_step_days: float = 0.5
    min_step_days: float = 1e-12
    event_time_tolerance: float = 1e-9
    max_events: int = 10_000
    max_cascade: int = 1_000
    default_atol: float = field(default=1e-7, kw_only=True)

    def __post_init__(self) -> None:
        """Refuse settings that cannot work, naming each."""
        numbers = {
            "rtol": self.rtol,
            "max_step_days": self.max_step_days,
            "first_step_days": self.first_step_days,
            "min_step_days": self.min_step_days,
            "event_time_tolerance": self.event_time_tolerance,
            "default_atol": self.default_atol,
        }
        given = self.atol if isinstance(self.atol, Mapping) else {"": self.atol}
        numbers |= {f"atol of {name!r}" if name else "atol": value for name, value in given.items()}
        for name, value in numbers.items():
            if not (math.isfinite(value) and value > 0):
                raise InvalidArgument(f"The solver setting {name} is {value}; it must be a finite number above 0.")
        if self.rtol > 1e-2:
            raise InvalidArgument(f"The solver setting rtol is {self.rtol}; above 0.01 results are wrong. Use 1e-4.")
        counts = {"max_steps": self.max_steps, "max_events": self.max_events, "max_cascade": self.max_cascade}
        counts["threads"] = 1 if self.threads is None else self.threads
        for name, count in counts.items():
            if count < 1:
                raise InvalidArgument(f"The solver setting {name} is {count}; it must be at least 1.")

    def absolute_tolerances(self, states: Sequence[str]) -> NDArray[np.float64]:
        """Return the absolute tolerance of each state, in the given order."""
        if not isinstance(self.atol, Mapping):
            return np.full(len(states), float(self.atol))
        for name in self.atol:
            if name not in states:
                raise InvalidArgument(f"atol names {name!r}, which is not a state. {near_matches(name, states)}")
        return np.array([float(self.atol.get(name, self.default_atol)) for name in states])


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
