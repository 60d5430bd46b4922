"""Examples run to their page with every endpoint."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from regraft.evidence.targets import load_targets
from regraft.interface.report.adapter import report_data
from regraft.interface.report.page import render
from regraft.trial import load_design, run_trial

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.parametrize("name", ["ra_msc", "msc_sources"])
def test_an_example_with_stromal_cells_runs_to_its_page(name: str) -> None:
    design = load_design(EXAMPLES / f"{name}.yaml").model_copy(update={"patients_per_arm": 12})
    result = run_trial(design)
    assert not result.failures
    assert set(result.endpoints) == set(design.endpoints)
    for endpoint in result.endpoints.values():
        assert any(math.isfinite(row.estimate.value) for row in endpoint.estimates), endpoint.id
    targets = [target for trial in design.outcomes for target in load_targets(trial)]
    data = report_data(result, targets)
    assert len(data.comparisons) == (10 if targets else 0)
    assert {course.id for course in data.courses} >= {"acr_response", "disease_activity_28"}
    page = render(data)
    for words in ("ACR20, week 12", "ra_clinic", "ms_clinic", "Rheumatoid arthritis"):
        assert words in page


def test_the_example_of_reset_in_rheumatoid_arthritis_runs_to_its_page() -> None:
    design = load_design(EXAMPLES / "ra_reset.yaml").model_copy(update={"patients_per_arm": 10})
    result = run_trial(design)
    assert not result.failures
    assert set(result.endpoints) == set(design.endpoints)
    week_12 = result.observed.schedule.visits[3].month
    found = [
        result.endpoint("disease_activity_28").estimate(arm, "DAS28-CRP change", week_12)
        for arm in ("ahsct", "rituximab")
    ]
    reset, depletion = (one.value for one in found if one is not None)
    assert reset < depletion < 0
    data = report_data(result, [target for trial in design.outcomes for target in load_targets(trial)])
    assert {one.target.id for one in data.comparisons} == {
        "after_rituximab_serious_infection",
        "pavletic_2001_neutrophils",
    }
    page = render(data)
    for words in ("Autologous HSCT", "ACR20, week 24", "Neutrophil engraftment, median"):
        assert words in page


@pytest.mark.parametrize("name", ["scid_donors", "conditioning_chimerism"])
def test_an_example_runs_to_its_page(name: str) -> None:
    design = load_design(EXAMPLES / f"{name}.yaml").model_copy(update={"patients_per_arm": 8})
    result = run_trial(design)
    assert not result.failures
    assert set(result.endpoints) == set(design.endpoints)
    for endpoint in result.endpoints.values():
        assert any(math.isfinite(row.estimate.value) for row in endpoint.estimates), endpoint.id
    targets = [target for trial in design.outcomes for target in load_targets(trial)]
    data = report_data(result, targets)
    assert len(data.comparisons) == (10 if targets else 0)
    assert data.fates is not None
    ends = {(curve.arm, curve.cause): float(curve.value[-1]) for curve in data.fates.curves}
    for arm in design.arms:
        assert 0 <= sum(value for (of, _), value in ends.items() if of == arm.id) <= 1 + 1e-9
    assert {ribbon.quantity for ribbon in data.chimerism} == {
        f"{line}_chimerism" for line in ("t", "b", "nk", "myeloid")
    }
    page = render(data)
    assert "What happened first" in page
