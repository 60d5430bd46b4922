"""Mistakes in the files of a fit are told with file, field and what is allowed."""

from __future__ import annotations

import pytest
from tests.evidence.fitting.small import DESIGN, FITTED, PRIORS, STUDY, write_study
from tests.trial.posteriors import write_posterior

from regraft.errors import InvalidField, RegraftError, UnknownEntry
from regraft.evidence.fitting.fit_study import fit_study
from regraft.evidence.fitting.study import find_study, load_study, used_designs


def test_a_study_is_read_with_its_trials_and_rows(tmp_path):
    study = load_study(write_study(tmp_path))
    assert study.priors.names == ("k_lesion", "relapse_share", "drive.spread")
    assert [use.arm for use in study.fitted] == ["untreated", "untreated"]
    assert study.designs["small"].patients_per_arm == 20
    assert load_study(study.path, patients_per_arm=33).designs["small"].patients_per_arm == 33
    assert study.settings.runs == 20


def test_outcomes_are_those_of_the_trial_that_is_named_or_of_the_longest(tmp_path):
    assert load_study(find_study("ms")).outcomes_of.id == "transplant_10y"  # natural history lasts longer
    longest = load_study(find_study("transplant"))
    assert longest.outcomes_of.follow_up.days == max(one.follow_up.days for one in longest.designs.values())


def test_only_arms_that_answer_a_row_are_run():
    study = load_study(find_study("ms"))
    only = [use for use in study.fitted if use.arm == "untreated" and use.design == "relapsing" and not use.reference]
    kept = used_designs(study, only)
    assert list(kept) == ["relapsing"]
    assert [arm.id for arm in kept["relapsing"].arms] == ["untreated"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"fit": STUDY.replace("seed: 7", "seed: 7\nspeed: 3")}, "'speed'"),
        ({"fit": STUDY.replace("runs: 20", "walks: 20")}, "settings.walks"),
        ({"fit": STUDY + "outcomes_of: smal\n"}, "'outcomes_of' is 'smal'.*small"),
        ({"small": DESIGN + "posterior: ./fit\n"}, "a fit starts from its priors"),
        ({"fit": STUDY.replace("patients_per_arm: 20", "patients_per_arm: 2")}, "patients_per_arm"),
        ({"fitted": FITTED.replace(",small,", ",smal,")}, "no design 'smal'"),
        ({"fitted": FITTED.replace("untreated,,,", "placebo,,,")}, "arm is 'placebo'"),
        ({"fitted": FITTED.replace("untreated,,,", "untreated:0.4+placebo:0.6,,,")}, "arm is 'placebo'"),
        ({"fitted": FITTED.replace("untreated,,,", "untreated:0.4,,,")}, "add up to 0.4"),
        ({"fitted": FITTED.replace("untreated,,,", "untreated:much,,,")}, "write one arm, or a mixture"),
        ({"fitted": FITTED.replace("0.3,another population", "0.3,")}, "extra_sd is 0.3"),
        ({"fitted": FITTED.replace(",1.0,2.0", ",-1.0,2.0")}, "se is -1"),
        ({"fitted": FITTED + FITTED.splitlines()[1] + "\n"}, "occurs twice"),
        ({"fitted": FITTED.splitlines()[0] + "\n"}, "names no published row"),
        ({"priors": PRIORS.replace("lognormal,0.0083,0.4", "lognormal,0.0083,-1")}, "'spread'"),
    ],
)
def test_mistakes_are_told(tmp_path, changed, told):
    write_posterior(tmp_path / "fit")
    with pytest.raises(RegraftError, match=told):
        load_study(write_study(tmp_path, **changed))


def test_a_prior_of_no_parameter_is_refused_before_anything_runs(tmp_path):
    study = load_study(write_study(tmp_path, priors=PRIORS.replace("k_lesion", "k_lesions")))
    with pytest.raises(InvalidField, match="'k_lesions'.*k_lesion"):
        fit_study(study, tmp_path / "out")


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("atkins_2016_neda_3y", "role is 'validate'"),
        ("affirm_2006_relapse_rate_placebo_1y", "verified is 'no'"),
        ("sormani_2017_neda_2y", "may be among those of"),
    ],
)
def test_rows_that_may_not_be_fitted_are_refused_and_logged(tmp_path, row, told):
    from regraft.evidence.looks import read_log

    fitted = FITTED.replace("kappos_2010_relapse_rate_placebo_2y", row)
    with pytest.raises(InvalidField, match=told):
        fit_study(load_study(write_study(tmp_path, fitted=fitted)), tmp_path / "out")
    look = read_log(tmp_path / "out")[-1]
    assert not look.is_granted
    assert row in look.ids


def test_a_name_that_is_neither_file_nor_entry():
    with pytest.raises(UnknownEntry, match="no file mss.*Did you mean 'ms'"):
        find_study("mss")
