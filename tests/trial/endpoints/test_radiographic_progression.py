from __future__ import annotations

import pytest
from tests.trial.endpoints.rheumatology import PLAN, people, trial
from tests.trial.hand_made import MONTH, schedule

from regraft.trial.endpoints import ENDPOINTS
from regraft.trial.endpoints.radiographic_progression import film_columns

ENDPOINT = ENDPOINTS["radiographic_progression"]
GROWS = {"sharp_score": [30.5, 31.0, 33.0]}


def test_films_are_read_at_the_visit_next_to_each_year() -> None:
    assert film_columns(PLAN, 15.0) == [3]
    weeks = [4 * k * 7 / MONTH for k in range(1, 27)]
    assert film_columns(schedule(weeks, start=0.0), 15.0) == [13, 26]
    assert film_columns(schedule((3, 6), start=0.0), 15.0) == []
    assert film_columns(schedule((10,), start=0.0, end=14), 15.0) == []


def test_change_and_share_with_progression() -> None:
    result = ENDPOINT.result(trial(people("treated", [GROWS, {}]), people("control", [GROWS, GROWS])))
    change, share = (result.estimate("treated", name, 12) for name in ("change", "progression"))
    assert change is not None
    assert share is not None
    assert (change.value, share.value) == (1.5, 50)
    assert result.contrasts[0].estimate.value == -1.5


def test_the_change_of_who_left_late_is_drawn_on_and_of_who_left_early_unknown() -> None:
    late, early = 9 * MONTH, 5 * MONTH
    found = ENDPOINT.result(trial(people("treated", [GROWS, GROWS, GROWS], left={0: late, 1: early}))).estimate(
        "treated", "change", 12
    )
    assert found is not None
    assert found.n == 2
    assert found.value == pytest.approx((2 * 1.0 + 3.0) / 2)  # one point by month 6, drawn on to month 12


def test_those_who_stayed_are_also_told_alone() -> None:
    much = {"sharp_score": [32.0, 36.0, 45.0]}
    found = ENDPOINT.result(trial(people("treated", [GROWS, much, {}], left={1: 9 * MONTH}))).estimate(
        "treated", "change of who stayed", 12
    )
    assert found is not None
    assert (found.n, found.value) == (2, 1.5)
