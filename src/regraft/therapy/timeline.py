"""A protocol as a person reads it: what happens from when to when."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TimelineItem:
    """One administration or period. Days count from day 0; ``detail`` holds the dose."""

    phase: str
    label: str
    start_day: float
    end_day: float
    detail: str = ""
