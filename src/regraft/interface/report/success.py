"""What a report says of the chance that a smaller trial succeeds."""

from __future__ import annotations

import math
from collections.abc import Sequence

from regraft.evidence.compare import number
from regraft.evidence.success import HIGH, Chance
from regraft.interface.report import data as report
from regraft.interface.report.published import in_words


def success_section(chance: Chance, arms: Sequence[report.Arm]) -> report.Success:
    """Return title, sentences and table rows on the chance of success."""
    labels = {arm.id: arm.label for arm in arms}
    treated, control = labels[chance.arm], labels[chance.reference]
    return report.Success(
        title=f"Would a trial of {chance.patients} patients an arm succeed?",
        sentences=(
            f"{chance.statistic} at month {chance.months:.3g}: {_per_cent(chance.control)} with {control}, "
            f"{_per_cent(chance.treated)} with {treated} (log odds ratio {number(chance.log_odds_ratio)}). With "
            f"{chance.patients} patients in each arm, {treated} beats {control} at p < 0.05 with a probability of "
            f"{_per_cent(chance.by_mechanism)}, over the prior of {in_words(chance.parameter)}.",
            *_of_class(chance),
            *_needed(chance),
        ),
        rows=tuple((_words(row.parameter, row.factor), 100 * row.share, 100 * row.chance) for row in chance.what_if),
    )


def _of_class(chance: Chance) -> tuple[str, ...]:
    """Say what the class of treatments alone would promise."""
    if chance.by_class is None:
        return ()
    return (
        f"By what trials of such treatments showed as a class, whatever the disease, the probability is "
        f"{_per_cent(chance.by_class)}.",
    )


def _needed(chance: Chance) -> tuple[str, ...]:
    """Say how large the effect would have to be."""
    if not math.isfinite(chance.needed):
        return (f"No effect gives a probability of {_per_cent(HIGH)} with so few patients.",)
    text = f"A probability of {_per_cent(HIGH)} needs a log odds ratio of {number(chance.needed)}"
    if not math.isfinite(chance.needed_value):
        return (f"{text}, which {in_words(chance.parameter)} does not reach.",)
    return (f"{text}: {in_words(chance.parameter)} would have to be about {number(chance.needed_value)}.",)


def _per_cent(share: float) -> str:
    """Return a probability as per cent."""
    return f"{number(100 * share)} %"


def _words(parameter: str, factor: float) -> str:
    """Say what is different."""
    return f"{in_words(parameter)} x {factor:g}"
