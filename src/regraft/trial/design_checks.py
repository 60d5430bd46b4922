"""Checks of a design that need more than one field or the catalog: each a small function, all run, all reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from regraft.entries import is_path, list_entries
from regraft.errors import InvalidField, UnknownEntry, near_matches
from regraft.model.lineages import HOST
from regraft.therapy.treatment import LINEAGES
from regraft.trial.design import TrialDesign
from regraft.trial.draws import find_draws
from regraft.trial.endpoints import ENDPOINTS
from regraft.trial.measures import MEASURES
from regraft.trial.visits import make_schedule


def check_design(design: TrialDesign, where: str, *, folder: Path | None = None) -> None:
    """Refuse a design that cannot be run; the message has one line per mistake.

    Raises
    ------
    InvalidField : with file, field, value, what is allowed and the next step for each mistake
    """
    found = list(_entries(design, folder or Path()))
    found += [complaint for check in CHECKS for complaint in check(design)]
    found += list(_protocols(design, folder or Path()))
    found += list(_posterior(design, folder or Path()))
    if found:
        raise InvalidField("\n".join(f"{where}: {complaint}" for complaint in found))


def _arms(design: TrialDesign) -> Iterator[str]:
    """Arms must differ in id, and the reference must be one of them."""
    ids = [arm.id for arm in design.arms]
    for arm, count in Counter(ids).items():
        if count > 1:
            yield f"arms: id {arm!r} is used {count} times. Give each arm its own id."
    if design.reference_arm not in ids:
        yield f"reference_arm is {design.reference_arm!r}, which is no arm. {near_matches(design.reference_arm, ids)}"


def _lineages(design: TrialDesign) -> Iterator[str]:
    """Lineages are those that products can have, the patient's own first, each once."""
    if design.lineages[0] != HOST or len(set(design.lineages)) < len(design.lineages):
        yield f"lineages is {list(design.lineages)}; the first is {HOST!r} (the patient's own cells), each once."
    for lineage in design.lineages:
        if lineage not in LINEAGES:
            yield f"lineages: {lineage!r} is unknown. {near_matches(lineage, LINEAGES)}"


def _endpoints(design: TrialDesign) -> Iterator[str]:
    """Endpoints must exist and be named once."""
    for endpoint, count in Counter(design.endpoints).items():
        if endpoint not in ENDPOINTS:
            yield f"endpoints: {endpoint!r} is unknown. {near_matches(endpoint, ENDPOINTS)}"
        if count > 1:
            yield f"endpoints: {endpoint!r} is named {count} times. Name it once."


def _criteria(design: TrialDesign) -> Iterator[str]:
    """Criteria must use known measures, their units, and limits that somebody can meet."""
    for number, criterion in enumerate(design.eligibility):
        field = f"eligibility[{number}]"
        measure = MEASURES.get(criterion.measure)
        if measure is None:
            matches = near_matches(criterion.measure, MEASURES)
            yield f"{field}.measure is {criterion.measure!r}, which is unknown. {matches}"
            continue
        if (criterion.unit or "dimensionless") != measure.unit:
            need = f"{criterion.measure} is in {measure.unit}. Write 'unit: {measure.unit}'."
            yield f"{field}.unit is {criterion.unit!r}; {need}"
        if criterion.min is None and criterion.max is None:
            yield f"{field} ({criterion.measure}) has neither 'min' nor 'max'. Add one."
        elif criterion.min is not None and criterion.max is not None and criterion.min > criterion.max:
            yield f"{field}: min {criterion.min:g} is above max {criterion.max:g}; nobody can be enrolled. Swap them."
        if measure.is_count and any(limit is not None and limit < 0 for limit in (criterion.min, criterion.max)):
            yield f"{field}: {criterion.measure} is a count and cannot be negative. Use 0 or more."


def _plausible(design: TrialDesign) -> Iterator[str]:
    """Ranges must have limits that somebody can meet."""
    for number, limits in enumerate(design.plausible.ranges if design.plausible else ()):
        field = f"plausible.ranges[{number}]"
        if limits.min is None and limits.max is None:
            yield f"{field} ({limits.quantity}) has neither 'min' nor 'max'. Add one."
        elif limits.min is not None and limits.max is not None and limits.min >= limits.max:
            yield f"{field}: min {limits.min:g} is not below max {limits.max:g}; nobody is plausible. Swap them."


def _enrolment(design: TrialDesign) -> Iterator[str]:
    """Enrolment must say how likely it is, in one way."""
    rule = design.enrolment
    if rule is not None and rule.population == (rule.probability is not None):
        yield "enrolment needs either 'probability: 0.6' or 'population: true' (its enrolment.csv). Give one of them."


def _success(design: TrialDesign) -> Iterator[str]:
    """Ask for the chance of success of a compared arm only, on an endpoint of the trial, within its follow-up."""
    rule = design.success
    if rule is None:
        return
    compared = [arm.id for arm in design.arms if arm.id != design.reference_arm]
    if rule.arm not in compared:
        yield f"success.arm is {rule.arm!r}, which is no arm beside the reference. {near_matches(rule.arm, compared)}"
    if rule.endpoint not in design.endpoints:
        yield f"success.endpoint is {rule.endpoint!r}. {near_matches(rule.endpoint, design.endpoints)}"
    if rule.after.days > design.follow_up.days:
        yield f"success.after is {rule.after.days:g} days, beyond the follow-up of {design.follow_up.days:g}. Cut it."


def _visits(design: TrialDesign) -> Iterator[str]:
    """Visits must fit into the follow-up."""
    try:
        make_schedule(design, daily_until=0.0)
    except InvalidField as error:
        yield str(error)


def _screening(design: TrialDesign) -> Iterator[str]:
    """Leave room for the patients asked for."""
    limit = design.screening_limit
    if limit is not None and limit < design.patients_per_arm:
        yield (
            f"screening_limit is {limit}, below patients_per_arm {design.patients_per_arm}. "
            "Raise it, or leave it out for 50 times as many."
        )


def _entries(design: TrialDesign, folder: Path) -> Iterator[str]:
    """Models, population, measurements and outcomes must be in the catalog, or folders of the user that exist."""
    named = [("models", model, f"models[{k}]") for k, model in enumerate(design.models)]
    named += [("trials", trial, f"outcomes[{k}]") for k, trial in enumerate(design.outcomes)]
    named += [("populations", design.population, "population"), ("measurements", design.measurements, "measurements")]
    for kind, entry, field in named:
        known = list_entries(kind)
        if is_path(entry):
            if not (folder / entry / "entry.toml").is_file():
                yield f"{field} is {entry!r}, but there is no {folder / entry / 'entry.toml'}. Correct the path."
        elif entry not in known:
            yield f"{field} is {entry!r}, which is not under {kind} in the catalog. {near_matches(entry, known)}"
    for model, count in Counter(design.models).items():
        if count > 1:
            yield f"models: {model!r} is named {count} times. Name it once."


def _protocols(design: TrialDesign, folder: Path) -> Iterator[str]:
    """Each arm's protocol must be in the catalog, or a file that exists."""
    known = list_entries("protocols")
    for number, arm in enumerate(design.arms):
        field = f"arms[{number}].protocol"
        if arm.protocol.endswith((".yaml", ".yml")):
            path = folder / arm.protocol
            if not path.is_file():
                yield f"{field} is {arm.protocol!r}, but there is no file {path}. Correct the path."
        elif arm.protocol not in known:
            matches = near_matches(arm.protocol, known)
            yield f"{field} is {arm.protocol!r}, which is not under protocols in the catalog. {matches}"


def _posterior(design: TrialDesign, folder: Path) -> Iterator[str]:
    """Draws of the posterior must be stored in the catalog, or in a folder of the user."""
    name = design.posterior
    if name is None:
        return
    try:
        find_draws(str((folder / name).resolve()) if is_path(name) else name)
    except UnknownEntry as error:
        yield f"posterior is {name!r}. {error}"


CHECKS: tuple[Callable[[TrialDesign], Iterator[str]], ...] = (
    _arms,
    _lineages,
    _endpoints,
    _criteria,
    _plausible,
    _enrolment,
    _success,
    _visits,
    _screening,
)
