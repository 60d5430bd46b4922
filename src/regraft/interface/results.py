"""The folder of results: report.html, tables and the record of the run."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regraft.entries import without_folders
from regraft.interface.folder import whole_folder
from regraft.interface.report.apart import render_apart
from regraft.interface.report.data import ReportData
from regraft.interface.report.plain import summary_json
from regraft.interface.views import REPEATED

if TYPE_CHECKING:
    import pandas as pd

    from regraft.trial import TrialResult

PACKAGES = ("regraft", "numpy", "scipy", "numba", "llvmlite", "python-libsbml", "antimony", "pandas", "statsmodels")


def write_results(result: TrialResult, data: ReportData, folder: Path, *, repeats: pd.DataFrame | None = None) -> None:
    """Write everything, or leave the folder as it was.

    Parameters
    ----------
    repeats : estimates of repetitions of the trial, a table of their own; so is what the draws among them say

    Raises
    ------
    OutputFolderError : the folder cannot be written
    """
    from regraft.trial.knowledge import knowledge_table
    from regraft.trial.table_files import write_frames, write_tables

    with whole_folder(folder) as staging:
        write_tables(result.tables, staging / "tables")
        if repeats is not None:
            write_frames([repeats], staging / "tables" / "repeats")
        if result.knowledge:
            write_frames([knowledge_table(result.knowledge)], staging / "tables" / "knowledge")
        written = {path.name for path in (staging / "tables").iterdir()}
        (staging / "report.html").write_text(render_apart(data), encoding="utf-8")
        record = json.dumps(run_record(result, data), indent=2, ensure_ascii=False, default=str)
        (staging / "run.json").write_text(record + "\n", encoding="utf-8")
    for path in ((folder / "tables" / f"{name}.{kind}") for name in REPEATED for kind in ("csv", "parquet")):
        if path.name not in written:
            path.unlink(missing_ok=True)  # of an earlier run, and not true of this one


def run_record(result: TrialResult, data: ReportData) -> dict[str, Any]:
    """Return what is needed to trace and repeat a run: design, seed, versions, content hashes, timings, failures.

    It names nothing of the machine: of an own entry given by its path only the last name is kept.
    """
    import platform
    from importlib.metadata import version

    from regraft.trial.bias import imbalances

    return {
        "trial": without_folders(result.design.model_dump(mode="json")),
        "seed": result.provenance.seed,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        "entries": [asdict(entry) for entry in result.provenance.entries],
        "assumed_numbers": result.provenance.assumed,
        "timings_seconds": {stage: round(seconds, 3) for stage, seconds in result.timings.items()},
        "failures": [asdict(failure) for failure in result.failures],
        "failed_against_completed": [asdict(row) for row in imbalances(result)],
        "knowledge": [_finite(asdict(one)) for one in result.knowledge],
        "summary": summary_json(data),
    }


def _finite(value: Any) -> Any:
    """Return plain values with None for numbers that do not exist, which JSON cannot write."""
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
