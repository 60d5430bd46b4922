"""Checks of catalog entries: they load, agree in units, pass the linter, join, and say where numbers come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from regraft.errors import RegraftError
from regraft.interface.catalog import CatalogEntry

METHODS = ("measured", "fitted", "derived", "digitised", "assumed")
ORIGIN = ("unit", "source", "locator", "method")


@dataclass(frozen=True)
class Finding:
    """Something wrong or doubtful. ``severity`` is ``error`` or ``warning``."""

    entry: str
    check: str
    severity: str
    message: str


Check = Callable[[CatalogEntry], Iterator[Finding]]


def check_entry(entry: CatalogEntry) -> list[Finding]:
    """Run every check that applies to one entry and return what was found."""
    return [finding for check in CHECKS[entry.kind] for finding in check(entry)]


def check_join(entries: list[CatalogEntry]) -> list[Finding]:
    """Join all models of the catalog into one patient and check the units of the whole."""
    from regraft.model import check_units, join, load_part
    from regraft.therapy.treatment import LINEAGES

    models = [entry.id for entry in entries if entry.kind == "models"]
    try:
        joined = join([load_part(model) for model in models], id="catalog", lineages=LINEAGES)
    except RegraftError as error:
        return [Finding("all models", "join", "error", str(error))]
    return [
        Finding("all models", "units", "error", f"{issue.where}: {issue.message}")
        for issue in check_units(joined.equations)
    ]


def check_evidence() -> list[Finding]:
    """Check the table of published results, and that every fit of the catalog can be read."""
    from regraft.entries import catalog_root
    from regraft.evidence.fitting.study import load_study
    from regraft.evidence.published_checks import check_published

    found = [Finding(f"evidence/{p.row}", p.check, p.severity, p.message) for p in check_published()]
    for path in sorted((catalog_root() / "calibrations").glob("*/*.yaml")):
        if path.stem == path.parent.name:
            try:
                load_study(path)
            except RegraftError as error:
                found.append(Finding(f"calibrations/{path.stem}", "load", "error", str(error)))
    return found


def _origin_of_numbers(entry: CatalogEntry) -> Iterator[Finding]:
    """Require a unit, a source, a place in the source and a known method for every number."""
    for row in entry.parameters:
        for column in ORIGIN:
            if column in row and not row[column].strip():
                yield Finding(_name(entry), "origin", "error", f"parameter {row['id']!r} has no {column}; fill it in.")
        if row["method"] not in METHODS:
            allowed = ", ".join(METHODS)
            message = f"parameter {row['id']!r} has method {row['method']!r}; allowed: {allowed}."
            yield Finding(_name(entry), "origin", "error", message)


def _limits(entry: CatalogEntry) -> Iterator[Finding]:
    """Warn about an entry that does not tell what it cannot do."""
    if not entry.limits:
        yield Finding(_name(entry), "limits", "warning", "states no limits; say in entry.toml what it leaves out.")


def _model(entry: CatalogEntry) -> Iterator[Finding]:
    """Load a model part alone, check its units and run the linter."""
    from regraft.model import check_units, lint_part, load_part

    try:
        part = load_part(entry.id)
    except RegraftError as error:
        yield Finding(_name(entry), "load", "error", str(error))
        return
    for issue in check_units(part.equations):
        yield Finding(_name(entry), "units", "error", f"{issue.where}: {issue.message}")
    for fault in lint_part(part):
        yield Finding(_name(entry), fault.check, fault.severity, f"{fault.where}: {fault.message}")


def _published_facts(entry: CatalogEntry) -> Iterator[Finding]:
    """Simulate the scenarios of a model's checks.csv and compare with what must come out."""
    from regraft.evidence.golden import run_checks

    try:
        outcomes = run_checks(entry.id)
    except RegraftError as error:
        yield Finding(_name(entry), "facts", "error", str(error))
        return
    for outcome in outcomes:
        if not outcome.is_met:
            yield Finding(_name(entry), "facts", "error", outcome.sentence)


def _loads(entry: CatalogEntry) -> Iterator[Finding]:
    """Read treatments, populations, protocols and published trials with their own readers."""
    try:
        _read(entry)
    except RegraftError as error:
        yield Finding(_name(entry), "load", "error", str(error))


def _read(entry: CatalogEntry) -> object:
    """Read an entry with the reader of its kind."""
    if entry.kind == "treatments":
        from regraft.therapy import load_treatment

        return load_treatment(entry.id)
    if entry.kind == "populations":
        return _read_population(entry.id)
    if entry.kind == "protocols":
        from regraft.therapy import load_protocol

        return load_protocol(entry.id)
    if entry.kind == "measurements":
        from regraft.trial.clinic import load_clinic

        return load_clinic(entry.id)
    from regraft.evidence.targets import load_targets

    return load_targets(entry.id)


def _read_population(entry_id: str) -> object:
    """Read a population with all tables that it may have."""
    from regraft.entries import entry_folder, read_table
    from regraft.patients import load_population
    from regraft.patients.baseline import read_moments
    from regraft.patients.enrolment import read_enrolment
    from regraft.patients.plausibility import read_ranges

    folder = entry_folder("populations", entry_id)
    for name, read in (("plausible.csv", read_ranges), ("enrolment.csv", read_enrolment)):
        if (folder / name).is_file():
            read(folder / name)
    if (folder / "baseline.csv").is_file():
        for table in {row["table"] for row in read_table(folder / "baseline.csv", columns=("table",))}:
            read_moments(folder / "baseline.csv", table)
    return load_population(entry_id)


def _name(entry: CatalogEntry) -> str:
    """Return kind and id."""
    return f"{entry.kind}/{entry.id}"


CHECKS: dict[str, tuple[Check, ...]] = {
    "models": (_model, _origin_of_numbers, _limits, _published_facts),
    "treatments": (_loads, _origin_of_numbers, _limits),
    "populations": (_loads, _origin_of_numbers, _limits),
    "measurements": (_loads, _origin_of_numbers, _limits),
    "protocols": (_loads,),
    "trials": (_loads, _limits),
}
