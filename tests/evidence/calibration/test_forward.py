from __future__ import annotations

import numpy as np
import pytest
from tests.evidence.calibration.models import rows_of

from regraft.errors import InvalidArgument
from regraft.evidence.calibration.forward import Observations, Prediction, checked, constant_rows, without_holes
from regraft.evidence.calibration.problems import AllDrawsFailed, UnusableTarget

ROWS = rows_of(0.0, 1.0)


def answer(draws=8):
    value = np.arange(2.0 * draws).reshape(draws, 2)
    return Prediction(value, np.ones((draws, 2)), np.zeros(draws, dtype=bool))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"y": np.array([0.0, np.inf])}, "Row 'b': 'y' is inf"),
        ({"se": np.array([0.0, 1.0])}, "Row 'a': 'se' is 0; it must be finite and above 0"),
        ({"extra_sd": np.array([0.0, -1.0])}, "Row 'b': 'extra_sd' is -1"),
        ({"y": np.zeros(3)}, "'y' has shape"),
        ({"ids": ("a", "a")}, "'a' appears twice"),
        ({"links": ("log", "probit")}, "'links'"),
    ],
)
def test_rows_that_are_not_sound_are_refused_by_name(changes, words):
    fields = {"ids": ("a", "b"), "y": np.zeros(2), "se": np.ones(2), "extra_sd": np.zeros(2)} | changes
    with pytest.raises(InvalidArgument, match=words):
        Observations(**fields)


def test_an_answer_of_the_wrong_shape_or_with_negative_variance_is_refused():
    with pytest.raises(InvalidArgument, match=r"'value' of shape \(8, 2\); it must be \(7, 2\)"):
        checked(answer(), 7, ROWS)
    bad = answer()
    bad.mc_variance[3, 1] = -1.0
    with pytest.raises(InvalidArgument, match="negative 'mc_variance' for row 'row_1'"):
        checked(bad, 8, ROWS)


def test_a_draw_with_a_hole_has_failed_and_a_row_without_predictions_is_named():
    some = answer()
    some.value[2, 1] = np.nan
    runs = without_holes(np.zeros((8, 1)), some, ROWS, least=3)
    assert runs.failed.tolist() == [False, False, True, *[False] * 5]
    some.value[:, 1] = np.nan
    with pytest.raises(UnusableTarget, match="Row 'row_1' is answered in 0 of 8 draws"):
        without_holes(np.zeros((8, 1)), some, ROWS, least=3)


def test_a_draw_that_knows_nothing_of_a_row_has_failed():
    some = answer()
    some.value[5, 0], some.mc_variance[5, 0] = -317.0, 1e268  # the logarithm of a count that is nearly nothing
    assert without_holes(np.zeros((8, 1)), some, ROWS, least=3).failed.nonzero()[0].tolist() == [5]


def test_failed_draws_are_counted_when_too_few_are_left():
    none = answer()
    none.failed[:6] = True
    with pytest.raises(AllDrawsFailed, match="6 of 8 draws from the prior failed"):
        without_holes(np.zeros((8, 1)), none, ROWS, least=3)
    # each row is there often enough, but never both
    holes = answer()
    holes.value[:4, 0] = holes.value[4:, 1] = np.nan
    with pytest.raises(AllDrawsFailed, match="8 of 8 draws do not answer some row"):
        without_holes(np.zeros((8, 1)), holes, ROWS, least=3)


def test_a_row_that_no_parameter_moves_is_found():
    some = answer()
    some.value[:, 0] = 4.0
    assert list(constant_rows(without_holes(np.zeros((8, 1)), some, ROWS, least=3), ROWS)) == [0]


def test_failed_runs_do_not_hide_a_row_that_no_parameter_moves():
    some = answer()
    some.value[:, 0] = 4.0
    some.value[5, 0] = 7.0
    some.failed[5] = True
    assert list(constant_rows(without_holes(np.zeros((8, 1)), some, ROWS, least=3), ROWS)) == [0]
