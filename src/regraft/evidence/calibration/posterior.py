"""What a fit gives back, and what must be said of it before it is used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from regraft.evidence.calibration.chance import Floats
from regraft.evidence.calibration.forward import Observations, Runs, constant_rows
from regraft.evidence.calibration.identifiability import Identifiability
from regraft.evidence.calibration.priors import Priors
from regraft.evidence.calibration.settings import Settings

_FAR = 3  # standard deviations between published and predicted value
_TAIL = 2  # score beyond which a draw lies in the tail of its prior, where 2.3 % of the prior are
_PRESSED = 1 / 4  # share of draws in one tail
_DOUBTFUL = 2  # root mean square of the stand-in's errors in units of its own standard deviation
_BENT = 0.9  # share of draws under which the rows are likelier than at the mean of all
_FAILURES = 0.1  # share of failed runs


@dataclass(frozen=True)
class Round:
    """One comparison of the stand-in with fresh forward runs at posterior draws.

    Parameters
    ----------
    runs : how many of them did not fail
    error : (row,) root mean square of run minus stand-in, in units of the stand-in's own standard deviation
    relative : (row,) the same in units of the standard deviation that published row and simulation have together
    steady : share of posterior draws that stay effective when they are weighted to the stand-in with these runs
    """

    runs: int
    error: Floats
    relative: Floats
    steady: float


@dataclass(frozen=True)
class Posterior:
    """A sample of the fitted parameters and what is known about its worth.

    Parameters
    ----------
    priors : of the parameters, whose order is that of the columns
    observations : the rows that were fitted
    theta : (draw, parameter) float, natural values, equally weighted
    central : (parameter,) float, the mean of all draws in independent standard normal scores of the priors, in natural
        values: what is not identified keeps nearly the middle of its prior there, which no single draw does
    mean : (draw, row) float, prediction of the stand-in on the link scale
    variance : (draw, row) float, of that prediction: doubt of the stand-in and finite simulation
    identifiability : from all particles, of which the draws are a part
    rounds : checks of the stand-in, the last one last
    runs : all forward runs
    seed, settings, model : what was asked for; ``model`` is the caller's name for the content of the forward model
    warnings : sentences
    """

    priors: Priors
    observations: Observations
    theta: Floats
    central: Floats
    mean: Floats
    variance: Floats
    identifiability: Identifiability
    rounds: tuple[Round, ...]
    runs: Runs
    seed: int
    settings: Settings
    model: str
    warnings: tuple[str, ...]


def doubts(
    priors: Priors,
    observations: Observations,
    theta: Floats,
    mean: Floats,
    variance: Floats,
    runs: Runs,
    rounds: tuple[Round, ...],
    settings: Settings,
) -> Iterator[str]:
    """Yield a sentence for each thing that must be known of a fit before it is used."""
    for constant in constant_rows(runs, observations):
        yield (
            f"Row {observations.ids[constant]!r} is predicted as {runs.good().value[0, constant]:.4g} (link scale) "
            "whatever the parameters: nothing is learned from it. Leave it out, or fit a parameter that moves it."
        )
    share = float(runs.failed.mean())
    if share > _FAILURES:
        yield (
            f"{int(runs.failed.sum())} of {runs.count} forward runs failed. Parameters near failed runs are taken as "
            "less likely; narrow the priors if that is not what is meant."
        )
    centre, spread = mean.mean(axis=0), np.sqrt(mean.var(axis=0) + variance.mean(axis=0) + observations.variance)
    for k in np.flatnonzero(np.abs(observations.y - centre) > _FAR * spread):
        yield (
            f"Row {observations.ids[k]!r} is not reached: published {observations.y[k]:.4g}, predicted {centre[k]:.4g} "
            f"with a standard deviation of {spread[k]:.2g} for both (link scale)."
        )
    yield from _pressed(priors, theta)
    yield from _doubtful(observations, rounds, settings)


def doubts_of_middle(likelier: float) -> Iterator[str]:
    """Yield a sentence where the mean of the draws is no fair summary of them.

    Parameters
    ----------
    likelier : share of draws under which the published rows are likelier than at the mean of all
    """
    if likelier > _BENT:
        yield (
            f"The published rows are likelier under {100 * likelier:.0f} % of the draws than at their central values: "
            "the posterior is bent or has several parts. Read trials under draws, not at central values alone."
        )


def _pressed(priors: Priors, theta: Floats) -> Iterator[str]:
    """Yield a sentence for each parameter whose draws crowd at one side of its prior."""
    scores = priors.scores(theta)
    for k, member in enumerate(priors.members):
        for side, end, word in ((-1, member.lower, "lower"), (1, member.upper, "upper")):
            share = float(np.mean(~(side * scores[:, k] <= _TAIL)))
            if share > _PRESSED:
                where = (
                    f"at the {word} end of its prior, {end:g} {member.unit}"
                    if end is not None
                    else (f"far out in the {word} tail of its prior")
                )
                yield (
                    f"Parameter {member.name!r}: {100 * share:.0f} % of the draws lie {where}. Published rows and "
                    "prior disagree: look for another structure before the prior is widened."
                )


def _doubtful(observations: Observations, rounds: tuple[Round, ...], settings: Settings) -> Iterator[str]:
    """Yield sentences about the stand-in."""
    if not rounds:
        return
    last = rounds[-1]
    if last.steady < settings.steady:
        yield (
            f"The posterior still moved when the last {last.runs} runs were added: {100 * last.steady:.0f} % of the "
            f"draws stayed effective, {100 * settings.steady:.0f} % are asked for. Allow more forward runs ('runs')."
        )
    # An error that is small beside the uncertainty of the published row does no harm.
    for k in np.flatnonzero((last.error > _DOUBTFUL) & (last.relative > 0.5)):
        yield (
            f"Row {observations.ids[k]!r}: the stand-in misses fresh runs by {last.error[k]:.1f} times what it claims. "
            "Allow more forward runs, or simulate more patients."
        )
