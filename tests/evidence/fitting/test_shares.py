"""Shares of variance: known ones come back, equal draws leave no knowledge, and luck is luck."""

from __future__ import annotations

import numpy as np
import pytest
from tests.evidence.fitting.small import write_study

from regraft.errors import InvalidArgument
from regraft.evidence.fitting.shares import FOLDS, PARTS, _divide, _Outcome, outcome_shares
from regraft.evidence.fitting.study import load_study

LOW, HIGH = {"k_lesion": 0.0008}, {"k_lesion": 0.004}


@pytest.fixture(scope="module")
def design(tmp_path_factory):
    return load_study(write_study(tmp_path_factory.mktemp("study"))).designs["small"]


def made_up(*, covariate, hidden, knowledge, luck, patients=4000, draws=12):
    """Outcomes whose parts have the standard deviations given."""
    rng = np.random.default_rng(3)
    seen = rng.normal(size=patients)
    own = covariate * seen + hidden * rng.normal(size=patients)
    shift = rng.normal(size=draws)
    shift = knowledge * (shift - shift.mean()) / shift.std()
    noise = luck * rng.normal(size=(draws, 2, patients))
    ids = np.arange(patients)
    kept = [np.sort(rng.permutation(patients)[: patients // 2]) for _ in shift]  # draws enrol different people
    return [
        _Outcome(ids[one], one % FOLDS, seen[one, None], (own + shift[k] + noise[k])[:, one])
        for k, one in enumerate(kept)
    ]


def test_known_shares_come_back():
    found = _divide(made_up(covariate=1.0, hidden=1.5, knowledge=0.5, luck=2.0))
    total = 1.0 + 2.25 + 0.25 + 4.0
    assert found == pytest.approx([1.0 / total, 2.25 / total, 0.25 / total, 4.0 / total], abs=0.03)
    assert found.sum() == pytest.approx(1.0)


def test_what_is_not_there_has_no_share():
    found = _divide(made_up(covariate=0.0, hidden=1.0, knowledge=0.0, luck=1.0))
    assert found[0] < 0.01 and found[2] < 0.01
    everybody = _Outcome(np.arange(60), np.arange(60) % FOLDS, np.zeros((60, 1)), np.ones((2, 60)))
    assert np.isnan(_divide([everybody, everybody])).all()


def test_draws_that_differ_much_leave_knowledge_and_equal_ones_none(design):
    known = {one.endpoint: one for one in outcome_shares(design, [LOW, LOW], seed=1, patients=80)}["neda3"]
    unknown = {one.endpoint: one for one in outcome_shares(design, [LOW, HIGH], seed=1, patients=80)}["neda3"]
    place = PARTS.index("knowledge")
    assert known.value[place] < 0.1 < unknown.value[place]
    assert known.value[PARTS.index("luck")] > 0.3
    assert known.patients == 80 and known.years == pytest.approx(2.0, abs=0.01)
    assert (unknown.standard_error >= 0).all()


def test_one_draw_and_few_patients_are_refused(design):
    with pytest.raises(InvalidArgument, match="at least 2"):
        outcome_shares(design, [LOW], seed=1)
    with pytest.raises(InvalidArgument, match="Only 20 patients"):
        outcome_shares(design, [LOW, HIGH], seed=1, patients=20)


def test_of_competing_causes_the_first_is_the_outcome(design):
    wider = design.model_copy(update={"endpoints": ("overall_survival", "treatment_related_mortality")})
    risky = {"k_death_infection": 0.05}
    found = {one.endpoint: one for one in outcome_shares(wider, [risky, risky], seed=1, patients=80)}
    assert found["overall_survival"].mean > 0 == found["treatment_related_mortality"].mean
