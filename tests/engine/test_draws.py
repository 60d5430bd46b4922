"""Random draws: right distributions, right keys."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from tests.engine.models import event, model, parameter_matrix

from regraft.engine import SolverSettings, Status, compile_model, solve
from regraft.engine.draws import binomial, poisson
from regraft.streams import patient_uniforms

PATIENTS = 5000
# Fixed seeds: these tests cannot fail by chance, only by change.
LEVEL = 0.01


def run(equations, outputs, times, patients=PATIENTS, seed=11):
    kernel = compile_model(equations, outputs)
    return solve(
        kernel,
        parameter_matrix(equations, patients),
        times=times,
        patient_ids=np.arange(patients),
        seed=seed,
        settings=SolverSettings(threads=1, max_step_days=100.0),
    )


def test_waiting_times_of_a_hazard_are_exponential():
    equations = model(
        {"h": (0, "rate"), "e": ("exponential(1)", 0)},
        {"rate": 0.25},
        events=[event("hit", "h >= e", {"e": "e + exponential(1)"})],
    )
    result = run(equations, ["h"], [0.0, 100.0])
    rows, times = result.events_of("hit")
    first = times[np.unique(rows, return_index=True)[1]]
    assert first.size == PATIENTS
    assert stats.kstest(first, "expon", args=(0, 4)).pvalue > LEVEL
    second = times[np.unique(rows, return_index=True)[1] + 1] - first
    assert stats.kstest(second, "expon", args=(0, 4)).pvalue > LEVEL
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.05
    counts = np.bincount(rows, minlength=PATIENTS)
    assert abs(counts.mean() - 25) < 0.3
    assert abs(counts.var() - 25) < 1.5


@pytest.mark.parametrize(
    ("text", "mean", "variance"),
    [
        ("exponential(2)", 0.5, 0.25),
        ("uniform(1, 4)", 2.5, 0.75),
        ("normal(3, 2)", 3, 4),
        ("poisson(0.7)", 0.7, 0.7),
        ("poisson(400)", 400, 400),
        ("binomial(12, 0.3)", 3.6, 2.52),
        ("binomial(5000, 0.9)", 4500, 450),
    ],
)
def test_moments_of_initial_draws(text, mean, variance):
    values = run(model({"x": (text, 0)}), ["x"], [0.0]).output("x")[:, 0]
    assert abs(values.mean() - mean) < 4 * np.sqrt(variance / PATIENTS)
    assert abs(values.var() / variance - 1) < 0.12


def test_normal_draws_are_normal():
    values = run(model({"x": ("normal(0, 1)", 0)}), ["x"], [0.0]).output("x")[:, 0]
    assert stats.kstest(values, "norm").pvalue > LEVEL


@pytest.mark.parametrize("mean", [0.3, 4.5, 60.0])
def test_poisson_counts_have_the_right_probabilities(mean):
    grid = (np.arange(200_000) + 0.5) / 200_000
    counts = np.bincount([int(poisson(mean, u)) for u in grid]) / grid.size
    np.testing.assert_allclose(counts, stats.poisson.pmf(np.arange(counts.size), mean), atol=2e-5)


@pytest.mark.parametrize(("trials", "probability"), [(1, 0.5), (9, 0.95), (80, 0.02), (80, 0.5)])
def test_binomial_counts_have_the_right_probabilities(trials, probability):
    grid = (np.arange(200_000) + 0.5) / 200_000
    counts = np.bincount([int(binomial(trials, probability, u)) for u in grid]) / grid.size
    np.testing.assert_allclose(counts, stats.binom.pmf(np.arange(counts.size), trials, probability), atol=2e-5)


def test_edges_of_counts():
    assert poisson(0.0, 0.3) == 0
    assert np.isnan(poisson(-1.0, 0.3))
    assert [binomial(5.0, p, 0.3) for p in (0.0, 1.0)] == [0, 5]
    assert np.isnan(binomial(5.0, 1.5, 0.3))
    assert abs(poisson(1e8, 0.5) - 1e8) < 5e4


def test_draws_are_keyed_by_the_name_of_the_state():
    values = run(model({"y": ("exponential(1)", 0), "x": ("uniform(0, 1)", 0)}), ["x"], [0.0], patients=50).output("x")[
        :, 0
    ]
    np.testing.assert_array_equal(values, patient_uniforms(11, np.arange(50), "x"))


def test_a_new_event_in_the_model_changes_nobody_elses_luck():
    states = {"h": (0, 1), "e": ("exponential(1)", 0), "g": ("exponential(1)", 0)}
    old = event("old", "h >= e", {"e": "e + exponential(1)"})
    new = event("new", "h >= g", {"g": "g + exponential(1)"})
    alone = run(model(states, events=[old]), ["e"], [0.0, 5.0], patients=20).output("e")
    both = run(model(states, events=[new, old]), ["e"], [0.0, 5.0], patients=20).output("e")
    np.testing.assert_array_equal(alone, both)


def test_two_equal_draws_in_one_event_are_independent():
    jumps = {"a": "uniform(0, 1)", "b": "uniform(0, 1)"}
    result = run(model({"a": (0, 0), "b": (0, 0)}, events=[event("e", "time >= 0", jumps)]), ["a", "b"], [0.0])
    assert abs(np.corrcoef(result.values[:, 0].T)[0, 1]) < 0.05


def test_impossible_arguments_of_a_draw_end_the_patient_and_name_the_event():
    equations = model({"x": (1, 0)}, {"low": 2.0}, events=[event("odd", "time >= 1", {"x": "uniform(low, 1)"})])
    result = run(equations, ["x"], [0.0, 2.0], patients=1)
    assert result.status[0] == Status.DOMAIN
    assert "'odd'" in result.status_detail[0]
