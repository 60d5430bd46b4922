from __future__ import annotations

import math

import numpy as np
import pytest
from tests.trial.hand_made import MONTH, QUARTERS, arm, clinic

from regraft.trial.endpoints.confirmation import first_confirmed, improvement_day, worsening_day

NAN = math.nan


def scores(baseline: float, **changes: float) -> list[float]:
    """Return a steady score with other values at some visits (``m9=4``), which do not last."""
    return [baseline, *(changes.get(f"m{month}", baseline) for month in QUARTERS)]


def from_month(baseline: float, month: int, score: float) -> list[float]:
    return [baseline, *(score if visit >= month else baseline for visit in QUARTERS)]


@pytest.mark.parametrize(
    ("met", "months", "position"),
    [
        ([0, 0, 0, 0], [3, 6, 9, 12], NAN),
        ([1, 1, 1, 0], [3, 6, 9, 12], 0),
        ([1, 1, 0, 1], [3, 6, 9, 12], NAN),
        ([0, 1, 1, 1], [3, 6, 9, 12], 1),
        ([0, 0, 1, 1], [3, 6, 9, 12], NAN),
        ([1, 0, 1, 1], [3, 6, 9, 15], 2),
        ([1, 1, 0], [1, 2, 8], NAN),
        ([1, 1, 1], [1, 2, 8], 0),
        ([1], [3], NAN),
    ],
)
def test_a_change_counts_when_it_holds_until_the_first_visit_after_the_period(
    met: list[int], months: list[float], position: float
) -> None:
    found = first_confirmed(np.array([met], dtype=bool), np.array(months, dtype=float), 6.0)
    np.testing.assert_array_equal(found, [position])


@pytest.mark.parametrize(
    ("baseline", "score", "is_worse"),
    [
        (0.0, 1.0, False),
        (0.0, 1.5, True),
        (0.5, 1.5, False),
        (0.5, 2.0, True),
        (1.0, 1.5, False),
        (1.0, 2.0, True),
        (5.0, 5.5, False),
        (5.0, 6.0, True),
        (5.5, 6.0, True),
        (6.5, 7.0, True),
        (6.5, 6.5, False),
    ],
)
def test_the_step_that_is_worsening_depends_on_the_baseline(baseline: float, score: float, is_worse: bool) -> None:
    day = worsening_day(arm(edss=[from_month(baseline, 9, score)]), clinic())
    np.testing.assert_allclose(day, [9 * MONTH if is_worse else NAN])


@pytest.mark.parametrize(
    ("values", "month"),
    [
        (scores(3.0, m9=5.0), NAN),
        (scores(3.0, m9=5.0, m12=5.0), NAN),
        (scores(3.0, m9=5.0, m12=3.5, m15=5.0), NAN),
        (scores(3.0, m9=5.0, m12=4.0, m15=4.0), 9),
        (scores(3.0, m3=4.0, m15=4.0, m18=4.0, m21=4.0), 15),
        (from_month(3.0, 18, 4.0), 18),
        (from_month(3.0, 21, 4.0), NAN),
        (scores(3.0, m9=4.0, m12=NAN, m15=4.0), NAN),
        ([NAN, *[4.0] * len(QUARTERS)], NAN),
    ],
)
def test_worsening_dates_from_the_visit_where_a_lasting_change_was_first_seen(
    values: list[float], month: float
) -> None:
    np.testing.assert_allclose(worsening_day(arm(edss=[values]), clinic()), [month * MONTH])


@pytest.mark.parametrize(
    ("values", "month"),
    [
        (from_month(3.0, 6, 2.0), 6),
        (from_month(3.0, 6, 2.5), NAN),
        (scores(3.0, m6=1.0), NAN),
        (from_month(3.0, 6, 4.0), NAN),
    ],
)
def test_improvement_is_a_lasting_fall(values: list[float], month: float) -> None:
    np.testing.assert_allclose(improvement_day(arm(edss=[values]), clinic()), [month * MONTH])


def test_a_longer_period_asks_for_longer_confirmation() -> None:
    one = arm(edss=[scores(3.0, m9=4.0, m12=4.0, m15=4.0)])
    np.testing.assert_allclose(worsening_day(one, clinic(confirmation_period=6.0)), [9 * MONTH])
    assert np.isnan(worsening_day(one, clinic(confirmation_period=9.0))).all()
