"""Weighted curves, log-rank and Cox against resampling, the bootstrap, lifelines, and copies of patients."""

from __future__ import annotations

import math

import numpy as np
import pytest
from lifelines import CoxPHFitter
from pandas import DataFrame

from regraft.trial import weighted_survival as weighted
from regraft.trial.estimates import StepCurve
from regraft.trial.survival import at_horizon, cumulative_incidence, hazard_ratio, kaplan_meier, log_rank
from regraft.trial.weighting import Weights

from .weighted_sample import bootstrap, drawn, patients

People = dict[str, np.ndarray]
PEOPLE = patients()
WEIGHTS = Weights(PEOPLE["w"])
HORIZONS = (1.0, 3.0, 6.0)


def curves(people: People, weights: Weights | None) -> dict[str, StepCurve]:
    first, second = cumulative_incidence(people["time"], people["cause"], 2, weights)
    return {"survival": kaplan_meier(people["time"], people["cause"] > 0, weights), "first": first, "second": second}


def ratio(people: People) -> float:
    weights = Weights(people["w"])
    return hazard_ratio(people["time"], people["cause"] > 0, people["treated"], weights).value


@pytest.mark.parametrize("name", ["survival", "first", "second"])
def test_curves_are_those_of_a_large_resample(name: str) -> None:
    found, plain, many = (curves(p, w)[name] for p, w in ((PEOPLE, WEIGHTS), (PEOPLE, None), (drawn(PEOPLE), None)))
    for horizon in HORIZONS:
        value, _, _, error = many.at(horizon)
        assert found.at(horizon)[0] == pytest.approx(value, abs=5 * error)
    apart = [abs(found.at(horizon)[0] - plain.at(horizon)[0]) for horizon in HORIZONS]
    assert max(apart) > 0.03  # the weights matter


@pytest.mark.parametrize("horizon", HORIZONS)
@pytest.mark.parametrize("name", ["survival", "first", "second"])
def test_errors_of_curves_are_those_of_the_bootstrap(name: str, horizon: float) -> None:
    spread = bootstrap(PEOPLE, lambda people: curves(people, Weights(people["w"]))[name].at(horizon)[0])
    assert curves(PEOPLE, WEIGHTS)[name].at(horizon)[3] == pytest.approx(spread, rel=0.12)


@pytest.mark.parametrize("digits", [6, 0])
def test_the_weighted_curves_become_the_unweighted_ones(digits: int) -> None:
    people = PEOPLE | {"time": np.maximum(np.round(PEOPLE["time"], digits), 10.0**-digits)}
    ones = np.ones(300)
    first, second = weighted.cumulative_incidence(people["time"], people["cause"], 2, ones)
    found = {"survival": weighted.kaplan_meier(people["time"], people["cause"] > 0, ones)}
    found |= {"first": first, "second": second}
    for name, plain in curves(people, None).items():
        for part in ("time", "value", "lower", "upper", "standard_error"):
            np.testing.assert_allclose(getattr(found[name], part), getattr(plain, part), atol=1e-12, err_msg=part)


def test_equal_weights_reproduce_everything_bit_for_bit() -> None:
    equal, time, event = Weights(np.full(300, 0.4), smallest=100), PEOPLE["time"], PEOPLE["cause"] > 0
    for name, curve in curves(PEOPLE, equal).items():
        plain = curves(PEOPLE, None)[name]
        for part in ("time", "value", "lower", "upper", "standard_error"):
            assert getattr(curve, part).tobytes() == getattr(plain, part).tobytes()
        told, plainly = (at_horizon(plain, 3.0, 300, method="it", weights=w) for w in (equal, None))
        assert told == plainly
    treated = PEOPLE["treated"]
    assert log_rank(time, event, treated, equal) == log_rank(time, event, treated)
    assert hazard_ratio(time, event, treated, equal) == hazard_ratio(time, event, treated)


def test_whole_weights_count_like_copies_of_patients() -> None:
    w = np.random.default_rng(4).integers(1, 4, 300)
    copies = {name: np.repeat(values, w) for name, values in PEOPLE.items()}
    for name, curve in curves(PEOPLE, Weights(w * 1.0)).items():
        plain = curves(copies, None)[name]
        np.testing.assert_allclose(curve.value, plain.value, atol=1e-12)
        np.testing.assert_array_equal(curve.time, plain.time)


def test_of_the_last_patients_with_the_event_nobody_is_left() -> None:
    w = np.array([0.2, 0.7, 0.1])
    curve = weighted.kaplan_meier(np.array([1.0, 2.0, 2.0]), np.array([True, True, True]), w)
    assert curve.value.tolist() == [1, pytest.approx(0.8), 0]
    assert curve.standard_error[-1] == 0
    incidence, _ = weighted.cumulative_incidence(np.array([1.0, 2.0, 2.0]), np.array([1, 1, 1]), 2, w)
    assert (incidence.value[-1], incidence.standard_error[-1]) == (1, 0)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_hazard_ratio_and_its_robust_error_are_those_of_lifelines(seed: int) -> None:
    people = patients(seed)
    found = hazard_ratio(people["time"], people["cause"] > 0, people["treated"], Weights(people["w"]))
    table = DataFrame({"t": people["time"], "e": people["cause"] > 0, "z": people["treated"] * 1.0, "w": people["w"]})
    other = CoxPHFitter().fit(table, "t", "e", weights_col="w", robust=True)
    assert found.value == pytest.approx(other.hazard_ratios_["z"], rel=1e-5)
    assert found.standard_error / found.value == pytest.approx(other.standard_errors_["z"], rel=1e-4)
    assert found.lower < found.value < found.upper


def test_the_hazard_ratio_is_that_of_a_resample_and_its_error_that_of_the_bootstrap() -> None:
    people = PEOPLE
    found = hazard_ratio(people["time"], people["cause"] > 0, people["treated"], WEIGHTS)
    many = drawn(people)
    plain = hazard_ratio(many["time"][:20_000], many["cause"][:20_000] > 0, many["treated"][:20_000])
    # copies of a patient are tied, and Efron's ties are not quite those of one patient with a weight
    assert found.value == pytest.approx(plain.value, rel=0.05)
    assert found.standard_error == pytest.approx(bootstrap(people, ratio), rel=0.12)


def test_ties_are_efrons() -> None:
    time = np.maximum(np.round(PEOPLE["time"]), 1.0)
    event, treated = PEOPLE["cause"] > 0, PEOPLE["treated"]
    found = weighted.hazard_ratio(time, event, treated, Weights(np.ones(300)))
    assert found.value == pytest.approx(hazard_ratio(time, event, treated).value, rel=1e-8)


def test_log_rank_is_the_score_test_and_near_the_unweighted_one_with_equal_weights() -> None:
    time, event, treated = PEOPLE["time"], PEOPLE["cause"] > 0, PEOPLE["treated"]
    near = weighted.log_rank(time, event, treated, Weights(np.ones(300)))
    assert near.statistic == pytest.approx(log_rank(time, event, treated).statistic, rel=0.1)
    found = log_rank(time, event, treated, WEIGHTS)
    ratio = hazard_ratio(time, event, treated, WEIGHTS)
    wald = (math.log(ratio.value) / (ratio.standard_error / ratio.value)) ** 2
    assert found.statistic == pytest.approx(wald, rel=0.15)  # two tests of one hypothesis
    assert found.method == "log-rank, robust, weighted"


def test_log_rank_holds_its_level_where_groups_do_not_differ() -> None:
    rng = np.random.default_rng(7)
    rejected = 0
    for _ in range(400):
        time, w, treated = rng.exponential(1, 120), np.exp(0.7 * rng.normal(0, 1, 120)), rng.random(120) < 0.5
        rejected += log_rank(time, time < 1.5, treated, Weights(w)).p_value < 0.05
    assert 8 <= rejected <= 36  # 5 % of 400 is 20


def test_below_the_smallest_effective_size_nothing_is_told_but_why() -> None:
    few = Weights(PEOPLE["w"], smallest=WEIGHTS.effective_size + 1)
    time, event, treated = PEOPLE["time"], PEOPLE["cause"] > 0, PEOPLE["treated"]
    curve = kaplan_meier(time, event, few)
    read = at_horizon(curve, 3.0, 300, method="Kaplan-Meier", weights=few)
    assert math.isnan(read.value) and read.note.startswith("withheld: effective size")
    assert math.isnan(log_rank(time, event, treated, few).p_value)
    assert hazard_ratio(time, event, treated, few).note.startswith("withheld: effective size")


def test_where_nobody_had_the_event_the_bounds_are_those_of_the_effective_size() -> None:
    flat = kaplan_meier(PEOPLE["time"], np.zeros(300, dtype=bool), WEIGHTS)
    read = at_horizon(flat, 3.0, 300, method="Kaplan-Meier", weights=WEIGHTS)
    assert (read.value, read.upper) == (100, 100)
    assert read.lower == pytest.approx(100 * 0.025 ** (1 / WEIGHTS.effective_size))
    none, _ = cumulative_incidence(PEOPLE["time"], np.zeros(300, dtype=int), 2, WEIGHTS)
    read = at_horizon(none, 3.0, 300, method="Aalen-Johansen", weights=WEIGHTS)
    assert (read.value, read.lower) == (0, 0)
    assert read.upper == pytest.approx(100 * (1 - 0.025 ** (1 / WEIGHTS.effective_size)))


def test_a_hazard_ratio_without_events_in_a_group_has_a_reason() -> None:
    event = (PEOPLE["cause"] > 0) & PEOPLE["treated"]
    found = hazard_ratio(PEOPLE["time"], event, PEOPLE["treated"], WEIGHTS)
    assert (found.note, found.method) == ("a group without events", "Cox, Efron ties, weighted")
