from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from regraft.errors import InvalidArgument, InvalidField
from regraft.evidence.links import link, link_name, on_link, unlink
from regraft.evidence.published import load_published
from regraft.evidence.published_types import PublishedResult, Role

from .published_rows import NO_INTERVAL, published

Z = stats.norm.ppf(0.975)
DAYS = {"kind": "median", "unit_id": "day", "endpoint_id": "neutrophil_engraftment_day", "patients": "617"}


def logit(percent: float) -> float:
    return math.log(percent / (100 - percent))


def test_a_survival_with_an_interval_is_normal_on_the_logit(tmp_path: Path) -> None:
    y, se = on_link(published(tmp_path))
    assert y == pytest.approx(logit(73))
    assert se == pytest.approx((logit(81) - logit(66)) / (2 * Z))


def test_the_level_of_the_interval_counts(tmp_path: Path) -> None:
    wide, narrow = (on_link(published(tmp_path, interval_kind=kind)).se for kind in ("ci80", "ci95"))
    assert wide / narrow == pytest.approx(Z / stats.norm.ppf(0.9))


@pytest.mark.parametrize("kind", ["survival", "cumulative_incidence"])
def test_a_share_over_time_prefers_its_interval_and_a_proportion_its_counts(tmp_path: Path, kind: str) -> None:
    over_time = on_link(published(tmp_path, kind=kind))
    proportion = on_link(published(tmp_path, kind="proportion"))
    assert over_time.se == pytest.approx((logit(81) - logit(66)) / (2 * Z))
    k = 0.73 * 174
    draws = stats.beta(k + 0.5, 174 - k + 0.5).rvs(400_000, random_state=np.random.default_rng(1))
    assert proportion.y == pytest.approx(np.log(draws / (1 - draws)).mean(), abs=2e-3)
    assert proportion.se == pytest.approx(np.log(draws / (1 - draws)).std(), rel=1e-2)


@pytest.mark.parametrize("value", ["0", "100"])
def test_a_share_of_nobody_or_all_has_a_place_and_a_wide_error(tmp_path: Path, value: str) -> None:
    row = published(tmp_path, kind="cumulative_incidence", value=value, **NO_INTERVAL)
    y, se = on_link(row)
    draws = stats.beta(0.5, 174.5).rvs(400_000, random_state=np.random.default_rng(2))
    expected = np.log(draws / (1 - draws))
    assert y == pytest.approx(expected.mean() * (1 if value == "0" else -1), abs=0.02)
    assert se == pytest.approx(expected.std(), rel=1e-2)


def test_an_interval_that_touches_the_end_is_read_as_the_patients_that_explain_it(tmp_path: Path) -> None:
    n = 40
    touching = published(tmp_path, value="95", lower="90", upper="100", patients="")
    width = 2 * Z * math.sqrt(0.95 * 0.05 / n)
    row = published(tmp_path, value="95", lower=str(100 - 100 * width), upper="100", patients="")
    assert on_link(row) == pytest.approx(
        on_link(published(tmp_path, kind="proportion", value="95", lower="90", upper="100", patients=str(n))), rel=1e-6
    )
    assert on_link(touching).se > 0
    bound = 100 * Z**2 / (n + Z**2)  # Wilson's upper bound after 0 of n
    zero = published(tmp_path, value="0", lower="0", upper=str(bound), patients="")
    assert on_link(zero) == pytest.approx(
        on_link(published(tmp_path, kind="proportion", value="0", patients=str(n), **NO_INTERVAL)), rel=1e-6
    )


def test_a_share_with_a_standard_error_is_carried_by_the_slope_of_the_logit(tmp_path: Path) -> None:
    row = published(tmp_path, value="81", lower="", upper="", interval_kind="se", spread="8")
    assert on_link(row).se == pytest.approx(0.08 / (0.81 * 0.19))
    row = published(tmp_path, value="81", lower="73", upper="89", interval_kind="se")
    assert on_link(row).se == pytest.approx(0.08 / (0.81 * 0.19))


@pytest.mark.parametrize("kind", ["ratio", "hazard_ratio", "odds_ratio"])
def test_ratios_are_normal_on_the_logarithm(tmp_path: Path, kind: str) -> None:
    row = published(tmp_path, kind=kind, unit_id="dimensionless", value="0.5", lower="0.31", upper="0.81")
    y, se = on_link(row)
    assert y == pytest.approx(math.log(0.5))
    assert se == pytest.approx(math.log(0.81 / 0.31) / (2 * Z))


def test_a_rate_uses_its_interval_or_its_events(tmp_path: Path) -> None:
    rate = {"kind": "rate", "unit_id": "1/year", "endpoint_id": "annualised_relapse_rate"}
    y, se = on_link(published(tmp_path, value="0.2", lower="0.11", upper="0.37", **rate))
    assert (y, se) == (pytest.approx(math.log(0.2)), pytest.approx(math.log(0.37 / 0.11) / (2 * Z)))
    events = published(tmp_path, value="0.4", patients="418", read_months="24", **rate, **NO_INTERVAL)
    y, se = on_link(events)
    k = 0.4 * 418 * 2
    assert (y, se) == (pytest.approx(math.log(0.4), abs=1e-5), pytest.approx(1 / math.sqrt(k), rel=1e-3))
    touching = published(tmp_path, value="0.02", lower="0", upper="0.13", patients="54", read_months="8", **rate)
    assert on_link(touching).se == pytest.approx(math.sqrt(float(stats.loggamma(0.72 + 0.5).var())), rel=1e-6)
    none = published(tmp_path, value="0", exposure_years="160.8", **rate, **NO_INTERVAL)
    assert on_link(none) == pytest.approx((stats.loggamma(0.5).mean() - math.log(160.8), stats.loggamma(0.5).std()))


def test_a_rate_per_hundred_years_is_the_same_rate(tmp_path: Path) -> None:
    one = {"kind": "rate", "exposure_years": "500"} | NO_INTERVAL
    per_year = on_link(published(tmp_path, value="0.05", unit_id="1/year", **one))
    per_hundred = on_link(published(tmp_path, value="5", unit_id="1/(100 year)", **one))
    assert per_hundred.y - per_year.y == pytest.approx(math.log(100))
    assert per_hundred.se == pytest.approx(per_year.se)


def test_a_mean_uses_standard_error_standard_deviation_or_interval(tmp_path: Path) -> None:
    mean = {"kind": "mean", "unit_id": "edss/year", "endpoint_id": "edss_slope", "value": "-0.090"}
    rounding = 0.001**2 / 12
    bounds = published(tmp_path, lower="-0.15", upper="-0.04", **mean)
    assert on_link(bounds) == pytest.approx((-0.09, 0.11 / (2 * Z)))
    blank = {"lower": "", "upper": "", "spread": "0.4", "patients": "100"}
    assert on_link(published(tmp_path, interval_kind="sd", **mean, **blank)).se == pytest.approx(
        math.sqrt(0.04**2 + rounding)
    )
    assert on_link(published(tmp_path, interval_kind="se", **mean, **blank)).se == pytest.approx(
        math.sqrt(0.4**2 + rounding)
    )


@pytest.mark.parametrize(("kind", "probability"), [("iqr", 0.5), ("range", None)])
def test_a_median_with_quartiles_or_range_has_the_error_seen_in_samples(
    tmp_path: Path, kind: str, probability: float | None
) -> None:
    rng = np.random.default_rng(3)
    samples = rng.normal(100.0, 8.0, (4000, 101))
    cut = 0.0 if probability is None else 0.25
    lower, upper = (float(np.quantile(samples, q, axis=1).mean()) for q in (cut, 1 - cut))
    row = published(
        tmp_path, interval_kind=kind, value="100.00", lower=str(lower), upper=str(upper), **DAYS | {"patients": "101"}
    )
    assert on_link(row).se * 100 == pytest.approx(np.median(samples, axis=1).std(), rel=0.05)


def test_rounding_of_a_median_in_whole_days_is_part_of_its_error(tmp_path: Path) -> None:
    row = published(tmp_path, interval_kind="range", value="8", lower="2", upper="14", **DAYS)
    assert on_link(row).se * 8 > math.sqrt(1 / 12)
    exact = published(tmp_path, interval_kind="range", value="8.000", lower="2", upper="14", **DAYS)
    assert on_link(exact).se * 8 < math.sqrt(1 / 12)


def test_extra_spread_is_added_and_an_error_may_be_given(tmp_path: Path) -> None:
    row = published(tmp_path)
    own = on_link(row)
    assert on_link(row, extra_sd=0.3) == pytest.approx((own.y, math.hypot(own.se, 0.3)))
    assert on_link(row, se=0.2) == pytest.approx((own.y, 0.2))
    bare = published(tmp_path, patients="", **NO_INTERVAL)
    with pytest.raises(InvalidField, match="no interval"):
        on_link(bare)
    assert on_link(bare, se=0.2, extra_sd=0.3) == pytest.approx((logit(73), math.hypot(0.2, 0.3)))


@pytest.mark.parametrize("changes", [{"extra_sd": -1.0}, {"extra_sd": math.inf}, {"se": math.nan}])
def test_an_impossible_spread_is_refused(tmp_path: Path, changes: dict[str, float]) -> None:
    with pytest.raises(InvalidArgument, match="from 0 up"):
        on_link(published(tmp_path), **changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"interval_kind": "unknown"}, "nobody knows"),
        ({"kind": "count"}, "has no likelihood"),
        ({"kind": "other"}, "has no likelihood"),
        ({"value": "", **NO_INTERVAL, "kind": "other"}, "holds no number"),
        ({"value": "100", "patients": "", **NO_INTERVAL}, "unknown number of patients"),
        ({"interval_kind": "range", "patients": ""}, "no interval"),
    ],
)
def test_what_is_no_observation_is_refused_by_name(tmp_path: Path, changes: dict[str, str], expected: str) -> None:
    with pytest.raises(InvalidField) as error:
        on_link(published(tmp_path, **changes))
    assert expected in str(error.value)
    assert "cohort_neda_5y" in str(error.value)


def test_a_sealed_row_is_no_observation() -> None:
    (row,) = load_published(["atkins_2016_neda_3y"])
    with pytest.raises(InvalidField, match=r"kept back; ask evidence\.access"):
        on_link(row)


def test_link_and_back_is_the_value(tmp_path: Path) -> None:
    for changes in ({}, {"kind": "ratio"}, {"kind": "mean"}, DAYS):
        row = published(tmp_path, **changes)
        assert unlink(row, link(row, 73.0)) == pytest.approx(73.0)


@pytest.mark.parametrize(("kind", "value"), [("survival", 0.0), ("survival", 100.0), ("rate", 0.0), ("ratio", -1.0)])
def test_a_value_without_a_place_on_the_scale_is_refused(tmp_path: Path, kind: str, value: float) -> None:
    with pytest.raises(InvalidArgument, match="it must be"):
        link(published(tmp_path, kind=kind), value)


def test_every_calibrate_row_of_the_catalog_has_a_finite_place_or_a_reason() -> None:
    found = 0
    for row in load_published(role=Role.CALIBRATE):
        found += _is_finite(row)
    assert found > 300


def _is_finite(row: PublishedResult) -> bool:
    try:
        y, se = on_link(row)
    except InvalidField as error:
        assert row.id in str(error)
        return False
    assert math.isfinite(y)
    assert 0 < se < math.inf, row.id
    assert link_name(row) in ("logit", "log", "identity")
    return True
