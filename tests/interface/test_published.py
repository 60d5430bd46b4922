from __future__ import annotations

import pytest

from regraft.evidence.compare import Comparison
from regraft.interface.report.published import (
    amount,
    endpoint_label,
    other_time,
    published_text,
    short_study,
    simulated_text,
    time_text,
)

from .example_report import estimate, target


@pytest.mark.parametrize(
    ("endpoint", "months", "label"),
    [
        ("new_t2_lesions", 24.0, "New T2 lesions, 2 years"),
        ("edss_slope", None, "EDSS slope"),
        ("treatment_related_mortality", 3.285, "Treatment-related mortality, 100 days"),
        ("neda3", 60.0, "NEDA-3, 5 years"),
        ("free_of_relapse", 12.0, "Free of relapse, 12 months"),
        ("cd4_count", 1.0, "CD4 count, 1 month"),
        ("acr20", 12, "ACR20, 12 months"),
        ("das28_crp_change", 6, "DAS28 CRP change, 6 months"),
    ],
)
def test_endpoints_read_as_words_with_their_time(endpoint: str, months: float | None, label: str) -> None:
    assert endpoint_label(Comparison(target(endpoint_id=endpoint, time_months=months), estimate())) == label


@pytest.mark.parametrize(
    ("months", "text"),
    [(3.285, "100 days"), (28 / 30.4375, "28 days"), (6.0, "6 months"), (8.04, "8 months"), (30.0, "2.5 years")],
)
def test_times_read_in_the_unit_that_fits(months: float, text: str) -> None:
    assert time_text(months) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.2, "1/year", "0.2 per year"),
        (-0.09, "edss/year", "-0.09 EDSS/year"),
        (1.6, "dimensionless", "1.6"),
        (1.0, "day", "1 day"),
        (10.0, "day", "10 days"),
        (388.0, "cells/uL", "388 cells/µL"),
        (73.0, "%", "73 %"),
    ],
)
def test_units_read_as_a_reader_writes_them(value: float, unit: str, text: str) -> None:
    assert amount(value, unit) == text


@pytest.mark.parametrize(
    ("study", "year", "label"),
    [
        ("Italian BMT-MS (Boffa)", 2021, "Boffa 2021"),
        ("Mexican outpatient series (Ruiz-Arguelles)", 2019, "Ruiz-Arguelles 2019"),
        ("REVEAL (natalizumab vs fingolimod)", 2020, "REVEAL 2020"),
        ("FREEDOMS", 2010, "FREEDOMS 2010"),
        ("Cohort of 2010", 2010, "Cohort of 2010"),
        ("Cohort", None, "Cohort"),
    ],
)
def test_studies_are_named_briefly(study: str, year: int | None, label: str) -> None:
    assert short_study(Comparison(target(study=study, year=year), estimate())) == label


def test_a_rate_read_over_another_period_says_so() -> None:
    published = target(endpoint_id="annualised_relapse_rate", unit="1/year", time_months=8.0, value=0.02)
    simulated = estimate(0.05, 0.01, 0.3, unit="1/year", time_months=12.0)
    assert other_time(Comparison(published, simulated)) == "over 12 months"
    assert simulated_text(Comparison(published, simulated)) == "0.05 per year (0.01 to 0.3; n = 300; over 12 months)"


@pytest.mark.parametrize(("published", "simulated"), [(12.0, 12.4), (None, 12.0), (12.0, None)])
def test_the_same_time_is_not_told_twice(published: float | None, simulated: float | None) -> None:
    pair = Comparison(target(time_months=published), estimate(time_months=simulated))
    assert other_time(pair) == ""


def test_intervals_of_another_kind_are_named() -> None:
    assert published_text(Comparison(target(), estimate())) == "73 % (66 to 81)"
    ranged = target(interval_type="range of studies")
    assert published_text(Comparison(ranged, estimate())) == "73 % (66 to 81; range of studies)"
    bare = target(lower=None, upper=None, interval_type="")
    assert published_text(Comparison(bare, estimate())) == "73 % (no interval)"
    assert simulated_text(Comparison(bare, estimate(70.0, None, None))) == "70 % (n = 300)"
