"""Agents and cell products: where a dose goes in the model, in which unit, and within which limits."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regraft.entries import Entry, entry_folder, read_entry, read_text
from regraft.errors import DoseOutOfRange, InvalidField, UnitMismatch, near_matches
from regraft.model.lineages import HOST
from regraft.model.parameter_table import ParameterRow, read_parameters
from regraft.quantities import convert, parse_quantity, same_dimension

KINDS = ("bolus", "infusion")
DONOR, CORRECTED = "donor", "corrected"
LINEAGES = (HOST, DONOR, CORRECTED)
SHARES = ("live", "dead", "set")
IN_ALL = "total"  # word after a dose that is not per kg
PER_KG = "kg"
EXPOSURE_DAYS = "exposure_days"  # row: so long after the last dose nothing is left of a drug


@dataclass(frozen=True)
class Target:
    """A state of the model that a product enters, and the row that gives its dose (None for a drug).

    ``factor_parameter`` is a row by which the dose is multiplied: what of it is there for each unit of the dose.
    ``share`` is what of a product enters: its ``live`` cells, the ``dead`` ones, or ``set`` where the row is a property
    of the product that replaces the value of the state. A target with a ``route`` is met by that route only.
    """

    state: str
    unit: str
    dose_parameter: str | None = None
    factor_parameter: str | None = None
    share: str = "live"
    route: str | None = None


@dataclass(frozen=True)
class Lot:
    """How a product of a bank comes: one lot serves several patients, who share what is drawn for it.

    Parameters
    ----------
    rows : ids of the rows that are drawn once for each lot
    size : row with the number of patients of a lot
    refused : state of the model that counts lots below the release limit
    """

    rows: tuple[str, ...]
    size: str
    refused: str


@dataclass(frozen=True)
class Exposure:
    """How the exposure to an agent that is linear in its dose is read from the model, for targets of exposure.

    Parameters
    ----------
    quantity, unit : the state that holds the area under the concentration so far
    individual : parameters in which patients differ for reasons that nobody knows before drug levels are measured
    covariates : what a population must give each patient
    monitoring_error : row with the ratio of estimated to true clearance after drug monitoring
    """

    quantity: str
    unit: str
    individual: tuple[str, ...]
    covariates: tuple[str, ...]
    monitoring_error: str


@dataclass(frozen=True)
class Treatment:
    """A drug or a cell product as its folder describes it. ``rows`` maps ids such as ``dose_max`` to their rows.

    ``lineage`` is that of the cells of a product: the patient's own (``host``), a donor's, or corrected ones;
    ``corrected`` is the row with the share of cells that carry the gene, where the others are the patient's own.
    ``lot`` is there for products that come from a bank and are never collected; ``spacing`` is the row with the least
    time between two infusions.
    """

    id: str
    entry: Entry
    is_product: bool
    kind: str
    targets: tuple[Target, ...]
    dose_units: tuple[str, ...]
    routes: tuple[str, ...]
    rows: Mapping[str, ParameterRow]
    viability: str | None = None
    release: tuple[str, str] | None = None
    lineage: str = HOST
    corrected: str | None = None
    exposure: Exposure | None = None
    lot: Lot | None = None
    spacing: str | None = None

    @property
    def is_banked(self) -> bool:
        """Whether the product comes from a bank, so that nobody collects it."""
        return self.lot is not None

    def fixed_dose(self, name: str, text: str, where: str) -> tuple[float, bool]:
        """Return a dose of a product that a protocol fixes, in its row's unit, and whether it is a total.

        A total, ``140 Mcell total``, is divided by the patient's weight later; only products of a bank have one.

        Raises
        ------
        InvalidField : the product has no such dose
        UnitMismatch : another unit, or a number of cells that is neither per kg nor said to be a total
        """
        doses = sorted({str(target.dose_parameter) for target in self.targets if target.share != "set"})
        if name not in doses:
            raise InvalidField(f"{where} is no dose of {self.id!r}. {near_matches(name, doses)}")
        unit_of_row = self.rows[name].unit
        is_total = self.is_banked and text.strip().endswith(f" {IN_ALL}")
        value, unit = parse_quantity(text.strip().removesuffix(f" {IN_ALL}") if is_total else text)
        wanted = f"({unit_of_row})*{PER_KG}" if is_total else unit_of_row
        if same_dimension(unit, wanted):
            return convert(value, unit, wanted), is_total
        if self.is_banked and same_dimension(unit, f"({unit_of_row})*{PER_KG}"):
            raise UnitMismatch(
                f"{where} is {text!r}, a number of cells for nobody in particular. Write '{text}/kg' for a dose per kg "
                f"of body weight, or '{text} {IN_ALL}'."
            )
        allowed = f", or a total such as '140 Mcell {IN_ALL}'" if self.is_banked else ""
        raise UnitMismatch(f"{where} is {text!r}; give it in {unit_of_row}{allowed}.")

    @property
    def is_from_donor(self) -> bool:
        """Whether another person gave the cells."""
        return self.lineage == DONOR

    def limit(self, name: str, unit: str) -> float | None:
        """Return a limit such as ``dose_max`` in a unit, or None where the entry has none or in another dimension."""
        row = self.rows.get(name)
        if row is None or not same_dimension(row.unit, unit):
            return None
        return convert(row.value, row.unit, unit)

    def check_dose(self, value: float, unit: str, where: str) -> None:
        """Check one dose of a drug.

        Raises
        ------
        DoseOutOfRange : the unit is not one of the agent's, or the dose lies outside its limits
        """
        if not any(same_dimension(unit, allowed) for allowed in self.dose_units):
            units = " or ".join(self.dose_units)
            raise DoseOutOfRange(f"{where}: a dose of {self.id!r} in {unit!r} is not possible; write it in {units}.")
        low, high = self.limit("dose_min", unit), self.limit("dose_max", unit)
        if value <= 0 or (low is not None and value < low) or (high is not None and value > high):
            allowed = f"from {low:g}" if low is not None else "above 0"
            allowed += f" to {high:g}" if high is not None else ""
            raise DoseOutOfRange(
                f"{where}: {value:g} {unit} of {self.id!r}; a single dose lies {allowed} {unit}. Change it."
            )


def load_treatment(source: str | Path) -> Treatment:
    """Load a drug or product: an entry of the catalog, or a folder laid out like one.

    Raises
    ------
    UnknownEntry : no such entry; near matches are listed
    InvalidFile, InvalidField : a file or a field is not as it must be
    """
    folder = source if isinstance(source, Path) else entry_folder("treatments", source)
    entry, path = read_entry(folder), folder / "entry.toml"
    content = tomllib.loads(read_text(path))
    given = content.get("administration")
    if not isinstance(given, dict):
        raise InvalidField(f"{path}: the table [administration] is missing; copy it from a neighbouring entry.")
    rows = {row.id: row for row in read_parameters(folder / "parameters.csv")}
    product = content.get("product")
    kind = _field(given, "kind", path)
    if kind not in KINDS:
        raise InvalidField(f"{path}: administration.kind is {kind!r}; use one of {', '.join(KINDS)}.")
    targets = tuple(_target(item, path, rows) for item in given.get("targets", [given]))
    if product is not None:
        _check_product(product, targets, path, rows)
    release = product.get("release") if product else None
    return Treatment(
        entry.id,
        entry,
        product is not None,
        kind,
        targets,
        _texts(given, "dose_units", path, needed=product is None),
        _texts(given, "routes", path, needed=False),
        rows,
        viability=product.get("viability") if product else None,
        release=(release["parameter"], release["lower"]) if release else None,
        lineage=_lineage(product, path) if product else HOST,
        corrected=_corrected(product, path, rows) if product else None,
        exposure=_exposure(content.get("exposure"), path, rows),
        lot=_lot(product, path, rows) if product else None,
        spacing=_row(product, "spacing", "product.spacing", path, rows) if product else None,
    )


def _lot(product: Mapping[str, Any], path: Path, rows: Mapping[str, ParameterRow]) -> Lot | None:
    """Read how a product of a bank comes, None for a product that is collected."""
    given = product.get("lot")
    if given is None:
        return None
    names, state = (given.get(key) for key in ("rows", "refused")) if isinstance(given, dict) else (None, None)
    if not isinstance(names, list) or not isinstance(state, str) or "size" not in given:
        raise InvalidField(f"{path}: product.lot needs 'rows' (a list), 'size' (a row) and 'refused' (a state).")
    for name in (*names, given["size"]):
        if name not in rows:
            raise InvalidField(f"{path}: product.lot: {name!r} is no row of parameters.csv. {near_matches(name, rows)}")
    return Lot(tuple(names), given["size"], state)


def _corrected(product: Mapping[str, Any], path: Path, rows: Mapping[str, ParameterRow]) -> str | None:
    """Return the row with the share of corrected cells, None where all cells of a product are alike."""
    return _row(product, "corrected", "product.corrected", path, rows)


def _row(table: Mapping[str, Any], key: str, field: str, path: Path, rows: Mapping[str, ParameterRow]) -> str | None:
    """Return the row of parameters.csv that a table names, None where it names none."""
    name = table.get(key)
    if name is not None and name not in rows:
        raise InvalidField(f"{path}: {field} {name!r} is no row of parameters.csv. {near_matches(str(name), rows)}")
    return None if name is None else str(name)


def _lineage(product: Mapping[str, Any], path: Path) -> str:
    """Return whose cells a product holds."""
    lineage = product.get("lineage", HOST)
    if lineage not in LINEAGES:
        raise InvalidField(f"{path}: product.lineage is {lineage!r}; use one of {', '.join(LINEAGES)}.")
    return str(lineage)


def _exposure(given: Any, path: Path, rows: Mapping[str, ParameterRow]) -> Exposure | None:
    """Read the table [exposure] of an agent, None where it has none."""
    if given is None:
        return None
    for name in ("quantity", "unit", "monitoring_error"):
        if not isinstance(given.get(name), str):
            raise InvalidField(f"{path}: exposure.{name} is missing; give it a text.")
    for name in (given["monitoring_error"], EXPOSURE_DAYS, "dose_max"):
        if name not in rows:
            raise InvalidField(
                f"{path}: [exposure] needs the row {name!r} in parameters.csv. {near_matches(name, rows)}"
            )
    lists = [given.get(name, []) for name in ("individual", "covariates")]
    if not all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in lists):
        raise InvalidField(f"{path}: exposure.individual and exposure.covariates are lists of texts.")
    return Exposure(given["quantity"], given["unit"], tuple(lists[0]), tuple(lists[1]), given["monitoring_error"])


def _field(table: Mapping[str, Any], name: str, path: Path) -> str:
    if not isinstance(table.get(name), str):
        raise InvalidField(f"{path}: administration.{name} is missing; give it a text.")
    return str(table[name])


def _texts(table: Mapping[str, Any], name: str, path: Path, *, needed: bool) -> tuple[str, ...]:
    given = table.get(name, [])
    if not isinstance(given, list) or not all(isinstance(item, str) for item in given) or (needed and not given):
        raise InvalidField(f"{path}: administration.{name} is {given!r}; write a list of texts.")
    return tuple(given)


def _check_product(
    product: Mapping[str, Any], targets: tuple[Target, ...], path: Path, rows: Mapping[str, ParameterRow]
) -> None:
    """Refuse a cell product whose doses or viability have no row in its table."""
    for target in targets:
        if target.dose_parameter is None:
            raise InvalidField(
                f"{path}: target {target.state!r} has no dose_parameter; name its row of parameters.csv."
            )
    _row(product, "viability", "product.viability", path, rows)


def _target(item: Mapping[str, Any], path: Path, rows: Mapping[str, ParameterRow]) -> Target:
    dose, factor = (_row(item, name, name, path, rows) for name in ("dose_parameter", "factor_parameter"))
    share = item.get("share", SHARES[0])
    if share not in SHARES:
        raise InvalidField(f"{path}: share of a target is {share!r}; use one of {', '.join(SHARES)}.")
    route = _field(item, "route", path) if "route" in item else None
    return Target(_field(item, "target", path), _field(item, "target_unit", path), dose, factor, share, route)
