from __future__ import annotations

import pytest
from tests.trial.endpoints.rheumatology import people, trial

from regraft.trial.endpoints import ENDPOINTS


def test_the_change_is_carried_on_after_leaving_and_compared_within_patients() -> None:
    treated = people("treated", [{"haq": [1.0, 0.5, 0.25]}] * 2, left={1: 100.0})
    result = ENDPOINTS["haq_change"].result(trial(treated, people("control", [{}, {}])))
    means = [found.value for month in (3, 6, 12) if (found := result.estimate("treated", "change", month))]
    assert means == [pytest.approx(-0.5), pytest.approx((-1.0 - 0.5) / 2), pytest.approx((-1.25 - 0.5) / 2)]
    assert result.contrasts[0].estimate.value == pytest.approx((-1.25 - 0.5) / 2)
    assert result.contrasts[0].is_paired
