"""The list of endpoints: complete, named once, and each says what it needs and means."""

from __future__ import annotations

from pathlib import Path

from tests.trial.hand_made import arm, trial

import regraft.trial.endpoints as package
from regraft.trial.endpoints import ENDPOINTS


def test_every_endpoint_file_is_registered_under_its_own_name() -> None:
    files = {path.stem for path in Path(package.__file__).parent.glob("*.py") if "ENDPOINT = " in path.read_text()}
    assert set(ENDPOINTS) == files


def test_every_endpoint_says_what_it_means_and_needs() -> None:
    for endpoint in ENDPOINTS.values():
        assert endpoint.title
        assert endpoint.needs
        assert endpoint.definition.endswith(".")


def test_an_estimate_that_is_not_reported_is_none() -> None:
    result = ENDPOINTS["overall_survival"].result(trial(arm("treated")))
    assert result.estimate("treated", "event-free", 12.0) is not None
    assert result.estimate("treated", "event-free", 13.0) is None
    assert result.estimate("treated", "rate", 12.0) is None
    assert result.estimate("nobody", "event-free", 12.0) is None
