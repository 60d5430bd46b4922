"""Virtual trials under given parameters: pure, common luck, and what a spread means."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from tests.evidence.fitting.small import write_study

from regraft.evidence.access import rows_for_fitting
from regraft.evidence.fitting.study import load_study, used_designs
from regraft.evidence.fitting.trial_model import make_trial_model
from regraft.trial.typical import with_typical


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    study = load_study(write_study(folder))
    rows = rows_for_fitting([use.id for use in study.fitted], log=folder, why="test")
    return make_trial_model(used_designs(study, study.fitted), study.fitted, rows, study.priors.names, study.seed)


USUAL = np.array([0.0083, 0.08, 0.15])


def test_a_draw_gives_the_same_alone_among_others_and_in_a_copy(model):
    theta = np.array([USUAL, USUAL * [1.3, 1.0, 1.0], USUAL])
    together = model(theta, np.arange(3))
    alone = model(theta[1:2], np.array([7]))
    copy = pickle.loads(pickle.dumps(model))(theta[1:2], np.array([0]))
    np.testing.assert_array_equal(together.value[1:2], alone.value)
    np.testing.assert_array_equal(alone.value, copy.value)
    np.testing.assert_array_equal(together.value[0], together.value[2])
    assert not together.failed.any()


def test_parameters_move_what_they_should(model):
    more_lesions = model(np.array([USUAL, USUAL * [5.0, 1.0, 1.0]]), np.arange(2)).value
    assert (more_lesions[1] > more_lesions[0]).all()
    more_relapses = model(np.array([USUAL, USUAL * [1.0, 5.0, 1.0]]), np.arange(2)).value
    assert more_relapses[1, 0] > more_relapses[0, 0] + 0.3  # log of the relapse rate
    assert more_relapses[1, 1] < 2 * more_relapses[0, 1]  # lesions grow by the relapses only


def test_a_spread_moves_patients_apart_and_keeps_their_order(model):
    plan = model.plan("small")
    from regraft.patients import sample_population

    def drives(spread):
        changed = with_typical(plan, {"drive.spread": spread})
        return sample_population(changed.population, changed.model.parameter_rows, np.arange(50), 1).values["drive"]

    narrow, wide = drives(0.05), drives(0.4)
    assert np.std(np.log(wide)) == pytest.approx(8 * np.std(np.log(narrow)), rel=0.1)
    np.testing.assert_array_equal(np.argsort(narrow), np.argsort(wide))


def test_a_fixed_parameter_is_set_for_everybody(model):
    plan = with_typical(model.plan("small"), {"relapse_share": 0.5})
    assert plan.equations.parameters[plan.equations.parameter_index["relapse_share"]].value == 0.5


def test_the_identity_changes_with_the_number_of_patients(model, tmp_path):
    study = load_study(write_study(tmp_path), patients_per_arm=21)
    other = make_trial_model(used_designs(study, study.fitted), study.fitted, model.rows, model.names, model.seed)
    assert other.identity != model.identity


def test_a_trial_that_finds_too_few_patients_has_failed(tmp_path):
    from tests.evidence.fitting.small import DESIGN

    strict = DESIGN + "eligibility: [{measure: relapses_last_12_months, min: 30}]\nscreening_limit: 300\n"
    study = load_study(write_study(tmp_path, small=strict))
    rows = rows_for_fitting([use.id for use in study.fitted], log=tmp_path, why="test")
    model = make_trial_model(used_designs(study, study.fitted), study.fitted, rows, study.priors.names, study.seed)
    assert model(USUAL[None], np.arange(1)).failed.tolist() == [True]
