"""Verify exact simulation of reaction networks against theory: moments, whole distributions, extinction, waiting times.

Run ``python verification/stochastic.py``; it prints one line per check and ends with 1 if any failed.
``--patients`` sets how many are simulated per check (20,000), ``--only`` names some of the checks.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.linalg import expm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from regraft.engine import (
    Administrations,
    NetworkKernel,
    Result,
    SolverSettings,
    Status,
    compile_model,
    compile_network,
    solve,
    solve_exactly,
)
from regraft.model import read_antimony, read_antimony_reactions
from verification.engine_checks.line import Line

Floats = NDArray[np.float64]
# The seed is fixed, so a check fails by change of the engine only, never by chance.
SEED = 20_000
# Chance of one |z| above 4 is 6e-5. There are some fifty in a run, so a right engine fails one of 300 fresh seeds.
LARGEST_Z = 4.0
# The same chance for the tests of whole distributions.
LEVEL = 6e-5
_LEAST_EXPECTED = 10.0

BIRTH_DEATH = "substanceOnly species A; A = n; born: A -> 2 A; b*A; gone: A -> ; d*A; n = 10; b = 0.5; d = 0.4"
IMMIGRATION = "substanceOnly species A; A = 0; come: -> A; a; gone: A -> ; d*A; a = 3; d = 0.5"
BIRTH = "substanceOnly species A; A = n; born: A -> 2 A; b*A; n = 3; b = 0.3"
PAIRS = (
    "substanceOnly species A, B; A = 20; B = 0; pair: 2 A -> B; k*A*(A - 1)/2; part: B -> 2 A; m*B; k = 0.02; m = 0.3"
)
LINEAGE = """
substanceOnly species S, P, M; S = 20; P = 0; M = 0
renew: S -> 2 S; 0.1*S; commit: S -> P; 0.12*S; expand: P -> 2 P; 0.5*P; ripen: P -> M; 0.9*P
leave: M -> ; w*M; w = 0.2
"""
WAIT = "substanceOnly species A, X; A = 1; X = 0; first: A -> A + X; k*A; second: -> X; q; k = 0.5; q = 0.25"


@cache
def network_kernel(text: str, outputs: tuple[str, ...], events: tuple[str, ...] = ()) -> NetworkKernel:
    """Return the compiled network of a model."""
    return compile_network(read_antimony_reactions(text), outputs, events)


def simulate(
    text: str,
    outputs: Sequence[str],
    times: Sequence[float],
    patients: int,
    changed: Mapping[str, float] | None = None,
    *,
    events: Sequence[str] = (),
    administrations: Administrations | None = None,
) -> Result:
    """Simulate patients with the parameters of a model, some changed, until the first of the kept events."""
    kernel = network_kernel(text, tuple(outputs), tuple(events))
    values = {p.id: p.value for p in kernel.equations.parameters} | dict(changed or {})
    return solve_exactly(
        kernel,
        np.tile(list(values.values()), (patients, 1)),
        times=times,
        patient_ids=np.arange(patients),
        seed=SEED,
        administrations=administrations,
        terminal_events=events,
    )


def line_of_z(name: str, patients: int, z: Sequence[float], note: str = "") -> Line:
    """Return the line of some differences in standard errors."""
    largest = float(np.abs(z).max())
    figures = f"n = {patients}, largest |z| of {np.size(z)} is {largest:.2f} (at most {LARGEST_Z:g}){note}"
    return Line(name, figures, bool(largest <= LARGEST_Z))


def moment_z(sample: Floats, mean: float, variance: float, fourth: float | None = None) -> list[float]:
    """Return how far mean and variance of a sample lie from theory, in standard errors.

    The error of the mean comes from the variance in theory, that of the variance from the fourth central moment (of
    the sample where theory gives none).
    """
    centred = (sample - mean) ** 2
    moment = float(np.mean(centred**2)) if fourth is None else fourth
    errors = np.sqrt(variance / sample.size), np.sqrt((moment - variance**2) / sample.size)
    return [float((sample.mean() - mean) / errors[0]), float((centred.mean() - variance) / errors[1])]


def distribution_line(name: str, sample: Floats, chances: Floats) -> Line:
    """Compare a sample with the chance of each whole number by chi-squared; rare numbers are taken together."""
    expected = chances * sample.size
    counts = np.bincount(sample.astype(np.int64), minlength=chances.size)
    outside = float(counts[chances.size :].sum())
    group = np.floor(np.cumsum(expected) / _LEAST_EXPECTED - 1e-9).astype(np.int64)
    seen, theory = (np.bincount(group, weights=x[: chances.size]) for x in (counts, expected))
    seen[-1] += outside
    theory[-1] += sample.size - expected.sum()
    kept = theory > 0
    chance = float(stats.chisquare(seen[kept], theory[kept] * (seen[kept].sum() / theory[kept].sum())).pvalue)
    figures = f"n = {sample.size}, chi-squared of {int(kept.sum())} groups, p = {chance:.3g} (above {LEVEL:g})"
    return Line(name, figures, chance > LEVEL)


def check_birth_death(patients: int, changed: Mapping[str, float] | None = None) -> list[Line]:
    """Compare mean and variance of a birth-death clone with theory at three times."""
    times, n, b, d = np.array([0.0, 1.0, 5.0, 15.0]), 10, 0.5, 0.4
    amounts = simulate(BIRTH_DEATH, ["A"], times, patients, changed).output("A")
    z = []
    for k, t in enumerate(times[1:], start=1):
        growth = np.exp((b - d) * t)
        z += moment_z(amounts[:, k], n * growth, n * (b + d) / (b - d) * growth * (growth - 1))
    return [line_of_z("birth and death, mean and variance", patients, z)]


def check_immigration_death(patients: int, changed: Mapping[str, float] | None = None) -> list[Line]:
    """Compare immigration and death with the Poisson distribution, on the way and when stationary."""
    times, a, d = np.array([0.0, 1.0, 40.0]), 3.0, 0.5
    amounts, z = simulate(IMMIGRATION, ["A"], times, patients, changed).output("A"), []
    lines = []
    for k, t in enumerate(times[1:], start=1):
        mean = a / d * (1 - np.exp(-d * t))
        z += moment_z(amounts[:, k], mean, mean, mean * (1 + 3 * mean))
        chances = stats.poisson(mean).pmf(np.arange(60))
        lines.append(distribution_line(f"immigration and death, Poisson at day {t:g}", amounts[:, k], chances))
    return [line_of_z("immigration and death, mean and variance", patients, z), *lines]


def check_birth(patients: int, changed: Mapping[str, float] | None = None) -> list[Line]:
    """Compare pure birth with the negative binomial distribution."""
    t, n, b = 6.0, 3, 0.3
    born = simulate(BIRTH, ["A"], [0.0, t], patients, changed).output("A")[:, 1] - n
    theory = stats.nbinom(n, np.exp(-b * t))
    mean, variance, excess = (float(x) for x in theory.stats(moments="mvk"))
    return [
        line_of_z(
            "pure birth, mean and variance", patients, moment_z(born, mean, variance, (excess + 3) * variance**2)
        ),
        distribution_line("pure birth, negative binomial", born, theory.pmf(np.arange(1000))),
    ]


def pair_chances(t: float, start: int, k: float, m: float) -> Floats:
    """Return the chance of each number of pairs at a time, by the master equation."""
    pairs = start // 2
    flow = np.zeros((pairs + 1, pairs + 1))
    for b in range(pairs + 1):
        single = start - 2 * b
        if b < pairs:
            flow[b + 1, b] = k * single * (single - 1) / 2
        if b > 0:
            flow[b - 1, b] = m * b
        flow[b, b] = -(flow[:, b].sum() - flow[b, b])
    return np.asarray(expm(t * flow)[:, 0])


def check_pairs(patients: int, changed: Mapping[str, float] | None = None) -> list[Line]:
    """Compare reversible dimerisation with the master equation."""
    times, z, lines = np.array([0.0, 0.3, 1.0, 10.0]), [], []
    pairs = simulate(PAIRS, ["B"], times, patients, changed).output("B")
    for k, t in enumerate(times[1:], start=1):
        chances = pair_chances(float(t), 20, 0.02, 0.3)
        numbers = np.arange(chances.size)
        mean = float(chances @ numbers)
        variance, fourth = (float(chances @ (numbers - mean) ** power) for power in (2, 4))
        z += moment_z(pairs[:, k], mean, variance, fourth)
        lines.append(distribution_line(f"dimerisation, master equation at day {t:g}", pairs[:, k], chances))
    return [line_of_z("dimerisation, mean and variance", patients, z), *lines]


def check_extinction(patients: int, changed: Mapping[str, float] | None = None) -> list[Line]:
    """Compare the share of extinct clones with the chance by that time, and with (d/b)^n for ever."""
    t, n, b, d = 12.0, 2, 1.0, 0.5
    amounts = simulate(BIRTH_DEATH, ["A"], [0.0, t], patients, {"n": n, "b": b, "d": d} | dict(changed or {}))
    share, growth = float(np.mean(amounts.output("A")[:, 1] == 0)), np.exp((b - d) * t)
    # Of clones alive then, less than 0.1 % die out later: a fifth of a standard error at n = 20,000.
    by_then, ever = (d * (growth - 1) / (b * growth - d)) ** n, (d / b) ** n
    z = [(share - chance) / np.sqrt(chance * (1 - chance) / patients) for chance in (by_then, ever)]
    return [line_of_z("extinction of a clone of two", patients, z, f", share {share:.4f}, (d/b)^n = {ever:.4f}")]


def check_waiting_times(patients: int, changed: Mapping[str, float] | None = None) -> list[Line]:
    """Compare the time to the first reaction, and which it is, with theory; also where rates are changed on the way."""
    rows = np.arange(patients)
    doses = Administrations(
        np.tile(rows, 2),
        np.repeat([1.0, 2.0], patients),
        ["A"] * patients + ["q"] * patients,
        np.repeat([0, 2], patients),
        np.repeat([2.0, 0.05], patients),
        np.zeros(2 * patients),
    )
    total, lines = np.array([0.75, 1.75, 1.55]), []
    for name, given in (("constant rates", None), ("rates changed by a dose and a switch", doses)):
        result = simulate(WAIT, [], [0.0, 200.0], patients, changed, events=["first", "second"], administrations=given)
        t = result.event_time
        passed = total[0] * t
        if given is not None:
            passed = total[0] * np.minimum(t, 1) + total[1] * np.clip(t - 1, 0, 1) + total[2] * np.maximum(t - 2, 0)
        chance = float(stats.kstest(passed, "expon").pvalue)
        everybody = t.size == patients and bool((result.status == Status.ENDED).all())
        figures = f"n = {t.size}, Kolmogorov-Smirnov p = {chance:.3g} (above {LEVEL:g})"
        lines.append(Line(f"waiting times, {name}", figures, everybody and chance > LEVEL))
        if given is None:
            share = 0.5 / 0.75
            z = (np.mean(result.event_index == 0) - share) / np.sqrt(share * (1 - share) / patients)
            lines.append(line_of_z("which reaction comes first", patients, [float(z)]))
    return lines


def check_linear(patients: int, changed: Mapping[str, float] | None = None) -> list[Line]:
    """Compare the means of a lineage with ``solve`` on the same model: laws are linear, so they must agree."""
    times, names = np.array([0.0, 2.0, 6.0, 15.0]), ["S", "P", "M"]
    equations = read_antimony(LINEAGE)
    settings = SolverSettings(rtol=1e-8, atol=1e-10)
    values = [[p.value for p in equations.parameters]]
    mean = solve(compile_model(equations, names), values, times=times, patient_ids=[0], seed=SEED, settings=settings)
    amounts = simulate(LINEAGE, names, times, patients, changed).values[:, 1:]
    error = amounts.std(axis=0, ddof=1) / np.sqrt(patients)
    z = ((amounts.mean(axis=0) - mean.values[0, 1:]) / error).ravel()
    return [line_of_z("lineage of three stages, means of solve", patients, list(z))]


CHECKS = {
    "birth_death": check_birth_death,
    "immigration_death": check_immigration_death,
    "birth": check_birth,
    "pairs": check_pairs,
    "extinction": check_extinction,
    "waiting": check_waiting_times,
    "linear": check_linear,
}


def speed() -> str:
    """Return how many reactions one thread carries out per second."""
    lines = []
    for name, text, outputs in (
        ("birth-death, 2 reactions", BIRTH_DEATH, ["A"]),
        ("lineage, 5 reactions", LINEAGE, ["M"]),
    ):
        begin = time.thread_time()
        kernel = network_kernel(text, tuple(outputs))
        values = np.tile([p.value for p in kernel.equations.parameters], (2000, 1))
        settings = SolverSettings(max_steps=10_000_000, threads=1)
        begin = time.thread_time()
        result = solve_exactly(
            kernel, values, times=[0.0, 30.0], patient_ids=np.arange(2000), seed=SEED, settings=settings
        )
        seconds = time.thread_time() - begin
        lines.append(f"{name}: {result.steps.sum() / seconds / 1e6:.0f} million reactions per second of one core")
    return "; ".join(lines)


def main(given: list[str] | None = None) -> int:
    """Run the checks, print their lines and return the exit code."""
    parser = argparse.ArgumentParser(description="Verify exact simulation of reaction networks.")
    parser.add_argument("--patients", type=int, default=20_000)
    parser.add_argument("--only", nargs="+", choices=CHECKS, default=list(CHECKS))
    options = parser.parse_args(given)
    lines = []
    for name in options.only:
        begin = time.perf_counter()
        for line in CHECKS[name](options.patients):
            print(line, flush=True)
            lines.append(line)
        print(f"      ({name}: {time.perf_counter() - begin:.1f} s)", flush=True)
    print(f"      ({speed()})")
    passed = sum(line.passed for line in lines)
    print(f"passed {passed} of {len(lines)}")
    return 0 if passed == len(lines) else 1


if __name__ == "__main__":
    sys.exit(main())
