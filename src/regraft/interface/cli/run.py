"""``regraft run``: a trial file in, a table on the terminal and a folder of results out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regraft.interface.cli.group import ExitCode

if TYPE_CHECKING:
    from regraft.evidence.targets import Target
    from regraft.trial import TrialDesign, TrialResult

PILOT_PATIENTS = 8


def run(
    trial: Annotated[Path, typer.Argument(help="Trial file (YAML).")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.")] = Path("out"),
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, max=2**63 - 1, help="Seed; the trial file's if left out.")
    ] = None,
    cores: Annotated[int | None, typer.Option("--cores", min=1, help="Cores to use; all if left out.")] = None,
    patients: Annotated[
        int | None, typer.Option("--patients", min=1, help="Patients per arm; the trial file's if left out.")
    ] = None,
    allow_failed: Annotated[
        float,
        typer.Option("--allow-failed", min=0, max=100, help="Per cent of an arm's runs that may fail (else exit 4)."),
    ] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything and time a few patients; write nothing.")
    ] = False,
) -> None:
    """Run a virtual trial and write report.html, tables and run.json."""
    from regraft.interface.cli.output import print_json, print_lines
    from regraft.interface.cli.summary import print_summary
    from regraft.interface.folder import require_writable
    from regraft.interface.report.adapter import report_data
    from regraft.interface.report.plain import summary_json
    from regraft.interface.results import write_results
    from regraft.trial import load_design, run_trial

    require_writable(out)
    design = load_design(trial)
    if patients is not None:
        design = design.model_copy(update={"patients_per_arm": patients})
    _require_agreeing_units(design)
    if dry_run:
        _print_plan(design, cores=cores, as_json=as_json)
        return
    with _progress(shown=not as_json) as report_progress:
        result = run_trial(design, seed=seed, threads=cores, progress=report_progress)
    data = report_data(result, _targets(design), command=_command(trial, result))
    write_results(result, data, out)
    if as_json:
        print_json(summary_json(data))
    else:
        print_summary(data)
        print_lines(f"Report: {out / 'report.html'}", f"Tables: {out / 'tables'}", f"Record: {out / 'run.json'}")
    if any(flow.failed > allow_failed / 100 * flow.enrolled for flow in result.consort.arms):
        typer.echo(
            f"More than {allow_failed:g} % of an arm's runs failed: see the failures and their reasons in run.json.",
            err=True,
        )
        raise typer.Exit(ExitCode.FAILURES)


def _require_agreeing_units(design: TrialDesign) -> None:
    """Refuse models whose equations do not agree in units, alone or joined.

    Raises
    ------
    UnitMismatch : with one line per equation
    """
    from regraft.errors import UnitMismatch
    from regraft.model import check_units, join, load_part

    parts = [load_part(model) for model in design.models]
    found = [
        f"{part.entry.folder / 'model.ant'}: {issue.where}: {issue.message}"
        for part in parts
        for issue in check_units(part.equations)
    ]
    if not found:
        issues = check_units(join(parts, id=design.id).equations)
        found = [f"models {', '.join(design.models)}, joined: {issue.where}: {issue.message}" for issue in issues]
    if found:
        raise UnitMismatch("\n".join([*found, "Correct the equation, or the units in the tables beside it."]))


def _targets(design: TrialDesign) -> list[Target]:
    """Read the published rows that the design names."""
    from regraft.evidence.targets import load_targets

    return [target for trial in design.outcomes for target in load_targets(trial)]


def _command(trial: Path, result: TrialResult) -> str:
    """Return a command that repeats the run whatever the trial file's own seed and size are."""
    import shlex

    options = ["--seed", str(result.provenance.seed), "--patients", str(result.design.patients_per_arm)]
    return shlex.join(["regraft", "run", str(trial), *options])


@contextmanager
def _progress(*, shown: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function that shows the stages on standard error: bars on a terminal, else a line for each stage."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not (shown and console.is_terminal):
        yield _lines_of_progress() if shown else lambda stage, done, total: None
        return
    columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        tasks = {"prepare": progress.add_task("prepare", total=None)}

        def report_progress(stage: str, done: int, total: int) -> None:
            progress.update(tasks["prepare"], visible=False)
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total)
            progress.update(tasks[stage], completed=done, total=total)

        yield report_progress


def _lines_of_progress() -> Callable[[str, int, int], None]:
    """Return a function that writes a line to standard error when a stage is done."""

    def report_progress(stage: str, done: int, total: int) -> None:
        if done == total:
            typer.echo(f"{stage}: {done} of {total}", err=True)

    return report_progress


def _print_plan(design: TrialDesign, *, cores: int | None, as_json: bool) -> None:
    """Run a few patients, and say what the whole trial would take."""
    from regraft.interface.cli.output import print_json, print_lines
    from regraft.trial import run_trial

    pilot = design.model_copy(update={"patients_per_arm": min(PILOT_PATIENTS, design.patients_per_arm)})
    result = run_trial(pilot, threads=cores)
    growth = design.patients_per_arm / pilot.patients_per_arm
    fixed = result.timings["plan"]
    seconds = fixed + growth * (sum(result.timings.values()) - fixed)
    readings = sum(
        values.size for arm in result.observed.arms for values in (*arm.readings.values(), *arm.daily.values())
    )
    facts = {
        "arms": len(design.arms),
        "patients_per_arm": design.patients_per_arm,
        "visits": len(result.observed.schedule.visits),
        "seconds_at_most": round(seconds),
        "memory_megabytes": round(8 * growth * readings / 1e6, 1),
    }
    if as_json:
        print_json(facts)
        return
    print_lines(
        f"{design.title}: everything it names was found, and {pilot.patients_per_arm} patients ran through every arm.",
        f"All of it: {len(design.arms)} arms of {design.patients_per_arm} patients with {facts['visits']} visits;",
        f"about {facts['seconds_at_most']} s or less, {facts['memory_megabytes']} MB of readings. Nothing was written.",
    )
