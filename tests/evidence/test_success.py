"""The chance that a trial succeeds, and what would have to be different."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from regraft.errors import InvalidField
from regraft.evidence.success import HIGH, Chance, by_class, chance_of_success, needed_log_odds_ratio, power
from regraft.trial import load_design
from regraft.trial.design import SuccessRule
from regraft.trial.plan import Plan, make_plan
from regraft.trial.screening import Enrolled, screen

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "ra_msc.yaml"


@cache
def prepared() -> tuple[Plan, Enrolled]:
    design = load_design(EXAMPLE).model_copy(update={"patients_per_arm": 250})
    plan = make_plan(design)
    return plan, screen(plan)[0]


@cache
def rule() -> SuccessRule:
    found = prepared()[0].design.success
    assert found is not None
    return found


@cache
def found() -> Chance:
    plan, people = prepared()
    return chance_of_success(plan, rule(), people)


def test_power_is_that_of_many_repeated_trials() -> None:
    from statsmodels.stats.proportion import proportions_ztest

    n, treated, control = 50, 0.5, 0.3
    chance = np.random.default_rng(1)
    counts = np.column_stack([chance.binomial(n, treated, 2000), chance.binomial(n, control, 2000)])
    wins = [first > second and proportions_ztest([first, second], [n, n])[1] < 0.05 for first, second in counts]
    assert power(treated, control, n) == pytest.approx(np.mean(wins), abs=4 * np.sqrt(0.25 / 2000))


def test_without_an_effect_only_chance_succeeds() -> None:
    for share in (0.1, 0.3, 0.5):
        assert 0.005 < power(share, share, 50) < 0.04
    assert power(0.0, 0.0, 50) == 0
    assert power(0.3, 0.5, 50) < 0.005


def test_the_needed_effect_gives_four_in_five() -> None:
    for control, patients in ((0.3, 50), (0.3, 400), (0.6, 50)):
        effect = needed_log_odds_ratio(control, patients)
        odds = control / (1 - control) * np.exp(effect)
        assert power(odds / (1 + odds), control, patients) == pytest.approx(HIGH, abs=1e-6)
    assert needed_log_odds_ratio(0.3, 400) < needed_log_odds_ratio(0.3, 50)
    assert np.isnan(needed_log_odds_ratio(0.3, 2))


def test_the_class_of_stromal_cells_promises_little() -> None:
    assert 0.03 < by_class("msc", 0.3, 50) < 0.2
    assert by_class("msc", 0.3, 50) < by_class("msc", 0.3, 500)
    with pytest.raises(InvalidField, match="class_effect is 'msk'.*'msc'"):
        by_class("msk", 0.3, 50)


def test_a_controlled_trial_of_fifty_patients_an_arm_mostly_fails() -> None:
    assert found().patients == 50
    assert found().by_mechanism < 0.35
    assert found().by_class is not None
    assert found().by_mechanism > 0.02
    assert found().log_odds_ratio < found().needed
    assert found().needed_value > 2  # not the mean effect of the class, nor one standard deviation above it


def test_more_of_the_right_thing_raises_the_chance() -> None:
    rows = {row.parameter: row for row in found().what_if}
    assert set(rows) == set(rule().what_if)
    assert rows["msc_class_gain"].chance > 2 * power(found().treated, found().control, 50)
    assert all(row.share >= found().control for row in rows.values())


def test_the_gain_at_the_centre_is_the_arm_of_the_trial() -> None:
    plan, people = prepared()
    same = chance_of_success(plan, rule().model_copy(update={"what_if": {"msc_class_gain": 1.0}}), people)
    assert same.what_if[0].share == same.treated
    assert same.by_mechanism == found().by_mechanism


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"parameter": "msc_class_gian"}, "success.parameter is 'msc_class_gian'.*'msc_class_gain'"),
        ({"priors": "rha"}, "success.priors is 'rha'.*'ra'"),
        ({"statistic": "ACR25"}, "reports no share 'ACR25' of 'placebo'"),
        ({"what_if": {"msc_primed_lief": 2.0}}, "success names 'msc_primed_lief'.*'msc_primed_life'"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(change: dict[str, object], words: str) -> None:
    plan, people = prepared()
    few = people.take(plan, np.arange(10))
    with pytest.raises(InvalidField, match=words):
        chance_of_success(plan, rule().model_copy(update=change), few)
