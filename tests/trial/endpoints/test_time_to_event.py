from __future__ import annotations

import numpy as np
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import logrank_test
from pandas import DataFrame
from tests.trial.hand_made import YEAR, arm, trial

from regraft.trial.endpoints import ENDPOINTS
from regraft.trial.endpoints.base import TimeToEvent
from regraft.trial.endpoints.earliest import until_first
from regraft.trial.endpoints.time_to_event import Horizon, free_at, yearly_horizons

NAN = np.nan


def test_of_several_events_the_first_counts_and_of_two_on_one_day_the_first_named() -> None:
    one = arm(patients=5, missing=[4], deaths={3: (40.0, "infection")})
    days = {
        "a": np.array([30.0, 20.0, NAN, 50.0, 5.0]),
        "b": np.array([20.0, 20.0, NAN, NAN, NAN]),
    }
    found = until_first(one, days, code="X", title="Any")
    np.testing.assert_allclose(found.time, [30, 30, 2 * YEAR + 10, 50, NAN])
    assert found.cause.tolist() == [2, 1, 0, 0, 0]
    assert found.cause.itemsize == 1  # there is one for each of many patients
    assert found.causes == ("a", "b")


def test_whole_years_after_day_0_lie_later_after_randomisation() -> None:
    horizons = yearly_horizons(trial(arm()))
    assert [(horizon.months, horizon.days) for horizon in horizons] == [(12, YEAR + 10), (24, 2 * YEAR + 10)]
    assert [horizon.text for horizon in horizons] == ["1 year", "2 years"]
    assert Horizon(18.0, 0.0).text == "1.5 years"


def test_who_is_censored_before_a_horizon_is_neither_free_nor_not() -> None:
    times = TimeToEvent("a", "X", "X", 0.0, np.array([10.0, 10, 20, 30, NAN]), np.array([1, 0, 1, 0, 0]), ("x",))
    np.testing.assert_array_equal(free_at(times, 20.0), [0, NAN, 0, 1, NAN])
    np.testing.assert_array_equal(free_at(times, 19.9), [0, NAN, 1, 1, NAN])


@pytest.fixture(scope="module")
def compared() -> tuple[list[TimeToEvent], object]:
    rng = np.random.default_rng(8)
    arms = [
        arm(
            name,
            40,
            events=[(row, "relapse", day) for row, day in enumerate(rng.exponential(scale, 40)) if row != 7],
            deaths={3: (200.0, "infection"), 5: (2.0, "toxicity")},
            missing=[11],
        )
        for name, scale in (("treated", 900.0), ("control", 300.0))
    ]
    result = ENDPOINTS["neda3"].result(trial(*arms))
    return list(result.times), result


def test_contrasts_are_those_of_lifelines_over_the_known(compared: tuple[list[TimeToEvent], object]) -> None:
    times, result = compared
    known = [np.isfinite(one.time) for one in times]
    time, event = (
        [getattr(one, name)[keep] for one, keep in zip(times, known, strict=True)] for name in ("time", "cause")
    )
    row = next(row for row in result.contrasts if row.measure == "hazard ratio")
    data = DataFrame(
        {
            "time": np.concatenate(time),
            "event": (np.concatenate(event) > 0).astype(int),
            "treated": np.repeat([1.0, 0.0], [part.size for part in time]),
        }
    )
    cox = CoxPHFitter().fit(data, "time", "event", fit_options={"precision": 1e-10})
    assert row.estimate.value == pytest.approx(cox.hazard_ratios_["treated"], rel=1e-6)
    assert row.estimate.n == 78
    assert row.p_value == pytest.approx(logrank_test(*time, *(part > 0 for part in event)).p_value, rel=1e-6)


def test_shares_at_whole_years_are_those_of_lifelines(compared: tuple[list[TimeToEvent], object]) -> None:
    times, result = compared
    for one in times:
        known = np.isfinite(one.time)
        other = KaplanMeierFitter().fit(one.time[known], one.cause[known] > 0)
        for year in (1, 2):
            found = result.estimate(one.arm, "event-free", 12.0 * year)
            assert found.value == pytest.approx(100 * other.predict(year * YEAR + 10), rel=1e-6)


def test_numbers_at_risk_stand_at_randomisation_and_whole_years(compared: tuple[list[TimeToEvent], object]) -> None:
    times, result = compared
    curve = result.curves[0]
    assert curve.risk_days.tolist() == [0, YEAR + 10, 2 * YEAR + 10]
    assert curve.at_risk.tolist() == [int((times[0].time >= day).sum()) for day in curve.risk_days]
    assert curve.at_risk[0] == 39
