"""A trial repeated with other patients and under posterior draws: how its estimates scatter by luck and knowledge."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regraft.errors import OutputFolderError, UsageError
from regraft.trial.design import TrialDesign
from regraft.trial.plan import make_plan
from regraft.trial.result import TrialResult
from regraft.trial.stored.drive import Listener
from regraft.trial.stored.repetition import Repetition
from regraft.trial.stored.run import RunOptions, compute, summarise_stored

if TYPE_CHECKING:
    import pandas as pd


def run_repeats(
    design: TrialDesign,
    folder: Path,
    *,
    seed: int | None = None,
    options: RunOptions,
    listener: Listener | None = None,
) -> pd.DataFrame:
    """Run all repetitions of a trial that are not there yet, and return their estimates.

    The first is the trial itself. A further replicate has a seed that follows from the trial's, so other patients; a
    draw has the patients and the luck of the trial itself, and other typical values.

    Returns
    -------
    one row per repetition and estimate or contrast; ``p_value`` is empty for estimates, ``draw`` for central values

    Raises
    ------
    UsageError : as ``run_stored``; the message tells under which draw there are too few patients
    """
    import pandas as pd

    plan = make_plan(design, seed=seed, threads=options.threads)
    rows: list[dict[str, Any]] = []
    with options.opened(plan, folder) as store:
        for trial in store.trials:
            with _told(trial):
                chunks = compute(plan, store, trial, options=options, listener=listener)
                result = summarise_stored(plan, store, trial, chunks)
            about = {"replicate": trial.replicate, "draw": trial.draw, "seed": str(result.provenance.seed)}
            rows += [about | row for row in _rows(result)]
    return pd.DataFrame(rows).astype({"draw": "Int64"})  # whole numbers also where some are empty


@contextmanager
def _told(trial: Repetition) -> Iterator[None]:
    """Say of which draw it is true that its trial cannot be carried out."""
    try:
        yield
    except OutputFolderError:
        raise
    except UsageError as error:
        if trial.draw is None:
            raise
        raise UsageError(f"Under posterior draw {trial.draw}: {error}") from error


def _rows(result: TrialResult) -> Iterator[dict[str, Any]]:
    """Yield what a trial says, one number with its interval at a time."""
    for name, endpoint in result.endpoints.items():
        for row in endpoint.estimates:
            kind = {"endpoint": name, "arm": row.arm, "statistic": row.statistic, "label": row.label}
            yield (
                kind
                | {"months": math.nan if row.time_months is None else row.time_months, "p_value": math.nan}
                | _plain(asdict(row.estimate))
            )
        for contrast in endpoint.contrasts:
            kind = {"endpoint": name, "arm": contrast.arm, "statistic": contrast.measure, "label": contrast.label}
            yield (
                kind
                | {"months": math.nan, "p_value": math.nan if contrast.p_value is None else contrast.p_value}
                | _plain(asdict(contrast.estimate))
            )


def _plain(estimate: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of an estimate."""
    return {name: estimate[name] for name in ("value", "lower", "upper", "n", "unit", "note")}
