"""``regraft replay``: one patient of a run again, with full curves and what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from regraft.trial.plan import Plan
    from regraft.trial.stored.repetition import Repetition

LAST_EVENTS = 10


def replay(
    run: Annotated[Path, typer.Argument(help="Folder of results.")],
    patient: Annotated[int, typer.Argument(min=0, max=2**32 - 1, help="Number of the patient (end of USUBJID).")],
    arm: Annotated[str | None, typer.Option("--arm", help="Arm; the first if left out.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="File for the curves, .csv or .parquet; in the run if left out.")
    ] = None,
    trial: Annotated[
        Path | None, typer.Option("--trial", help="Trial file, where the trial has entries of your own.")
    ] = None,
    replicate: Annotated[
        int, typer.Option("--replicate", min=0, help="Repetition with other patients; 0 is the trial.")
    ] = 0,
    draw: Annotated[
        int | None, typer.Option("--draw", min=0, help="Posterior draw; central values if left out.")
    ] = None,
) -> None:
    """Simulate one patient of a run alone, write full curves, and say what became of it."""
    from regraft.errors import OutputFolderError, UsageError, near_matches
    from regraft.interface.cli.output import print_lines, print_sentences
    from regraft.interface.folder import CHUNKS
    from regraft.trial.stored.repetition import Repetition
    from regraft.trial.stored.replay import given_up
    from regraft.trial.stored.replay import replay as simulate

    plan = _plan_of(run, trial)
    names = [one.id for one in plan.design.arms]
    if arm is not None and arm not in names:
        raise UsageError(f"The trial has no arm {arm!r}. {near_matches(arm, names)}")
    position = names.index(arm) if arm else 0
    _require_same_protocol(run, plan, names[position])
    repetition = _repetition(run, replicate, draw)
    name = f"{plan.design.id}-{patient:06d}-{names[position]}"
    if repetition != Repetition():
        name += f"-{repetition.folder}"
    path = out or run / "replays" / f"{name}.csv"
    if path.suffix not in (".csv", ".parquet"):
        raise UsageError(f"--out is {path}; curves are written as .csv or .parquet.")
    reason = given_up(run / CHUNKS, plan, patient, position, repetition=repetition)
    if reason:
        typer.echo(f"The run gave patient {patient} up: {reason}. This command may end in the same way.", err=True)
    found = simulate(repetition.plan(plan), patient, position)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".csv":
            found.curves.to_csv(path, index=False)
        else:
            found.curves.to_parquet(path, index=False)
    except OSError as error:
        raise OutputFolderError(f"{path} cannot be written: {error.strerror}. Choose another --out.") from error
    print_lines(f"Patient {patient} in arm {found.arm}: {found.screening}.")
    ended = {"ok": "Followed to the end", "ended": "Died"}.get(found.status, f"Could not be computed ({found.status})")
    print_sentences(f"{ended}, day {found.end_day:.6g}. {found.reason}".rstrip())
    if found.events:
        print_lines(f"Last of {len(found.events)} events:")
        print_lines(*(f"  day {day:10.2f}  {name}" for day, name in found.events[-LAST_EVENTS:]))
    print_lines(f"Curves: {path}")


def _plan_of(run: Path, trial: Path | None) -> Plan:
    """Make the plan of a run again, from its record or from the trial file.

    Raises
    ------
    UsageError : the folder holds no run, the record does not say where entries lie, or the catalog has changed since
    """
    from regraft.errors import UsageError
    from regraft.interface.folder import CHUNKS
    from regraft.trial import load_design
    from regraft.trial.design import TrialDesign
    from regraft.trial.plan import make_plan
    from regraft.trial.stored.identity import differences, plain_identity
    from regraft.trial.stored.store import read_about

    about = read_about(run / CHUNKS)
    if about is None:
        raise UsageError(f"{run} holds no run: {CHUNKS}/run.json is missing. Run `regraft run` first.")
    if about.get("own_entries") and trial is None:
        raise UsageError(
            f"The trial has entries of your own ({', '.join(about['own_entries'])}), and a run does not keep where "
            "they lie. Give the trial file with --trial."
        )
    design = load_design(trial) if trial else TrialDesign.model_validate(about["design"])
    plan = make_plan(design, seed=about["identity"]["seed"], threads=1)
    changed = differences(about["identity"], plain_identity(plan))
    if changed:
        raise UsageError(_changed(", ".join(changed), run))
    return plan


def _repetition(run: Path, replicate: int, draw: int | None) -> Repetition:
    """Return one of the repetitions that a run holds.

    Raises
    ------
    UsageError : the run has no such repetition; the message names those it has
    """
    from regraft.errors import UsageError
    from regraft.interface.folder import CHUNKS
    from regraft.trial.stored.repetition import Repetition

    chosen = Repetition(replicate, draw)
    if not (run / CHUNKS / chosen.folder).is_dir():
        there = sorted(path.name for path in (run / CHUNKS).glob("replicate-*"))
        raise UsageError(f"The run has no {chosen.folder}. Choose --replicate and --draw among: {', '.join(there)}.")
    return chosen


def _require_same_protocol(run: Path, plan: Plan, arm: str) -> None:
    """Refuse an arm whose protocol is not what it was.

    Raises
    ------
    UsageError : it has changed since the run was made
    """
    from regraft.errors import UsageError
    from regraft.interface.folder import CHUNKS
    from regraft.trial.stored.identity import arm_keys
    from regraft.trial.stored.store import read_about

    about = read_about(run / CHUNKS) or {}
    if about["files"].get(arm) != dict(arm_keys(plan))[arm]:
        raise UsageError(_changed(f"the protocol of arm {arm}", run))


def _changed(what: str, run: Path) -> str:
    """Say that patients cannot be repeated."""
    return (
        f"{what} changed since {run} was made, so its patients cannot be repeated. Go back to the version that made it "
        "(run.json), or run the trial again in another folder."
    )
