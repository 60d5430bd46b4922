"""Weighted estimates against a large resample in proportion to the weights, and against the bootstrap."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from regraft.trial import weighted
from regraft.trial.estimates import Estimate
from regraft.trial.statistics import event_rate, mean, median, paired_difference, rate_ratio, share
from regraft.trial.weighting import Weights

from .weighted_sample import bootstrap, drawn, patients

People = dict[str, np.ndarray]
Statistic = Callable[[People, Weights | None], Estimate]

STATISTICS: dict[str, Statistic] = {
    "share": lambda p, w: share(p["has"], w),
    "mean": lambda p, w: mean(p["score"], "edss", w),
    "median": lambda p, w: median(p["score"], "edss", w),
    "rate": lambda p, w: event_rate(p["events"], p["years"], "1/year", w),
    "difference": lambda p, w: paired_difference(p["score"], p["has"], "edss", w),
}
PEOPLE = patients()
WEIGHTS = Weights(PEOPLE["w"])


def ratio_of(people: People) -> float:
    found, _ = rate_ratio(people["events"], people["years"], people["treated"], Weights(people["w"]))
    return found.value


@pytest.mark.parametrize("name", STATISTICS)
def test_a_large_resample_in_proportion_to_the_weights_gives_the_weighted_estimate(name: str) -> None:
    statistic = STATISTICS[name]
    found, plain, many = statistic(PEOPLE, WEIGHTS), statistic(PEOPLE, None), statistic(drawn(PEOPLE), None)
    assert many.value == pytest.approx(found.value, abs=5 * many.standard_error)
    assert abs(plain.value - found.value) > 10 * many.standard_error  # the weights matter


@pytest.mark.parametrize("name", STATISTICS)
def test_standard_errors_are_those_of_the_bootstrap(name: str) -> None:
    statistic = STATISTICS[name]
    spread = bootstrap(PEOPLE, lambda people: statistic(people, Weights(people["w"])).value)
    # a spread of 400 bootstraps is known to 4 %; a median's error comes from two order statistics only
    assert statistic(PEOPLE, WEIGHTS).standard_error == pytest.approx(spread, rel=0.35 if name == "median" else 0.12)


@pytest.mark.parametrize("name", STATISTICS)
def test_equal_weights_reproduce_the_unweighted_estimate_bit_for_bit(name: str) -> None:
    statistic = STATISTICS[name]
    assert statistic(PEOPLE, Weights(np.full(300, 0.7), smallest=300)) == statistic(PEOPLE, None)


def test_the_weighted_formulas_become_the_unweighted_ones() -> None:
    ones = Weights(np.ones(300))
    known = {
        "share": weighted.share(PEOPLE["has"], ones),
        "mean": weighted.mean(PEOPLE["score"], "edss", ones),
        "median": weighted.median(PEOPLE["score"], "edss", ones),
        "rate": weighted.event_rate(PEOPLE["events"], PEOPLE["years"], "1/year", ones),
    }
    for name, found in known.items():
        plain = STATISTICS[name](PEOPLE, None)
        for part in ("value", "lower", "upper", "standard_error", "n"):
            assert getattr(found, part) == pytest.approx(getattr(plain, part), rel=1e-9), (name, part)


@pytest.mark.parametrize("n", [1, 2, 7, 40])
def test_weighted_quantiles_with_equal_weights_split_an_even_number_in_the_middle(n: int) -> None:
    values = np.random.default_rng(n).normal(0, 1, n)
    assert weighted.quantiles(values, np.array([0.5]), np.full(n, 0.3))[0] == pytest.approx(np.median(values))


def test_weights_need_no_scale_and_whole_ones_count_like_copies() -> None:
    values, w = np.array([1.0, 2.0, 5.0, 9.0]), np.array([1.0, 3.0, 2.0, 1.0])
    copies = np.repeat(values, w.astype(int))
    for scale in (1.0, 0.01):
        assert mean(values, "edss", Weights(scale * w)).value == pytest.approx(copies.mean())
        assert median(values, "edss", Weights(scale * w)).value == np.median(copies)


def test_the_rate_ratio_is_that_of_a_resample_and_its_error_that_of_the_bootstrap() -> None:
    found, p_value = rate_ratio(PEOPLE["events"], PEOPLE["years"], PEOPLE["treated"], WEIGHTS)
    many = drawn(PEOPLE)
    rates = [
        event_rate(many["events"][g], many["years"][g], "1/year").value for g in (many["treated"], ~many["treated"])
    ]
    assert found.value == pytest.approx(rates[0] / rates[1], rel=0.02)
    assert found.standard_error == pytest.approx(bootstrap(PEOPLE, ratio_of), rel=0.15)
    z = math.log(found.value) / (found.standard_error / found.value)
    assert p_value == pytest.approx(math.erfc(abs(z) / math.sqrt(2)))
    assert found.method == "Poisson, robust, weighted"


def test_equal_weights_leave_the_rate_ratio_to_the_negative_binomial() -> None:
    data = PEOPLE["events"], PEOPLE["years"], PEOPLE["treated"]
    assert rate_ratio(*data, Weights(np.full(300, 2.0))) == rate_ratio(*data)


@pytest.mark.parametrize("name", STATISTICS)
def test_below_the_smallest_effective_size_nothing_is_told_but_why(name: str) -> None:
    size = WEIGHTS.effective_size
    assert 100 < size < 290
    told = STATISTICS[name](PEOPLE, Weights(PEOPLE["w"], smallest=size - 0.1))
    assert math.isfinite(told.value) and told.effective_size == pytest.approx(size)
    held = STATISTICS[name](PEOPLE, Weights(PEOPLE["w"], smallest=size + 0.1))
    assert math.isnan(held.value) and math.isnan(held.lower) and math.isnan(held.standard_error)
    assert held.note == f"withheld: effective size {size:.1f} is below {size + 0.1:g}"
    assert held.n == 300


def test_equal_weights_of_too_few_are_withheld_too() -> None:
    values = np.where(np.arange(300) < 20, PEOPLE["score"], np.nan)
    found = mean(values, "edss", Weights(np.ones(300), smallest=30))
    assert (found.n, found.note) == (20, "withheld: effective size 20.0 is below 30")


def test_the_smaller_group_decides_for_a_ratio() -> None:
    few = np.arange(300) < 20
    found, p_value = rate_ratio(PEOPLE["events"], PEOPLE["years"], few, Weights(PEOPLE["w"], smallest=30))
    assert found.note.startswith("withheld: effective size 1") and math.isnan(p_value)


def test_without_events_the_upper_bound_is_that_of_the_effective_person_time() -> None:
    found = event_rate(np.zeros(300), PEOPLE["years"], "1/year", WEIGHTS)
    time = (PEOPLE["w"] @ PEOPLE["years"]) ** 2 / (PEOPLE["w"] ** 2 @ PEOPLE["years"])
    assert (found.value, found.lower, found.note) == (0, 0, "no event")
    assert found.upper == pytest.approx(-math.log(0.025) / time)


def test_a_share_of_none_or_all_keeps_an_interval() -> None:
    for value in (0.0, 1.0):
        found = share(np.full(300, value), WEIGHTS)
        assert found.value == 100 * value
        assert found.upper - found.lower == pytest.approx(100 * 3.8415 / (WEIGHTS.effective_size + 3.8415), rel=1e-3)


def test_unknown_values_leave_their_weight_out() -> None:
    values = np.where(np.arange(300) % 3 == 0, np.nan, PEOPLE["score"])
    known = np.isfinite(values)
    assert mean(values, "edss", WEIGHTS) == mean(values[known], "edss", WEIGHTS.at(known))
    assert mean(values, "edss", WEIGHTS).n == 200


def test_one_patient_with_all_weight_has_no_interval() -> None:
    w = np.array([1.0, 0.0, 0.0])
    found = mean(np.array([2.0, 3.0, 4.0]), "edss", Weights(w))
    assert found.value == 2 and math.isnan(found.lower)
    assert found.note == "one patient carries all weight"
