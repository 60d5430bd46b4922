"""The benchmark gives every tool the same work and judges it rightly; no speed is tested."""

from __future__ import annotations

import json

import numpy as np
import pytest
from benchmarks.engine import arguments
from benchmarks.speed.immune_model import LAST_DAY, SCHEDULES, make_problem, patient_errors, stretches
from benchmarks.speed.peers import regraft_engine, roadrunner_cvode
from benchmarks.speed.table import goals, markdown, missed_goals, write


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_stretches_cover_all_days_outputs_and_doses(schedule):
    problem = make_problem(schedule, 1)
    parts = stretches(problem)
    assert parts[0][0].begin == 0.0
    assert parts[-1][0].end == LAST_DAY
    assert all(one.end == two.begin for (one, *_), (two, *_) in zip(parts, parts[1:], strict=False))
    assert sum(part.outputs for part, *_ in parts) == problem.times.size
    seen = np.concatenate([moments[places] for _, moments, places in parts])
    np.testing.assert_array_equal(seen, problem.times)
    given = [(part.end, problem.states[part.state], part.amount) for part, *_ in parts if part.state >= 0]
    assert given == problem.doses


def test_first_patients_are_the_same_in_a_larger_population():
    few, many = make_problem("hsct", 3), make_problem("hsct", 5)
    np.testing.assert_array_equal(few.parameters, many.parameters[:3])
    np.testing.assert_array_equal(few.initial, many.initial[:3])


@pytest.mark.parametrize("events", [False, True])
def test_libroadrunner_and_the_engine_solve_the_same_problem(events):
    problem = make_problem("hsct", 2)
    own = regraft_engine.prepare(problem, 1e-8, 1e-11)
    reference = own(2)
    values = roadrunner_cvode.prepare(problem, 1e-8, 1e-11, events=events)(2)
    assert patient_errors(values, reference).max() < 1e-4
    assert own.steps_per_patient > 100


def test_a_missing_value_is_an_infinite_error():
    reference = np.ones((2, 3, 1))
    values = reference * 1.001
    values[1, 2, 0] = np.nan
    errors = patient_errors(values, reference)
    assert errors[0] == pytest.approx(0.001 / 1.001)
    assert np.isinf(errors[1])


def row(name, ratio, error, *, ours=False):
    return {
        "name": name,
        "version": "1",
        "ours": ours,
        "patients_per_second": 1000.0 / ratio,
        "patients_per_second_wall": 900.0 / ratio,
        "ratio": ratio,
        "ratio_lowest": ratio,
        "ratio_highest": ratio,
        "ratio_few": 1.1 * ratio,
        "error_median": error,
        "error_95": error,
        "failed": 0,
        "patients": 9,
        "steps_per_patient": 400.0,
    }


def sample(ratio):
    rows = [row("regraft", 1.0, 1e-6, ours=True), row("libroadrunner CVODE", 30.0, 1e-5), row("LSODA", ratio, 1e-5)]
    return {
        "machine": {
            "processor": "a processor",
            "features": ["avx512f", "fma"],
            "cores": 2,
            "python": "3",
            "numpy": "2",
            "numba": "0",
            "llvmlite": "0",
        },
        "rtol": 1e-6,
        "atol": 1e-9,
        "repeats": 3,
        "load_at_start": 1.0,
        "load_at_end": 1.0,
        "schedules": {"hsct": {"radau_difference": 1e-11, "error_patients": 8, "tools": rows}},
        "missing": ["SciPy LSODA is left out: no SciPy."],
        "threads": {"one_thread": 1.0, "two_threads": 1.9, "gain": 1.9, "gain_of_fastest": 1.95},
        "compile": {"cold": 1.0, "cold_clock": 1.0, "cached": 0.1, "cached_clock": 0.1},
    }


def test_goals_are_judged_by_the_slowest_margin():
    assert not missed_goals(sample(13.0))
    missed = missed_goals(sample(11.0))
    assert len(missed) == 1
    assert "all states: 11.0x the fastest other tool (LSODA), goal 12x" in missed[0]
    assert any("6 outputs: 12.1x" in sentence for sentence, _ in goals(sample(11.0)))


def test_processors_without_wide_vectors_have_lower_goals():
    results = sample(11.0)
    results["machine"]["features"] = ["avx2", "fma"]
    assert all(met for _, met in goals(results))


def test_table_names_every_tool_and_what_is_missing(tmp_path):
    results = sample(13.0)
    write(results, tmp_path)
    text = (tmp_path / "engine_avx512f.md").read_text(encoding="utf-8")
    assert text == markdown(results)
    assert all(name in text for name in ("libroadrunner CVODE", "LSODA", "no SciPy", "30.0x"))
    assert json.loads((tmp_path / "engine_avx512f.json").read_text(encoding="utf-8")) == results


def test_quick_runs_write_nothing():
    assert arguments(["--quick"]).output is None
    assert arguments([]).output.name == "results"
    assert arguments(["--quick", "--patients", "7"]).patients == 7
