"""The result of a trial as plain values, for ``--json`` and run.json."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from regraft.interface.report.data import Cell, ReportData


def summary_json(data: ReportData) -> dict[str, Any]:
    """Return what the report says as values that JSON knows."""
    arms = [arm.id for arm in data.arms]
    return {
        "title": data.title,
        "arms": [{"id": arm.id, "label": arm.label} for arm in data.arms],
        "results": [
            {
                "endpoint": row.endpoint,
                "unit": row.unit,
                "arms": {arm: _plain(cell) for arm, cell in zip(arms, row.cells, strict=True)},
            }
            for row in data.results
        ],
        "contrasts": [
            {"endpoint": row.endpoint, "arm": row.arm, "measure": row.measure, "p": row.p_value, **_plain(row.estimate)}
            for row in data.contrasts
        ],
        "consort": {
            "screened": data.consort.screened,
            "enrolled": data.consort.enrolled,
            "funnel": dict(data.consort.funnel),
            "failed_criteria": dict(data.consort.reasons),
            "arms": {
                flow.arm: {
                    "enrolled": flow.enrolled,
                    "completed": flow.completed,
                    "died": flow.died,
                    "failed": flow.failed,
                    "failures": dict(flow.failures),
                }
                for flow in data.consort.arms
            },
        },
        "comparisons": [
            {
                "row": comparison.target.id,
                "arm": comparison.estimate.arm,
                "inside": comparison.is_inside,
                "miss": comparison.miss,
                "unit": comparison.target.unit,
                "sentence": comparison.sentence,
            }
            for comparison in data.comparisons
        ],
        "provenance": dict(data.provenance),
        "success": asdict(data.success) if data.success is not None else None,
        "weights": asdict(data.weights) if data.weights is not None else None,
        "posterior_draws": data.draws,
    }


def _plain(cell: Cell) -> dict[str, Any]:
    """Return an estimate as plain values."""
    plain = {"value": cell.value, "lower": cell.lower, "upper": cell.upper, "n": cell.n, "note": cell.note}
    return plain | ({"knowledge80": list(cell.known)} if cell.known is not None else {})
