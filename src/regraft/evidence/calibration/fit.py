"""Fit a population to published results: runs, stand-in, sample, and fresh runs that check it."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from regraft.errors import InvalidArgument
from regraft.evidence.calibration import ensemble
from regraft.evidence.calibration.chance import effective_size, systematic, uniforms
from regraft.evidence.calibration.emulator import Emulator, fit_emulator, log_likelihood
from regraft.evidence.calibration.forward import Observations, Predict, Runs, complete, without_holes
from regraft.evidence.calibration.identifiability import identifiability
from regraft.evidence.calibration.linear_algebra import one_thread
from regraft.evidence.calibration.posterior import Posterior, Round, doubts, doubts_of_middle
from regraft.evidence.calibration.priors import Priors
from regraft.evidence.calibration.problems import CalibrationWarning, CollapsedPosterior
from regraft.evidence.calibration.runner import Progress, Runner
from regraft.evidence.calibration.settings import Settings
from regraft.evidence.calibration.store import opened
from regraft.evidence.calibration.tempering import Sample, sample_posterior
from regraft.evidence.calibration.workers import Evaluate, in_this_process

FORMAT = 2  # of the folder and of the way from seed to draws; another number is another fit
_DIGITS = 9  # of white scores; what is beyond them differs between libraries of linear algebra


def fit_population(
    priors: Priors,
    observations: Observations,
    predict: Predict,
    *,
    seed: int,
    folder: Path,
    model: str,
    settings: Settings | None = None,
    evaluate: Evaluate = in_this_process,
    progress: Progress | None = None,
) -> Posterior:
    """Return a posterior sample of parameters given published rows.

    The forward model is run at draws of the prior (and, if asked for, at those of a few Kalman updates of them). A
    stand-in is fitted to all forward runs, and its own doubt widens the likelihood. The posterior of the stand-in is
    sampled, the forward model is run at some of its draws, and the stand-in is fitted again, until the posterior no
    longer moves or the runs are used up [cleary_2021]. The same call in the same folder goes on where an earlier one
    ended.

    Parameters
    ----------
    priors : of the fitted parameters
    observations : published rows on their link scales
    predict : forward model, see ``Predict``
    seed : int, 0 <= seed < 2**63
    folder : of the fit, new or begun before
    model : a text that changes with anything on which the forward model's answers depend (a content hash)
    settings : sizes and limits
    evaluate : where forward runs are computed; has no influence on the result
    progress : told (done, most, stage) after every batch

    Returns
    -------
    Posterior, the same bytes for the same seed, rows, priors, settings and model

    Raises
    ------
    AllDrawsFailed : fewer than a quarter of the first ensemble ran
    UnusableTarget : hardly any draw answers a row with a finite number, known better than to a factor of e^10
    CollapsedPosterior : ensemble or sample lost its spread
    UsageError, OutputFolderError : the folder holds another fit, or is in use

    Warns
    -----
    CalibrationWarning : one per sentence in ``Posterior.warnings``

    Assumptions
    -----------
    Given the parameters, rows are independent and normal on their link scale. Rows of one study that share patients
    must be joined, or given more ``extra_sd``, before they come here.
    """
    settings = settings or Settings()
    if not 0 <= seed < 2**63:
        raise InvalidArgument(f"Seed is {seed}; it must be at least 0 and below 2**63.")
    about = identity(priors, observations, seed=seed, model=model, settings=settings)
    with opened(folder, about) as store, one_thread():
        runner = Runner(predict, priors, observations, store, evaluate, settings.batch, settings.runs, progress)
        runs = _explore(runner, settings, seed)
        sample, emulator, runs, rounds = _refine(runner, runs, settings, seed)
    return _finished(priors, observations, sample, emulator, runs, rounds, about, settings)


def identity(
    priors: Priors, observations: Observations, *, seed: int, model: str, settings: Settings
) -> dict[str, Any]:
    """Return everything on which the draws depend, as plain values."""
    correlations = priors.correlations
    return {
        "format": FORMAT,
        "model": model,
        "seed": seed,
        "priors": [dataclasses.asdict(member) for member in priors.members],
        "correlations": [list(correlations.names), correlations.factor.tolist()] if correlations else [],
        "rows": list(observations.ids),
        "links": list(observations.links),
        "y": observations.y.tolist(),
        "se": observations.se.tolist(),
        "extra_sd": observations.extra_sd.tolist(),
        "settings": dataclasses.asdict(settings),
    }


def _explore(runner: Runner, settings: Settings, seed: int) -> Runs:
    """Run the prior ensemble and its updates; the last update takes in all that is left of the likelihood."""
    white = np.round(runner.priors.sample_white(seed, np.arange(settings.ensemble, dtype=np.int64)), _DIGITS)
    first = runner.run(white, 0, "prior")
    least = max(settings.ensemble // 4, 3)
    present = without_holes(white, first, runner.observations, least=least)
    runs, taken = present, 0.0
    affordable = (settings.runs - settings.ensemble - settings.round_runs) // settings.ensemble
    updates = min(settings.most_updates, affordable)
    for number in range(updates):
        step = ensemble.step_of_temperature(present, runner.observations, 1 - taken, updates - number)
        white = ensemble.update(present, runner.observations, step, runner.priors.names, seed=seed, number=number)
        white = np.round(white, _DIGITS)
        present = complete(white, runner.run(white, runs.count, f"ensemble {number + 1}"))
        runs = runs.joined(present)
        taken += step
        if taken >= 1 or present.good().count < least:
            break
    return runs


def _refine(runner: Runner, runs: Runs, settings: Settings, seed: int) -> tuple[Sample, Emulator, Runs, list[Round]]:
    """Sample the stand-in, check it with fresh runs, and repeat until the posterior is steady."""
    rounds: list[Round] = []
    emulator = fit_emulator(runs, runner.observations, settings)
    while runs.count + settings.round_runs <= settings.runs:
        sample = _sample(emulator, runner, settings, seed, f"round {len(rounds)}")
        offset = float(uniforms(seed, np.array([len(rounds)]), "places of fresh runs")[0])
        chosen = systematic(np.ones(settings.particles), settings.round_runs, offset)
        white = np.round(sample.white[chosen], _DIGITS)
        fresh = complete(white, runner.run(white, runs.count, f"check {len(rounds) + 1}"))
        runs = runs.joined(fresh)
        renewed = fit_emulator(runs, runner.observations, settings, before=emulator)
        rounds.append(_compare(emulator, renewed, fresh, sample, runner.observations))
        emulator = renewed
        if rounds[-1].steady >= settings.steady:
            break
    return _sample(emulator, runner, settings, seed, "posterior"), emulator, runs, rounds


def _sample(emulator: Emulator, runner: Runner, settings: Settings, seed: int, purpose: str) -> Sample:
    """Sample the posterior under a stand-in."""
    return sample_posterior(
        lambda white: log_likelihood(emulator, runner.observations, white),
        runner.priors.names,
        seed=seed,
        particles=settings.particles,
        purpose=purpose,
    )


def _compare(old: Emulator, new: Emulator, fresh: Runs, sample: Sample, observations: Observations) -> Round:
    """Return how well a stand-in met fresh runs, and how far the posterior moved by them."""
    good = fresh.good()
    change = log_likelihood(new, observations, sample.white) - sample.log_likelihood
    steady = effective_size(change) / len(sample.white)
    if not good.count:
        nothing = np.full(len(observations.ids), np.nan)
        return Round(0, nothing, nothing, steady)
    mean, variance, _ = old(good.white)
    if not old.common_luck:
        variance = variance + good.mc_variance + old.roughness
    squares = (good.value - mean) ** 2
    # Rows that nothing moves have neither error nor variance.
    error = np.sqrt(np.mean(squares / np.maximum(variance, 1e-12 * observations.variance), axis=0))
    relative = np.sqrt(np.mean(squares / (observations.variance + variance), axis=0))
    return Round(good.count, error, relative, steady)


def _finished(
    priors: Priors,
    observations: Observations,
    sample: Sample,
    emulator: Emulator,
    runs: Runs,
    rounds: list[Round],
    about: Mapping[str, Any],
    settings: Settings,
) -> Posterior:
    """Return the draws with everything that is to be said of them."""
    distinct, particles = len(np.unique(sample.white, axis=0)), len(sample.white)
    if distinct < particles / 2:
        raise CollapsedPosterior(
            f"Only {distinct} of {particles} draws of the posterior differ. Look for a published row with a far too "
            "small standard error."
        )
    seed = int(about["seed"])
    chosen = systematic(np.ones(len(sample.white)), settings.draws, float(uniforms(seed, np.array([0]), "draws")[0]))
    white = np.round(sample.white[chosen], _DIGITS)
    theta = priors.natural(white)
    mean, variance, _ = emulator(white)
    report = identifiability(priors, priors.natural(sample.white), limit=settings.not_identified, seed=seed)
    middle = white.mean(axis=0)
    likelihoods = log_likelihood(emulator, observations, np.vstack([middle, white]))
    found = (
        *doubts(priors, observations, theta, mean, variance, runs, tuple(rounds), settings),
        *doubts_of_middle(float(np.mean(likelihoods[1:] > likelihoods[0]))),
    )
    for sentence in found:
        warnings.warn(sentence, CalibrationWarning, stacklevel=3)
    return Posterior(
        priors=priors,
        observations=observations,
        theta=theta,
        central=priors.natural(middle[None])[0],
        mean=mean,
        variance=variance,
        identifiability=report,
        rounds=tuple(rounds),
        runs=runs,
        seed=seed,
        settings=settings,
        model=about["model"],
        warnings=found,
    )
