"""A trial repeated with other patients: how its estimates scatter, for operating characteristics."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regraft.trial.design import TrialDesign
from regraft.trial.plan import make_plan
from regraft.trial.result import TrialResult
from regraft.trial.stored.drive import Listener
from regraft.trial.stored.run import RunOptions, compute, summarise_stored
from regraft.trial.stored.store import opened

if TYPE_CHECKING:
    import pandas as pd


def run_replicates(
    design: TrialDesign,
    folder: Path,
    *,
    seed: int | None = None,
    options: RunOptions,
    listener: Listener | None = None,
) -> pd.DataFrame:
    """Run all repetitions of a trial that are not there yet, and return their estimates.

    Repetition 0 is the trial itself; each other one has a seed that follows from the trial's, so other patients.

    Returns
    -------
    one row per repetition and estimate or contrast; ``p_value`` is empty for estimates
    """
    import pandas as pd

    plan = make_plan(design, seed=seed, threads=options.threads)
    rows: list[dict[str, Any]] = []
    with opened(plan, folder, replicates=options.replicates, chunk=options.chunk, extend=options.extend) as store:
        for replicate in range(options.replicates):
            chunks = compute(plan, store, replicate, options=options, listener=listener)
            result = summarise_stored(plan, store, replicate, chunks)
            rows += [{"replicate": replicate, "seed": str(result.provenance.seed)} | row for row in _rows(result)]
    return pd.DataFrame(rows)


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
