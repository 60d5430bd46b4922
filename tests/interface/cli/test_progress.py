"""What a run says of how far it is where there is no terminal."""

from __future__ import annotations

import pytest

from regraft.interface.cli import progress
from regraft.interface.cli.progress import detail_of, shown_progress
from regraft.trial.stored.drive import News


def told(capsys: pytest.CaptureFixture[str], news: list[News], trials: int = 1) -> list[str]:
    """Return the lines that some news make."""
    with shown_progress(shown=True, trials=trials) as (listener, _):
        for one in news:
            listener(one)
    return capsys.readouterr().err.splitlines()


def test_news_tell_failures_rate_and_time_left() -> None:
    assert detail_of(News(0, 20, 100, 3, 0.5)) == "3 runs failed, 0.5 patients per second, 3 min left"
    assert detail_of(News(4, 0, 100, 0, 0.0), trials=10) == "trial 5 of 10"


def test_only_the_end_is_told_at_once_and_the_rest_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    news = [News(0, 1, 3, 0, 1.0), News(0, 2, 3, 0, 1.0), News(0, 3, 3, 0, 1.0), News(0, 3, 3, 0, 1.0)]
    assert told(capsys, news) == ["patients: 3 of 3"]
    monkeypatch.setattr(progress, "QUIET_SECONDS", 0.0)
    assert told(capsys, news) == [
        "patients: 1 of 3, 1 patients per second, 2 s left",
        "patients: 2 of 3, 1 patients per second, 1 s left",
        "patients: 3 of 3",
    ]


def test_of_many_repetitions_the_first_and_the_last_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, [News(number, 2, 2, 0, 0.0) for number in range(5)], trials=5)
    assert lines == ["patients: 2 of 2, trial 1 of 5", "patients: 2 of 2, trial 5 of 5"]
