"""The result of a trial on a terminal: headline table, patients, comparison with published values."""

from __future__ import annotations

from typing import Any

from regraft.interface.cli.output import print_lines, print_table
from regraft.interface.report.data import Cell, ReportData
from regraft.interface.report.page import cell_text, p_value_text, verdict_counts
from regraft.interface.report.published import endpoint_label, published_text, simulated_text, study_label


def print_summary(data: ReportData) -> None:
    """Print the result for a person."""
    labels = [arm.label for arm in data.arms]
    rows = [(row.endpoint, row.unit, *(cell_text(cell) for cell in row.cells)) for row in data.results]
    print_table(f"{data.title}: estimates (95 % intervals)", ("Endpoint", "Unit", *labels), rows)
    if data.contrasts:
        contrasts = [
            (row.endpoint, data.label(row.arm), row.measure, cell_text(row.estimate), p_value_text(row.p_value))
            for row in data.contrasts
        ]
        print_table("Compared with the reference arm", ("Endpoint", "Arm", "Measure", "Estimate", "p"), contrasts)
    _print_patients(data)
    if data.comparisons:
        published = [
            (
                endpoint_label(c),
                study_label(c),
                data.label(c.estimate.arm),
                published_text(c),
                simulated_text(c),
                c.verdict,
            )
            for c in data.comparisons
        ]
        header = ("Endpoint", "Publication", "Arm", "Published", "Simulated", "Simulated value is")
        print_table("Published values beside simulated ones", header, published)
        print_lines(verdict_counts(data))


def summary_json(data: ReportData) -> dict[str, Any]:
    """Return the same result as plain values for programs."""
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
    }


def _print_patients(data: ReportData) -> None:
    """Print screening, and what became of each arm."""
    consort = data.consort
    reasons = "; ".join(f"{reason}: {count}" for reason, count in consort.reasons)
    print_lines(
        f"Screened {consort.screened}, enrolled {consort.enrolled} (the same patients in every arm)."
        + (f" Criteria failed (a patient may fail several): {reasons}." if reasons else "")
    )
    rows = [
        (
            data.label(flow.arm),
            str(flow.enrolled),
            str(flow.completed),
            str(flow.died),
            str(flow.failed),
            "; ".join(f"{reason}: {count}" for reason, count in flow.failures),
        )
        for flow in consort.arms
    ]
    header = ("Arm", "Entered", "Completed", "Died", "Not computed", "Reasons")
    print_table("Patients", header, rows, numeric=(1, 2, 3, 4))


def _plain(cell: Cell) -> dict[str, Any]:
    """Return an estimate as plain values."""
    return {"value": cell.value, "lower": cell.lower, "upper": cell.upper, "n": cell.n, "note": cell.note}
