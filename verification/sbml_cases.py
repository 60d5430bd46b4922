"""Cases of the SBML semantic test suite: what a folder holds, and whether our numbers agree with its own."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regraft.engine import SolverSettings, compile_model, solve
from regraft.errors import RegraftError, UnsupportedModel
from regraft.model.equations import Assignment, Equations
from regraft.model.expressions import Expression
from regraft.model.sbml import SbmlModel, read_sbml_model

Floats = NDArray[np.float64]
_LEVEL = re.compile(r"sbml-l(\d)v(\d)\.xml$")
_TAG_LINES = ("componentTags", "testTags")
# The suite's tolerances are 1e-4 relative; ours leave room for errors to add up along a run.
RTOL, SMALLEST_ATOL = 1e-9, 1e-16
SHORTEST_STEPS = 200
PASSED, WRONG, REFUSED, FAILED = "passed", "wrong", "refused", "failed"


@dataclass(frozen=True)
class Settings:
    """What a case asks for: output times, tolerances, and which columns are amounts or concentrations."""

    start: float
    duration: float
    steps: int
    absolute: float
    relative: float
    variables: tuple[str, ...]
    amounts: frozenset[str]
    concentrations: frozenset[str]

    @property
    def times(self) -> Floats:
        """Output times."""
        return np.linspace(self.start, self.start + self.duration, self.steps + 1)


@dataclass(frozen=True)
class Outcome:
    """How a case ended: ``kind`` is one of passed, wrong, refused, failed; ``detail`` is a sentence."""

    case: str
    kind: str
    detail: str = ""


def find_cases(folder: Path) -> list[Path]:
    """Return the folders below ``folder`` that hold a model, settings and results, sorted."""
    found = {path.parent for path in folder.rglob("*settings.txt")}
    return sorted(path for path in found if _model_files(path) and _one(path, "results.csv") is not None)


def model_file(case: Path) -> Path:
    """Return the model of a case, at the highest level and version present."""
    return max(_model_files(case), key=lambda path: _level(path.name))


def _model_files(case: Path) -> list[Path]:
    named = [path for path in case.glob("*.xml") if _LEVEL.search(path.name)]
    return named or sorted(case.glob("*model.xml"))


def _level(name: str) -> tuple[str, ...]:
    found = _LEVEL.search(name)
    return found.groups() if found else ()


def _one(case: Path, ending: str) -> Path | None:
    return next(iter(sorted(case.glob(f"*{ending}"))), None)


def read_settings(path: Path) -> Settings:
    """Read the settings of a case."""
    pairs = (line.partition(":") for line in path.read_text(encoding="utf-8").splitlines())
    given = {key.strip(): value.strip() for key, _, value in pairs}

    def names(key: str) -> list[str]:
        return [name.strip() for name in given.get(key, "").split(",") if name.strip()]

    return Settings(
        float(given["start"]),
        float(given["duration"]),
        int(given["steps"]),
        float(given["absolute"]),
        float(given["relative"]),
        tuple(names("variables")),
        frozenset(names("amount")),
        frozenset(names("concentration")),
    )


def read_tags(case: Path) -> list[str]:
    """Return the tags of a case from its description (``*-model.m`` or ``tags.txt``)."""
    path = _one(case, "model.m") or _one(case, "tags.txt")
    if path is None:
        return []
    text = path.read_text(encoding="utf-8", errors="replace")
    lines = [re.search(rf"^{name}:[ \t]*(.*(?:\n[ \t]+\S.*)*)$", text, re.MULTILINE) for name in _TAG_LINES]
    return sorted({tag.strip() for line in lines if line for tag in line[1].split(",") if tag.strip()})


def read_results(path: Path) -> tuple[list[str], Floats]:
    """Return the column names and the table of expected values."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        header, *rows = [row for row in csv.reader(file) if row]
    return [name.strip() for name in header], np.array([[float(cell) for cell in row] for row in rows])


def run_case(case: Path) -> Outcome:
    """Read, run and compare one case."""
    try:
        model = read_sbml_model(model_file(case))
        settings_file, results_file = _one(case, "settings.txt"), _one(case, "results.csv")
        assert settings_file is not None and results_file is not None
        settings = read_settings(settings_file)
        header, expected = read_results(results_file)
        found = simulate(model, settings, header[1:])
    except UnsupportedModel as error:
        return Outcome(case.name, REFUSED, str(error))
    except (RegraftError, FailedRun) as error:
        return Outcome(case.name, FAILED, f"{type(error).__name__}: {error}")
    except Exception as error:
        return Outcome(case.name, FAILED, f"unforeseen {type(error).__name__}: {error}")
    difference = compare(header[1:], found, expected, settings)
    return Outcome(case.name, WRONG if difference else PASSED, difference)


class FailedRun(Exception):
    """The solver gave up; the message is its reason."""


def simulate(model: SbmlModel, settings: Settings, columns: list[str]) -> Floats:
    """Return (time, column) values of a case."""
    wanted = {f"column_{k}": _column(model, settings, name) for k, name in enumerate(columns)}
    observed = tuple(Assignment(name, "", formula) for name, formula in wanted.items())
    equations = model.equations
    equations = Equations(
        equations.id, equations.states, equations.parameters, (*equations.assignments, *observed), equations.events
    )
    kernel = compile_model(equations, list(wanted))
    times = settings.times if settings.start == 0 else np.concatenate([[0.0], settings.times])
    # a trigger that holds for a shorter time than one step may be missed
    step = settings.duration / max(settings.steps, SHORTEST_STEPS)
    result = solve(
        kernel,
        [[parameter.value for parameter in equations.parameters]],
        times=times,
        patient_ids=[1],
        seed=1,
        settings=SolverSettings(
            rtol=RTOL,
            atol=max(settings.absolute * 1e-6, SMALLEST_ATOL),
            max_step_days=step,
            first_step_days=step / 10,
            max_steps=2_000_000,
            max_events=1_000_000,
            max_cascade=100_000,
            event_time_tolerance=1e-12,
            min_step_days=1e-14,
            threads=1,
        ),
    )
    if result.failed[0]:
        raise FailedRun(result.status_detail[0])
    return np.asarray(result.values[0, -len(settings.times) :, :])


def _column(model: SbmlModel, settings: Settings, name: str) -> Expression:
    # some cases list compartments among the amounts
    if model.renamed.get(name, name) not in model.species:
        return model.symbol(name)
    if name in settings.amounts:
        return model.amount(name)
    return model.concentration(name) if name in settings.concentrations else model.symbol(name)


def compare(columns: list[str], found: Floats, expected: Floats, settings: Settings) -> str:
    """Return the worst difference by the suite's rule as a sentence, empty if all values agree."""
    if expected.shape[0] != found.shape[0]:
        return f"{expected.shape[0]} rows are expected where the settings ask for {found.shape[0]}"
    theirs = expected[:, 1:]
    with np.errstate(invalid="ignore"):
        allowed = settings.absolute + settings.relative * np.abs(theirs)
        excess = np.abs(found - theirs) / allowed
    same = (np.isnan(found) & np.isnan(theirs)) | (found == theirs)
    excess = np.where(same, 0.0, np.where(np.isfinite(excess), excess, np.inf))
    if not (excess > 1.0).any():
        return ""
    row, column = np.unravel_index(int(np.argmax(excess > 1.0)), excess.shape)
    wrong = sorted({columns[k] for k in np.flatnonzero((excess > 1.0).any(axis=0))})
    return (
        f"{', '.join(wrong)} differ, first {columns[column]} at time {expected[row, 0]:g}: "
        f"{found[row, column]:.8g} where {theirs[row, column]:.8g} is expected (worst {excess.max():.3g} tolerances)"
    )
