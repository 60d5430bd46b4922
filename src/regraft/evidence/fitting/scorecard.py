"""Predictions set beside published rows: coverage, bias, ranks, and rivals that know no mechanism."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtri
from scipy.stats import binom, nbinom

from regraft.errors import RegraftError
from regraft.evidence.calibration.chance import Floats, uniforms
from regraft.evidence.calibration.forward import Prediction
from regraft.evidence.fitting.study import RowUse
from regraft.evidence.links import YEARS_PER_UNIT, link_name, on_link, rate_counts, share_counts, unlink
from regraft.evidence.published_types import PublishedResult

LEVEL = 0.8  # of predictive intervals
COPIES = 50  # repetitions of each study per draw, with other luck
LEAST_DRAWS = 10
MONTHS_APART = 6.0  # of a rival's row and the row it predicts


@dataclass(frozen=True)
class Rival:
    """A prediction without mechanism, on the row's link scale, and the rows it comes from."""

    name: str
    centre: float
    lower: float
    upper: float
    rows: tuple[str, ...]


@dataclass(frozen=True)
class Score:
    """A published row beside what the model predicts for a study of the same size.

    Values are in the unit of the row. ``knowledge_sd``, ``luck_sd`` and ``difference_sd`` are on the link scale: how
    far draws of the parameters differ, how far repetitions of the study differ under one draw, and the spread allowed
    because population or definition differ. ``centre`` is the median of the draws there, and ``miss`` how far the
    published value lies above it. ``rank`` is the share of predictions below the published value.
    """

    row: PublishedResult
    use: RowUse
    link: str
    published: float
    median: float
    lower: float
    upper: float
    is_covered: bool
    rank: float
    miss: float
    centre: float
    knowledge_sd: float
    luck_sd: float
    difference_sd: float
    patients: int | None
    draws: int
    rivals: tuple[Rival, ...]

    @property
    def losing_to(self) -> tuple[str, ...]:
        """Names of the rivals whose centre lies nearer to the published value."""
        y = on_link(self.row, se=self.use.se).y
        return tuple(rival.name for rival in self.rivals if abs(rival.centre - y) < abs(self.miss))


@dataclass(frozen=True)
class Scorecard:
    """All scores of one set of rows. ``missing`` gives (row, reason) for rows without a prediction."""

    name: str
    scores: tuple[Score, ...]
    missing: tuple[tuple[str, str], ...]

    @property
    def coverage(self) -> float:
        """Share of rows inside their interval, NaN without rows."""
        return float(np.mean([score.is_covered for score in self.scores])) if self.scores else math.nan

    @property
    def bias(self) -> float:
        """Mean of (published minus predicted median) in standard deviations of the prediction, NaN without rows."""
        sizes = [
            score.miss / math.hypot(score.knowledge_sd, score.luck_sd, score.difference_sd) for score in self.scores
        ]
        return float(np.mean(sizes)) if sizes else math.nan

    def ranks(self, bins: int) -> list[int]:
        """Return how many published values fall into each part of their predictive distribution."""
        counts, _ = np.histogram([score.rank for score in self.scores], bins=bins, range=(0.0, 1.0))
        return [int(count) for count in counts]


def score_rows(
    name: str,
    uses: Sequence[RowUse],
    rows: Sequence[PublishedResult],
    prediction: Prediction,
    simulated_patients: int,
    *,
    known: Sequence[PublishedResult] = (),
    seed: int,
) -> Scorecard:
    """Score predictions of some rows.

    Parameters
    ----------
    uses, rows : what was predicted, rows with their numbers
    prediction : by the forward model for draws of the posterior
    simulated_patients : per arm, from which the luck of a study of another size follows
    known : rows with their numbers that rivals may learn from; only earlier studies of other patients are used
    seed : of the repetitions

    Notes
    -----
    The luck of a study with n patients is that of the simulated trial times the root of simulated over n, on the link
    scale. Where a row tells no n, its own standard error is taken.
    """
    scores, missing = [], []
    for k, (use, row) in enumerate(zip(uses, rows, strict=True)):
        good = ~prediction.failed & np.isfinite(prediction.value[:, k]) & np.isfinite(prediction.mc_variance[:, k])
        if good.sum() < LEAST_DRAWS:
            missing.append((row.id, f"only {int(good.sum())} of {good.size} draws gave a value"))
            continue
        value, variance = prediction.value[good, k], prediction.mc_variance[good, k]
        scores.append(_score(use, row, value, variance, simulated_patients, known, seed))
    return Scorecard(name, tuple(scores), tuple(missing))


def _score(
    use: RowUse,
    row: PublishedResult,
    value: Floats,
    variance: Floats,
    simulated: int,
    known: Sequence[PublishedResult],
    seed: int,
) -> Score:
    """Score one row."""
    observed = on_link(row, se=use.se)
    luck = np.sqrt(variance * simulated / row.patients) if row.patients else np.full(value.size, observed.se)
    repeated = _repeated(use, row, value, luck, seed)
    published = float(row.value) if row.value is not None else math.nan
    lower, median, upper = np.quantile(repeated, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
    middle = float(np.median(value))
    return Score(
        row=row,
        use=use,
        link=link_name(row),
        published=published,
        median=float(median),
        lower=float(lower),
        upper=float(upper),
        is_covered=bool(lower <= published <= upper),
        rank=float(np.mean(repeated < published) + np.mean(repeated == published) / 2),
        miss=float(observed.y - middle),
        centre=middle,
        knowledge_sd=float(np.std(value)),
        luck_sd=float(np.sqrt(np.mean(luck**2))),
        difference_sd=use.extra_sd,
        patients=row.patients,
        draws=int(value.size),
        rivals=rivals_of(row, known),
    )


def _repeated(use: RowUse, row: PublishedResult, value: Floats, luck: Floats, seed: int) -> Floats:
    """Return what repetitions of the study would publish, in the unit of the row.

    A share of known patients is counted again, and so are the events of a rate over known years, so that none of them
    is a possible result. Patients differ in how often they have events: counts scatter more than Poisson's where the
    simulated ones do (negative binomial law).
    """
    draws = np.arange(value.size, dtype=np.int64)

    def numbers(what: str) -> Floats:
        names = f"scorecard, {what}, {row.id}"
        return np.column_stack([uniforms(seed, draws, names, copy) for copy in range(COPIES)])

    other = value[:, None] + use.extra_sd * ndtri(numbers("difference"))
    counts = share_counts(row)
    if counts is not None:
        size = round(counts.size)
        return np.asarray(100 * binom.ppf(numbers("luck"), size, expit(other)) / size).ravel()
    events = rate_counts(row)
    if events is not None:
        unit = YEARS_PER_UNIT[row.unit]
        return (
            _event_counts(np.exp(other) / unit * events.size, luck[:, None], numbers("luck")).ravel()
            * unit
            / events.size
        )
    place = other + luck[:, None] * ndtri(numbers("luck"))
    return np.array([unlink(row, float(y)) for y in place.ravel()])


def _event_counts(mean: Floats, luck: Floats, chance: Floats) -> Floats:
    """Return counts with some means, where ``luck`` is the standard deviation of their logarithm."""
    excess = np.maximum(luck**2 - 1 / mean, 1e-6)  # of the variance of the mean, beyond Poisson's
    return np.asarray(nbinom.ppf(chance, 1 / excess, 1 / (1 + mean * excess)))


def rivals_of(row: PublishedResult, known: Sequence[PublishedResult]) -> tuple[Rival, ...]:
    """Return what the average of earlier studies, and the last of them, predict.

    An earlier study has the same disease, arm class and endpoint, nearly the same time, other patients, and was not
    published later. The average is that of a random-effects model (DerSimonian and Laird).
    """
    earlier = [
        (one, on_link(one))
        for one in known
        if one.id != row.id
        and one.cluster != row.cluster
        and (one.disease, one.arm_class, one.endpoint_id) == (row.disease, row.arm_class, row.endpoint_id)
        and (one.year or 0) <= (row.year or math.inf)
        and _near_in_time(one, row)
        and _has_error(one)
    ]
    if not earlier:
        return ()
    z = float(ndtri((1 + LEVEL) / 2))
    y, se = (np.array([getattr(found, name) for _, found in earlier]) for name in ("y", "se"))
    centre, between = _random_effects(y, se)
    own = on_link(row).se if _has_error(row) else float(np.mean(se))
    width = z * math.hypot(own, between, 1 / math.sqrt(float(np.sum(1 / (se**2 + between**2)))))
    average = Rival(
        "average of earlier studies", centre, centre - width, centre + width, tuple(one.id for one, _ in earlier)
    )
    last, found = max(earlier, key=lambda pair: ((pair[0].year or 0), pair[0].id))
    width = z * math.hypot(own, found.se)
    return average, Rival("last study", found.y, found.y - width, found.y + width, (last.id,))


def _near_in_time(one: PublishedResult, row: PublishedResult) -> bool:
    """Whether two rows are about nearly the same time."""
    if one.time_months is None or row.time_months is None:
        return one.time_months is row.time_months
    return abs(one.time_months - row.time_months) <= MONTHS_APART


def _has_error(row: PublishedResult) -> bool:
    """Whether a standard error follows from the row itself."""
    try:
        return row.value is not None and on_link(row).se > 0
    except RegraftError:
        return False


def _random_effects(y: Floats, se: Floats) -> tuple[float, float]:
    """Return mean and standard deviation between studies (DerSimonian and Laird 1986)."""
    weight = 1 / se**2
    fixed = float(np.sum(weight * y) / np.sum(weight))
    excess = float(np.sum(weight * (y - fixed) ** 2)) - (y.size - 1)
    scale = float(np.sum(weight) - np.sum(weight**2) / np.sum(weight))
    between = math.sqrt(max(0.0, excess / scale)) if scale > 0 else 0.0
    weight = 1 / (se**2 + between**2)
    return float(np.sum(weight * y) / np.sum(weight)), between
