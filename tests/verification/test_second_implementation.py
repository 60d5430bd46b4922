"""A short version of ``verification/second_implementation.py``, and a planted difference is seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from verification.second_implementation import LIMIT, SCENARIOS, SECOND_GRAFT, Course, differences, platform, second
from verification.second_solver import Dose

SHORT = replace(SCENARIOS["conditioning, graft and G-CSF"], days=(-42.0, 60.0))
LATER = replace(
    SCENARIOS["conditioning and cord blood, child, T cells attacked"],
    days=(-42.0, 90.0),
    doses=[*SCENARIOS["conditioning and cord blood, child, T cells attacked"].doses, *SECOND_GRAFT],
)


@pytest.fixture(scope="module")
def course() -> tuple[Course, list[float]]:
    return platform(SHORT)


def test_both_give_the_same_course_after_conditioning_and_graft(course: tuple[Course, list[float]]) -> None:
    ours, drawn = course
    found = differences(ours, second(SHORT, drawn))
    assert len(drawn) == 1
    assert len(found) > 100
    worst = max(found, key=lambda name: found[name].max())
    assert found[worst].max() < LIMIT, f"{worst} differs by {found[worst].max():.1e}"


@pytest.fixture(scope="module")
def later() -> tuple[Course, list[float]]:
    return platform(LATER)


def test_both_give_the_same_course_after_cord_blood_and_the_entries_of_a_second_graft(
    later: tuple[Course, list[float]],
) -> None:
    ours, drawn = later
    found = differences(ours, second(LATER, drawn))
    worst = max(found, key=lambda name: found[name].max())
    assert found[worst].max() < LIMIT, f"{worst} differs by {found[worst].max():.1e}"


@pytest.mark.parametrize("target", [None, *sorted({dose.target for dose in SECOND_GRAFT})])
def test_an_entry_or_naive_cells_that_one_of_them_does_not_get_are_seen(
    later: tuple[Course, list[float]], target: str | None
) -> None:
    ours, drawn = later
    left_out = target or "graft_naive_t_cells"
    less = replace(LATER, doses=[dose for dose in LATER.doses if dose.target != left_out])
    found = differences(ours, second(less, drawn))
    assert max(course.max() for course in found.values()) > LIMIT


@pytest.mark.parametrize(
    ("name", "value", "seen"), [("graft_naive_share_cd4", 0.7007, "cd8_naive"), ("k_expansion_most", 0.2002, "cd4")]
)
def test_a_parameter_of_cord_blood_or_of_the_ceiling_that_is_a_thousandth_off_is_seen(
    later: tuple[Course, list[float]], name: str, value: float, seen: str
) -> None:
    ours, drawn = later
    found = differences(ours, second(replace(LATER, parameters={name: value}), drawn))
    assert found[seen].max() > LIMIT


@pytest.mark.parametrize(
    ("name", "value", "seen"), [("k_homing", 1.001, "neutrophils"), ("k_graft_spread", 2.002, "cd4_memory")]
)
def test_a_parameter_that_is_a_thousandth_off_is_seen(
    course: tuple[Course, list[float]], name: str, value: float, seen: str
) -> None:
    ours, drawn = course
    found = differences(ours, second(replace(SHORT, parameters={name: value}), drawn))
    assert found[seen].max() > LIMIT


def test_a_draw_that_one_of_them_does_not_make_is_an_error(course: tuple[Course, list[float]]) -> None:
    _, drawn = course
    with pytest.raises(ValueError, match="hsc_draw"):
        second(SHORT, [])
    with pytest.raises(ValueError, match="1 drawn values"):
        second(SHORT, [*drawn, 0.5])


def test_a_shortage_is_compared_absolutely_and_a_tail_with_the_smallest_scale() -> None:
    ours = {"t_shortage": np.array([2e-6]), "cd4": np.array([2e-6]), "igg_given": np.array([2e-182])}
    theirs = {"t_shortage": np.array([1e-6]), "cd4": np.array([1e-6]), "igg_given": np.array([1e-182])}
    found = differences(ours, theirs)
    assert [float(found[name][0]) for name in ours] == pytest.approx([1e-6, 1.0, 1e-175])


def test_an_infusion_adds_to_the_one_that_runs() -> None:
    # By hand: IgG of two infusions of 2 g/L over 3 days, the second from day 1.5, without loss of what is there.
    doses = [Dose("infusion", "igg_given", day, 2.0, 3.0) for day in (0.0, 1.5)]
    alone = replace(SHORT, age=None, days=(0.0, 6.0), doses=doses, parts=("immunity",), parameters={"k_igg": 1e-12})
    given = second(alone, [])["igg_given"]
    days = alone.times()
    assert [given[days.index(day)] - given[0] for day in (1.5, 3.0, 4.5, 6.0)] == pytest.approx([1.0, 3.0, 4.0, 4.0])


def test_an_inflow_that_lifts_an_empty_state_over_the_floor_of_its_event_is_followed() -> None:
    # By hand: 4e6 cells per kg and day for one day, of which 2 per day spread, leave 4 (1 - exp(-2)) / 2.
    alone = replace(SHORT, age=None, days=(69.0, 90.0), parts=("immunity",), doses=[])
    entry = [Dose("set", "graft_naive_t_entry", day, amount) for day, amount in ((70.0, 4.0), (71.0, 0.0))]
    course = second(replace(alone, doses=entry), [])["graft_naive_t_cells"]
    days = replace(alone, doses=entry).times()
    assert course[days.index(71.0)] == pytest.approx(4.0 * (1 - np.exp(-2.0)) / 2.0)
    assert course[-1] == 0.0
