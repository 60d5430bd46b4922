"""How well baseline covariates tell who dies in a simulated trial: not better than in real life.

A model in which a few covariates decide everything looks sharp and is wrong. Registries know how little their scores
predict; a simulated population must not know more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from regraft.entries import catalog_root, read_number, read_table
from regraft.errors import InvalidArgument, RegraftError
from regraft.streams import patient_uniforms

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

TABLE = "predictability.csv"
FEWEST_EVENTS = 20  # below it a concordance says nothing
FOLDS = 5
_PENALTY = 1e-3  # of the Cox regression, per patient: only to keep it solvable where covariates are nearly collinear
_CONFIDENCE = 0.95  # one-sided
_ROUNDS = 30  # of Newton's method
_LARGEST_RISK = 30.0  # logarithm of a hazard ratio beyond which exponentials would only overflow


class TooPredictable(RegraftError):
    """Baseline covariates of a simulated population tell who dies better than any score does in real life."""


@dataclass(frozen=True)
class Concordance:
    """Cross-validated concordance of baseline covariates with mortality (0.5 none, 1 perfect).

    ``lower`` is its one-sided 95 % bound. ``events`` are deaths. NaN where there were too few.
    """

    value: float
    standard_error: float
    events: int
    patients: int

    @property
    def lower(self) -> float:
        """Bound above which the true concordance lies with 95 % confidence."""
        return self.value - float(ndtri(_CONFIDENCE)) * self.standard_error


def mortality_limit() -> float:
    """Return the concordance with mortality that baseline covariates may reach, from the catalog."""
    path = catalog_root() / "evidence" / TABLE
    for row in read_table(path, columns=("id", "value")):
        if row["id"] == "mortality_concordance":
            return read_number(row["value"], path=path, row=row["id"], column="value")
    raise InvalidArgument(f"{path} has no row 'mortality_concordance'.")


def mortality_concordance(
    covariates: Mapping[str, Floats], time: Floats, died: Booleans, *, seed: int = 0
) -> Concordance:
    """Return how well baseline covariates predict mortality, by a Cox regression on other patients.

    Parameters
    ----------
    covariates : name to (patient,) float; squares are used too, so that a bent relation is not overlooked
    time : (patient,) days to death or end of follow-up
    died : (patient,) bool
    seed : of the division into folds

    Returns
    -------
    Harrell's concordance over patients of the same fold, averaged, with its standard error over folds

    Raises
    ------
    InvalidArgument : lengths differ, or a value is not finite

    References
    ----------
    harrell_1996; cox_1972, ties after Breslow
    """
    names = sorted(covariates)
    columns = [np.asarray(covariates[name], dtype=np.float64) for name in names]
    for name, column in zip(names, columns, strict=True):
        if column.shape != time.shape or not np.isfinite(column).all():
            raise InvalidArgument(f"Covariate {name!r} must have one finite number per patient ({time.size}).")
    if died.sum() < FEWEST_EVENTS or not columns:
        return Concordance(math.nan, math.nan, int(died.sum()), int(time.size))
    matrix = _standardised(columns)
    fold = (patient_uniforms(seed, np.arange(time.size), "predictability, folds") * FOLDS).astype(np.int64)
    found, weights = [], []
    for k in range(FOLDS):
        test = fold == k
        slopes = _cox(matrix[~test], time[~test], died[~test])
        value, pairs = concordance(matrix[test] @ slopes, time[test], died[test])
        if pairs:
            found.append(value)
            weights.append(pairs)
    mean = float(np.average(found, weights=weights))
    spread = float(np.sqrt(np.average((np.array(found) - mean) ** 2, weights=weights) / max(len(found) - 1, 1)))
    return Concordance(mean, spread, int(died.sum()), int(time.size))


def require_unpredictable(found: Concordance, *, what: str, limit: float | None = None) -> None:
    """Refuse a population whose deaths are too easy to foresee.

    Parameters
    ----------
    what : the trial or arm, for the message
    limit : largest allowed concordance; the catalog's if left out

    Raises
    ------
    TooPredictable : the concordance lies above the limit beyond doubt
    """
    limit = mortality_limit() if limit is None else limit
    if math.isfinite(found.value) and found.lower > limit:
        raise TooPredictable(
            f"{what}: baseline covariates tell who dies with a concordance of {found.value:.2f} ({found.events} deaths "
            f"in {found.patients} patients, lower bound {found.lower:.2f}); scores in real life reach {limit:g}. Give "
            "hidden biology and luck a larger part: lower the effect of covariates on hazards."
        )


def concordance(risk: Floats, time: Floats, died: Booleans) -> tuple[float, int]:
    """Return Harrell's concordance and the number of pairs that can be compared; equal risks count half.

    Parameters
    ----------
    risk : (patient,) higher is worse
    time : (patient,) days
    died : (patient,) bool
    """
    agreeing, pairs = 0.0, 0
    for k in np.flatnonzero(died):
        later = time > time[k]
        pairs += int(later.sum())
        agreeing += float((risk[later] < risk[k]).sum()) + 0.5 * float((risk[later] == risk[k]).sum())
    return (agreeing / pairs if pairs else math.nan), pairs


def _standardised(columns: list[Floats]) -> Floats:
    """Return covariates and their squares with mean 0 and SD 1; what does not vary is left out."""
    both = [transform for column in columns for transform in (column, (column - column.mean()) ** 2)]
    kept = [(one - one.mean()) / one.std() for one in both if one.std() > 0]
    return np.column_stack(kept) if kept else np.zeros((columns[0].size, 1))


def _cox(matrix: Floats, time: Floats, died: Booleans) -> Floats:
    """Return slopes of a Cox regression by Newton's method."""
    order = np.argsort(-time, kind="stable")
    x, dead = matrix[order], died[order]
    # Patients with equal times are all at risk at that time (Breslow).
    last = np.searchsorted(-time[order], -time[order], side="right") - 1
    slopes = np.zeros(x.shape[1])
    for _ in range(_ROUNDS):
        weight = np.exp(np.clip(x @ slopes, -_LARGEST_RISK, _LARGEST_RISK))
        total = np.cumsum(weight)[last]
        first = np.cumsum(weight[:, None] * x, axis=0)[last] / total[:, None]
        second = np.cumsum(weight[:, None, None] * x[:, :, None] * x[:, None, :], axis=0)[last] / total[:, None, None]
        gradient = (x - first)[dead].sum(axis=0) - _PENALTY * len(x) * slopes
        curvature = (second - first[:, :, None] * first[:, None, :])[dead].sum(axis=0)
        step = np.linalg.solve(curvature + _PENALTY * len(x) * np.eye(x.shape[1]), gradient)
        slopes = slopes + step
        if np.abs(step).max() < 1e-8:
            break
    return slopes
