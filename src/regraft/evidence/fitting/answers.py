"""What a simulated trial says about a published row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from regraft.errors import InvalidField
from regraft.evidence.likelihood import Simulated
from regraft.evidence.links import RATIOS
from regraft.evidence.match import REPORTED_AS, months_allowed, months_apart, same_kind
from regraft.evidence.published_types import Kind, PublishedResult
from regraft.trial.endpoints.base import ArmEstimate, EndpointResult
from regraft.trial.statistics import Estimate

HALF_AN_EVENT = 0.5  # stands for none: the logarithm of a rate of zero does not exist


def answer(
    row: PublishedResult,
    endpoints: Mapping[str, EndpointResult],
    arms: Sequence[tuple[str, float]],
    reference: str = "",
) -> Simulated | None:
    """Return the simulated value of a published row, or None where the trial could not estimate it.

    Parameters
    ----------
    row : sealed rows will do
    endpoints : results of a trial
    arms : the arm that the row is about, with share 1; or several, each with its share of the row's patients
    reference : for ratios, the arm that it is compared with

    Raises
    ------
    InvalidField : the trial reports nothing of that kind, or in another unit, or nothing near the row's time

    Notes
    -----
    Values of a mixture are averaged by their shares: right for means and shares of patients, near for medians. A hazard
    ratio is read as the ratio of the cumulative hazards at the row's time, which it is where hazards are
    proportional.
    """
    found = [nearest(row, endpoints, arm) for arm, _ in arms]
    if not row.reference_class:
        return _mixed([_single(row, one) for one in found], [share for _, share in arms])
    if not reference or len(found) > 1:
        raise InvalidField(
            f"Published row {row.id!r} is a ratio: name one arm, and the arm it is compared with as 'reference'."
        )
    return _ratio(row, found[0], nearest(row, endpoints, reference))


def nearest(row: PublishedResult, endpoints: Mapping[str, EndpointResult], arm: str) -> ArmEstimate:
    """Return the estimate of an arm that answers a row."""
    endpoint, _ = REPORTED_AS.get(row.endpoint_id, ("", ""))
    if endpoint not in endpoints:
        raise InvalidField(
            f"Published row {row.id!r} needs endpoint {endpoint or row.endpoint_id!r}, which the trial does not have. "
            "Add it to the design's 'endpoints', or leave the row out."
        )
    of_arm = [one for one in same_kind(row, endpoints) if one.arm == arm]
    near = [one for one in of_arm if months_apart(row, one) <= months_allowed(row)]
    if not near:
        times = ", ".join(f"{one.time_months:g}" for one in of_arm if one.time_months is not None)
        raise InvalidField(
            f"Published row {row.id!r} is about month {row.time_months}, and arm {arm!r} reports {endpoint} at months "
            f"{times or 'none'}. Lengthen the design's follow-up, or leave the row out."
        )
    found = min(near, key=lambda one: months_apart(row, one))
    if not row.reference_class and found.estimate.unit != row.unit:
        raise InvalidField(
            f"Published row {row.id!r} is in {row.unit!r} and the trial reports {endpoint} in {found.estimate.unit!r}."
        )
    return found


def _single(row: PublishedResult, found: ArmEstimate) -> Simulated | None:
    """Return the value of one arm."""
    estimate = found.estimate
    if not math.isfinite(estimate.value):
        return None
    if row.kind is Kind.RATE and estimate.value <= 0:
        years = estimate.n * (found.time_months or 12.0) / 12.0
        least = HALF_AN_EVENT / years
        return Simulated(least, least**2 / HALF_AN_EVENT, estimate.n)
    if row.kind in RATIOS and estimate.value <= 0:
        return None
    return Simulated(estimate.value, _variance(estimate), estimate.n)


def _mixed(parts: Sequence[Simulated | None], shares: Sequence[float]) -> Simulated | None:
    """Return the average of several arms by shares, None where one of them has no value."""
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    value = sum(share * part.value for share, part in zip(shares, known, strict=True))
    variance = sum(share**2 * part.variance for share, part in zip(shares, known, strict=True))
    return Simulated(value, variance, sum(part.patients or 0 for part in known) or None)


def _ratio(row: PublishedResult, found: ArmEstimate, other: ArmEstimate) -> Simulated | None:
    """Return the ratio of two arms, its variance by the delta method as if patients differed."""
    one, two = _hazard(found.estimate, row), _hazard(other.estimate, row)
    if one is None or two is None:
        return None
    ratio = one[0] / two[0]
    return Simulated(ratio, ratio**2 * (one[1] + two[1]), found.estimate.n)


def _hazard(estimate: Estimate, row: PublishedResult) -> tuple[float, float] | None:
    """Return a rate, or the cumulative hazard behind a share that is free of an event, and its relative variance."""
    if estimate.unit != "%":
        if not estimate.value > 0:
            return None
        return estimate.value, _variance(estimate) / estimate.value**2
    share = estimate.value / 100
    if not 0 < share < 1:
        return None
    if row.kind is Kind.RATIO:
        return share, _variance(estimate) / estimate.value**2
    hazard = -math.log(share)
    return hazard, _variance(estimate) / estimate.value**2 / hazard**2


def _variance(estimate: Estimate) -> float:
    """Return the square of the standard error, 0 where there is none."""
    return estimate.standard_error**2 if math.isfinite(estimate.standard_error) else 0.0
