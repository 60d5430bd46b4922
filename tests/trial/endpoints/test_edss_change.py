from __future__ import annotations

import math

import numpy as np
import pytest
from tests.trial.hand_made import QUARTERS, arm, schedule, trial

from regraft.trial.endpoints import ENDPOINTS
from regraft.trial.endpoints.edss_change import slopes

NAN = math.nan
YEARS = np.array(QUARTERS) / 12
RNG = np.random.default_rng(3)
UNEVEN = RNG.choice(np.arange(0, 10.5, 0.5), YEARS.size)


def test_the_slope_is_that_of_a_least_squares_line_after_day_0() -> None:
    one = arm(edss=[[9.0, *UNEVEN], [9.0, *(2 + 0.5 * YEARS)]], patients=2)
    np.testing.assert_allclose(slopes(one), [np.polyfit(YEARS, UNEVEN, 1)[0], 0.5], rtol=1e-9)


def test_readings_after_death_are_left_out_and_one_reading_has_no_slope() -> None:
    died = [3.0, *UNEVEN[:3], *[NAN] * 5]
    at_once = [3.0, 4.0, *[NAN] * 7]
    one = arm(edss=[died, at_once, [NAN] * 9], patients=3)
    np.testing.assert_allclose(slopes(one), [np.polyfit(YEARS[:3], UNEVEN[:3], 1)[0], NAN, NAN], rtol=1e-9)


def test_changes_are_from_randomisation_to_whole_years() -> None:
    rising = [2.0, *(2 + YEARS)]
    one = arm("treated", 3, edss=[rising, [4.0, *[3.0] * 8], [1.0, *[5.0] * 8]], missing=[2])
    result = ENDPOINTS["edss_change"].result(trial(one))
    for months, values in ((12.0, [1, -1]), (24.0, [2, -1])):
        found = result.estimate("treated", "change", months)
        assert found is not None
        assert (found.value, found.n) == (pytest.approx(np.mean(values)), 2)
    slope = result.estimate("treated", "slope")
    assert slope is not None
    assert (slope.value, slope.n, slope.unit) == (pytest.approx(0.5), 2, "edss/year")


def test_a_year_without_a_visit_has_no_change() -> None:
    one = arm("treated", 3, plan=schedule((5, 10), end=12))
    found = ENDPOINTS["edss_change"].result(trial(one)).estimate("treated", "change", 12.0)
    assert found is not None
    assert math.isnan(found.value)


def test_the_contrast_is_the_mean_difference_of_slopes_within_patients() -> None:
    steady, rising = [2.0] * 9, [2.0, *(2 + YEARS)]
    treated = arm("treated", 3, edss=[steady, steady, steady])
    control = arm("control", 3, edss=[rising, steady, rising], missing=[2])
    (contrast,) = ENDPOINTS["edss_change"].result(trial(treated, control)).contrasts
    assert (contrast.estimate.value, contrast.estimate.n) == (pytest.approx(-0.5), 2)
