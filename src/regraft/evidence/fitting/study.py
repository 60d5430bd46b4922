"""A fit as a folder of the catalog says it: priors, trials, and which published rows each trial answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from regraft.complaints import explain
from regraft.entries import catalog_root, read_number, read_table, read_yaml
from regraft.errors import InvalidField, UnknownEntry, near_matches
from regraft.evidence.calibration.priors import Priors, read_priors
from regraft.evidence.calibration.settings import Settings
from regraft.trial.design import Identifier, TrialDesign, load_design

START = "a fit starts with 'id:' and 'title:'"
COLUMNS = ("id", "design", "arm", "reference", "se", "extra_sd", "reason")
ALL_SHARES = 1.0
SHARES_TOLERANCE = 1e-6


class _Content(BaseModel):
    """What the YAML file of a fit may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Identifier
    title: Annotated[str, Field(min_length=1)]
    seed: Annotated[int, Field(ge=0, lt=2**63, strict=True)]
    patients_per_arm: Annotated[int, Field(ge=10, strict=True)]
    priors: str = "priors.csv"
    fitted: str = "fitted.csv"
    scored: str = ""
    beside: str = ""
    designs: Annotated[tuple[str, ...], Field(min_length=1)]
    outcomes_of: str = ""
    settings: Mapping[str, float] = Field(default_factory=dict)


@dataclass(frozen=True)
class RowUse:
    """Which arm of which trial answers a published row.

    ``arm`` may be a mixture, as a series of several donors is: ``sibling:0.2+haplo:0.8``. ``se`` is the standard error
    on the row's link scale where the row itself gives none, ``extra_sd`` the spread there because population or
    definition differ; ``reason`` says how both came about.
    """

    id: str
    design: str
    arm: str
    reference: str
    se: float | None
    extra_sd: float
    reason: str

    @property
    def arms(self) -> tuple[tuple[str, float], ...]:
        """Arms with the share of the patients that each stands for."""
        return tuple(_mixture(self.arm))


@dataclass(frozen=True)
class Study:
    """A fit: its priors, its trials, the rows that are fitted, and those that are scored.

    ``beside`` are rows for calibration that are set beside the predictions but not fitted, because their patients may
    stand in rows for validation. ``outcomes_of`` is the trial in which is looked at what decides an outcome: the one
    with the longest follow-up unless the file names another.
    """

    id: str
    title: str
    seed: int
    priors: Priors
    designs: Mapping[str, TrialDesign]
    fitted: tuple[RowUse, ...]
    scored: tuple[RowUse, ...]
    beside: tuple[RowUse, ...]
    outcomes_of: TrialDesign
    settings: Settings
    path: Path


def load_study(path: str | Path, *, patients_per_arm: int | None = None) -> Study:
    """Read and check a fit.

    Parameters
    ----------
    path : a YAML file; all files it names lie beside it
    patients_per_arm : replaces the number in the file

    Raises
    ------
    InvalidFile : a file cannot be read
    InvalidField : a key, value or name that is not allowed, with the next step
    """
    path = Path(path)
    content = _read(path)
    patients = patients_per_arm or content.patients_per_arm
    designs: dict[str, TrialDesign] = {}
    for name in content.designs:
        design = load_design(path.parent / name)
        if design.posterior is not None:
            raise InvalidField(
                f"{path}: design {design.id!r} has the posterior {design.posterior!r}, but a fit starts from its "
                "priors. Take 'posterior' out of the design."
            )
        if design.id in designs:
            raise InvalidField(f"{path}: two designs have the id {design.id!r}; give each its own.")
        designs[design.id] = design.model_copy(update={"patients_per_arm": patients})
    return Study(
        id=content.id,
        title=content.title,
        seed=content.seed,
        priors=read_priors(path.parent / content.priors),
        designs=designs,
        fitted=read_uses(path.parent / content.fitted, designs),
        scored=read_uses(path.parent / content.scored, designs) if content.scored else (),
        beside=read_uses(path.parent / content.beside, designs) if content.beside else (),
        outcomes_of=_outcomes_of(path, content.outcomes_of, designs),
        settings=_settings(path, content.settings),
        path=path,
    )


def _outcomes_of(path: Path, name: str, designs: Mapping[str, TrialDesign]) -> TrialDesign:
    """Return the trial that a file names for its outcomes, or the longest."""
    if name and name not in designs:
        raise InvalidField(
            f"{path}: 'outcomes_of' is {name!r}, but no design has that id. {near_matches(name, designs)}"
        )
    return designs[name] if name else max(designs.values(), key=lambda one: one.follow_up.days)


def find_study(name: str) -> Path:
    """Return the file of a fit: a path, or the id of one in the catalog.

    Raises
    ------
    UnknownEntry : there is neither
    """
    if Path(name).is_file():
        return Path(name)
    folder = catalog_root() / "calibrations"
    known = sorted(path.name for path in folder.iterdir() if (path / f"{path.name}.yaml").is_file())
    if name not in known:
        raise UnknownEntry(
            f"There is no file {name}, and the catalog has no fit of that id. {near_matches(name, known)}"
        )
    return folder / name / f"{name}.yaml"


def read_uses(path: Path, designs: Mapping[str, TrialDesign]) -> tuple[RowUse, ...]:
    """Read which arm answers which row.

    Raises
    ------
    InvalidField : a row named twice, a trial or arm that does not exist, or an ``extra_sd`` that is negative
    """
    uses: list[RowUse] = []
    for line, row in enumerate(read_table(path, columns=COLUMNS), start=2):
        where = f"{path}, line {line} (id {row['id']!r})"
        if any(use.id == row["id"] for use in uses):
            raise InvalidField(f"{where}: the row occurs twice; one arm answers it.")
        if row["design"] not in designs:
            raise InvalidField(f"{where}: no design {row['design']!r}. {near_matches(row['design'], designs)}")
        _check_arms(where, row, [arm.id for arm in designs[row["design"]].arms])
        numbers = {
            name: read_number(row[name], path=path, row=row["id"], column=name) if row[name] else None
            for name in ("se", "extra_sd")
        }
        spread, error = numbers["extra_sd"] or 0.0, numbers["se"]
        if error is not None and (error <= 0 or not row["reason"]):
            raise InvalidField(f"{where}: se is {error:g}; it is above 0, and 'reason' says where it comes from.")
        if spread < 0 or (spread > 0 and not row["reason"]):
            raise InvalidField(
                f"{where}: extra_sd is {spread:g}; it is not negative, and 'reason' says why it is there."
            )
        uses.append(RowUse(row["id"], row["design"], row["arm"], row["reference"], error, spread, row["reason"]))
    if not uses:
        raise InvalidField(f"{path} names no published row; name at least one.")
    return tuple(uses)


def _check_arms(where: str, row: Mapping[str, str], arms: Sequence[str]) -> None:
    """Refuse arms that the design does not have, and mixtures whose shares are not everybody."""
    try:
        mixture = _mixture(row["arm"])
    except ValueError:
        raise InvalidField(
            f"{where}: arm is {row['arm']!r}; write one arm, or a mixture such as 'sibling:0.2+haplo:0.8'."
        ) from None
    for column, name in [*(("arm", name) for name, _ in mixture), ("reference", row["reference"])]:
        if name not in arms and (column == "arm" or name):
            raise InvalidField(f"{where}: {column} is {name!r}. {near_matches(name, arms)}")
    total = sum(share for _, share in mixture)
    if abs(total - ALL_SHARES) > SHARES_TOLERANCE or any(share <= 0 for _, share in mixture):
        raise InvalidField(
            f"{where}: the shares of the arms in {row['arm']!r} add up to {total:g}; each is above 0, all are 1."
        )


def _mixture(text: str) -> list[tuple[str, float]]:
    """Return arms and shares; one arm alone is everybody."""
    if ":" not in text:
        return [(text, ALL_SHARES)]
    pairs = (part.split(":", 1) for part in text.split("+"))
    return [(pair[0].strip(), float(pair[1])) for pair in pairs]


def used_designs(study: Study, uses: Sequence[RowUse]) -> dict[str, TrialDesign]:
    """Return the designs that some rows need, each with the arms that they need."""
    found = {}
    for name, design in study.designs.items():
        mine = [use for use in uses if use.design == name]
        wanted = {arm for use in mine for arm, _ in use.arms} | {use.reference for use in mine}
        arms = tuple(arm for arm in design.arms if arm.id in wanted)
        if arms:
            reference = design.reference_arm if design.reference_arm in wanted else arms[0].id
            found[name] = design.model_copy(update={"arms": arms, "reference_arm": reference})
    return found


def _read(path: Path) -> _Content:
    """Return the content of the YAML file."""
    content: dict[str, Any] = read_yaml(path, START)
    try:
        return _Content.model_validate(content)
    except ValidationError as error:
        raise InvalidField(explain(error, _Content, str(path))) from None


def _settings(path: Path, given: Mapping[str, float]) -> Settings:
    """Return sizes and limits."""
    known = Settings.__dataclass_fields__
    for name in given:
        if name not in known:
            raise InvalidField(f"{path}: settings.{name} is unknown. {near_matches(name, known)}")
    whole = {name: int(value) if float(value) == math.floor(value) else value for name, value in given.items()}
    return Settings(**whole)  # type: ignore[arg-type]  # the class checks its values
