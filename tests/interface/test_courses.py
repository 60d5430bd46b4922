from __future__ import annotations

import dataclasses
import math

import pytest

from regraft.interface.report.adapter import report_data
from regraft.interface.report.charts import NARROW, WIDE
from regraft.interface.report.courses import course_figure, course_spec, courses
from regraft.interface.report.page import render
from regraft.therapy import TimelineItem
from regraft.trial.endpoints.base import ArmEstimate, EndpointResult
from regraft.trial.statistics import Estimate

from .conftest import SmallRun
from .example_report import ARMS, example_report

MONTH = 365.25 / 12 / 7  # in weeks


def result(endpoint: str = "acr_response") -> EndpointResult:
    rows = []
    for k, arm in enumerate(ARMS):
        for month in (1.0, 3.0):
            for level in (20, 50, 70):
                value = 10.0 * (k + 1) * month - level / 10 if (k, month, level) != (0, 1.0, 70) else math.nan
                estimate = Estimate(value, value - 5, value + 5, 60, "%", "test")
                rows.append(ArmEstimate(arm.id, f"ACR{level}", f"ACR{level}, month {month:g}", estimate, month))
    rows.append(ArmEstimate(ARMS[0].id, "ACR20", "ACR20 without a time", Estimate(1.0, 0.0, 2.0, 60, "%", "test")))
    return EndpointResult(endpoint, "Response", "", tuple(rows))


def test_estimates_at_the_visits_are_points_in_weeks_and_what_cannot_be_estimated_is_none() -> None:
    (course,) = courses([result(), result("overall_survival")])
    assert len(course.points) == 3 * 2 * 3 - 1
    assert {point.label for point in course.points} == {"ACR20", "ACR50", "ACR70"}
    last = next(p for p in course.points if (p.label, p.arm, p.week > MONTH + 0.1) == ("ACR20", ARMS[2].id, True))
    assert (last.value, last.lower, last.upper, last.unit) == (88.0, 83.0, 93.0, "%")
    assert last.week == pytest.approx(3 * MONTH)


def test_a_trial_without_such_endpoints_has_no_course() -> None:
    assert courses([result("overall_survival")]) == ()
    assert courses([EndpointResult("acr_response", "Response", "", ())]) == ()


def test_each_measure_is_a_panel_and_a_narrow_page_stacks_them() -> None:
    (course,) = courses([result()])
    wide, narrow = (course_spec(course, ARMS, size) for size in (WIDE, NARROW))
    assert (len(wide["concat"]), wide["columns"], narrow["columns"]) == (3, 2, 1)
    titles = {panel["encoding"]["x"]["axis"]["title"] for panel in wide["concat"]}
    assert titles == {"Weeks after infusion or first dose"}  # day 0 of a transplant is the infusion, as in survival
    figure = course_figure(course, example_report())
    assert len(figure.rows) == len(course.points)
    assert "83 to 93" in {row[-1] for row in figure.rows}


def test_the_page_shows_courses_beside_relapses_or_says_that_there_is_neither() -> None:
    (course,) = courses([result()])
    data = dataclasses.replace(example_report(), courses=(course,))
    page = render(data)
    assert page.index("Relapse rate by year") < page.index("Response at the visits")
    missing = "Neither relapses nor disease activity were an endpoint"
    assert missing not in page
    assert missing in render(dataclasses.replace(data, courses=(), relapse_rates=()))


def test_a_treatment_is_drawn_until_the_last_visit(small_run: SmallRun) -> None:
    last = float(small_run.result.observed.schedule.visit_days[-1])
    items = (TimelineItem("maintain", "long", 0.0, last + 9), TimelineItem("maintain", "late", last + 5, last + 9))
    timelines = dict.fromkeys(small_run.result.timelines, items)
    shown = report_data(dataclasses.replace(small_run.result, timelines=timelines), []).protocols
    assert {(item.label, item.start_day, item.end_day) for item in shown} == {("long", 0.0, last)}
