from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from regraft.errors import InvalidField, UsageError
from regraft.trial import screening
from regraft.trial.design import Criterion, Duration
from regraft.trial.plan import Plan
from regraft.trial.result import Screening
from regraft.trial.screening import Enrolled, run_in_years, screen, screen_again

from .digest import digest


def asking_for(plan: Plan, **changes: object) -> Plan:
    return replace(plan, design=plan.design.model_copy(update=changes))


def test_who_is_enrolled_does_not_depend_on_the_size_of_batches(
    plan: Plan, screened: tuple[Enrolled, Screening], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screening, "LARGEST_BATCH", 37)
    people, counts = screen(plan)
    assert counts == screened[1]
    assert digest(people) == digest(screened[0])


def test_screening_ends_with_the_patient_who_completes_the_trial(screened: tuple[Enrolled, Screening]) -> None:
    people, counts = screened
    assert counts.enrolled == 12
    assert counts.screened == people.patient_ids[-1] + 1
    assert (np.diff(people.patient_ids) > 0).all()


def test_the_enrolled_are_the_same_when_the_run_in_of_nobody_else_is_simulated(
    plan: Plan, screened: tuple[Enrolled, Screening]
) -> None:
    assert digest(screen_again(plan, screened[0].patient_ids)) == digest(screened[0])


def test_every_patient_screened_is_counted_once(screened: tuple[Enrolled, Screening], plan: Plan) -> None:
    _, counts = screened
    assert [text for text, _ in counts.failed_criteria] == [one.text for one in plan.design.eligibility]
    assert sum(count for _, count in counts.failed_criteria) + counts.enrolled == counts.screened


def test_without_criteria_the_first_patients_enter(plan: Plan) -> None:
    people, counts = screen(asking_for(plan, eligibility=(), patients_per_arm=5))
    assert people.patient_ids.tolist() == [0, 1, 2, 3, 4]
    assert (counts.screened, counts.failed_criteria, counts.run_in_failures) == (5, (), ())


def test_a_trial_that_finds_too_few_patients_says_which_criterion_stopped_them(plan: Plan) -> None:
    nobody = (Criterion(measure="edss", max=6, unit="edss"), Criterion(measure="age", min=99, unit="year"))
    with pytest.raises(UsageError) as error:
        screen(asking_for(plan, eligibility=nobody, screening_limit=20))
    message = str(error.value)
    assert message.startswith("Only 0 of 12 patients were found among 20 screened")
    assert "age at least 99 year: " in message
    assert "'screening_limit'" in message


def test_when_no_run_in_can_be_solved_the_message_says_so(plan: Plan) -> None:
    hopeless = replace(asking_for(plan, screening_limit=12), settings=replace(plan.settings, max_steps=1))
    with pytest.raises(UsageError, match="Only 0 of 12 .*run-in not solved, step limit: 12"):
        screen(hopeless)


def test_a_run_in_that_cannot_be_solved_is_counted_with_its_reason(plan: Plan) -> None:
    everybody = asking_for(plan, eligibility=(), patients_per_arm=5, screening_limit=100)
    for limit in (800, 400, 200, 100, 50):  # long run-ins take more steps than short ones
        people, counts = screen(replace(everybody, settings=replace(plan.settings, max_steps=limit)))
        if counts.run_in_failures:
            break
    ((reason, lost),) = counts.run_in_failures
    assert reason == "step limit"
    assert counts.screened == lost + counts.enrolled == people.patient_ids[-1] + 1


def test_the_run_in_lasts_as_long_as_the_disease(screened: tuple[Enrolled, Screening], plan: Plan) -> None:
    people, _ = screened
    years = people.population.values["disease_duration"]
    np.testing.assert_array_equal(run_in_years(plan, people.population), years)
    np.testing.assert_allclose((plan.design.randomisation_day - people.onset) / 365.25, years, rtol=1e-12)


def test_without_that_covariate_the_design_gives_the_run_in(screened: tuple[Enrolled, Screening], plan: Plan) -> None:
    people, _ = screened
    others = {name: values for name, values in people.population.values.items() if name != "disease_duration"}
    population = replace(people.population, values=others)
    five = asking_for(plan, run_in=Duration(value=60, unit="month"))
    np.testing.assert_allclose(run_in_years(five, population), np.full(12, 5.0))
    with pytest.raises(InvalidField, match="'disease_duration'.*run_in: {value: 5, unit: year}"):
        run_in_years(plan, population)
