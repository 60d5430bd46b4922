"""Repetitions of a trial have other patients; the first one is the trial itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from regraft.errors import UsageError
from regraft.trial import TrialDesign, run_trial
from regraft.trial.stored.repeats import run_repeats
from regraft.trial.stored.repetition import replicate_seed
from regraft.trial.stored.run import RunOptions, run_stored


def test_each_repetition_is_the_trial_with_another_seed(design: TrialDesign, tmp_path: Path) -> None:
    small = design.model_copy(update={"patients_per_arm": 3, "endpoints": ("edss_change",), "arms": design.arms[1:]})
    run_stored(small, tmp_path / "run", options=RunOptions(threads=1))
    with pytest.raises(UsageError, match="'replicates'.*--extend"):
        run_repeats(small, tmp_path / "run", options=RunOptions(threads=1, replicates=3))
    found = run_repeats(small, tmp_path / "run", options=RunOptions(threads=1, replicates=3, extend=True))
    assert set(found["replicate"]) == {0, 1, 2}
    slopes = found[(found["statistic"] == "slope") & (found["arm"] == "untreated")].set_index("replicate")["value"]
    for replicate in range(3):
        alone = run_trial(small, seed=replicate_seed(small.seed, replicate), threads=1)
        estimate = alone.endpoint("edss_change").estimate("untreated", "slope")
        assert estimate is not None
        assert slopes[replicate] == estimate.value
    assert slopes.nunique() == 3
    assert set(found.dtypes[["months", "p_value", "value"]].astype(str)) == {"float64"}


def test_seeds_of_repetitions_differ_and_are_allowed() -> None:
    seeds = [replicate_seed(7, replicate) for replicate in range(100)]
    assert seeds[0] == 7
    assert len(set(seeds)) == 100
    assert all(0 <= seed < 2**63 for seed in seeds)
