"""Each published number as a normal observation on its link scale: logit, log or identity.

Where a row gives no interval, the standard error follows from the patients behind it:

- shares without a usable interval: the Jeffreys posterior of k of n, whose logit has mean psi(a) - psi(b) and variance
  psi'(a) + psi'(b) with a = k + 1/2, b = n - k + 1/2. It is finite for 0 and 100 %. Censoring is ignored: too narrow
  for a Kaplan-Meier share whose patients were not all followed.
- rates without a usable interval: the Jeffreys posterior of k events in E years, whose logarithm has mean
  psi(k + 1/2) - log E and variance psi'(k + 1/2). Patients differ, so counts vary more than this says.
- a range of studies, groups or follow-up tells nothing about the error of the value and is not used.
- medians: SD from quartiles or range by Wan et al., BMC Med Res Methodol 2014;14:135, equations 9 and 16; the standard
  error of a median of normal values is sqrt(pi / 2) SD / sqrt(n). Rounding of the printed number is added.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from scipy.special import digamma, expit, logit, ndtri, polygamma

from regraft.errors import InvalidArgument, InvalidField
from regraft.evidence.published_types import IntervalKind, Kind, PublishedResult

SHARES = (Kind.PROPORTION, Kind.SURVIVAL, Kind.CUMULATIVE_INCIDENCE)
RATIOS = (Kind.RATIO, Kind.HAZARD_RATIO, Kind.ODDS_RATIO)
YEARS_PER_UNIT = {"1/year": 1.0, "1/(100 year)": 100.0}
TO_EDGE = 1e-9  # a share this close to 0 or 1 is 0 or 1
# Wan et al. 2014: the normal score of the largest of n, and of the third quartile of n
LARGEST_SHIFT, QUARTILE, QUARTILE_SHIFT, N_SHIFT = 0.375, 0.75, 0.125, 0.25
UNIFORM_VARIANCE = 1 / 12


class OnLink(NamedTuple):
    """A published number on its link scale, with standard error."""

    y: float
    se: float


class Counts(NamedTuple):
    """Events (real where they follow from a rounded number) among patients, or in years."""

    events: float
    size: float


def link_name(row: PublishedResult) -> str:
    """Return ``logit``, ``log`` or ``identity``.

    Raises
    ------
    InvalidField : a row whose kind has no likelihood
    """
    if row.kind in SHARES:
        return "logit"
    if row.kind in (*RATIOS, Kind.RATE):
        return "log"
    if row.kind is Kind.MEDIAN:
        return "log" if row.value is not None and row.value > 0 else "identity"
    if row.kind in (Kind.MEAN, Kind.DIFFERENCE):
        return "identity"
    raise InvalidField(
        f"Published row {row.id!r} is of kind {row.kind.value!r}, which has no likelihood. Leave it out, or write into "
        "the table how it becomes a share, rate, mean, median or ratio."
    )


def link(row: PublishedResult, value: float) -> float:
    """Return a value, in the unit of the row, on the row's link scale.

    Raises
    ------
    InvalidArgument : a value that has no place on that scale, such as 0 % on the logit
    """
    name = link_name(row)
    if name == "identity":
        return value
    share = value / 100
    if (name == "log" and value <= 0) or (name == "logit" and not 0 < share < 1):
        allowed = "above 0" if name == "log" else "between 0 and 100 %, without them"
        raise InvalidArgument(
            f"Published row {row.id!r}: {value:g} {row.unit} has no {name}; it must be {allowed}. For a simulated 0 or "
            "100 % say how many patients were simulated."
        )
    return math.log(value) if name == "log" else float(logit(share))


def unlink(row: PublishedResult, y: float) -> float:
    """Return the value, in the unit of the row, at a place on the row's link scale."""
    name = link_name(row)
    if name == "identity":
        return y
    return math.exp(y) if name == "log" else 100 * float(expit(y))


def on_link(row: PublishedResult, *, extra_sd: float = 0.0, se: float | None = None) -> OnLink:
    """Return a row as a normal observation on its link scale.

    A published confidence interval gives the standard error where the kind is no plain proportion and the interval
    does not touch the end of the scale; otherwise patients or years do (see the module).

    Parameters
    ----------
    row : with its numbers, from ``access.rows_for_fitting`` or ``access.rows_for_scoring``
    extra_sd : spread on the link scale that is added, for another population or definition
    se : standard error on the link scale to use instead of the row's own

    Raises
    ------
    InvalidField : a row without number, of a kind without likelihood, with an interval of unknown kind, or one whose
        standard error nothing tells
    InvalidArgument : a negative or infinite ``extra_sd`` or ``se``
    """
    for name, given in (("extra_sd", extra_sd), ("se", se)):
        if given is not None and not (math.isfinite(given) and given >= 0):
            raise InvalidArgument(f"{name} is {given}; a finite number from 0 up is allowed.")
    _check(row)
    own = _own(row, se)
    return OnLink(own.y, math.hypot(own.se, extra_sd))


def share_counts(row: PublishedResult) -> Counts | None:
    """Return events and patients behind a share; None where its published interval is used instead."""
    if row.kind not in SHARES or row.value is None:
        return None
    share = row.value / 100
    prefers_counts = row.kind is Kind.PROPORTION or not has_interval(row)
    if row.patients and (prefers_counts or _touches_edge(row)):
        return Counts(share * row.patients, float(row.patients))
    if has_interval(row) and _touches_edge(row):
        size = _patients_that_explain(row)
        return Counts(share * size, size)
    return None


def rate_counts(row: PublishedResult) -> Counts | None:
    """Return events and years behind a rate; None where its published interval is used instead."""
    if row.kind is not Kind.RATE or row.value is None or row.unit not in YEARS_PER_UNIT:
        return None
    if has_interval(row) and row.lower:
        return None
    years = row.exposure_years
    if years is None and row.patients and row.time_months:
        years = row.patients * row.time_months / 12
    return None if years is None else Counts(row.value * years / YEARS_PER_UNIT[row.unit], years)


def jeffreys_logit(counts: Counts) -> OnLink:
    """Return mean and SD of the logit of a share after k of n, with Jeffreys' prior."""
    a, b = counts.events + 0.5, counts.size - counts.events + 0.5
    return OnLink(float(digamma(a) - digamma(b)), math.sqrt(float(polygamma(1, a) + polygamma(1, b))))


def jeffreys_log_rate(counts: Counts, years_per_unit: float) -> OnLink:
    """Return mean and SD of the logarithm of a rate after k events in some years, with Jeffreys' prior."""
    a = counts.events + 0.5
    return OnLink(float(digamma(a)) - math.log(counts.size / years_per_unit), math.sqrt(float(polygamma(1, a))))


def has_interval(row: PublishedResult) -> bool:
    """Whether bounds tell how well the value is known: a confidence interval, or plus and minus a standard error."""
    known = row.interval.level is not None or row.interval is IntervalKind.SE
    return known and ((row.lower is not None and row.upper is not None) or row.spread is not None)


def _check(row: PublishedResult) -> None:
    """Refuse what cannot be an observation."""
    if row.value is None:
        reason = "its numbers are kept back; ask evidence.access for it" if row.is_sealed else "it holds no number"
        raise InvalidField(f"Published row {row.id!r} is no observation: {reason}.")
    if row.interval is IntervalKind.UNKNOWN:
        raise InvalidField(
            f"Published row {row.id!r}: nobody knows what its interval {row.printed.interval_type!r} means. Write the "
            "kind into column 'interval_kind', or leave the row out."
        )


def _own(row: PublishedResult, se: float | None) -> OnLink:
    """Return place and standard error without extra spread."""
    assert row.value is not None
    counts = share_counts(row)
    if counts is not None:
        found = jeffreys_logit(counts)
        return found if se is None else OnLink(found.y, se)
    events = rate_counts(row)
    if events is not None:
        found = jeffreys_log_rate(events, YEARS_PER_UNIT[row.unit])
        return found if se is None else OnLink(found.y, se)
    if row.kind in SHARES and _touches_edge(row):
        raise InvalidField(
            f"Published row {row.id!r} is {row.value:g} % of an unknown number of patients: write them into column "
            "'patients', or leave the row out."
        )
    y = link(row, row.value)
    return OnLink(y, _standard_error(row) if se is None else se)


def _standard_error(row: PublishedResult) -> float:
    """Return the standard error on the link scale from interval, spread or quantiles."""
    assert row.value is not None
    level, lower, upper = row.interval.level, row.lower, row.upper
    if level is not None and lower is not None and upper is not None:
        score = float(ndtri((1 + level) / 2))
        if link_name(row) == "log" and lower <= 0:
            return (link(row, upper) - link(row, row.value)) / score
        return (link(row, upper) - link(row, lower)) / (2 * score)
    natural = _natural_error(row)
    if natural is None:
        raise InvalidField(
            f"Published row {row.id!r} gives no interval from which its standard error follows, nor the number of "
            "patients that would tell. Give one on the link scale ('se'), or leave the row out."
        )
    rounded = natural**2
    if row.kind in (Kind.MEAN, Kind.MEDIAN):
        rounded += UNIFORM_VARIANCE * row.resolution**2
    return math.sqrt(rounded) * slope(row, row.value)


def slope(row: PublishedResult, value: float) -> float:
    """Return the derivative of the link at a value, per unit of the row."""
    name = link_name(row)
    if name == "identity":
        return 1.0
    if name == "log":
        return 1 / value
    share = value / 100
    return 1 / (share * (1 - share)) / 100


def _natural_error(row: PublishedResult) -> float | None:
    """Return the standard error in the unit of the row; None where nothing tells it."""
    spread = row.spread
    if spread is None and row.lower is not None and row.upper is not None:
        spread = (row.upper - row.lower) / 2
    if spread is None:
        return None
    if row.interval is IntervalKind.SE:
        return spread
    if not row.patients or row.patients < 2:
        return None
    root = math.sqrt(row.patients)
    if row.interval is IntervalKind.SD:
        wider = math.sqrt(math.pi / 2) if row.kind is Kind.MEDIAN else 1.0
        return wider * spread / root
    if row.interval in (IntervalKind.IQR, IntervalKind.RANGE) and row.kind in (Kind.MEDIAN, Kind.MEAN):
        score = _normal_score(row.patients, row.interval)
        wider = math.sqrt(math.pi / 2) if row.kind is Kind.MEDIAN else 1.0
        return wider * spread / score / root
    return None


def _normal_score(n: int, interval: IntervalKind) -> float:
    """Return by how many SD the upper quartile, or the largest, of n normal values lies above their middle."""
    if interval is IntervalKind.IQR:
        return float(ndtri((QUARTILE * n - QUARTILE_SHIFT) / (n + N_SHIFT)))
    return float(ndtri((n - LARGEST_SHIFT) / (n + N_SHIFT)))


def _touches_edge(row: PublishedResult) -> bool:
    """Whether value or bound of a share is 0 or 100 %."""
    known = [number / 100 for number in (row.value, row.lower, row.upper) if number is not None]
    return any(share <= TO_EDGE or share >= 1 - TO_EDGE for share in known)


def _patients_that_explain(row: PublishedResult) -> float:
    """Return how many patients give an interval of the published width, where it touches 0 or 100 %.

    For a value inside: the interval is read as the value plus and minus so many binomial standard errors. For a value
    of 0 or 100 %: as Wilson's, whose other bound is z^2 / (n + z^2) away.
    """
    assert row.value is not None
    if row.lower is None or row.upper is None or row.interval.level is None:
        raise InvalidField(
            f"Published row {row.id!r}: a share of {row.value:g} % with a standard error and no number of patients has "
            "no place on the logit scale. Write the patients into column 'patients', or leave the row out."
        )
    score = float(ndtri((1 + row.interval.level) / 2))
    share, width = row.value / 100, (row.upper - row.lower) / 100
    if width <= 0:
        raise InvalidField(f"Published row {row.id!r}: its interval has no width; correct 'lower' and 'upper'.")
    if min(share, 1 - share) > TO_EDGE:
        return share * (1 - share) / (width / (2 * score)) ** 2
    return score**2 * (1 - width) / width
