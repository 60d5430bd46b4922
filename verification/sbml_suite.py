"""Run every case of the SBML semantic test suite, or try every model of a collection.

python verification/sbml_suite.py FOLDER [--cases 00001 00002] [--json FILE] [--tags PAGE.md]
python verification/sbml_suite.py FOLDER --models [--json FILE]

FOLDER holds one folder a case: a model (the highest level and version present is taken), settings, results, tags.
A case passes by the suite's own rule: |ours - theirs| <= absolute + relative |theirs| in every cell.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from regraft.model.waiting import PLACES
from verification.sbml_cases import (
    FAILED,
    PASSED,
    REFUSED,
    RTOL,
    SHORTEST_STEPS,
    WRONG,
    Outcome,
    find_cases,
    read_tags,
    run_case,
)
from verification.sbml_models import find_models, run_model
from verification.workers import run_over

SECONDS_PER_CASE = 60.0
HEADINGS = {
    REFUSED: "Refused by name: the file uses something that cannot be run",
    WRONG: "Wrong: numbers differ by more than the tolerances of the case",
    FAILED: "Failed: no numbers",
}


def run_all(paths: Sequence[Path], *, models: bool = False, processes: int = 0) -> list[Outcome]:
    """Return how every case (or model) ended, sorted by name; one that hangs or crashes counts as failed."""
    function = run_model if models else run_case
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    outcomes = []
    for path, result in run_over(function, paths, processes=processes or cores, seconds=SECONDS_PER_CASE):
        outcome = result if isinstance(result, Outcome) else Outcome(path.name, FAILED, str(result))
        outcomes.append(outcome)
        if outcome.kind != PASSED:
            print(f"{len(outcomes)} of {len(paths)}: {outcome.case} {outcome.kind}", file=sys.stderr, flush=True)
    return sorted(outcomes, key=lambda outcome: outcome.case)


def report(outcomes: Sequence[Outcome]) -> str:
    """Return everything that did not pass, by kind, and the count in the last line."""
    lines = []
    for kind, heading in HEADINGS.items():
        found = [outcome for outcome in outcomes if outcome.kind == kind]
        if found:
            lines += [f"{heading} ({len(found)})", *(f"  {o.case}: {o.detail}" for o in found), ""]
    passed = sum(outcome.kind == PASSED for outcome in outcomes)
    return "\n".join([*lines, f"passed {passed} of {len(outcomes)}"])


def tags_page(outcomes: Sequence[Outcome], tags: dict[str, list[str]]) -> str:
    """Return the page of the documentation: a table by tag, then each case that did not pass with its reason."""
    passed = sum(outcome.kind == PASSED for outcome in outcomes)
    counts: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        for tag in tags[outcome.case]:
            counts.setdefault(tag, Counter())[outcome.kind] += 1
    rows = [
        f"| {tag} | {count.total()} | {count[PASSED]} | {count[REFUSED]} | {count[WRONG] + count[FAILED]} |"
        for tag, count in sorted(counts.items())
    ]
    rest = [o for o in outcomes if o.kind != PASSED]
    return "\n".join(
        [
            "# The SBML semantic test suite",
            "",
            f"**{passed} of {len(outcomes)} cases pass** ({passed / len(outcomes):.1%}) by the suite's own rule: in "
            "every cell of a case's table our value differs from the expected one by no more than the case's absolute "
            "tolerance plus its relative tolerance times the expected value.",
            "This page is written by `verification/sbml_suite.py FOLDER --tags docs/reference/sbml_suite.md`; the "
            "cases are those of the folder, not all of the suite. A case has several tags and counts under each.",
            "",
            "## By tag",
            "",
            "| tag | cases | passed | refused by name | wrong |",
            "|---|---:|---:|---:|---:|",
            *rows,
            "",
            "## Cases that do not pass",
            "",
            *([f"- {o.case}, {o.kind}: {_plain(o.detail)}" for o in rest] or ["None."]),
            "",
            NEVER_RUN,
            "",
            HOW_RUN,
            "",
        ]
    )


NEVER_RUN = """## What is always refused

A file that uses one of these is refused with a message that names it, whatever its numbers would be: algebraic rules,
`delay()` of a time other than zero, fast reactions, constraints, reactions without a kinetic law, the rate (`rateOf`)
of a symbol that an assignment rule gives, packages other than `distrib` whose absence would change the numbers, and
draws other than exponential, uniform, normal, Poisson and binomial. So is a file that is too large or nested too
deeply."""


HOW_RUN = f"""## How the cases are run

One patient a case, relative tolerance {RTOL:g}, absolute tolerance a millionth of the case's own, at least
{SHORTEST_STEPS} steps, because a trigger that holds for less than a step can be missed. Events with a delay are put on
a list of {PLACES} places; one more ends the run with a status that names the event. Which of two events of equal
priority acts first is a random draw keyed by seed, patient and event, so the cases that test chance pass with the
seed used here; the suite made them to fail about once in a million."""


def _plain(text: str) -> str:
    """Return a detail as Markdown that shows every character."""
    return "".join(f"\\{c}" if c in "\\*_<>|`[]" else c for c in " ".join(text.split()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 if everything passed or was refused by name."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of cases, or of models")
    parser.add_argument("--cases", nargs="+", metavar="CASE", help="only these")
    parser.add_argument("--models", action="store_true", help="files without expected results: load, compile, run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every outcome")
    parser.add_argument("--tags", type=Path, metavar="FILE", help="write the page with the table by tag")
    given = parser.parse_args(arguments)
    paths = find_models(given.folder) if given.models else find_cases(given.folder)
    if given.cases:
        paths = [path for path in paths if path.name in given.cases or path.stem in given.cases]
    if not paths:
        parser.error(f"{given.folder} holds no {'SBML file' if given.models else 'case'} that was asked for.")
    outcomes = run_all(paths, models=given.models)
    if given.json:
        given.json.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1) + "\n", encoding="utf-8")
    if given.tags:
        given.tags.write_text(tags_page(outcomes, {path.name: read_tags(path) for path in paths}), encoding="utf-8")
    print(report(outcomes))
    return int(any(outcome.kind in (WRONG, FAILED) for outcome in outcomes))


if __name__ == "__main__":
    raise SystemExit(main())
