"""Run the checks that a model entry states about itself: published facts that must come out."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from regraft.engine import Kernel, SolverSettings, compile_model, solve
from regraft.entries import entry_folder, read_number, read_table, read_text
from regraft.errors import InvalidField, near_matches
from regraft.model import join, load_part
from regraft.model.lineages import HOST
from regraft.patients import Population
from regraft.quantities import convert
from regraft.therapy import compile_protocol, load_protocol

COLUMNS = ("id", "kind", "scenario", "set", "quantity", "time_day", "lower", "upper", "unit", "source", "locator")
PATIENTS = 48  # enough that the median over luck and graft doses is steady
SEED = 1


@dataclass(frozen=True)
class Check:
    """A quantity that must lie between two bounds (in ``unit``) at a day of a scenario, the id of a protocol.

    ``changes`` are parameters with values other than those of the tables, such as a healthy pool in a disease model.
    """

    id: str
    scenario: str
    changes: tuple[tuple[str, float], ...]
    quantity: str
    time_day: float
    lower: float
    upper: float
    unit: str
    source: str


@dataclass(frozen=True)
class Outcome:
    """A check and what the model gives: the median over patients who differ in luck and graft dose only."""

    check: Check
    value: float

    @property
    def is_met(self) -> bool:
        """Whether the value lies within the bounds, which are included."""
        return self.check.lower <= self.value <= self.check.upper

    @property
    def sentence(self) -> str:
        """What was expected and what came out."""
        check = self.check
        return (
            f"check {check.id!r}: {check.quantity} on day {check.time_day:g} of {check.scenario!r} is {self.value:.4g} "
            f"{check.unit}, expected {check.lower:g} to {check.upper:g} ({check.source})"
        )


def read_checks(model: str) -> tuple[Check, ...]:
    """Read the checks of a model entry.

    Raises
    ------
    InvalidFile, InvalidField : the table cannot be read, or bounds that no number can meet
    """
    path = entry_folder("models", model) / "checks.csv"
    return tuple(_check(row, path) for row in read_table(path, columns=COLUMNS))


def run_checks(model: str) -> tuple[Outcome, ...]:
    """Simulate the scenarios of a model entry and compare.

    All patients have the parameter values of the tables; they differ in luck and in what their graft holds. The entry
    says under ``[checks]`` in ``entry.toml`` which ``parts`` are joined, in which ``lineages`` (the patient's own if
    left out), and on which ``start_day`` the run begins.

    Returns
    -------
    one outcome per row of ``checks.csv``

    Raises
    ------
    InvalidField : an unknown quantity or scenario, or parts that are not declared
    """
    checks = read_checks(model)
    parts, lineages, start_day = _setting(model, checks)
    equations = join([load_part(part) for part in parts], id="checks", lineages=lineages).equations
    known = {*equations.state_index, *equations.assignment_index}
    parameters = equations.parameter_index
    for check in checks:
        for name, _ in check.changes:
            if name not in parameters:
                raise InvalidField(f"Check {check.id!r} of {model!r} sets {name!r}. {near_matches(name, parameters)}")
        if check.quantity not in known:
            raise InvalidField(
                f"Check {check.id!r} of {model!r}: {check.quantity!r}. {near_matches(check.quantity, known)}"
            )
    kernel = compile_model(equations, sorted({check.quantity for check in checks}))
    found: dict[str, Outcome] = {}
    for _, group in groupby(sorted(checks, key=_run), key=_run):
        found |= {outcome.check.id: outcome for outcome in _simulate(kernel, list(group), start_day)}
    return tuple(found[check.id] for check in checks)


def _setting(model: str, checks: Sequence[Check]) -> tuple[list[str], list[str], float]:
    """Return parts to join (the entry itself by its path if it is a user's own), lineages, and the day of the start."""
    path = entry_folder("models", model) / "entry.toml"
    content = tomllib.loads(read_text(path))
    about = content.get("checks", {})
    parts, start, lineages = about.get("parts"), about.get("start_day"), about.get("lineages", [HOST])
    if not isinstance(parts, list) or not isinstance(start, int | float):
        raise InvalidField(f"{path}: [checks] needs 'parts' (model entries to join) and 'start_day' (a number).")
    for check in checks:
        if check.time_day < start:
            raise InvalidField(
                f"Check {check.id!r} of {model!r} is on day {check.time_day:g}, but [checks] in {path} starts on day "
                f"{start:g}. Start earlier, or move the check."
            )
    parts = [model if part == content.get("id") else str(part) for part in parts]
    return parts, list(map(str, lineages)), float(start)


def _run(check: Check) -> tuple[str, tuple[tuple[str, float], ...]]:
    """Return what tells runs apart: checks with the same one share a simulation."""
    return check.scenario, check.changes


def _simulate(kernel: Kernel, checks: Sequence[Check], start_day: float) -> Iterator[Outcome]:
    """Yield the outcomes of checks that share a run."""
    scenario, changes = _run(checks[0])
    ids = np.arange(PATIENTS)
    typical = {parameter.id: parameter.value for parameter in kernel.equations.parameters} | dict(changes)
    people = Population(ids, SEED, {name: np.full(PATIENTS, value) for name, value in typical.items()}, ())
    times = np.unique([start_day, *(check.time_day for check in checks)])
    result = solve(
        kernel,
        people.parameter_matrix(kernel.equations),
        times=times,
        patient_ids=ids,
        seed=SEED,
        administrations=compile_protocol(load_protocol(scenario), people, kernel.equations).administrations,
        settings=SolverSettings(),
    )
    for check in checks:
        values = result.output(check.quantity)[:, int(np.searchsorted(times, check.time_day))]
        unit = kernel.equations.units[check.quantity]
        yield Outcome(check, float(np.median(values)) * convert(1.0, unit, check.unit))


def _check(row: dict[str, str], path: Path) -> Check:
    """Return one row as a check."""
    time, lower, upper = (
        read_number(row[column], path=path, row=row["id"], column=column) for column in ("time_day", "lower", "upper")
    )
    if lower > upper:
        raise InvalidField(f"{path}, row {row['id']!r}: lower {lower:g} is above upper {upper:g}; swap them.")
    return Check(
        row["id"], row["scenario"], _changes(row, path), row["quantity"], time, lower, upper, row["unit"], row["source"]
    )


def _changes(row: dict[str, str], path: Path) -> tuple[tuple[str, float], ...]:
    """Read ``name=value`` pairs, separated by spaces."""
    pairs = [text.partition("=") for text in row["set"].split()]
    return tuple((name, read_number(value, path=path, row=row["id"], column="set")) for name, _, value in pairs)
