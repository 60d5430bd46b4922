from __future__ import annotations

import numpy as np
import pytest
from tests.trial.hand_made import MONTH, QUARTERS, arm, schedule, trial

from regraft.trial.endpoints import ENDPOINTS
from regraft.trial.endpoints.base import TimeToEvent

ENDPOINT = ENDPOINTS["neda3"]
START = 10.0  # days from randomisation to day 0
END = 24 * MONTH + START
PARTS = ("relapse", "new lesion", "confirmed worsening", "death")
RELAPSE, LESION, WORSENING, DEATH = 1, 2, 3, 4


def worse_from(month: float, until: float = 99, by: float = 1.0) -> list[float]:
    return [3.0, *(3.0 + by * (month <= visit <= until) for visit in QUARTERS)]


def times(**fields: object) -> TimeToEvent:
    observed = trial(arm("treated", **{"patients": 1} | fields))
    (found,) = ENDPOINT.result(observed).times
    return found


@pytest.mark.parametrize(
    ("fields", "day", "cause"),
    [
        ({}, END, 0),
        ({"events": [(0, "relapse", -5.0)]}, END, 0),
        ({"events": [(0, "relapse", 0.0)]}, END, 0),
        ({"events": [(0, "relapse", 5.0)]}, 5 + START, RELAPSE),
        ({"events": [(0, "lesion", 100.0)], "seen": [[4, 0, 0]]}, END, 0),
        ({"events": [(0, "lesion", 300.0)], "seen": [[0, 2, 0]]}, 12 * MONTH + START, LESION),
        ({"seen": [[1, 0, 1]]}, 24 * MONTH + START, LESION),
        ({"events": [(0, "lesion", 300.0)], "seen": [[0, 0, 0]]}, END, 0),
        ({"edss": [worse_from(9)]}, 9 * MONTH + START, WORSENING),
        ({"edss": [worse_from(9, until=12)]}, END, 0),
        ({"edss": [worse_from(21)]}, END, 0),
        ({"deaths": {0: (50.0, "background")}}, 50 + START, DEATH),
        ({"deaths": {0: (-3.0, "toxicity")}}, START - 3, DEATH),
        ({"events": [(0, "relapse", 400.0)], "edss": [worse_from(9)]}, 9 * MONTH + START, WORSENING),
        ({"events": [(0, "relapse", 12 * MONTH)], "seen": [[0, 1, 0]]}, 12 * MONTH + START, RELAPSE),
    ],
)
def test_neda3_is_lost_at_the_first_activity_that_counts(fields: dict[str, object], day: float, cause: int) -> None:
    found = times(**fields)
    assert found.causes == PARTS
    np.testing.assert_allclose(found.time, [day])
    assert found.cause.tolist() == [cause]


def test_a_failed_patient_has_no_time_and_no_cause() -> None:
    found = times(patients=2, missing=[1], events=[(0, "relapse", 5.0), (1, "relapse", 5.0)])
    np.testing.assert_array_equal(found.time, [5 + START, np.nan])
    assert found.cause.tolist() == [1, 0]


def test_statuses_are_shares_of_the_patients_who_are_known() -> None:
    one = arm(
        "treated",
        5,
        missing=[4],
        events=[(0, "relapse", 5.0), (1, "relapse", 500.0)],
        seen=[[0, 0, 0], [0, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0]],
    )
    result = ENDPOINT.result(trial(one, arm("control", 5)))

    def share(statistic: str, months: float) -> tuple[float, int]:
        found = result.estimate("treated", statistic, months)
        assert found is not None
        return found.value, found.n

    assert share("status", 12.0) == (50, 4)
    assert share("status", 24.0) == (25, 4)
    assert share("free of relapse", 24.0) == (50, 4)
    assert share("free of new lesion", 24.0) == (75, 4)
    assert share("free of confirmed worsening", 24.0) == (100, 4)
    assert share("event-free", 24.0) == (pytest.approx(25), 4)


def test_death_ends_being_followed_for_a_part_but_is_no_event_of_it() -> None:
    one = arm("treated", 2, deaths={0: (400.0, "infection")})
    found = ENDPOINT.result(trial(one)).estimate("treated", "free of relapse", 24.0)
    assert found is not None
    assert (found.value, found.n) == (100, 1)


def test_a_follow_up_without_a_second_scan_rests_on_relapses_and_worsening() -> None:
    short = schedule((3, 6), daily=5)
    one = arm("treated", 2, plan=short, seen=np.zeros((2, 0)), events=[(1, "relapse", 50.0)])
    (found,) = ENDPOINT.result(trial(one)).times
    assert found.cause.tolist() == [0, RELAPSE]
