from __future__ import annotations

import math

import numpy as np
import pytest
from tests.trial.hand_made import arm, schedule, trial

from regraft.trial.endpoints import ENDPOINTS
from regraft.trial.endpoints.base import EndpointResult
from regraft.trial.endpoints.engraftment import Recovery, engraftment_day

NAN, NEVER_LOW = math.nan, math.inf
RULE = Recovery("neutrophils", 500.0, 3)
HIGH, LOW = 900.0, 100.0


def counts(*values: float, days: int = 31) -> list[float]:
    """Return daily counts; the last value holds to the end."""
    return [*values, *[values[-1]] * (days - len(values))]


@pytest.mark.parametrize(
    ("values", "day"),
    [
        (counts(HIGH, LOW, 50, 600, 700, 800), 3),
        (counts(HIGH, LOW, 50, 600, 700, 400, 600, 600, 600), 6),
        (counts(HIGH, LOW, 50, 500, 501, 502, 503), 4),
        (counts(HIGH, LOW, 600, 600, 600, 50, 600), 6),
        (counts(HIGH, LOW), NAN),
        (counts(HIGH), NEVER_LOW),
        (counts(501.0), NEVER_LOW),
        (counts(HIGH, LOW, 50, 600, 600, NAN), NAN),
        (counts(HIGH, LOW, 50, NAN), NAN),
        (counts(HIGH, HIGH, NAN), NEVER_LOW),
        ([HIGH, LOW, 50, *[LOW] * 25, 600, 600, 600], 28),
        ([HIGH, LOW, 50, *[LOW] * 26, 600, 600], NAN),
    ],
)
def test_engraftment_is_the_first_of_three_days_above_the_threshold_after_the_nadir(
    values: list[float], day: float
) -> None:
    found = engraftment_day(np.array([values]), np.arange(31.0), RULE)
    np.testing.assert_array_equal(found, [day])


def test_fewer_days_than_the_rule_asks_for_show_no_engraftment() -> None:
    found = engraftment_day(np.array([[LOW, HIGH], [HIGH, HIGH]]), np.arange(2.0), RULE)
    np.testing.assert_array_equal(found, [NAN, NEVER_LOW])


def evaluated() -> EndpointResult:
    """Six patients engraft on day 10, 12 and 14, never, die on day 9, were never low; the seventh is missing."""
    rows = [[HIGH, *[LOW] * (day - 1), *[HIGH] * (31 - day)] for day in (10, 12, 14)]
    rows += [counts(HIGH, LOW), [HIGH, *[LOW] * 8, *[NAN] * 22], counts(HIGH), counts(HIGH, LOW)]
    one = arm("treated", 7, daily={"neutrophils": rows}, deaths={4: (9.0, "infection")}, missing=[6])
    return ENDPOINTS["neutrophil_engraftment"].result(trial(one))


def test_who_was_never_low_or_is_missing_is_no_part_of_it() -> None:
    (times,) = evaluated().times
    np.testing.assert_array_equal(times.time, [10, 12, 14, 30, 9, NAN, NAN])
    assert times.cause.tolist() == [1, 1, 1, 0, 2, 0, 0]
    assert times.causes == ("engrafted", "death")
    assert times.origin_day == 0


def test_median_range_and_share_are_among_those_with_something_to_recover() -> None:
    result = evaluated()
    middle, share, spread = (result.estimate("treated", name) for name in ("median day", "share engrafted", "range"))
    assert middle is not None and share is not None and spread is not None
    assert (middle.value, middle.n) == (12, 3)
    assert (share.value, share.n) == (60, 5)
    assert (spread.lower, spread.value, spread.upper) == pytest.approx((10.2, 12, 13.8))


def test_death_competes_with_engraftment() -> None:
    result = evaluated()
    engrafted, died = (result.estimate("treated", name, 28 * 12 / 365.25) for name in ("engrafted", "engrafted: death"))
    assert engrafted is not None and died is not None
    assert (engrafted.value, died.value, engrafted.n) == (pytest.approx(60), pytest.approx(20), 5)
    assert engrafted.lower < 60 < engrafted.upper


def test_the_incidence_has_bounds_also_when_nobody_is_left_at_risk() -> None:
    rows = [[HIGH, *[LOW] * (day - 1), *[HIGH] * (31 - day)] for day in (10, 12, 14)]
    rows += [[HIGH, *[LOW] * 8, *[NAN] * 22]]
    one = arm("treated", 4, daily={"neutrophils": rows}, deaths={3: (9.0, "infection")})
    found = ENDPOINTS["neutrophil_engraftment"].result(trial(one)).estimate("treated", "engrafted", 28 * 12 / 365.25)
    assert found is not None
    assert found.value == pytest.approx(75)
    assert found.standard_error == pytest.approx(100 * math.sqrt(0.75 * 0.25 / 4))
    assert 0 < found.lower < 75 < found.upper < 100


def test_without_any_low_count_there_is_nothing_to_report() -> None:
    one = arm("control", 2, daily={"neutrophils": [counts(HIGH), counts(HIGH)]})
    result = ENDPOINTS["neutrophil_engraftment"].result(trial(one))
    (only,) = result.estimates
    assert math.isnan(only.estimate.value)
    assert "never fell" in only.estimate.note
    assert not result.curves


def test_platelets_need_seven_days_above_their_own_threshold() -> None:
    row = [5e4, 1e4, *[2.1e4] * 6, 1.9e4, *[2.1e4] * 22]
    one = arm("treated", 1, daily={"platelets": [row]})
    (times,) = ENDPOINTS["platelet_engraftment"].result(trial(one)).times
    assert (times.code, times.time[0]) == ("PLATENG", 9)


def test_a_follow_up_shorter_than_the_rule_has_no_engraftment() -> None:
    plan = schedule((0.1,), daily=3)
    one = arm("treated", 1, plan=plan, daily={"platelets": [[5e4, 1e4, 2.1e4, 2.1e4]]}, seen=np.zeros((1, 0)))
    (times,) = ENDPOINTS["platelet_engraftment"].result(trial(one)).times
    assert (times.time[0], times.cause[0]) == (3, 0)
