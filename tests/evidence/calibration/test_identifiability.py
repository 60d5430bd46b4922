from __future__ import annotations

import numpy as np
import pytest

from regraft.evidence.calibration.chance import normals
from regraft.evidence.calibration.identifiability import identifiability
from regraft.evidence.calibration.priors import Prior, Priors

PRIORS = Priors(
    (
        Prior("rate", "1/day", "lognormal", centre=2.0, spread=0.5),
        Prior("age", "year", "uniform", lower=20.0, upper=60.0),
        Prior("shift", "1", "normal", centre=0.0, spread=3.0),
        Prior("half", "day", "lognormal", centre=9.0, spread=1.0),
    )
)
SCORES = normals(3, np.arange(2000), PRIORS.names, "scores")


def report(scores):
    return identifiability(PRIORS, PRIORS.natural(scores), limit=0.2, seed=1)


def test_contraction_is_the_variance_that_went_away():
    found = report(SCORES * np.array([1.0, 0.5, 0.1, 0.99]))
    # sqrt(2 / 2000) = 0.03
    assert found.contraction == pytest.approx([0.0, 0.75, 0.99, 0.02], abs=0.1)
    assert found.not_identified == ("rate", "half")


def test_the_prior_itself_identifies_nothing():
    found = report(SCORES)
    assert found.not_identified == PRIORS.names
    assert not found.combinations


def test_a_quotient_that_is_known_better_than_its_parts_is_named():
    scores = SCORES.copy()
    scores[:, 0] = (scores[:, 3] + 0.05 * scores[:, 0]) / 0.5  # logarithms of rate and half move together
    scores *= np.array([0.5, 1.0, 1.0, 0.5])
    found = report(scores)
    assert [str(one) for one in found.combinations] == ["rate / half"]
    assert found.combinations[0].contraction > 0.95
    assert found.correlation[0, 3] > 0.95


def test_two_parameters_that_hardly_move_together_are_no_combination():
    scores = SCORES.copy()
    scores[:, 0] = 0.95 * scores[:, 0] + 0.3 * scores[:, 3]
    scores *= np.array([0.5, 1.0, 1.0, 0.5])
    assert not report(scores).combinations
