"""What a report shows, free of how it was computed: the only thing that charts and the page read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regraft.evidence.compare import Comparison

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Arm:
    """One arm; its place in ``ReportData.arms`` decides its colour everywhere."""

    id: str
    label: str


@dataclass(frozen=True)
class Cell:
    """One estimate of a result table: value and 95 % interval in the row's unit, or why there is none.

    ``known`` is its 80 % interval over posterior draws, None where the trial was not repeated under any.
    """

    value: float | None
    lower: float | None = None
    upper: float | None = None
    n: int | None = None
    note: str = ""
    known: tuple[float, float] | None = None


@dataclass(frozen=True)
class ResultRow:
    """One endpoint of the headline table; ``cells`` holds one entry per arm, in the order of the arms."""

    endpoint: str
    unit: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Contrast:
    """An arm against the reference arm, for example a hazard ratio with its interval and p value."""

    endpoint: str
    measure: str
    arm: str
    estimate: Cell
    p_value: float | None = None


@dataclass(frozen=True)
class ArmFlow:
    """What became of the patients of one arm. ``failures`` and ``deaths`` pair each reason with its count."""

    arm: str
    enrolled: int
    completed: int
    died: int
    failed: int
    failures: tuple[tuple[str, int], ...] = ()
    deaths: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Consort:
    """Patients from screening to the end; each one not enrolled is counted once, at the first criterion not met.

    ``funnel`` counts who was left after each step: screened, plausible, eligible, enrolled.
    """

    screened: int
    reasons: tuple[tuple[str, int], ...]
    enrolled: int
    arms: tuple[ArmFlow, ...]
    funnel: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Moment:
    """A published number of the patients at baseline beside the simulated one before and after weighting."""

    label: str
    unit: str
    target: float
    before: float
    after: float
    source: str


@dataclass(frozen=True)
class Weighting:
    """To which published table the patients are weighted, and what that costs.

    ``largest_share`` is the part of all weight that patient ``heaviest`` carries.
    """

    table: str
    patients: int
    effective_size: float
    smallest_effective_size: float
    heaviest: int
    largest_share: float
    moments: tuple[Moment, ...]


@dataclass(frozen=True)
class ProtocolItem:
    """One step of an arm's protocol: what, and from which to which day (equal for a single act)."""

    arm: str
    label: str
    start_day: float
    end_day: float
    detail: str = ""


@dataclass(frozen=True)
class YearlyRate:
    """Relapses per patient-year in one year after day 0; year 0 is the last year before randomisation."""

    arm: str
    year: int
    rate: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Curve:
    """A step curve of one arm: probability (0 to 1) with its 95 % band; ``cause`` where several causes compete."""

    arm: str
    time_years: Array
    value: Array
    lower: Array
    upper: Array
    cause: str = ""


@dataclass(frozen=True)
class Survival:
    """A Kaplan-Meier figure. ``at_risk`` holds (arm, time) counts at ``risk_years``."""

    id: str
    title: str
    axis: str
    curves: tuple[Curve, ...]
    risk_years: Array
    at_risk: NDArray[np.int64]


@dataclass(frozen=True)
class Incidence:
    """Cumulative incidence of competing causes, one curve per arm and cause, followed until ``horizon_years``."""

    title: str
    axis: str
    curves: tuple[Curve, ...]
    horizon_years: float


@dataclass(frozen=True)
class Ribbon:
    """Median and 10 to 90 % range over the living patients of one arm, in ``unit`` at ``time_days``."""

    quantity: str
    label: str
    unit: str
    arm: str
    time_days: Array
    median: Array
    lower: Array
    upper: Array


@dataclass(frozen=True)
class Point:
    """One estimate at a visit of one arm, with its 95 % interval (NaN where there is none)."""

    label: str
    unit: str
    arm: str
    week: float
    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Course:
    """What an endpoint says at the visits; each label of its points is a panel."""

    id: str
    title: str
    caption: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class EntryUsed:
    """A catalog entry behind the result: status, rows by how they were obtained, limits and content hash."""

    kind: str
    id: str
    title: str
    version: str
    status: str
    content_hash: str
    methods: tuple[tuple[str, int], ...] = ()
    limits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Success:
    """The chance that a smaller trial succeeds: sentences, and one row for each parameter that is another.

    ``rows`` hold what would be different, responders in per cent, and the chance in per cent.
    """

    title: str
    sentences: tuple[str, ...]
    rows: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True)
class ReportData:
    """Everything a report says. Empty tuples are allowed: the section then says what is missing.

    ``draws`` counts the posterior draws under which the trial was repeated; ``unknown`` says what they tell, or why
    there are none.
    """

    title: str
    summary: tuple[tuple[str, str], ...]
    arms: tuple[Arm, ...]
    results: tuple[ResultRow, ...]
    consort: Consort
    contrasts: tuple[Contrast, ...] = ()
    protocols: tuple[ProtocolItem, ...] = ()
    relapse_rates: tuple[YearlyRate, ...] = ()
    courses: tuple[Course, ...] = ()
    survival: tuple[Survival, ...] = ()
    deaths: Incidence | None = None
    early_reconstitution: tuple[Ribbon, ...] = ()
    late_reconstitution: tuple[Ribbon, ...] = ()
    chimerism: tuple[Ribbon, ...] = ()
    fates: Incidence | None = None
    comparisons: tuple[Comparison, ...] = ()
    not_compared: tuple[tuple[str, str], ...] = ()
    entries: tuple[EntryUsed, ...] = ()
    citations: tuple[str, ...] = ()
    provenance: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    definitions: tuple[tuple[str, str], ...] = ()
    weights: Weighting | None = None
    draws: int = 0
    unknown: str = ""
    success: Success | None = None

    def label(self, arm: str) -> str:
        """Return the label of an arm, or its id where no arm has it."""
        return next((known.label for known in self.arms if known.id == arm), arm)
