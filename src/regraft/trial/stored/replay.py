"""One patient of a run again, alone, with full curves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from regraft.engine import Result, Status, compile_model, solve
from regraft.patients import sample_population
from regraft.therapy import compile_protocol
from regraft.trial.design import DAYS
from regraft.trial.eligibility import ELIGIBLE
from regraft.trial.plan import Plan
from regraft.trial.screening import RUN_IN_FAILED, run_in_years, screen_batch, status_names
from regraft.trial.statistics import Floats
from regraft.trial.stored.files import WHY_LOST, ChunkFiles
from regraft.trial.stored.parquet import is_whole, read
from regraft.trial.stored.repetition import Repetition
from regraft.trial.stored.store import read_about

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Replay:
    """What became of a patient.

    ``screening`` says whether the patient was eligible and if not why, ``status`` and ``reason`` how the arm ended
    at day ``end_day`` (of the run-in where the arm was not reached), ``events`` are (day, id) in their order, and
    ``curves`` has a row per day and a column per quantity of the model.
    """

    patient_id: int
    arm: str
    screening: str
    status: str
    reason: str
    end_day: float
    events: tuple[tuple[float, str], ...]
    curves: pd.DataFrame


def replay(plan: Plan, patient: int, position: int) -> Replay:
    """Simulate one patient from disease onset to the end of follow-up in one arm.

    The patient has the same numbers and the same luck as in the run: neither depends on company or on the days that
    are recorded.

    Parameters
    ----------
    patient : id, enrolled or not
    position : place of the arm in the design
    """
    ids = np.array([patient], dtype=np.int64)
    batch = screen_batch(plan, ids)
    arm = plan.design.arms[position]
    equations = plan.equations
    everything = [*equations.state_index, *equations.assignment_index]
    plan = replace(plan, kernel=compile_model(equations, everything))
    population = sample_population(plan.population, plan.model.parameter_rows, ids, plan.seed)
    onset = plan.design.randomisation_day - float(run_in_years(plan, population)[0]) * DAYS["year"]
    before = solve(
        plan.kernel,
        population.parameter_matrix(equations),
        times=_daily(onset, plan.design.randomisation_day),
        patient_ids=ids,
        seed=plan.seed,
        settings=plan.settings,
    )
    runs = [before]
    if before.status[0] == Status.OK:
        treatment = compile_protocol(plan.protocols[position], population, equations)
        after = solve(
            plan.kernel,
            population.parameter_matrix(equations),
            times=_daily(plan.design.randomisation_day, plan.schedule.end_day),
            patient_ids=ids,
            seed=plan.seed,
            administrations=treatment.administrations,
            start=before.snapshot,
            settings=plan.settings,
            terminal_events=plan.groups.death,
        )
        runs.append(after)
    last = runs[-1]
    return Replay(
        patient_id=patient,
        arm=arm.id,
        screening=_screening(plan, int(batch.failed[0])),
        status=str(status_names(last.status)[0]),
        reason=str(last.status_detail[0]),
        end_day=float(last.end_time[0]),
        events=tuple(event for run in runs for event in _events(run)),
        curves=_curves(runs),
    )


def given_up(folder: Path, plan: Plan, patient: int, position: int, *, repetition: Repetition) -> str:
    """Return why a run gave a patient up, in the run-in or in an arm; nothing where it did not, or never came so far.

    Parameters
    ----------
    folder : of the chunks of the run
    plan : of the trial, which all its repetitions share
    repetition : which of them the patient belongs to
    """
    about = read_about(folder) or {}
    chunk = int(about["chunk"])
    files = ChunkFiles(folder / repetition.folder, patient // chunk * chunk)
    arm = files.arm(about["files"][plan.design.arms[position].id])
    for path, column in ((files.screened, "run_in"), (arm, "status")):
        if is_whole(path):
            known = read(path, ["patient_id", column])
            status = known[column][known["patient_id"] == patient]
            if status.size and status[0] in WHY_LOST:
                return WHY_LOST[str(status[0])]
    return ""


def _daily(start: float, stop: float) -> Floats:
    """Return two days, and every whole one between them."""
    return np.unique([start, *np.arange(np.ceil(start), stop), stop])


def _screening(plan: Plan, failed: int) -> str:
    """Say in words what screening found."""
    if failed == ELIGIBLE:
        return "eligible"
    if failed == RUN_IN_FAILED:
        return "run-in not solved"
    return f"not eligible: {plan.design.eligibility[failed].text} not met"


def _events(run: Result) -> list[tuple[float, str]]:
    """Return the events of a run of one patient."""
    return [(float(day), run.event_ids[index]) for day, index in zip(run.event_time, run.event_index, strict=True)]


def _curves(runs: list[Result]) -> pd.DataFrame:
    """Return the values of all runs; the day at which one ends and the next starts is that of the later one."""
    import pandas as pd

    frames = [pd.DataFrame(run.values[0], columns=list(run.output_ids)).assign(day=run.times[0]) for run in runs]
    whole = pd.concat(frames, ignore_index=True).drop_duplicates("day", keep="last")
    return whole[["day", *runs[0].output_ids]].reset_index(drop=True)
