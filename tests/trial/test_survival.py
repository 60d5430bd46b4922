"""Time to event against lifelines, which is another implementation, and against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from lifelines import AalenJohansenFitter, CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import logrank_test
from pandas import DataFrame
from scipy.stats import beta

from regraft.trial.survival import (
    at_horizon,
    cumulative_incidence,
    hazard_ratio,
    kaplan_meier,
    log_rank,
    numbers_at_risk,
)


def sample(seed: int, *, digits: int = 6, n: int = 80) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return times, causes 0 to 2 and groups; few digits give ties."""
    rng = np.random.default_rng(seed)
    treated = np.arange(n) % 2 == 0
    time = np.round(rng.exponential(np.where(treated, 8.0, 4.0)) + 0.1, digits)
    end = np.round(rng.uniform(2, 15, n), digits)
    shortest = 10.0**-digits
    return np.maximum(np.minimum(time, end), shortest), np.where(time <= end, rng.integers(1, 3, n), 0), treated


def floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def flags(*values: int) -> np.ndarray:
    return np.array(values, dtype=bool)


@pytest.mark.parametrize("digits", [6, 0])
@pytest.mark.parametrize("seed", [1, 2])
def test_survival_and_its_bounds_are_those_of_lifelines(seed: int, digits: int) -> None:
    time, cause, _ = sample(seed, digits=digits)
    curve = kaplan_meier(time, cause > 0)
    other = KaplanMeierFitter().fit(time, cause > 0)
    np.testing.assert_allclose(curve.value, other.predict(curve.time), rtol=1e-6)
    bounds = other.confidence_interval_.reindex(curve.time).to_numpy()
    inside = (curve.value > 0) & (curve.value < 1)
    np.testing.assert_allclose(np.c_[curve.lower, curve.upper][inside], bounds[inside], rtol=1e-6)


def test_without_censoring_survival_is_the_share_still_free() -> None:
    time = np.arange(1.0, 11)
    curve = kaplan_meier(time, np.ones(10, dtype=bool))
    np.testing.assert_allclose(curve.value, np.arange(10, -1, -1) / 10, atol=1e-12)
    share = curve.value[1:-1]
    np.testing.assert_allclose(curve.standard_error[1:-1], np.sqrt(share * (1 - share) / 10), rtol=1e-9)
    assert (curve.lower[-1], curve.upper[-1]) == (0, 0)


def test_of_one_patient_with_the_event_nobody_is_left() -> None:
    curve = kaplan_meier(floats(3), flags(1))
    assert (curve.at(2.9)[0], curve.at(3)[0]) == (1, 0)


def test_without_events_the_curve_stays_at_one() -> None:
    for time, event in ((floats(3, 4), flags(0, 0)), (floats(), flags())):
        assert kaplan_meier(time, event).at(99) == (1, 1, 1, 0)


def test_an_event_at_the_time_of_censoring_still_sees_the_censored_at_risk() -> None:
    assert kaplan_meier(floats(3, 3, 3, 3), flags(1, 0, 0, 0)).at(3)[0] == pytest.approx(0.75)


def test_numbers_at_risk_count_those_whose_time_is_not_over() -> None:
    assert numbers_at_risk(floats(1, 2, 2, 5), floats(0, 2, 2.1, 6)).tolist() == [4, 3, 1, 0]


@pytest.mark.parametrize("digits", [6, 0])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_log_rank_test_is_that_of_lifelines(seed: int, digits: int) -> None:
    time, cause, treated = sample(seed, digits=digits)
    found = log_rank(time, cause > 0, treated)
    other = logrank_test(time[treated], time[~treated], cause[treated] > 0, cause[~treated] > 0)
    assert (found.statistic, found.p_value) == pytest.approx((other.test_statistic, other.p_value), rel=1e-6)
    assert found.n == time.size


def test_where_all_have_the_event_the_log_rank_test_is_that_of_lifelines() -> None:
    time, _, treated = sample(3)
    found = log_rank(time, np.ones(time.size, dtype=bool), treated)
    other = logrank_test(time[treated], time[~treated])
    assert found.statistic == pytest.approx(other.test_statistic, rel=1e-6)


@pytest.mark.parametrize(
    ("time", "event", "treated"),
    [
        (floats(1, 2), flags(0, 0), flags(1, 0)),
        (floats(1, 2), flags(1, 1), flags(1, 1)),
        (floats(1, 2), flags(1, 1), flags(0, 0)),
        (floats(1, 1), flags(1, 1), flags(1, 0)),
        (floats(), flags(), flags()),
    ],
)
def test_where_nothing_can_be_compared_the_log_rank_test_has_no_value(
    time: np.ndarray, event: np.ndarray, treated: np.ndarray
) -> None:
    found = log_rank(time, event, treated)
    assert math.isnan(found.statistic)
    assert math.isnan(found.p_value)


@pytest.mark.parametrize("digits", [6, 0])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_hazard_ratio_is_that_of_lifelines(seed: int, digits: int) -> None:
    time, cause, treated = sample(seed, digits=digits)
    found = hazard_ratio(time, cause > 0, treated)
    data = DataFrame({"time": time, "event": (cause > 0).astype(int), "treated": treated.astype(float)})
    other = CoxPHFitter().fit(data, "time", "event", fit_options={"precision": 1e-10})
    row = other.summary.loc["treated"]
    expected = (row["exp(coef)"], row["exp(coef) lower 95%"], row["exp(coef) upper 95%"])
    assert (found.value, found.lower, found.upper) == pytest.approx(expected, rel=1e-6)
    assert found.standard_error == pytest.approx(row["exp(coef)"] * row["se(coef)"], rel=1e-6)


def test_a_hazard_ratio_of_few_patients_solves_its_equation_by_hand() -> None:
    # the likelihood is r/(2r + 2) x 1/(r + 2) x r/(r + 1) x 1/1; its score in log r is zero at the maximum
    found = hazard_ratio(floats(1, 3, 2, 4), flags(1, 1, 1, 1), flags(1, 1, 0, 0))
    ratio = found.value
    score = 2 - 2 * ratio / (2 * ratio + 2) - ratio / (ratio + 2) - ratio / (ratio + 1)
    assert score == pytest.approx(0, abs=1e-6)


def test_the_same_times_in_both_groups_have_a_hazard_ratio_of_one() -> None:
    time, cause, _ = sample(4)
    twice = np.concatenate([time, time])
    found = hazard_ratio(twice, np.tile(cause > 0, 2), np.arange(twice.size) < time.size)
    assert found.value == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(
    ("time", "event", "treated"),
    [
        (floats(1, 2, 3), flags(0, 0, 1), flags(1, 1, 0)),
        (floats(1, 2, 3), flags(1, 1, 1), flags(1, 1, 1)),
        (floats(1, 2, 8, 9), flags(1, 1, 1, 1), flags(1, 1, 0, 0)),
        (floats(1, 2, 8, 9), flags(1, 1, 1, 1), flags(0, 0, 1, 1)),
        (floats(1, 9), flags(1, 1), flags(1, 0)),
    ],
)
def test_a_hazard_ratio_without_a_maximum_is_missing_with_a_reason(
    time: np.ndarray, event: np.ndarray, treated: np.ndarray
) -> None:
    found = hazard_ratio(time, event, treated)
    assert math.isnan(found.value)
    assert "a group without events" in found.note


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_competing_incidences_are_those_of_lifelines(seed: int) -> None:
    time, cause, _ = sample(seed)
    assert np.unique(time).size == time.size
    for k, curve in enumerate(cumulative_incidence(time, cause, 2), start=1):
        other = AalenJohansenFitter().fit(time, cause, event_of_interest=k)
        expected = other.cumulative_density_.reindex(curve.time).to_numpy()[:, 0]
        np.testing.assert_allclose(curve.value, expected, rtol=1e-6, atol=1e-12)
        error = np.sqrt(np.asarray(other.variance_).ravel())
        known = np.isfinite(error) & (curve.value > 0)  # lifelines has no error once nobody is at risk any more
        np.testing.assert_allclose(curve.standard_error[known], error[known], rtol=1e-6)
        assert known.sum() > 50
        assert np.isfinite(curve.standard_error).all()


def test_incidences_and_survival_add_up_to_one_also_with_ties() -> None:
    time, cause, _ = sample(5, digits=0)
    first, second = cumulative_incidence(time, cause, 2)
    free = kaplan_meier(time, cause > 0)
    total = np.array([first.at(day)[0] + second.at(day)[0] + free.at(day)[0] for day in range(17)])
    np.testing.assert_allclose(total, 1, atol=1e-12)


def test_without_censoring_an_incidence_is_a_share_with_a_binomial_error() -> None:
    time, cause = np.arange(1.0, 13), np.tile([1, 2, 1], 4)
    for k, curve in enumerate(cumulative_incidence(time, cause, 2), start=1):
        share = np.concatenate([[0], np.cumsum(cause == k)]) / 12
        np.testing.assert_allclose(curve.value, share, atol=1e-12)
        np.testing.assert_allclose(curve.standard_error, np.sqrt(share * (1 - share) / 12), atol=1e-12)
        assert np.isfinite(curve.lower).all()
        assert (curve.lower <= curve.value).all()
        assert (curve.value <= curve.upper).all()


def test_a_cause_without_events_stays_at_zero() -> None:
    for cause in (np.array([2, 0, 2]), np.array([0, 0, 0])):
        assert cumulative_incidence(floats(1, 2, 3), cause, 3)[0].at(99) == (0, 0, 0, 0)


@pytest.mark.parametrize("n", [1, 3, 6, 10, 13, 49, 97])
def test_where_everybody_had_the_event_bounds_are_the_exact_binomial_ones(n: int) -> None:
    (curve,) = cumulative_incidence(np.arange(1.0, n + 1), np.ones(n, dtype=np.int64), 1)
    found = at_horizon(curve, n + 1.0, n, method="Aalen-Johansen")
    assert (found.value, found.upper, found.standard_error) == (100, 100, 0)
    assert found.lower == pytest.approx(100 * beta.ppf(0.025, n, 1))


def test_where_nobody_had_the_event_the_upper_bound_is_the_exact_binomial_one() -> None:
    found = at_horizon(kaplan_meier(floats(5, 6, 7), flags(0, 0, 0)), 4.0, 3, method="Kaplan-Meier")
    assert (found.value, found.upper) == (100, 100)
    assert found.lower == pytest.approx(100 * 0.025 ** (1 / 3))
    assert found.method == "Kaplan-Meier, exact binomial bounds"


def test_a_curve_is_read_in_percent() -> None:
    curve = kaplan_meier(floats(1, 2, 3, 4), flags(1, 0, 0, 0))
    found = at_horizon(curve, 2.0, 4, method="Kaplan-Meier")
    assert (found.value, found.n, found.unit) == (75, 4, "%")
    assert (found.lower, found.upper) == pytest.approx((100 * curve.lower[1], 100 * curve.upper[1]))
