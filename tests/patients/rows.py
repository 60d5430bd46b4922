"""Table rows and population folders for tests of sampling."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from regraft.model.parameter_table import COLUMNS, ParameterRow

ENTRY = 'id = "adults"\nname = "Adults"\nversion = "1"\nstatus = "draft"\nlimits = ["for tests"]\n'
COVARIATES = (
    "onset,31,year,normal,8,16,52,assumption,a test,assumed,",
    "duration,8,year,uniform,,1,15,assumption,a test,assumed,",
    "weight,72,kg,lognormal,0.18,40,140,assumption,a test,assumed,",
    "female,0.72,dimensionless,bernoulli,,,,assumption,a test,assumed,",
)
SUMS = '[sums]\nage = ["onset", "duration"]\n'
CORRELATIONS = ("onset,duration,-0.3,assumption,a test,assumed", "weight,onset,0.2,assumption,a test,assumed")


def row(name: str, value: float, distribution: str = "fixed", **changes: Any) -> ParameterRow:
    """Return a row of a parameter table."""
    cells = {"unit": "dimensionless", "spread": None, "lower": None, "upper": None} | changes
    return ParameterRow(
        name, value, distribution=distribution, source="assumption", locator="a test", method="assumed", **cells
    )


def write_population(
    folder: Path,
    *,
    covariates: Sequence[str] = COVARIATES,
    correlations: Sequence[str] | None = CORRELATIONS,
    sums: str = SUMS,
) -> Path:
    """Write a population's folder and return it."""
    folder.mkdir(exist_ok=True)
    (folder / "entry.toml").write_text(ENTRY + sums)
    (folder / "covariates.csv").write_text("\n".join([",".join(COLUMNS), *covariates, ""]))
    if correlations is not None:
        (folder / "correlations.csv").write_text("\n".join(["a,b,rho,source,locator,method", *correlations, ""]))
    return folder
