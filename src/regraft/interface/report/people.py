"""What a report says of plausible patients, enrolment and weights."""

from __future__ import annotations

from regraft.interface.report import data as report
from regraft.interface.report.published import in_words
from regraft.trial.design import TrialDesign
from regraft.trial.result import TrialResult
from regraft.trial.selection import ranges_of


def people_summary(design: TrialDesign) -> tuple[tuple[str, str], ...]:
    """Return the rows of the summary on who may enter and how much each counts; none where nothing is asked."""
    rows = []
    if design.plausible is not None:
        rows.append(("Plausible", "; ".join(one.text for one in ranges_of(design)) or "no range"))
    if design.enrolment is not None:
        chance = design.enrolment.probability
        text = "by the population's own chances" if chance is None else f"with probability {chance:g}"
        rows.append(("Enrolment", f"eligible patients take part {text}"))
    if design.weights is not None:
        rows.append(("Weights", f"to the published table {design.weights.to} at baseline"))
    return tuple(rows)


def people_notes(result: TrialResult) -> tuple[str, ...]:
    """Return what stands at the top of the page where patients are weighted."""
    found = weighting(result)
    if found is None:
        return ()
    return (
        f"Patients are weighted to the published table {found.table}: {found.patients} of them are worth "
        f"{found.effective_size:.0f} equally weighted ones.",
    )


def weighting(result: TrialResult) -> report.Weighting | None:
    """Return the weights of a result, None where all patients count alike."""
    found, rule = result.balance, result.design.weights
    if found is None or rule is None:
        return None
    moments = tuple(
        report.Moment(
            f"{in_words(row.covariate)}, {row.statistic}", row.unit, row.target, row.before, row.after, row.source
        )
        for row in found.rows
    )
    return report.Weighting(
        table=rule.to,
        patients=int(found.weights.size),
        effective_size=found.effective_size,
        smallest_effective_size=rule.smallest_effective_size,
        heaviest=found.heaviest,
        largest_share=found.largest_share,
        moments=moments,
    )
