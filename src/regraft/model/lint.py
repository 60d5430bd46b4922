"""Small named checks of a model part, beyond what stops it from loading."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from regraft.entries import read_text
from regraft.model.expressions import Apply, Expression, Symbol, draws
from regraft.model.part import Part, used_symbols

STRUCTURAL_NUMBERS = {"0", "1", "2", "3", "4", "5", "10"}
_LITERAL = re.compile(r"(?<![\w.])\d+(?:\.\d*)?(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class LintIssue:
    """What a check found. ``severity`` is ``error`` or ``warning``."""

    check: str
    severity: str
    file: str
    where: str
    message: str


def lint_part(part: Part) -> list[LintIssue]:
    """Run every check on a part and return what they find, in the order of ``CHECKS``."""
    return [issue for check in CHECKS for issue in check(part)]


def unused_parameter(part: Part) -> Iterator[LintIssue]:
    """Find rows of parameters.csv that no equation uses and that are not offered to other parts."""
    used = used_symbols(part.equations) | set(part.offers)
    for row in part.parameter_rows:
        if row.id not in used:
            yield LintIssue(
                "unused_parameter", "error", "parameters.csv", row.id, "is used by no equation; remove the row."
            )


def unknown_offer(part: Part) -> Iterator[LintIssue]:
    """Find parameters that entry.toml offers to other parts and that have no row."""
    known = {row.id for row in part.parameter_rows}
    for name in part.offers:
        if name not in known:
            yield LintIssue(
                "unknown_offer",
                "error",
                "entry.toml",
                name,
                "is offered but is no row of parameters.csv; add or remove it.",
            )


def unused_input(part: Part) -> Iterator[LintIssue]:
    """Find declared inputs that no equation uses."""
    used = used_symbols(part.equations)
    for name in part.inputs:
        if name not in used:
            yield LintIssue("unused_input", "error", "quantities.csv", name, "is used by no equation; remove the row.")


def missing_meaning(part: Part) -> Iterator[LintIssue]:
    """Find quantities that do not say what they are."""
    for quantity in part.quantities.values():
        if not quantity.meaning:
            yield LintIssue(
                "missing_meaning", "error", "quantities.csv", quantity.id, "has no meaning; write one sentence."
            )


def idle_state(part: Part) -> Iterator[LintIssue]:
    """Find states that neither a rate nor an event ever changes."""
    changed = {target for event in part.equations.events for target, _ in event.assignments}
    for state in part.equations.states:
        if state.changes_only_by_jumps and state.id not in changed:
            yield LintIssue("idle_state", "error", "model.ant", state.id, "never changes; make it a parameter.")


def misplaced_draw(part: Part) -> Iterator[LintIssue]:
    """Find random draws outside event assignments and initial values, and draws within draws."""
    places: list[tuple[str, Expression]] = [(s.id, s.derivative) for s in part.equations.states]
    places += [(a.id, a.expression) for a in part.equations.assignments]
    for event in part.equations.events:
        places += [(event.id, e) for e in (event.trigger, event.delay, event.priority) if e is not None]
    for where, expression in places:
        if draws(expression):
            yield LintIssue(
                "misplaced_draw", "error", "model.ant", where, "draws at random at every instant; draw in an event."
            )
    for event in part.equations.events:
        for _, value in event.assignments:
            if any(draws(argument) for draw in draws(value) for argument in draw.arguments):
                yield LintIssue(
                    "misplaced_draw", "error", "model.ant", event.id, "draws within a draw; use two states."
                )


def hazard_without_threshold(part: Part) -> Iterator[LintIssue]:
    """Find cumulative hazards (H_x) without a drawn threshold (E_x) or an event that draws the next one."""
    states = {state.id: state for state in part.equations.states}
    for name in states:
        if not name.startswith("H_"):
            continue
        threshold = "E_" + name[2:]
        if threshold not in states or not draws(states[threshold].initial):
            yield LintIssue(
                "hazard_without_threshold",
                "error",
                "model.ant",
                name,
                f"needs {threshold} = exponential(1) at the start.",
            )
        elif not any(_fires_on(event.trigger, name, threshold) for event in part.equations.events):
            yield LintIssue(
                "hazard_without_threshold", "error", "model.ant", name, f"no event fires at {name} >= {threshold}."
            )


def literal_numbers(part: Part) -> Iterator[LintIssue]:
    """Find numbers in model.ant that are not structure: they belong in parameters.csv."""
    for number, line in enumerate(read_text(part.entry.folder / "model.ant").splitlines(), start=1):
        code = line.split("//")[0]
        for literal in _LITERAL.findall(code):
            if literal not in STRUCTURAL_NUMBERS:
                yield LintIssue(
                    "literal_numbers",
                    "error",
                    "model.ant",
                    f"line {number}",
                    f"holds the number {literal}; make it a parameter.",
                )


def assumed_without_reason(part: Part) -> Iterator[LintIssue]:
    """Find assumed numbers whose reason is empty or just repeats that they are assumed."""
    for row in part.parameter_rows:
        if row.method == "assumed" and row.locator.lower() in ("", "assumed", "assumption", "-", "none"):
            yield LintIssue(
                "assumed_without_reason",
                "error",
                "parameters.csv",
                row.id,
                "is assumed without a reason; say why this value.",
            )


def no_limits(part: Part) -> Iterator[LintIssue]:
    """Find entries that do not tell users what they leave out."""
    if not part.entry.limits:
        yield LintIssue(
            "no_limits", "error", "entry.toml", part.id, "states no limits; write what the part leaves out."
        )


def _fires_on(trigger: Expression, hazard: str, threshold: str) -> bool:
    """Whether a trigger contains hazard >= threshold."""
    if not isinstance(trigger, Apply):
        return False
    if trigger.operation in ("ge", "gt") and trigger.arguments == (Symbol(hazard), Symbol(threshold)):
        return True
    return any(_fires_on(argument, hazard, threshold) for argument in trigger.arguments)


CHECKS: tuple[Callable[[Part], Iterator[LintIssue]], ...] = (
    unused_parameter,
    unknown_offer,
    unused_input,
    missing_meaning,
    idle_state,
    misplaced_draw,
    hazard_without_threshold,
    literal_numbers,
    assumed_without_reason,
    no_limits,
)
