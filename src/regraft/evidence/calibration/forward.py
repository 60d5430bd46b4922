"""The border to the simulation: what is fitted to, what a forward model answers, and all answers so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from regraft.errors import InvalidArgument
from regraft.evidence.calibration.chance import Floats, Integers
from regraft.evidence.calibration.problems import AllDrawsFailed, UnusableTarget

Flags = NDArray[np.bool_]
VAGUEST = 10.0  # standard error of finite simulation on a link scale beyond which an answer says nothing
LINKS = ("logit", "log", "identity")


@dataclass(frozen=True)
class Observations:
    """Published rows on the scale of their link (logit, log or identity).

    Parameters
    ----------
    ids : of the rows; the order of every array
    y : (row,) float, published value on the link scale
    se : (row,) float above 0, its standard error on the link scale
    extra_sd : (row,) float, not negative: spread because population or definition differs from what is simulated
    links : of the rows, for the record only; the values are on that scale already

    Raises
    ------
    InvalidArgument : lengths differ, an id appears twice, or a value is not allowed (the row is named)
    """

    ids: tuple[str, ...]
    y: Floats
    se: Floats
    extra_sd: Floats
    links: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is no set of rows."""
        if not self.ids:
            raise InvalidArgument("There is no published row to fit to. Give at least one.")
        twice = sorted({row for row in self.ids if self.ids.count(row) > 1})
        if twice:
            raise InvalidArgument(f"Row {twice[0]!r} appears twice; a published result counts once.")
        for name in ("y", "se", "extra_sd"):
            values = getattr(self, name)
            if values.shape != (len(self.ids),):
                raise InvalidArgument(f"{name!r} has shape {values.shape}; give one number per row ({len(self.ids)}).")
            least = {"y": -np.inf, "se": np.finfo(float).tiny, "extra_sd": 0.0}[name]
            wrong = np.flatnonzero(~np.isfinite(values) | (values < least))
            if wrong.size:
                raise InvalidArgument(
                    f"Row {self.ids[wrong[0]]!r}: {name!r} is {values[wrong[0]]:g}; it must be finite"
                    + {"y": ".", "se": " and above 0.", "extra_sd": " and not negative."}[name]
                )
        if self.links and (len(self.links) != len(self.ids) or set(self.links) - set(LINKS)):
            raise InvalidArgument(f"'links' is {self.links}; give one of {', '.join(LINKS)} per row, or none at all.")

    @property
    def variance(self) -> Floats:
        """(row,) variance of the published value around the truth that is simulated."""
        return np.asarray(self.se**2 + self.extra_sd**2, dtype=np.float64)


@dataclass(frozen=True)
class Prediction:
    """What a forward model answers for some draws.

    Parameters
    ----------
    value : (draw, row) float, predicted value on the link scale
    mc_variance : (draw, row) float, variance of ``value`` because a finite number of patients was simulated
    failed : (draw,) bool; the numbers of a failed draw are not looked at
    """

    value: Floats
    mc_variance: Floats
    failed: Flags


class Predict(Protocol):
    """A forward model: virtual trials under given parameters, summed up as the published rows are.

    It must be a pure function of its arguments: the same draw alone or among others, in any process, gives the same
    numbers bit for bit. Trouble in a simulation is ``failed``, not an exception.
    """

    def __call__(self, theta: Floats, draws: Integers) -> Prediction:
        """Predict every row for each draw.

        Parameters
        ----------
        theta : (draw, parameter) float, natural values in the order of the priors
        draws : (draw,) int, number of each draw within the fit; a model with common random numbers ignores it
        """
        ...


def checked(prediction: Prediction, draws: int, observations: Observations) -> Prediction:
    """Return a prediction whose draws with numbers that are not finite count as failed.

    Raises
    ------
    InvalidArgument : an array has the wrong shape, or a variance is negative
    """
    shape = (draws, len(observations.ids))
    for name, wanted in (("value", shape), ("mc_variance", shape), ("failed", shape[:1])):
        found = np.shape(getattr(prediction, name))
        if found != wanted:
            raise InvalidArgument(f"The forward model returned {name!r} of shape {found}; it must be {wanted}.")
    value = np.asarray(prediction.value, dtype=np.float64)
    variance = np.asarray(prediction.mc_variance, dtype=np.float64)
    failed = np.asarray(prediction.failed, dtype=np.bool_)
    negative = np.argwhere((variance < 0) & ~failed[:, None])
    if negative.size:
        row = observations.ids[negative[0][1]]
        raise InvalidArgument(f"The forward model returned a negative 'mc_variance' for row {row!r}.")
    return Prediction(value, variance, failed)


@dataclass(frozen=True)
class Runs:
    """All forward runs so far, failed ones too. ``white`` are the white scores of the parameters, (draw, parameter)."""

    white: Floats
    value: Floats
    mc_variance: Floats
    failed: Flags

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self.failed.size)

    def joined(self, other: Runs) -> Runs:
        """Return these runs and others behind them."""
        return Runs(
            np.vstack([self.white, other.white]),
            np.vstack([self.value, other.value]),
            np.vstack([self.mc_variance, other.mc_variance]),
            np.concatenate([self.failed, other.failed]),
        )

    def take(self, rows: slice | Flags) -> Runs:
        """Return some of the runs."""
        return Runs(self.white[rows], self.value[rows], self.mc_variance[rows], self.failed[rows])

    def good(self) -> Runs:
        """Return the runs that did not fail."""
        return self.take(~self.failed)


def answered(prediction: Prediction) -> Flags:
    """Return (draw, row) which rows a draw answers: with finite numbers, and better than to a factor of e^10.

    The logarithm of a median count that is nearly nothing has an error of hundreds; a stand-in that learned from it
    would be bent everywhere.
    """
    finite = np.isfinite(prediction.value) & np.isfinite(prediction.mc_variance)
    return np.asarray(finite & (prediction.mc_variance <= VAGUEST**2), dtype=np.bool_)


def complete(white: Floats, prediction: Prediction) -> Runs:
    """Return runs in which a draw that does not answer every row has failed."""
    failed = prediction.failed | ~answered(prediction).all(axis=1)
    return Runs(white, prediction.value, prediction.mc_variance, failed)


def without_holes(white: Floats, prediction: Prediction, observations: Observations, *, least: int) -> Runs:
    """Return runs in which a draw that does not answer every row counts as failed.

    Parameters
    ----------
    least : fewest draws that must be left

    Raises
    ------
    UnusableTarget : a row is answered by fewer than ``least`` of the draws that did not fail by themselves
    AllDrawsFailed : fewer than ``least`` draws are left
    """
    has_answer = answered(prediction)
    ran = ~prediction.failed
    if ran.sum() < least:
        raise AllDrawsFailed(
            f"{int(prediction.failed.sum())} of {prediction.failed.size} draws from the prior failed, and at least "
            f"{least} must run. Look at one of them alone; narrow the priors where the model cannot be solved."
        )
    empty = [row for k, row in enumerate(observations.ids) if has_answer[ran, k].sum() < least]
    if empty:
        share = int(has_answer[ran, observations.ids.index(empty[0])].sum())
        raise UnusableTarget(
            f"Row {empty[0]!r} is answered in {share} of {int(ran.sum())} draws (an answer is finite, and known better "
            "than to a factor of e^10)"
            + (f", and so have {len(empty) - 1} other rows too few" if len(empty) > 1 else "")
            + ". The trial cannot produce it: correct its endpoint or time, or leave the row out."
        )
    runs = complete(white, prediction)
    if (~runs.failed).sum() < least:
        raise AllDrawsFailed(
            f"{int(runs.failed.sum())} of {runs.count} draws do not answer some row (finite, and better than to a "
            f"factor of e^10), and at least {least} must answer all. Simulate more patients, or leave out rows that "
            "are often without events."
        )
    return runs


def constant_rows(runs: Runs, observations: Observations) -> Sequence[int]:
    """Return the places of rows whose prediction no parameter moves: less than a millionth of their standard error."""
    good = runs.good()
    spread = np.ptp(good.value, axis=0) if good.count else np.zeros(len(observations.ids))
    return [int(k) for k in np.flatnonzero(spread < 1e-6 * np.sqrt(observations.variance))]
