from __future__ import annotations

import pytest

from regraft.errors import InvalidField
from regraft.trial.design import TrialDesign, parse_design
from regraft.trial.plan import RISK_START, Plan, make_plan, trial_values

from .designs import VALID, changed


def with_settings(design: TrialDesign, **settings: str) -> TrialDesign:
    return design.model_copy(update={"settings": settings})


def test_patients_are_at_risk_from_randomisation(plan: Plan) -> None:
    assert trial_values(plan.design, plan.equations) == {RISK_START: -42.0}
    index = plan.equations.parameter_index[RISK_START]
    assert plan.equations.parameters[index].value == -42


def test_a_setting_is_converted_to_the_unit_of_the_model(plan: Plan) -> None:
    values = trial_values(with_settings(plan.design, k_clearance="0.7 1/week"), plan.equations)
    assert values["k_clearance"] == pytest.approx(0.1)


def test_a_setting_changes_the_model_for_every_patient() -> None:
    design = parse_design(VALID | {"settings": {"centre_experience": "3 dimensionless"}}, "here")
    plan = make_plan(design)
    assert plan.equations.parameters[plan.equations.parameter_index["centre_experience"]].value == 3


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("centre_experienc", "3", "settings.centre_experienc is no parameter.*'centre_experience'"),
        ("k_clearance", "0.7 kg", "settings.k_clearance is '0.7 kg'.*'1/day'"),
        ("k_clearance", "fast", "settings.k_clearance is 'fast'"),
        (RISK_START, "0 day", "settings.risk_start_day follows from 'randomisation_day'"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(plan: Plan, name: str, text: str, words: str) -> None:
    with pytest.raises(InvalidField, match=words) as error:
        trial_values(with_settings(plan.design, **{name: text}), plan.equations)
    assert "'ms_ahsct'" in str(error.value)


def test_what_the_population_decides_cannot_be_set() -> None:
    design = parse_design(VALID | {"settings": {"body_weight": "70 kg"}}, "here")
    with pytest.raises(InvalidField, match="settings.body_weight differs between patients.*'ms_relapsing'"):
        make_plan(design)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"endpoints": ["neda3"], "eligibility": []}, "endpoint 'neda3' needs 'edss'.*person, hematopoiesis"),
        (
            {"endpoints": ["neutrophil_engraftment"], "eligibility": changed("title", "x")["eligibility"]},
            "criterion 'relapses_last_12_months' needs 'relapses'",
        ),
    ],
)
def test_what_no_model_has_cannot_be_asked_for(changes: dict[str, object], words: str) -> None:
    design = parse_design(VALID | {"models": ["person", "hematopoiesis"]} | changes, "here")
    with pytest.raises(InvalidField, match=words):
        make_plan(design)


def test_a_seed_given_at_the_start_replaces_that_of_the_design(plan: Plan) -> None:
    assert plan.seed == plan.design.seed
    assert make_plan(plan.design, seed=99).seed == 99
    assert make_plan(plan.design, seed=0).seed == 0


def test_a_design_made_in_code_is_checked_too() -> None:
    design = parse_design(VALID, "here").model_copy(update={"population": "nobody"})
    with pytest.raises(InvalidField, match="design 'small': population is 'nobody'"):
        make_plan(design)


def test_a_drug_whose_part_is_not_among_the_models_is_refused_before_anybody_is_simulated() -> None:
    design = parse_design(changed("models", [name for name in VALID["models"] if name != "gcsf"]), "here")
    with pytest.raises(InvalidField, match="'gcsf' enters the state 'gcsf'.*Join the part gcsf .a design names it"):
        make_plan(design)
