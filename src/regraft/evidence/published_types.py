"""What a published result is: one typed row per published number."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Role(Enum):
    """What a row may be used for."""

    CALIBRATE = "calibrate"
    VALIDATE = "validate"
    HELD_OUT = "held_out"


class Kind(Enum):
    """What sort of number a row holds, in the terms of the platform: it decides link and likelihood."""

    PROPORTION = "proportion"
    SURVIVAL = "survival"
    CUMULATIVE_INCIDENCE = "cumulative_incidence"
    MEAN = "mean"
    MEDIAN = "median"
    RATE = "rate"
    RATIO = "ratio"
    HAZARD_RATIO = "hazard_ratio"
    ODDS_RATIO = "odds_ratio"
    COUNT = "count"
    DIFFERENCE = "difference"
    OTHER = "other"


class IntervalKind(Enum):
    """What the bounds of a row, or its spread, mean."""

    CI95 = "ci95"
    CI95_FROM_COUNTS = "ci95_from_counts"
    CI90 = "ci90"
    CI80 = "ci80"
    SD = "sd"
    SE = "se"
    IQR = "iqr"
    RANGE = "range"
    RANGE_OF_STUDIES = "range_of_studies"
    RANGE_OF_GROUPS = "range_of_groups"
    RANGE_OF_FOLLOW_UP = "range_of_follow_up"
    NONE = "none"
    UNKNOWN = "unknown"

    @property
    def level(self) -> float | None:
        """Probability that a confidence interval holds; None for what is no confidence interval."""
        digits = self.value.removeprefix("ci")[:2]
        return int(digits) / 100 if self.value.startswith("ci") else None


class Conversion(Enum):
    """How the printed number becomes the number that the platform reports."""

    NONE = "none"
    COMPLEMENT = "complement"
    COUNT_OF_N = "count_of_n"
    COMPLEMENT_OF_N = "complement_of_n"
    NONE_SEEN = "none_seen"
    COUNT_PER_EXPOSURE = "count_per_exposure"
    REDUCTION = "reduction"
    PER_HUNDRED = "per_hundred"
    MEDIAN_TIME = "median_time"


@dataclass(frozen=True)
class Printed:
    """The number as the publication and the team's table print it; ``value`` is text, with its own decimals."""

    value: str
    unit: str
    lower: float | None
    upper: float | None
    interval_type: str
    time_months: float | None


@dataclass(frozen=True)
class PublishedResult:
    """One published number.

    ``value``, ``lower`` and ``upper`` are in ``unit``, after ``conversion``; ``printed`` has them as published.
    ``time_months`` is the time at which the platform reads the row. ``cluster`` names the group of studies that share
    patients, ``group`` the part of the study's patients (``dimension:level``, empty for all). ``arm_class`` is the
    kind of treatment, ``reference_class`` what a ratio compares it with. ``endpoint_id`` is empty where no endpoint
    of a trial answers the row, ``definition`` says whether the endpoint is the ``same`` or a ``variant``. ``spread``
    is an SD or SE that the note states. ``patients`` and ``exposure_years`` are those behind this number.
    """

    id: str
    role: Role
    is_verified: bool
    study: str
    year: int | None
    cluster: str
    group: str
    therapy: str
    disease: str
    arm: str
    arm_class: str
    reference_class: str
    regimen: str
    regimen_class: str
    population: str
    population_class: str
    endpoint: str
    endpoint_id: str
    term: str
    qualifier: str
    definition: str
    kind: Kind
    time_months: float | None
    value: float | None
    unit: str
    lower: float | None
    upper: float | None
    interval: IntervalKind
    spread: float | None
    patients: int | None
    exposure_years: float | None
    conversion: Conversion
    printed: Printed
    citation: str
    note: str
    source_row: str
    is_sealed: bool = False

    @property
    def resolution(self) -> float:
        """One unit of the last printed decimal, in ``unit``: how far apart two printed numbers are at least."""
        decimals = len(self.printed.value.partition(".")[2])
        step = 10.0**-decimals
        return step / 100 if self.conversion is Conversion.REDUCTION else step
