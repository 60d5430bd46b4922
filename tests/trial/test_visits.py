from __future__ import annotations

import numpy as np
import pytest

from regraft.errors import InvalidField
from regraft.trial.design import DAYS, parse_design
from regraft.trial.visits import Schedule, make_schedule

from .designs import changed

MONTH = DAYS["month"]


def laid_out(*rules: tuple[float, float], years: float = 2, start: float = -42, daily: float = 60) -> Schedule:
    visits = [
        {"every": {"value": every, "unit": "month"}, "until": {"value": until, "unit": "month"}}
        for every, until in rules
    ]
    content = changed("visits", visits) | {
        "follow_up": {"value": years, "unit": "year"},
        "randomisation_day": start,
    }
    return make_schedule(parse_design(content, "here"), daily_until=daily)


def test_visits_follow_the_rules_one_after_the_other() -> None:
    plan = laid_out((1, 3), (3, 12), (12, 24))
    assert [visit.month for visit in plan.visits] == pytest.approx([0, 1, 2, 3, 6, 9, 12, 24])
    assert [visit.number for visit in plan.visits] == list(range(8))
    assert plan.visits[0].name == "Baseline"
    assert plan.visits[-1].name == "Month 24"
    np.testing.assert_allclose(plan.visit_days[1:] / MONTH, [1, 2, 3, 6, 9, 12, 24])


def test_the_baseline_is_on_the_day_of_randomisation() -> None:
    assert laid_out((6, 12), start=-42).visit_days[0] == -42


def test_windows_of_visits_cover_all_days_without_overlap() -> None:
    plan = laid_out((1, 6), (6, 24))
    low, high = (np.array([visit.window[side] for visit in plan.visits]) for side in (0, 1))
    np.testing.assert_array_equal(low[1:], high[:-1])
    assert (low[0], high[0]) == (-42, 0)
    assert high[-1] == plan.end_day
    days = plan.visit_days[1:]
    assert ((low[1:] < days) & (days <= high[1:])).all()
    assert high[1] == pytest.approx(1.5 * MONTH)


def test_days_are_recorded_once_and_found_again() -> None:
    plan = laid_out((1, 24), daily=60)
    assert (np.diff(plan.times) > 0).all()
    np.testing.assert_array_equal(plan.times[plan.visit_columns], plan.visit_days)
    np.testing.assert_array_equal(plan.times[plan.daily_columns], np.arange(61.0))
    assert (plan.times[0], plan.times[-1]) == (-42, 730.5)


def test_daily_samples_end_with_the_follow_up() -> None:
    plan = laid_out((0.1, 0.3), years=10 / 365.25)
    np.testing.assert_array_equal(plan.daily, np.arange(11.0))
    assert plan.times[-1] == pytest.approx(10)


@pytest.mark.parametrize(("month", "position"), [(12, 2), (11.9, None), (0, None), (24, 4)])
def test_a_visit_is_found_by_its_month(month: float, position: int | None) -> None:
    assert laid_out((6, 24)).visit_at(month) == position


def test_a_rest_shorter_than_the_interval_has_no_visit() -> None:
    assert [visit.month for visit in laid_out((5, 12)).visits] == pytest.approx([0, 5, 10])


@pytest.mark.parametrize(
    ("rules", "years", "words"),
    [
        ([(1, 6), (1, 6)], 2, r"visits\[1\]: 'until' is month 6, not after month 6"),
        ([(1, 13)], 1, r"visits\[0\]: 'until' is month 13, but follow-up ends at month 12"),
        ([(6, 12), (13, 24)], 2, r"visits\[1\]: 'every' is 13 months, but the rule spans only 12"),
        ([(0.01, 12)], 2, r"visits\[0\]: 'every' is 0.304375 days"),
    ],
)
def test_an_impossible_schedule_names_its_rule(rules: list[tuple[float, float]], years: float, words: str) -> None:
    with pytest.raises(InvalidField, match=words):
        laid_out(*rules, years=years)


def test_a_rule_in_weeks_gives_visits_in_weeks() -> None:
    def names(*rules: tuple[float, float, str]) -> list[str]:
        given = [{"every": {"value": e, "unit": u}, "until": {"value": t, "unit": u}} for e, t, u in rules]
        design = parse_design(changed("visits", given), "here")
        return [visit.name for visit in make_schedule(design, daily_until=0.0).visits]

    assert names((2, 4, "week"), (1, 2, "month")) == ["Baseline", "Week 2", "Week 4", "Month 1.92"]
    assert names((1, 2, "month")) == ["Baseline", "Month 1", "Month 2"]
