"""The result of a trial on a terminal: headline table, patients, comparison with published values."""

from __future__ import annotations

from regraft.interface.cli.output import print_lines, print_table
from regraft.interface.report.data import ReportData
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
    print_lines("", *(f"Note: {note}" for note in data.notes), "Research use. Not for treating patients.")


def _print_patients(data: ReportData) -> None:
    """Print screening, and what became of each arm."""
    consort = data.consort
    reasons = "; ".join(f"{reason}: {count}" for reason, count in consort.reasons)
    print_lines(
        f"Screened {consort.screened}, enrolled {consort.enrolled} (the same patients in every arm)."
        + (f" Not enrolled, by the first criterion not met: {reasons}." if reasons else "")
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
