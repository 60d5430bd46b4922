from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, stats

from regraft.errors import InvalidArgument
from regraft.evidence.likelihood import Simulated, log_likelihood, simulated_on_link
from regraft.evidence.links import on_link
from regraft.evidence.published_types import PublishedResult

from .published_rows import NO_INTERVAL, published

RATE = {"kind": "rate", "unit_id": "1/year", "endpoint_id": "annualised_relapse_rate"} | NO_INTERVAL


def counted(folder: Path, **changes: str) -> PublishedResult:
    """Return 30 of 40."""
    return published(folder, **{"kind": "proportion", "value": "75", "patients": "40"} | NO_INTERVAL | changes)


@pytest.mark.parametrize("percent", [0.5, 30.0, 75.0, 99.0])
def test_a_share_of_counted_patients_is_binomial(tmp_path: Path, percent: float) -> None:
    found = log_likelihood(counted(tmp_path), Simulated(percent))
    assert found == pytest.approx(stats.binom.logpmf(30, 40, percent / 100), rel=1e-9)


@pytest.mark.parametrize(("value", "events"), [("0", 0), ("100", 40)])
def test_nobody_and_all_are_binomial_too(tmp_path: Path, value: str, events: int) -> None:
    for kind in ("proportion", "cumulative_incidence"):
        found = log_likelihood(counted(tmp_path, value=value, kind=kind), Simulated(2.0))
        assert found == pytest.approx(stats.binom.logpmf(events, 40, 0.02), rel=1e-9)


def test_monte_carlo_error_and_extra_spread_average_the_binomial(tmp_path: Path) -> None:
    percent, variance, extra = 60.0, 3.0**2, 0.4
    sd = math.hypot(3.0 / 100 / (0.6 * 0.4), extra)
    center = math.log(0.6 / 0.4)

    def weighted(y: float) -> float:
        return float(stats.binom.pmf(30, 40, 1 / (1 + math.exp(-y))) * stats.norm.pdf(y, center, sd))

    expected, _ = integrate.quad(weighted, center - 8 * sd, center + 8 * sd, epsabs=1e-12)
    found = log_likelihood(counted(tmp_path), Simulated(percent, variance), extra_sd=extra)
    assert found == pytest.approx(math.log(expected), rel=1e-4)


def test_a_survival_with_an_interval_is_normal_with_all_variances_added(tmp_path: Path) -> None:
    row = published(tmp_path)
    y, se = on_link(row)
    percent, variance, extra = 60.0, 2.0**2, 0.3
    sd = math.sqrt(se**2 + (2.0 / 100 / (0.6 * 0.4)) ** 2 + extra**2)
    expected = stats.norm.logpdf(y, math.log(0.6 / 0.4), sd)
    assert log_likelihood(row, Simulated(percent, variance), extra_sd=extra) == pytest.approx(expected)


@pytest.mark.parametrize("rate", [0.1, 0.4, 1.5])
def test_a_rate_of_counted_years_is_poisson(tmp_path: Path, rate: float) -> None:
    row = published(tmp_path, value="0.5", patients="20", read_months="24", **RATE)
    assert log_likelihood(row, Simulated(rate)) == pytest.approx(stats.poisson.logpmf(20, 40 * rate), rel=1e-9)
    per_hundred = published(tmp_path, value="50", exposure_years="40", **RATE | {"unit_id": "1/(100 year)"})
    assert log_likelihood(per_hundred, Simulated(100 * rate)) == pytest.approx(
        stats.poisson.logpmf(20, 40 * rate), rel=1e-9
    )


def test_extra_spread_averages_the_poisson(tmp_path: Path) -> None:
    row = published(tmp_path, value="0", exposure_years="160.8", **RATE)
    extra, rate = 0.5, 0.02

    def weighted(y: float) -> float:
        return float(stats.poisson.pmf(0, 160.8 * math.exp(y)) * stats.norm.pdf(y, math.log(rate), extra))

    expected, _ = integrate.quad(weighted, math.log(rate) - 8 * extra, math.log(rate) + 8 * extra)
    assert log_likelihood(row, Simulated(rate), extra_sd=extra) == pytest.approx(math.log(expected), rel=1e-4)


@pytest.mark.parametrize("kind", ["hazard_ratio", "odds_ratio", "ratio"])
def test_a_ratio_is_normal_on_the_logarithm(tmp_path: Path, kind: str) -> None:
    row = published(tmp_path, kind=kind, unit_id="dimensionless", value="0.5", lower="0.31", upper="0.81")
    y, se = on_link(row)
    expected = stats.norm.logpdf(math.log(0.5), math.log(0.7), math.hypot(se, 0.1 / 0.7))
    assert log_likelihood(row, Simulated(0.7, 0.1**2)) == pytest.approx(expected)


def test_a_mean_is_normal_and_a_median_lognormal(tmp_path: Path) -> None:
    mean = published(tmp_path, kind="mean", unit_id="edss/year", value="-0.09", lower="-0.15", upper="-0.04")
    assert log_likelihood(mean, Simulated(-0.05, 0.01**2)) == pytest.approx(
        stats.norm.logpdf(-0.09, -0.05, math.hypot(on_link(mean).se, 0.01))
    )
    median = published(tmp_path, kind="median", unit_id="day", value="9", lower="7", upper="13")
    assert log_likelihood(median, Simulated(11, 0.2**2)) == pytest.approx(
        stats.norm.logpdf(math.log(9), math.log(11), math.hypot(on_link(median).se, 0.2 / 11))
    )


def test_a_given_error_makes_every_row_normal(tmp_path: Path) -> None:
    row = counted(tmp_path)
    expected = stats.norm.logpdf(on_link(row).y, math.log(0.6 / 0.4), 0.25)
    assert log_likelihood(row, Simulated(60.0), se=0.25) == pytest.approx(expected)
    with pytest.raises(InvalidArgument, match="no standard error"):
        log_likelihood(row, Simulated(60.0), se=0.0)


def test_the_likelihood_is_highest_near_the_published_value(tmp_path: Path) -> None:
    grid = np.arange(1.0, 100.0)
    for row in (counted(tmp_path), published(tmp_path, value="75", lower="66", upper="82")):
        best = grid[np.argmax([log_likelihood(row, Simulated(float(x))) for x in grid])]
        assert best == pytest.approx(75, abs=1)


def test_a_simulated_share_of_nobody_needs_its_patients(tmp_path: Path) -> None:
    row = counted(tmp_path, value="0", kind="cumulative_incidence")
    with pytest.raises(InvalidArgument, match="how many patients were simulated"):
        log_likelihood(row, Simulated(0.0))
    y, se = simulated_on_link(row, Simulated(0.0, patients=300))
    assert (y, se) == (pytest.approx(-7.68, abs=0.05), pytest.approx(2.22, abs=0.01))
    few, many = (log_likelihood(row, Simulated(0.0, patients=n)) for n in (10, 1000))
    assert few < many < 0


@pytest.mark.parametrize("simulated", [Simulated(math.nan), Simulated(50.0, -1.0), Simulated(50.0, math.inf)])
def test_an_impossible_simulated_value_is_refused(tmp_path: Path, simulated: Simulated) -> None:
    with pytest.raises(InvalidArgument, match="cohort_neda_5y"):
        log_likelihood(published(tmp_path), simulated)


def test_a_negative_extra_spread_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="extra_sd"):
        log_likelihood(published(tmp_path), Simulated(50.0), extra_sd=-0.1)
