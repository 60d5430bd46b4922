"""Scores: intervals hold what they claim, none-seen is a possible result, rivals know earlier studies only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logit
from tests.evidence.fitting.rows import published

from regraft.evidence.calibration.forward import Prediction
from regraft.evidence.fitting.scorecard import rivals_of, score_rows
from regraft.evidence.fitting.study import RowUse
from regraft.evidence.published_types import IntervalKind, Kind

SHARE = published(
    endpoint_id="neda3", kind=Kind.PROPORTION, unit="%", value=70.0, patients=50, interval=IntervalKind.NONE
)


def use(row, extra_sd=0.0, se=None):
    return RowUse(row.id, "trial", "arm", "", se, extra_sd, "reason")


def prediction(values, variance=0.01):
    values = np.atleast_2d(values).T
    return Prediction(values, np.full(values.shape, variance), np.zeros(len(values), dtype=bool))


def score(row, values, *, simulated=200, known=(), **options):
    card = score_rows("test", [use(row, **options)], [row], prediction(values), simulated, known=known, seed=1)
    return card.scores[0]


def test_a_share_is_counted_again_at_the_size_of_the_study():
    found = score(SHARE, np.full(40, logit(0.7)))
    assert found.median == pytest.approx(70.0, abs=2.0)
    # binomial of 50 patients: 80 % interval of 0.7 is 31 to 39 of 50
    assert (found.lower, found.upper) == (62.0, 78.0)
    assert found.is_covered
    assert 0.4 < found.rank < 0.6
    large = score(replace(SHARE, patients=5000), np.full(40, logit(0.7)))
    assert large.upper - large.lower < 2.5


def test_none_seen_is_inside_when_none_is_likely():
    none = replace(SHARE, value=0.0, patients=174)
    assert score(none, np.full(40, logit(0.005))).is_covered
    assert not score(none, np.full(40, logit(0.05))).is_covered


RATE = published(
    endpoint_id="annualised_relapse_rate",
    kind=Kind.RATE,
    unit="1/year",
    value=0.0,
    patients=24,
    exposure_years=100.0,
    interval=IntervalKind.NONE,
)


def test_events_of_a_rate_are_counted_again():
    rates = np.full(40, np.log(0.05))
    found = score(RATE, rates, simulated=24)  # Poisson of 5: SD of the logarithm 0.45, and 0.1 is less
    assert (found.lower, found.median, found.upper) == (0.02, 0.05, 0.08)
    assert not found.is_covered
    assert score(RATE, np.full(40, np.log(0.01)), simulated=24).is_covered  # none of one is likely
    # the same mean in few patients who have many events each: none is likely again
    wide = score_rows("test", [use(RATE)], [RATE], prediction(rates, variance=2.0), 24, seed=1).scores[0]
    assert wide.is_covered and wide.upper > 0.1


def test_intervals_cover_as_often_as_they_say():
    rng = np.random.default_rng(5)
    covered = []
    for number in range(400):
        truth, knowledge = rng.normal(0.5, 0.4), 0.4
        value = 100 * rng.binomial(50, 1 / (1 + np.exp(-truth))) / 50
        row = replace(SHARE, id=f"row_{number}", value=float(np.clip(value, 2, 98)))
        covered.append(score(row, rng.normal(0.5, knowledge, size=60)).is_covered)
    assert 0.76 < np.mean(covered) < 0.90


def test_spreads_are_kept_apart():
    rng = np.random.default_rng(1)
    row = published(kind=Kind.MEAN, unit="dimensionless", value=2.0, patients=100, interval=IntervalKind.SD, spread=1.0)
    found = score(row, rng.normal(2.0, 0.3, size=500), simulated=400, extra_sd=0.2)
    assert found.knowledge_sd == pytest.approx(0.3, rel=0.1)
    assert found.luck_sd == pytest.approx(0.2)  # sqrt(0.01 * 400 / 100)
    assert found.difference_sd == 0.2
    total = np.sqrt(0.3**2 + 0.2**2 + 0.2**2)
    assert (found.upper - found.lower) / 2 == pytest.approx(1.2816 * total, rel=0.06)


def test_too_few_draws_are_not_scored():
    values = np.full(40, logit(0.7))
    values[:35] = np.nan
    card = score_rows("test", [use(SHARE)], [SHARE], prediction(values), 200, seed=1)
    assert card.scores == ()
    assert card.missing == ((SHARE.id, "only 5 of 40 draws gave a value"),)


def test_rivals_are_earlier_studies_of_other_patients_at_nearly_the_same_time():
    base = {"disease": "MS", "arm_class": "ahsct", "endpoint_id": "neda3", "kind": Kind.PROPORTION, "unit": "%"}
    row = published(id="new", cluster="new", year=2020, time_months=24.0, value=70.0, patients=50, **base)
    earlier = published(id="a", cluster="a", year=2015, time_months=24.0, value=60.0, patients=100, **base)
    last = published(id="b", cluster="b", year=2018, time_months=26.0, value=80.0, patients=100, **base)
    own = published(id="c", cluster="new", year=2012, time_months=24.0, value=70.0, patients=100, **base)
    later = published(id="d", cluster="d", year=2022, time_months=24.0, value=70.0, patients=100, **base)
    far = published(id="e", cluster="e", year=2015, time_months=60.0, value=70.0, patients=100, **base)
    average, latest = rivals_of(row, [earlier, last, own, later, far])
    assert average.rows == ("a", "b")
    assert logit(0.6) < average.centre < logit(0.8)
    assert latest.rows == ("b",)
    assert rivals_of(row, [own, later, far]) == ()


def test_losses_are_told():
    base = {"disease": "MS", "arm_class": "ahsct", "endpoint_id": "neda3", "kind": Kind.PROPORTION, "unit": "%"}
    row = published(id="new", cluster="new", year=2020, time_months=24.0, value=70.0, patients=50, **base)
    earlier = published(id="a", cluster="a", year=2015, time_months=24.0, value=70.0, patients=100, **base)
    wrong = score(row, np.full(40, logit(0.4)), known=[earlier])
    right = score(row, np.full(40, logit(0.7)), known=[replace(earlier, value=40.0)])
    assert wrong.losing_to == ("average of earlier studies", "last study")
    assert right.losing_to == ()
