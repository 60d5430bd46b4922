"""Published results that a trial is set beside: rows of the catalog's table that its ``outcomes.csv`` names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from regraft.entries import entry_folder, read_table
from regraft.errors import InvalidField, near_matches
from regraft.evidence.published import load_published
from regraft.evidence.published_types import PublishedResult, Role

COLUMNS = ("id", "note")
OWN_TABLE = "published_results.csv"


@dataclass(frozen=True)
class Target:
    """One published number with its interval, if one was published.

    ``unit`` is that of ``value``, ``lower`` and ``upper``. ``n`` counts the patients behind the number; it,
    ``year`` and ``time_months`` are None where the publication or the endpoint gives none.
    """

    id: str
    study: str
    year: int | None
    arm_class: str
    n: int | None
    population: str
    regimen: str
    endpoint_id: str
    time_months: float | None
    value: float
    unit: str
    lower: float | None
    upper: float | None
    interval_type: str
    citation: str
    source_row: str
    note: str

    @property
    def has_confidence_interval(self) -> bool:
        """Whether a 95 % interval of the value was published or follows from published counts.

        Ranges, quartiles and standard deviations tell how patients differ, not how well the value is known.
        """
        return self.lower is not None and self.upper is not None and "95" in self.interval_type

    @property
    def interval_is_computed(self) -> bool:
        """Whether the interval was computed from published counts and not printed in the publication."""
        return "computed" in self.interval_type


def load_targets(trial_id: str) -> tuple[Target, ...]:
    """Read the published rows that simulated results of a trial are set beside.

    Parameters
    ----------
    trial_id : id of a folder under ``catalog/trials``, or the path of one's own folder; the latter may hold a table
        ``published_results.csv`` of its own rows, with the columns of the catalog's

    Returns
    -------
    the rows in the order of ``outcomes.csv``; its note follows the one of the table

    Raises
    ------
    UnknownEntry : no such trial in the catalog
    InvalidFile : a file cannot be read or lacks a column
    InvalidField : a row that no table holds, whose role is not ``calibrate``, that nobody verified, without a number,
        or that no endpoint of a trial answers
    """
    folder = entry_folder("trials", trial_id)
    rows = list(load_published())
    if (folder / OWN_TABLE).is_file():
        rows += load_published(path=folder / OWN_TABLE)
    return read_targets(folder / "outcomes.csv", rows)


def read_targets(path: Path, rows: list[PublishedResult]) -> tuple[Target, ...]:
    """Read which rows a trial is set beside.

    Parameters
    ----------
    path : ``outcomes.csv`` with an id per line, and a note on how the row differs from the trial
    rows : what the ids may name

    Raises
    ------
    InvalidFile : the file cannot be read or lacks a column
    InvalidField : as for ``load_targets``, or a row that is named twice
    """
    by_id = {row.id: row for row in rows}
    targets: dict[str, Target] = {}
    for line, named in enumerate(read_table(path, columns=COLUMNS), start=2):
        where = f"{path}, line {line} (id {named['id']!r})"
        if named["id"] not in by_id:
            raise InvalidField(f"{where}: there is no such published row. {near_matches(named['id'], by_id)}")
        if named["id"] in targets:
            raise InvalidField(f"{where}: the row occurs twice; name it once.")
        targets[named["id"]] = _target(where, by_id[named["id"]], named["note"])
    return tuple(targets.values())


def _target(where: str, row: PublishedResult, note: str) -> Target:
    """Return a published row as what a simulated estimate is set beside, or say why it cannot be."""
    _refuse_rows_kept_for_validation(where, row)
    if row.value is None:
        raise InvalidField(f"{where}: the row states a direction and no number; leave it out.")
    if not row.endpoint_id:
        raise InvalidField(
            f"{where}: no endpoint of a trial answers {row.endpoint!r} (column 'endpoint_id' of the table is empty); "
            "leave the row out until one does."
        )
    if row.reference_class:
        raise InvalidField(
            f"{where}: the row compares {row.arm_class!r} with {row.reference_class!r}; only rows about one arm are "
            "set beside a trial. Leave it out."
        )
    return Target(
        id=row.id,
        study=row.study,
        year=row.year,
        arm_class=row.arm_class,
        n=row.patients,
        population=row.population,
        regimen=row.regimen,
        endpoint_id=row.endpoint_id,
        time_months=row.time_months,
        value=row.value,
        unit=row.unit,
        lower=row.lower,
        upper=row.upper,
        interval_type=row.printed.interval_type,
        citation=row.citation,
        source_row=row.source_row,
        note="; ".join(text for text in (row.note, note) if text),
    )


def _refuse_rows_kept_for_validation(where: str, row: PublishedResult) -> None:
    """Keep rows away that a model must not be fitted to, and numbers that nobody checked against the paper."""
    if row.role is not Role.CALIBRATE:
        raise InvalidField(
            f"{where}: role is {row.role.value!r}, and only 'calibrate' may be compared with while a model is built. "
            "Rows kept for validation are read by the validation step alone: take the row out of this file."
        )
    if not row.is_verified:
        raise InvalidField(
            f"{where}: verified is 'no', and only 'yes' is allowed. Check the number against the publication, then set "
            "it to 'yes' in the table, or take the row out of this file."
        )
