"""A short version of ``verification/resume.py``: one kill of each kind, and a difference that is planted is seen."""

from __future__ import annotations

import pytest

from verification import resume


def test_a_run_killed_twice_ends_with_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume.random.Random, "uniform", lambda self, low, high: 0.7 * high)
    told = resume.compare(2, seed=1)
    assert [line.split(";")[0] for line in told] == ["identical", "identical"]


def test_a_byte_that_differs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ended:
        def wait(self) -> int:
            return 0

    numbers = iter(range(3))
    monkeypatch.setattr(resume, "start", lambda folder, is_pool: Ended())
    monkeypatch.setattr(resume, "hashes", lambda folder: {"tables/adsl.csv": "same"})
    monkeypatch.setattr(
        resume, "killed_and_ended", lambda folder, after, is_pool: (0, {"tables/adsl.csv": str(next(numbers))})
    )
    assert resume.compare(1, seed=1)[0].startswith("DIFFERENT: tables/adsl.csv")
