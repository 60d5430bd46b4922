from __future__ import annotations

import numpy as np
import pytest
from tests.evidence.calibration.models import RATES, DeadlyDraw

from regraft.evidence.calibration.store import Batch
from regraft.evidence.calibration.workers import Processes, in_this_process

BATCHES = [Batch(RATES.sample(1, numbers), numbers) for numbers in (np.arange(0, 3), np.arange(3, 6))]


@pytest.fixture(scope="module")
def answers():
    """What another process answers, the last draw killing whoever computes it."""
    return dict(Processes(1)(DeadlyDraw(deadly=5), BATCHES, 2))


def test_processes_answer_as_this_process_does(answers):
    alone = dict(in_this_process(DeadlyDraw(deadly=99), BATCHES, 2))
    assert sorted(answers) == [0, 1]
    np.testing.assert_array_equal(answers[0].value, alone[0].value)
    np.testing.assert_array_equal(answers[0].failed, alone[0].failed)
    np.testing.assert_array_equal(answers[1].value[:2], alone[1].value[:2])


def test_a_draw_that_kills_its_process_has_failed_and_its_neighbours_have_not(answers):
    assert answers[1].failed.tolist() == [False, False, True]
