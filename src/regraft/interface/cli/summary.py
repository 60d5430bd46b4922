"""The result of a trial on a terminal: headline table, patients, comparison with published values."""

from __future__ import annotations

from regraft.evidence.compare import Comparison, number
from regraft.interface.cli.output import STICKY, print_lines, print_sentences, print_table
from regraft.interface.report.charts import readable_unit
from regraft.interface.report.data import Cell, ReportData, ResultRow, Success
from regraft.interface.report.knowledge import amount_text, known_text, luck_text
from regraft.interface.report.page import cell_text, p_value_text, verdict_counts
from regraft.interface.report.published import amount, endpoint_label, other_time, short_study

DIFFERENCES = {"%": " points", "percent": " points"}


def print_summary(data: ReportData) -> None:
    """Print the result for a person."""
    labels = [arm.label for arm in data.arms]
    rows = [(_endpoint(row), *(_sticky(cell_text(cell)) for cell in row.cells)) for row in data.results]
    print_table(f"{data.title}: estimates (95 % intervals)", ("Endpoint", *labels), rows)
    if data.contrasts:
        contrasts = [
            (row.endpoint, data.label(row.arm), row.measure, _sticky(cell_text(row.estimate)), _p_value(row.p_value))
            for row in data.contrasts
        ]
        print_table("Compared with the reference arm", ("Endpoint", "Arm", "Measure", "Estimate", "p"), contrasts)
    if data.draws:
        _print_unknown(data)
    if data.success is not None:
        _print_success(data.success)
    _print_patients(data)
    if data.comparisons:
        _print_published(data)
    print_lines("")
    print_sentences(*(f"Note: {note}" for note in data.notes), "Research use. Not for treating patients.")


def _endpoint(row: ResultRow) -> str:
    """Return the label of a row with its unit."""
    return _with_unit(row.endpoint, row.unit)


def _with_unit(label: str, unit: str) -> str:
    """Return a label followed by the unit of the values beside it, unless there is none or the label says it."""
    readable = readable_unit(unit)
    is_told = readable.lower() in label.lower()
    return label if is_told else f"{label} ({readable.replace(' ', STICKY)})"


def _p_value(value: float | None) -> str:
    """Return a p value that is not folded."""
    return p_value_text(value).replace(" ", STICKY)


def _sticky(text: str) -> str:
    """Keep an interval in brackets in one line while there is room."""
    before, bracket, rest = text.partition("(")
    inside, closing, after = rest.partition(")")
    return before + bracket + inside.replace(" ", STICKY) + closing + after


def _print_unknown(data: ReportData) -> None:
    """Print how far luck and knowledge move each estimate."""
    rows = [
        (_endpoint(row), arm.label, amount_text(cell), *map(_sticky, (luck_text(cell), known_text(cell))))
        for row in data.results
        for arm, cell in zip(data.arms, row.cells, strict=True)
        if cell.known is not None
    ]
    header = ("Endpoint", "Arm", "Estimate", "95 % of luck", "80 % of knowledge")
    print_table(f"What is unknown: {data.draws} posterior draws", header, rows, numeric=(2,))
    print_sentences(data.unknown)


def _print_success(success: Success) -> None:
    """Print how likely a smaller trial is to succeed, and what would have to be different."""
    rows = [(what, number(share), number(chance)) for what, share, chance in success.rows]
    print_table(success.title, ("If", "Responders, %", "Chance of success, %"), rows, numeric=(1, 2))
    print_sentences(*success.sentences)


def _print_patients(data: ReportData) -> None:
    """Print screening, and what became of each arm."""
    consort = data.consort
    reasons = "; ".join(f"{reason}: {count}" for reason, count in consort.reasons)
    print_lines("")
    print_sentences(
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
            "; ".join(f"{reason}: {count}" for reason, count in (*flow.deaths, *flow.failures)),
        )
        for flow in consort.arms
    ]
    header = ("Arm", "Entered", "Completed", "Died", "Not computed", "Reasons")
    print_table("Patients", header, rows, numeric=(1, 2, 3, 4))


def _print_published(data: ReportData) -> None:
    """Print published and simulated values, one table an arm, and count the verdicts."""
    for arm in data.arms:
        rows = [
            (_with_unit(endpoint_label(c), c.target.unit), short_study(c), _published(c), _simulated(c), _verdict(c))
            for c in data.comparisons
            if c.estimate.arm == arm.id
        ]
        if rows:
            header = ("Endpoint", "Publication", "Published", "Simulated", "Simulated is")
            print_table(f"Published values beside simulated ones: {arm.label}", header, rows)
    print_lines("")
    print_sentences(
        "Brackets: 95 % intervals, or what the publication gives in their place. " + verdict_counts(data),
    )


def _published(comparison: Comparison) -> str:
    """Return the published value and its interval, with what kind it is where it is no 95 % interval."""
    target = comparison.target
    text = _sticky(cell_text(Cell(target.value, target.lower, target.upper)))
    return text if target.has_confidence_interval else f"{text} {target.interval_type}".rstrip()


def _simulated(comparison: Comparison) -> str:
    """Return the simulated value and its interval, and its time where it is another than the published one."""
    estimate = comparison.estimate
    text = _sticky(cell_text(Cell(estimate.value, estimate.lower, estimate.upper)))
    return f"{text} {other_time(comparison)}".rstrip()


def _verdict(comparison: Comparison) -> str:
    """Return inside, how far above or below the published interval, or that there is none."""
    miss = comparison.miss
    if miss is None:
        return "no interval"
    if miss == 0:
        return "inside"
    unit = comparison.target.unit
    gap = f"{number(abs(miss))}{DIFFERENCES[unit]}" if unit in DIFFERENCES else amount(abs(miss), unit)
    return f"{gap} {'above' if miss > 0 else 'below'}"
