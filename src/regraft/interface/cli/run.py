"""``regraft run``: a trial file in, a table on the terminal and a folder of results out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regraft.interface.cli.group import ExitCode
from regraft.interface.folder import CHUNKS

if TYPE_CHECKING:
    import pandas as pd

    from regraft.evidence.success import Chance
    from regraft.evidence.targets import Target
    from regraft.trial import TrialDesign, TrialResult
    from regraft.trial.plan import Plan
    from regraft.trial.stored.backends import Backend
    from regraft.trial.stored.run import BackendMaker, RunOptions

TOLD = 3  # measures in which failed patients differ most from the others
WORTH_KEEPING = 10  # chunks of a run that found too few patients
MOST_FOR_CHANCE = 1_000  # patients with whom the chance of success is computed
LARGE = 10_000  # patients of all arms from which on other processes compute them


TrialFile = Annotated[Path, typer.Argument(help="Trial file (YAML).")]
Out = Annotated[Path, typer.Option("--out", help="Folder for the results.")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, max=2**63 - 1, help="Seed; the trial file's if left out.")]
Cores = Annotated[
    int | None, typer.Option("--cores", min=1, help="Cores to use; all, or all but one for a large trial.")
]
Patients = Annotated[
    int | None, typer.Option("--patients", min=1, help="Patients per arm; the trial file's if left out.")
]
AllowFailed = Annotated[
    float,
    typer.Option(
        "--allow-failed", min=0, max=100, help="Per cent of an arm's runs that may fail (more: stop, exit 4)."
    ),
]
Extend = Annotated[
    bool,
    typer.Option("--extend", help="Add patients, arms, replicates or draws to the run in the folder; keep the rest."),
]
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", help="Address of a Dask scheduler, or a TOML file that describes a SLURM cluster."),
]
PatientSeconds = Annotated[
    float | None,
    typer.Option(
        "--patient-seconds",
        min=0.001,
        help="Give a patient up who takes longer alone: choose some hundred times the usual. No limit if left out.",
    ),
]
Replicates = Annotated[
    int, typer.Option("--replicates", min=1, help="Repetitions of the trial with other patients, in one table.")
]
Draws = Annotated[
    int | None,
    typer.Option("--draws", min=2, help="Repeat the trial under so many draws of its 'posterior': what is not known."),
]
Replace = Annotated[
    bool, typer.Option("--replace", help="Start anew where the folder holds another run; its chunks are deleted.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything and time a few patients; write nothing.")]


def run(
    trial: TrialFile,
    out: Out = Path("out"),
    seed: Seed = None,
    cores: Cores = None,
    patients: Patients = None,
    allow_failed: AllowFailed = 1.0,
    extend: Extend = False,
    scheduler: Scheduler = None,
    patient_seconds: PatientSeconds = None,
    replicates: Replicates = 1,
    draws: Draws = None,
    replace: Replace = False,
    as_json: Json = False,
    dry_run: DryRun = False,
) -> None:
    """Run a virtual trial, or go on with one that was interrupted; write report.html, tables and run.json."""
    from regraft.interface.cli.dry_run import print_plan
    from regraft.interface.cli.output import print_json, print_lines
    from regraft.interface.cli.summary import print_summary
    from regraft.interface.folder import require_writable
    from regraft.interface.report.adapter import report_data
    from regraft.interface.report.plain import summary_json
    from regraft.interface.results import write_results
    from regraft.trial import load_design
    from regraft.trial.stored.run import RunOptions

    require_writable(out)
    design = load_design(trial)
    if patients is not None:
        design = design.model_copy(update={"patients_per_arm": patients})
    _require_agreeing_units(design)
    if dry_run:
        workers = _workers(design, cores)
        print_plan(design, cores=cores, workers=workers, trials=replicates + (draws or 0), as_json=as_json)
        return
    with _resumable(out):
        backend = _backend(design, cores=cores, scheduler=scheduler, patient_seconds=patient_seconds)
        asked = RunOptions(
            cores, backend, extend=extend, replicates=replicates, draws=draws or 0, allow_failed=allow_failed
        )
        options = asked.extended(out / CHUNKS)
        result, repeated = _run(design, out, seed=seed, options=options, replace=replace, is_shown=not as_json)
        chance = _chance(result, cores=cores)
        data = report_data(result, _targets(design), command=_command(trial, result), chance=chance)
        write_results(result, data, out, repeats=repeated)
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
        _tell_bias(result)
        raise typer.Exit(ExitCode.FAILURES)


def _run(
    design: TrialDesign, out: Path, *, seed: int | None, options: RunOptions, replace: bool, is_shown: bool
) -> tuple[TrialResult, pd.DataFrame | None]:
    """Run what is not yet in the folder: the trial, and its repetitions if there are more than one."""
    import dataclasses
    import shutil

    from regraft.interface.cli.progress import shown_progress
    from regraft.trial.knowledge import knowledge
    from regraft.trial.stored import run as stored
    from regraft.trial.stored.repeats import run_repeats

    if replace:
        shutil.rmtree(out / CHUNKS, ignore_errors=True)
    with shown_progress(shown=is_shown, trials=options.replicates + options.draws) as (listener, progress):
        given: Any = {"seed": seed, "options": options, "listener": listener}
        result = stored.run_stored(design, out / CHUNKS, **given, progress=progress)
        if not options.is_repeated:
            return result, None
        repeats = run_repeats(design, out / CHUNKS, **given)
        return dataclasses.replace(result, knowledge=knowledge(result.endpoints, repeats)), repeats


def _backend(
    design: TrialDesign, *, cores: int | None, scheduler: str | None, patient_seconds: float | None
) -> BackendMaker | None:
    """Decide where chunks are computed: a cluster, other processes for a large trial, or this process (None).

    Raises
    ------
    UsageError : a limit of time together with a cluster, whose workers nobody here can end
    """
    from regraft.errors import UsageError
    from regraft.trial.stored.pool import PlannedWork, Pool, spare_cores

    def on_cluster(plan: Plan) -> Backend:
        from regraft.trial.stored.dask_cluster import DaskCluster, read_slurm, slurm_cluster

        is_file = scheduler is not None and scheduler.endswith(".toml")
        return DaskCluster(
            PlannedWork.of(plan), slurm_cluster(read_slurm(Path(str(scheduler)))) if is_file else scheduler
        )

    def on_cores(plan: Plan) -> Backend:
        return Pool(PlannedWork.of(plan), workers or cores or spare_cores(), patient_seconds=patient_seconds)

    if scheduler and patient_seconds is not None:
        raise UsageError("--patient-seconds needs processes of this machine. Leave it out, or --scheduler.")
    workers = _workers(design, cores)
    return on_cluster if scheduler else on_cores if workers or patient_seconds is not None else None


def _workers(design: TrialDesign, cores: int | None) -> int | None:
    """Return how many processes compute a large trial; None for a small one, which this process computes."""
    from regraft.trial.stored.pool import spare_cores

    return (cores or spare_cores()) if len(design.arms) * design.patients_per_arm >= LARGE else None


def _tell_bias(result: TrialResult) -> None:
    """Say in what failed patients differ most from completed ones."""
    from regraft.trial.bias import imbalances

    rows = sorted(
        imbalances(result), key=lambda row: -abs(row.standardised) if row.standardised == row.standardised else 0
    )
    for row in rows[:TOLD]:
        typer.echo(
            f"{row.arm}: {row.measure.replace('_', ' ')} is {row.failed:.3g} in failed and {row.completed:.3g} in "
            f"completed patients ({row.standardised:+.2f} standard deviations).",
            err=True,
        )


@contextmanager
def _resumable(out: Path) -> Iterator[None]:
    """Say after an interruption that the same command goes on; leave nothing where next to nothing was finished."""
    from regraft.errors import OutputFolderError, UsageError

    absent = [place for place in (out / CHUNKS, out, *out.parents) if not place.exists()]
    try:
        yield
    except KeyboardInterrupt:
        finished = _finished(out)
        if not finished:
            _remove(absent)
            raise
        typer.echo(
            f"Interrupted: {finished} chunks of patients are finished and kept in {out}. The same command goes on "
            "from there.",
            err=True,
        )
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except OutputFolderError:
        if not _finished(out):
            _remove(absent)
        raise
    except UsageError:
        if _finished(out) < WORTH_KEEPING:
            _remove(absent)  # too few are eligible, so another design will follow
        raise


def _finished(out: Path) -> int:
    """Return how many chunks are screened."""
    return sum(1 for _ in (out / CHUNKS).glob("*/*-screened.parquet"))


def _remove(created: list[Path]) -> None:
    """Remove the chunks if this run made their folder, and the folders around them that hold nothing."""
    import shutil

    for place in created:
        if place.name == CHUNKS:
            shutil.rmtree(place, ignore_errors=True)
        elif place.is_dir() and not any(place.iterdir()):
            place.rmdir()


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
        issues = check_units(join(parts, id=design.id, lineages=design.lineages).equations)
        found = [f"models {', '.join(design.models)}, joined: {issue.where}: {issue.message}" for issue in issues]
    if found:
        raise UnitMismatch("\n".join([*found, "Correct the equation, or the units in the tables beside it."]))


def _chance(result: TrialResult, *, cores: int | None) -> Chance | None:
    """Return the chance that a smaller trial with the patients of a result succeeds, None where nobody asks for it."""
    from regraft.evidence.success import chance_of_success
    from regraft.trial.plan import make_plan
    from regraft.trial.screening import screen_again

    design = result.design
    if design.success is None:
        return None
    few = min(design.patients_per_arm, MOST_FOR_CHANCE)
    fewer = design.model_copy(update={"patients_per_arm": few, "screening_limit": design.most_screened})
    plan = make_plan(fewer, seed=result.provenance.seed, threads=cores)
    return chance_of_success(plan, design.success, screen_again(plan, result.population.patient_ids[:few]))


def _targets(design: TrialDesign) -> list[Target]:
    """Read the published rows that the design names."""
    from regraft.evidence.targets import load_targets

    return [target for trial in design.outcomes for target in load_targets(trial)]


def _command(trial: Path, result: TrialResult) -> str:
    """Return a command that repeats the run whatever the trial file's own seed and size are."""
    import shlex

    file = trial.name if trial.is_absolute() else str(trial)  # where it lies on this machine is nobody's concern
    options = ["--seed", str(result.provenance.seed), "--patients", str(result.design.patients_per_arm)]
    return shlex.join(["regraft", "run", file, *options])
