"""One small but real trial, run once for all tests that only look at it."""

from __future__ import annotations

from pathlib import Path

import pytest

from regraft.trial import TrialDesign, TrialResult, load_design, run_trial
from regraft.trial.plan import Plan, make_plan
from regraft.trial.result import Screening
from regraft.trial.screening import Enrolled, screen

EXAMPLE = Path(__file__).parents[2] / "examples" / "ms_ahsct.yaml"


@pytest.fixture(scope="session")
def design() -> TrialDesign:
    """Return the published example with twelve patients."""
    return load_design(EXAMPLE).model_copy(update={"patients_per_arm": 12})


@pytest.fixture(scope="session")
def result(design: TrialDesign) -> TrialResult:
    """Return the result of the small trial."""
    return run_trial(design, threads=1)


@pytest.fixture(scope="session")
def plan(design: TrialDesign) -> Plan:
    """Return the plan of the small trial."""
    return make_plan(design, threads=1)


@pytest.fixture(scope="session")
def screened(plan: Plan) -> tuple[Enrolled, Screening]:
    """Return who enters the small trial."""
    return screen(plan)
