from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import binom, chi2, nbinom, norm, t

from regraft.errors import InvalidArgument
from regraft.trial import statistics
from regraft.trial.statistics import (
    StepCurve,
    event_rate,
    mean,
    median,
    normal_quantile,
    paired_difference,
    proportion,
    rate_ratio,
)

NAN = math.nan
Z = norm.ppf(0.975)


def floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def counts(groups: tuple[tuple[float, ...], tuple[float, ...]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return events, one year at risk each, and who is in the first group."""
    events = floats(*groups[0], *groups[1])
    return events, np.ones(events.size), np.arange(events.size) < len(groups[0])


def test_the_interval_covers_95_percent_of_a_normal_distribution() -> None:
    assert norm.cdf(normal_quantile()) - norm.cdf(-normal_quantile()) == pytest.approx(0.95)


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (3, 10), (10, 10), (1, 1), (57, 200)])
def test_a_proportion_has_wilsons_interval(successes: int, n: int) -> None:
    found, p = proportion(successes, n), successes / n
    centre = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    expected = (100 * p, 100 * max(0.0, centre - half), 100 * min(1.0, centre + half))
    assert (found.value, found.lower, found.upper) == pytest.approx(expected, abs=1e-9)
    assert found.standard_error == pytest.approx(100 * math.sqrt(p * (1 - p) / n))
    assert (found.n, found.unit) == (n, "%")


def test_a_mean_has_students_interval_over_the_known() -> None:
    known = floats(1, 2, 4, 9)
    found = mean(floats(1, NAN, 2, 4, NAN, 9), "edss")
    error = known.std(ddof=1) / 2
    lower, upper = t.interval(0.95, 3, loc=4, scale=error)
    assert (found.value, found.lower, found.upper, found.n) == pytest.approx((4, lower, upper, 4))
    assert found.standard_error == pytest.approx(error)


def test_equal_values_have_an_interval_of_no_width() -> None:
    found = mean(floats(2, 2, 2), "edss")
    assert (found.value, found.lower, found.upper, found.standard_error) == (2, 2, 2, 0)


@pytest.mark.parametrize(
    ("found", "n"),
    [
        (proportion(0, 0), 0),
        (mean(floats(3, NAN), "edss"), 1),
        (mean(floats(), "edss"), 0),
        (median(floats(NAN, NAN), "day"), 0),
        (event_rate(floats(NAN, 1), floats(1, 0), "1/year"), 0),
        (rate_ratio(*counts(((0, 0), (1, 2))))[0], 4),
        (rate_ratio(*counts(((1, 2), (NAN, NAN))))[0], 2),
    ],
)
def test_what_does_not_exist_is_nan_with_a_reason(found: object, n: int) -> None:
    assert math.isnan(found.value)
    assert math.isnan(found.lower)
    assert math.isnan(found.upper)
    assert found.note
    assert found.n == n


def test_a_paired_difference_leaves_out_pairs_with_a_missing_half() -> None:
    found = paired_difference(floats(3, NAN, 5, 8), floats(1, 1, NAN, 4), "edss")
    assert (found.value, found.n) == (3, 2)
    assert found.standard_error == pytest.approx(1)


def test_the_difference_of_a_patient_from_itself_is_exactly_zero() -> None:
    values = np.random.default_rng(1).normal(size=50)
    found = paired_difference(values, values, "edss")
    assert (found.value, found.lower, found.upper, found.standard_error) == (0, 0, 0, 0)


@pytest.mark.parametrize("n", [6, 7, 12, 25, 101])
def test_the_interval_of_a_median_is_the_narrowest_one_that_covers(n: int) -> None:
    found = median(np.append(np.arange(1.0, n + 1), NAN), "day")
    rank = round(found.lower)

    def coverage(first: int) -> float:
        return 1 - 2 * binom.cdf(first - 1, n, 0.5)

    assert found.value == (n + 1) / 2
    assert found.lower + found.upper == n + 1
    assert coverage(rank) >= 0.95 > coverage(rank + 1)


def test_five_patients_are_too_few_for_the_interval_of_a_median() -> None:
    found = median(floats(5, 1, 3, 2, 4), "day")
    assert found.value == 3
    assert math.isnan(found.lower)
    assert "too few" in found.note


def test_an_event_rate_has_the_sandwich_error() -> None:
    events, years = floats(0, 3, 1, 0, 2, NAN), floats(1, 2, 0.5, 3, 1, 1)
    found = event_rate(events, years, "1/year")
    events, years = events[:5], years[:5]
    rate = 6 / 7.5
    error = math.sqrt(5 / 4 * ((events - rate * years) ** 2).sum()) / years.sum()
    assert (found.value, found.standard_error, found.n) == pytest.approx((rate, error, 5))
    expected = (rate * math.exp(-Z * error / rate), rate * math.exp(Z * error / rate))
    assert (found.lower, found.upper) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("events", "years"), [((0, 0), (1, 2)), ((1, 1, 1), (2, 2, 2)), ((3,), (1.5,)), ((1, 2), (0.5, 1))]
)
def test_without_spread_between_patients_a_rate_has_exact_poisson_bounds(
    events: tuple[float, ...], years: tuple[float, ...]
) -> None:
    found, total, time = event_rate(floats(*events), floats(*years), "1/year"), sum(events), sum(years)
    lower = chi2.ppf(0.025, 2 * total) / 2 / time if total else 0.0
    expected = (total / time, lower, chi2.ppf(0.975, 2 * total + 2) / 2 / time)
    assert (found.value, found.lower, found.upper) == pytest.approx(expected)
    assert found.method == "exact Poisson"
    assert found.note


def test_spread_counts_are_compared_by_negative_binomial_regression() -> None:
    groups = ((0.0, 0, 0, 1, 6, 0, 2, 0), (1.0, 9, 0, 4, 2, 0, 12, 3))
    means = [float(np.mean(group)) for group in groups]

    def minus_log_likelihood(alpha: float) -> float:
        return -sum(
            nbinom.logpmf(group, 1 / alpha, 1 / (1 + alpha * centre)).sum()
            for group, centre in zip(groups, means, strict=True)
        )

    # with equal time at risk each group's rate is its mean, whatever the spread, and the errors do not mix
    alpha = minimize_scalar(minus_log_likelihood, bounds=(0.01, 20), method="bounded", options={"xatol": 1e-9}).x
    error = math.sqrt(sum((1 / centre + alpha) / 8 for centre in means))
    ratio, p_value = rate_ratio(*counts(groups))
    log_ratio = math.log(means[0] / means[1])
    assert ratio.method == "negative binomial"
    # statsmodels stops its search at a gradient of 1e-5
    assert math.log(ratio.value) == pytest.approx(log_ratio, abs=1e-4)
    assert ratio.standard_error / ratio.value == pytest.approx(error, rel=1e-3)
    assert math.log(ratio.upper / ratio.lower) == pytest.approx(2 * Z * error, rel=1e-3)
    assert p_value == pytest.approx(2 * norm.sf(abs(log_ratio) / error), rel=1e-3)


def test_counts_with_less_spread_than_poissons_get_robust_errors() -> None:
    groups = ((1.0, 0, 1, 1), (2.0, 2, 2, 1, 2))
    ratio, p_value = rate_ratio(*counts(groups))
    squares = [((np.array(group) - np.mean(group)) ** 2).sum() / sum(group) ** 2 for group in groups]
    error = math.sqrt(9 / 7 * sum(squares))
    log_ratio = math.log(0.75 / 1.8)
    assert ratio.method == "Poisson, robust"
    assert (math.log(ratio.value), ratio.standard_error / ratio.value) == pytest.approx((log_ratio, error), rel=1e-5)
    assert p_value == pytest.approx(2 * norm.sf(abs(log_ratio) / error), rel=1e-4)


@pytest.mark.parametrize("groups", [((2.0,), (1.0,)), ((2.0, 2.0), (1.0, 1.0, 1.0))])
def test_groups_without_any_spread_get_poissons_errors(groups: tuple[tuple[float, ...], tuple[float, ...]]) -> None:
    ratio, p_value = rate_ratio(*counts(groups))
    error = math.sqrt(1 / sum(groups[0]) + 1 / sum(groups[1]))
    assert ratio.method == "Poisson"
    assert (ratio.value, ratio.standard_error) == pytest.approx((2, 2 * error))
    assert (ratio.lower, ratio.upper) == pytest.approx((2 * math.exp(-Z * error), 2 * math.exp(Z * error)))
    assert p_value == pytest.approx(2 * norm.sf(math.log(2) / error))


def test_identical_groups_have_a_ratio_of_one() -> None:
    group = (0.0, 3, 1, 0, 5, 2)
    ratio, p_value = rate_ratio(*counts((group, group)))
    assert ratio.value == pytest.approx(1, abs=1e-4)
    assert p_value == pytest.approx(1, abs=1e-3)


def test_a_step_curve_holds_its_value_until_the_next_time() -> None:
    curve = StepCurve(
        floats(0, 2, 5), floats(1, 0.8, 0.4), floats(1, 0.6, 0.2), floats(1, 0.9, 0.7), floats(0, 0.1, 0.2)
    )
    assert curve.at(0) == (1, 1, 1, 0)
    assert curve.at(1.999) == (1, 1, 1, 0)
    assert curve.at(2) == (0.8, 0.6, 0.9, 0.1)
    assert curve.at(99) == (0.4, 0.2, 0.7, 0.2)
    with pytest.raises(InvalidArgument, match="starts at 0.*-1"):
        curve.at(-1)


def test_what_a_fit_to_many_patients_leaves_behind_is_freed(monkeypatch: pytest.MonkeyPatch) -> None:
    freed: list[int] = []
    monkeypatch.setattr(statistics, "give_back", lambda: freed.append(1))
    events, years = np.array([1.0, 0.0, 2.0, 1.0]), np.array([1.0, 2.0, 3.0, 4.0])
    event_rate(events, years, "1/year")
    assert not freed
    monkeypatch.setattr(statistics, "MANY", 3)
    event_rate(events, years, "1/year")
    rate_ratio(events, years, np.array([True, True, False, False]))
    assert len(freed) == 2
