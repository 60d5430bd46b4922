"""Prevalence weights: simulated patients counted so that they look like a published group at baseline.

Entropy balancing [hainmueller_2012]: of all weights that meet the published moments exactly, those closest to equal
ones (least Kullback-Leibler divergence). They are ``exp(a . (x - target))`` up to a factor; ``a`` is the minimum of a
convex function with as many arguments as there are moments, and is found by Newton's method.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regraft.errors import InvalidField, UsageError, near_matches
from regraft.patients.baseline import Moment

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CLOSE = 1e-10  # standard deviations by which a moment may miss its target
MOST_STEPS = 100  # of Newton's method; ten are usual, and where there is no solution it never ends
SMALLEST_STEP = 1e-10  # share of a Newton step


@dataclass(frozen=True)
class BalanceRow:
    """One published moment beside that of the patients before and after weighting, in the patients' unit."""

    covariate: str
    statistic: str
    unit: str
    target: float
    before: float
    after: float
    source: str


@dataclass(frozen=True)
class Balance:
    """Weights and what they do.

    Parameters
    ----------
    weights : (patient,) float, above or at 0, mean 1
    rows : each moment before and after
    effective_size : number of equally weighted patients that would know as much (Kish)
    heaviest : id of the patient with the largest weight
    largest_share : that patient's share of all weight
    """

    weights: Floats
    rows: tuple[BalanceRow, ...]
    effective_size: float
    heaviest: int
    largest_share: float


def effective_size(weights: Floats) -> float:
    """Return how many equally weighted patients would know as much: (sum of w)^2 / sum of w^2 [kish_1965]."""
    squares = float(np.square(weights).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def balance(covariates: Mapping[str, Floats], moments: Sequence[Moment], patient_ids: Integers) -> Balance:
    """Weight patients to published moments.

    Parameters
    ----------
    covariates : name to (patient,) float
    moments : targets, in the units of the covariates
    patient_ids : (patient,) int, to name a patient in messages

    Returns
    -------
    Balance ; its moments meet their targets within 1e-10 standard deviations

    Raises
    ------
    InvalidField : a covariate that the patients do not have
    UsageError : a patient without a value, a target that no patient or no mixture of patients can reach
    """
    for moment in moments:
        _check_covariate(covariates, moment, patient_ids)
    columns = [_feature(covariates[moment.covariate], moment, moments) for moment in moments]
    features = np.column_stack([values for values, _ in columns])
    targets = np.array([target for _, target in columns])
    for column, (moment, target) in enumerate(zip(moments, targets, strict=True)):
        _check_reach(features[:, column], float(target), moment)
    weights = entropy_weights(features, targets)
    if weights is None:
        names = ", ".join(f"{moment.statistic} of {moment.covariate} {moment.value:g}" for moment in moments)
        raise UsageError(
            f"No weights of these {patient_ids.size} patients meet all moments at once ({names}): together they lie "
            "outside of what the patients show. Enrol more patients, loosen 'eligibility', or leave a moment out."
        )
    heaviest = int(weights.argmax())
    return Balance(
        weights=weights,
        rows=tuple(_row(covariates[moment.covariate], moment, weights) for moment in moments),
        effective_size=effective_size(weights),
        heaviest=int(patient_ids[heaviest]),
        largest_share=float(weights[heaviest] / weights.sum()),
    )


def entropy_weights(features: Floats, targets: Floats) -> Floats | None:
    """Return the weights closest to equal ones under which the features have given means.

    Parameters
    ----------
    features : (patient, moment) float
    targets : (moment,) float

    Returns
    -------
    (patient,) float with mean 1, or None where no positive weights meet all targets

    References
    ----------
    hainmueller_2012
    """
    spread = features.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    centred = (features - targets) / scale
    slopes = np.zeros(targets.size)
    for _ in range(MOST_STEPS):
        weights = _normalised(centred @ slopes)
        gradient = weights @ centred
        if np.abs(gradient).max(initial=0.0) <= CLOSE:
            return weights * weights.size
        curvature = (centred * weights[:, None]).T @ centred - np.outer(gradient, gradient)
        step = -np.asarray(np.linalg.lstsq(curvature, gradient, rcond=None)[0], dtype=np.float64)
        slopes = _descend(centred, slopes, step, float(gradient @ step))
    return None


def _descend(centred: Floats, slopes: Floats, step: Floats, slope: float) -> Floats:
    """Return where a Newton step leads, halved until the function falls."""
    start, share = _height(centred @ slopes), 1.0
    while share > SMALLEST_STEP:
        if _height(centred @ (slopes + share * step)) <= start + share * slope / 10:
            break
        share /= 2
    return slopes + share * step


def _height(exponents: Floats) -> float:
    """Return the function that the weights make least: the logarithm of the sum of exponentials."""
    top = exponents.max()
    return float(top + np.log(np.exp(exponents - top).sum()))


def _normalised(exponents: Floats) -> Floats:
    """Return exponentials as shares of their sum."""
    raw = np.exp(exponents - exponents.max())
    return np.asarray(raw / raw.sum(), dtype=np.float64)


def _feature(values: Floats, moment: Moment, moments: Sequence[Moment]) -> tuple[Floats, float]:
    """Return what must have a given mean, and that mean."""
    if moment.statistic != "sd":
        return values, moment.value
    centre = next(one.value for one in moments if one.covariate == moment.covariate and one.statistic == "mean")
    return np.square(values - centre), moment.value**2


def _row(values: Floats, moment: Moment, weights: Floats) -> BalanceRow:
    """Return one moment before and after."""
    before, after = (_moment(values, moment.statistic, by) for by in (np.ones_like(weights), weights))
    return BalanceRow(moment.covariate, moment.statistic, moment.unit, moment.value, before, after, moment.source)


def _moment(values: Floats, statistic: str, weights: Floats) -> float:
    """Return a weighted mean, or the standard deviation around it."""
    mean = float(np.average(values, weights=weights))
    return float(np.sqrt(np.average(np.square(values - mean), weights=weights))) if statistic == "sd" else mean


def _check_covariate(covariates: Mapping[str, Floats], moment: Moment, patient_ids: Integers) -> None:
    """Refuse a covariate that is not there, unknown in somebody, or no yes or no where a proportion is meant."""
    name = moment.covariate
    if name not in covariates:
        raise InvalidField(f"{moment.place}: the patients have no covariate {name!r}. {near_matches(name, covariates)}")
    values = covariates[name]
    unknown = ~np.isfinite(values)
    if unknown.any():
        raise UsageError(
            f"{moment.place}: {name} is unknown in {int(unknown.sum())} patients, the first is patient "
            f"{int(patient_ids[unknown.argmax()])}. Leave the row out, or require the measure in 'eligibility'."
        )
    if moment.statistic == "proportion" and not np.isin(values, (0.0, 1.0)).all():
        raise InvalidField(
            f"{moment.place}: a proportion of {name} is asked for, which is not 0 or 1 in every patient. Give its mean."
        )


def _check_reach(feature: Floats, target: float, moment: Moment) -> None:
    """Refuse a target that no weighting of these patients can reach, whatever the other targets are."""
    low, high = float(feature.min()), float(feature.max())
    if low < target < high or low == target == high:
        return
    shown = (np.sqrt(low), np.sqrt(high)) if moment.statistic == "sd" else (low, high)
    what = "their distances from the mean range" if moment.statistic == "sd" else "they range"
    raise UsageError(
        f"{moment.place}: {moment.statistic} of {moment.covariate} is {moment.value:g} {moment.unit}, which no weights "
        f"of these {feature.size} patients reach: {what} from {shown[0]:g} to {shown[1]:g}. Enrol more patients, "
        "loosen 'eligibility', or leave the row out."
    )
