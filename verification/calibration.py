"""Compare ways to fit on problems with a known answer, and check the chosen one by simulation-based calibration.

Run ``python verification/calibration.py``; it prints one line per problem and way, and ends with 1 if the way that is
used by default misses a limit. ``--only`` names some of the problems, ``--ways`` some of the ways, ``--fits`` how many
whole fits of made-up results are ranked (0: none).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from regraft.evidence.calibration import ensemble
from regraft.evidence.calibration.chance import normals
from regraft.evidence.calibration.fit import fit_population
from regraft.evidence.calibration.forward import Runs
from regraft.evidence.calibration.linear_algebra import one_thread
from regraft.evidence.calibration.problems import CalibrationWarning
from regraft.evidence.calibration.sbc import uniformity
from regraft.evidence.calibration.settings import Settings
from verification.calibration_problems import PROBLEMS, Distance, Floats, Problem, distance, linear_answer, proportions

WAYS = {
    "default": Settings(),
    "quadratic": Settings(smooth_remainder=False),
    "one update": Settings(ensemble=100, most_updates=1),
    "three updates": Settings(ensemble=100, most_updates=3),
}
ENSEMBLE_ALONE = "ensemble alone"
# A sample of 200 independent draws of the answer itself is off by up to 0.2 SD in the worst of ten means.
LARGEST_MEAN, LEAST_SD, LARGEST_SD = 0.4, 0.8, 1.25
LEVEL = 0.01


def ensemble_alone(problem: Problem, members: int, updates: int) -> tuple[Floats, int]:
    """Return the last ensemble of Kalman updates, without stand-in, and the forward runs it took."""
    names, numbers = problem.priors.names, np.arange(members)
    white, taken = problem.priors.sample_white(3, numbers), 0.0
    for number in range(updates):
        answer = problem(problem.priors.natural(white), numbers)
        runs = Runs(white, answer.value, answer.mc_variance, answer.failed)
        step = ensemble.step_of_temperature(runs, problem.observations, 1 - taken, updates - number)
        white = ensemble.update(runs, problem.observations, step, names, seed=3, number=number)
        taken += step
        if taken >= 1:
            break
    return white, (number + 1) * members


def one_way(problem: Problem, way: str) -> tuple[Floats, int]:
    """Return white scores of the draws, and the forward runs that they took."""
    if way == ENSEMBLE_ALONE:
        with one_thread():
            return ensemble_alone(problem, 200, 3)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", CalibrationWarning)
        posterior = fit_population(
            problem.priors,
            problem.observations,
            problem,
            seed=3,
            folder=Path(folder),
            model=problem.name,
            settings=WAYS[way],
        )
    return problem.priors.white(posterior.theta), posterior.runs.count


def is_good(found: Distance) -> bool:
    """Whether draws are as close to the answer as draws of the answer itself may be."""
    return found.mean < LARGEST_MEAN and found.least_sd > LEAST_SD and found.largest_sd < LARGEST_SD


def compare(names: Sequence[str], ways: Sequence[str]) -> bool:
    """Print how far each way is off; return whether the default is close everywhere."""
    good = True
    print(f"{'problem':12} {'way':15} {'runs':>5} {'mean':>6} {'SD ratio':>13} {'distance':>9} {'seconds':>8}")
    for name in names:
        problem = PROBLEMS[name]()
        with one_thread():
            answer = problem.reference()
        if name == "linear":
            mean, covariance = linear_answer(problem)
            off = np.abs(answer.mean(axis=0) - mean) / np.sqrt(np.diag(covariance))
            ratio = answer.std(axis=0) / np.sqrt(np.diag(covariance))
            print(
                f"{name:12} sampler: mean off by {off.max():.2f}, ratio of SDs {ratio.min():.2f} to {ratio.max():.2f}"
            )
        for way in ways:
            start = time.perf_counter()
            white, runs = one_way(problem, way)
            found = distance(white, answer)
            print(
                f"{name:12} {way:15} {runs:5d} {found.mean:6.2f} {found.least_sd:6.2f} {found.largest_sd:6.2f} "
                f"{found.wasserstein:9.3f} {time.perf_counter() - start:8.1f}",
                flush=True,
            )
            good &= way != "default" or is_good(found)
    return good


def whole_fits(name: str, fits: int, draws: int = 199) -> bool:
    """Rank true values among draws of whole fits, stand-in and its runs included; print p-values of uniform ranks."""
    problem = PROBLEMS[name]()
    names, numbers = problem.priors.names, np.arange(fits)
    truth = normals(11, numbers, names, "whole fits")
    made_up = problem(problem.priors.natural(truth), numbers)
    error = normals(11, numbers, problem.observations.ids, "error of whole fits")
    value = made_up.value
    if problem.noisy is not None:  # the published result has no part in the luck of the simulation
        value = problem.exact(problem.priors.natural(truth))[0]
    rows = value + np.sqrt(problem.observations.variance) * error
    ranks = np.empty((fits, len(names)), dtype=np.int64)
    settings = Settings(ensemble=100, runs=250, particles=400)
    for number in range(fits):
        if name == "proportions":
            problem = proportions(luck=1000 + number)
        observations = replace(problem.observations, y=rows[number])
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore", CalibrationWarning)
            posterior = fit_population(
                problem.priors,
                observations,
                problem,
                seed=number,
                folder=Path(folder),
                model=name,
                settings=settings,
            )
        white = problem.priors.white(posterior.theta[:draws])
        ranks[number] = np.sum(white < truth[number], axis=0)
    # 200 possible ranks and few fits: twenty bins of ranks are tested
    coarse = ranks * 20 // (draws + 1)
    p_values = [uniformity(coarse[:, k], 19, 1) for k in range(len(names))]
    for one, p in zip(names, p_values, strict=True):
        print(f"{name:12} whole fits, ranks of {one}: p = {p:.3f}")
    return min(p_values) > LEVEL / len(names)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=list(PROBLEMS), choices=list(PROBLEMS))
    parser.add_argument("--ways", nargs="*", default=[*WAYS, ENSEMBLE_ALONE], choices=[*WAYS, ENSEMBLE_ALONE])
    parser.add_argument("--fits", type=int, default=100)
    chosen = parser.parse_args(arguments)
    good = compare(chosen.only, chosen.ways)
    if chosen.fits:
        good &= whole_fits("product", chosen.fits)
        good &= whole_fits("proportions", chosen.fits)
    print("passed" if good else "FAILED")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
