"""The protocol file: a procedure as steps, written in YAML, checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from regraft.complaints import explain
from regraft.entries import PROTOCOL_START, entry_folder, list_entries, read_yaml
from regraft.errors import DoseOutOfRange, InvalidField, RegraftError, UnitMismatch, near_matches
from regraft.quantities import convert, parse_quantity, same_dimension
from regraft.therapy.donor import Donor
from regraft.therapy.treatment import Treatment, load_treatment

DRUG_PHASES = ("mobilise", "condition", "prophylaxis", "maintain", "rescue")
# guards against typing errors: more than a dose a day for a whole life
MAX_DOSES = 40_000
Day = Annotated[float, Field(allow_inf_nan=False, ge=-400, le=40_000)]


class _Strict(BaseModel):
    """A part of a protocol: unknown keys are refused, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Repeat(_Strict):
    """Days at equal intervals: from ``start``, every ``every`` days, up to and including ``until``."""

    start: Day
    every: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    until: Day

    @model_validator(mode="after")
    def _forwards(self) -> Repeat:
        if self.until < self.start:
            raise ValueError(f"until ({self.until:g}) lies before start ({self.start:g})")
        if (self.until - self.start) / self.every > MAX_DOSES:
            raise ValueError(f"every {self.every:g} days gives more than {MAX_DOSES} doses")
        return self

    @property
    def days(self) -> tuple[float, ...]:
        """The days themselves."""
        count = int((self.until - self.start) / self.every + 1e-9) + 1
        return tuple(self.start + i * self.every for i in range(count))


class DrugStep(_Strict):
    """Doses of one agent. Days count from day 0, the infusion of the graft or the first dose.

    Instead of ``dose``, ``target_auc`` gives the exposure that all days of the step add up to; each patient then gets
    the dose that the clearance asks for, as far as it is ``known``: typical for the patient's covariates, or the
    patient's own after drug monitoring.
    """

    phase: Literal["mobilise", "condition", "prophylaxis", "maintain", "rescue"]
    agent: str
    dose: str | None = None
    target_auc: str | None = None
    known: Literal["population", "patient"] | None = None
    days: Annotated[tuple[Day, ...], Field(min_length=1)] | Repeat
    route: str | None = None
    duration: str | None = None
    note: str = ""

    @field_validator("days")
    @classmethod
    def _ascending(cls, value: tuple[float, ...] | Repeat) -> tuple[float, ...] | Repeat:
        if isinstance(value, tuple) and any(b <= a for a, b in zip(value, value[1:], strict=False)):
            raise ValueError("days must ascend, each once")
        return value

    @property
    def dose_text(self) -> str:
        """The dose, or the exposure that is aimed at."""
        return self.dose if self.dose is not None else f"AUC {self.target_auc}"

    @property
    def all_days(self) -> tuple[float, ...]:
        """Every day of the step."""
        return self.days.days if isinstance(self.days, Repeat) else self.days


class CollectStep(_Strict):
    """Collection of a graft; what it holds is the product's entry."""

    phase: Literal["collect"]
    product: str
    days: Annotated[tuple[Day, ...], Field(min_length=1)]
    note: str = ""


class SecondGraft(_Strict):
    """What a patient receives whose graft was rejected or did not engraft: cells of the same donor, once.

    Parameters
    ----------
    after : time from failure to the second infusion, such as ``42 day``
    doses : as those of the first infusion
    suppression : share of the hazard of rejection that conditioning and serotherapy before it take away; the model has
        its own where nothing is said
    """

    after: str
    product: str
    doses: Mapping[str, str] = Field(default_factory=dict)
    suppression: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None


class InfuseStep(_Strict):
    """Infusion of a cell product.

    Parameters
    ----------
    donor : who gave the cells, for a product of another person
    doses : fixed doses in place of the product's own, by the names of its rows (``cd34_dose: 5 Mcell/kg``)
    viability : share of live cells of a lot of a bank that is known, in place of what is drawn for each lot
    fallback : product given to patients whose graft lies below its release limit
    second : what answers a graft that fails
    """

    phase: Literal["infuse"]
    product: str
    day: Day
    donor: Donor | None = None
    doses: Mapping[str, str] = Field(default_factory=dict)
    viability: Annotated[float, Field(ge=0, le=1)] | None = None
    fallback: str | None = None
    second: SecondGraft | None = None
    route: str | None = None
    note: str = ""


class MonitorStep(_Strict):
    """What is watched, for the reader and the timeline; it changes nothing in the model."""

    phase: Literal["monitor"]
    label: str
    start: Day
    until: Day
    note: str = ""


Step = Annotated[DrugStep | CollectStep | InfuseStep | MonitorStep, Field(discriminator="phase")]


class Protocol(_Strict):
    """A procedure: who gets what, how much, when."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: Annotated[str, Field(min_length=1)]
    version: str = "0.1.0"
    status: Literal["draft", "reviewed"] = "draft"
    source: str = ""
    limits: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()

    @property
    def treatment_ids(self) -> tuple[str, ...]:
        """Agents and products, each once, in order of appearance."""
        names = [
            s.agent if isinstance(s, DrugStep) else s.product for s in self.steps if not isinstance(s, MonitorStep)
        ]
        infusions = [s for s in self.steps if isinstance(s, InfuseStep)]
        names += [s.fallback for s in infusions if s.fallback]
        names += [s.second.product for s in infusions if s.second]
        return tuple(dict.fromkeys(names))


def load_protocol(source: str | Path) -> Protocol:
    """Read and check a protocol.

    Parameters
    ----------
    source : id of an entry in the catalog's protocols, or the path of a YAML file

    Raises
    ------
    UnknownEntry : no such entry; near matches are listed
    InvalidFile : the file cannot be read or is not YAML
    InvalidField : a key, value, agent, route or order of steps that is not allowed
    DoseOutOfRange, UnitMismatch : a dose without unit, in a wrong unit, or outside the agent's limits
    """
    text = str(source)
    path = Path(text) if text.endswith((".yaml", ".yml")) else entry_folder("protocols", text)
    content = read_yaml(path, PROTOCOL_START)
    try:
        protocol = Protocol.model_validate(content)
    except ValidationError as error:
        raise InvalidField(explain(error, Protocol, str(path))) from None
    for number, step in enumerate(protocol.steps):
        _check_step(step, f"{path}: steps[{number}]")
    _check_courses(protocol, path)
    _check_order(protocol, path)
    _check_spacing(protocol, path)
    return protocol


def _check_step(step: DrugStep | CollectStep | InfuseStep | MonitorStep, where: str) -> None:
    """Check names, doses and routes against the treatment's entry."""
    if isinstance(step, MonitorStep):
        return
    name = step.agent if isinstance(step, DrugStep) else step.product
    known = list_entries("treatments")
    if name not in known:
        raise InvalidField(f"{where}: the catalog has no treatment {name!r}. {near_matches(name, known)}")
    treatment = load_treatment(name)
    if treatment.is_product == isinstance(step, DrugStep):
        what = (
            "a cell product: collect and infuse it" if treatment.is_product else "a drug: give it in a phase of its own"
        )
        raise InvalidField(f"{where}: {name!r} is {what}.")
    route = getattr(step, "route", None)
    if route is not None and route not in treatment.routes:
        raise InvalidField(
            f"{where}.route: {route!r} is not possible for {name!r}. {near_matches(route, treatment.routes)}"
        )
    if isinstance(step, InfuseStep):
        _check_infusion(step, treatment, where)
    if isinstance(step, DrugStep):
        _check_dose(step, treatment, where)
        if step.duration is not None:
            duration_days(step.duration, f"{where}.duration")
            if treatment.kind == "bolus":
                raise InvalidField(f"{where}.duration: {name!r} is given at once, not over time. Remove the duration.")


def _check_infusion(step: InfuseStep, product: Treatment, where: str) -> None:
    """Refuse cells of another person without a donor, a donor of own cells, and other grafts that are none."""
    if product.is_from_donor and step.donor is None:
        raise InvalidField(
            f"{where}: {product.id!r} comes from another person. Say who: donor: {{relation: sibling, hla: 10/10}}."
        )
    if not product.is_from_donor and step.donor is not None:
        raise InvalidField(f"{where}.donor: {product.id!r} holds the patient's own cells. Remove the donor.")
    if product.is_banked:
        _check_lot(step, product, where)
    elif step.viability is not None:
        raise InvalidField(f"{where}.viability: {product.id!r} does not come in lots of a bank. Remove it.")
    if step.fallback is not None:
        _other_product(step.fallback, f"{where}.fallback")
    if step.second is None:
        return
    if not product.is_from_donor:
        raise InvalidField(f"{where}.second: {product.id!r} holds the patient's own cells, which cannot be rejected.")
    if not _other_product(step.second.product, f"{where}.second.product").is_from_donor:
        raise InvalidField(f"{where}.second.product: {step.second.product!r} holds no donor's cells. Name one of his.")
    duration_days(step.second.after, f"{where}.second.after")


def _other_product(name: str, where: str) -> Treatment:
    """Return a product that may be given in place of another, or after it."""
    known = list_entries("treatments")
    if name not in known:
        raise InvalidField(f"{where}: the catalog has no treatment {name!r}. {near_matches(name, known)}")
    treatment = load_treatment(name)
    if not treatment.is_product:
        raise InvalidField(f"{where}: {name!r} is a drug. Name a cell product.")
    return treatment


def _check_lot(step: InfuseStep, product: Treatment, where: str) -> None:
    """Refuse doses without a basis, a route that is not said where it decides, and a known lot that is too dead."""
    for name, text in step.doses.items():
        product.fixed_dose(name, text, f"{where}.doses.{name}")
    routes = [target.route for target in product.targets if target.route is not None]
    if routes and step.route is None:
        raise InvalidField(f"{where}.route is missing: {product.id!r} is given {' or '.join(routes)}. Add one of them.")
    if step.viability is None or product.release is None:
        return
    limit = product.rows[product.release[1]].value
    if step.viability < limit:
        raise DoseOutOfRange(
            f"{where}.viability is {step.viability:g}; a lot of {product.id!r} is released from {limit:g} on. Use "
            "another lot, or leave the field out: lots are then drawn, and those below the limit replaced."
        )


def _check_spacing(protocol: Protocol, path: Path) -> None:
    """Refuse two infusions of products of a bank that are closer than either allows."""
    infusions = [step for step in protocol.steps if isinstance(step, InfuseStep)]
    banked = [(step, load_treatment(step.product)) for step in infusions]
    banked = sorted(((step, one) for step, one in banked if one.spacing is not None), key=lambda pair: pair[0].day)
    for (first, _), (second, product) in zip(banked, banked[1:], strict=False):
        least = product.limit(str(product.spacing), "day") or 0.0
        if second.day - first.day < least:
            raise InvalidField(
                f"{path}: {first.product!r} is infused on day {first.day:g} and {second.product!r} on day "
                f"{second.day:g}; infusions lie at least {least:g} day apart. Move one, or give one larger dose."
            )


def _check_dose(step: DrugStep, treatment: Treatment, where: str) -> None:
    """Check the dose of a step, or the exposure that stands for it."""
    if step.dose is not None and step.target_auc is not None:
        raise InvalidField(f"{where}: 'dose' and 'target_auc' are both given; keep one.")
    if step.target_auc is not None:
        _check_exposure(step, treatment, f"{where}.target_auc")
        return
    if step.dose is None:
        raise InvalidField(f"{where}: 'dose' is missing. Add it, or a 'target_auc' such as '90 mg*hour/L'.")
    if step.known is not None:
        raise InvalidField(f"{where}.known: {step.known!r} goes with 'target_auc' only. Remove it.")
    value, unit = _quantity(step.dose, f"{where}.dose")
    treatment.check_dose(value, unit, f"{where}.dose")


def _check_exposure(step: DrugStep, treatment: Treatment, where: str) -> None:
    """Refuse a target of exposure for an agent that declares none, in a wrong unit, or not above zero."""
    value, unit = _quantity(str(step.target_auc), where)
    if treatment.exposure is None:
        able = [name for name in list_entries("treatments") if load_treatment(name).exposure is not None]
        raise InvalidField(
            f"{where}: {treatment.id!r} has no [exposure] in its entry.toml, so no dose can be computed from a target. "
            f"Give a 'dose', or use one of {', '.join(able)}."
        )
    if not same_dimension(unit, treatment.exposure.unit):
        raise UnitMismatch(
            f"{where}: {step.target_auc!r}; the exposure of {treatment.id!r} is in {treatment.exposure.unit}."
        )
    if value <= 0:
        raise DoseOutOfRange(f"{where}: {step.target_auc!r}; an exposure lies above 0. Change it.")


def _check_courses(protocol: Protocol, path: Path) -> None:
    """Refuse an agent whose doses of one phase add up to more than a course."""
    shares: dict[tuple[str, str], float] = {}
    for number, step in enumerate(protocol.steps):
        if not isinstance(step, DrugStep) or step.dose is None:
            continue
        value, unit = parse_quantity(step.dose)
        course = load_treatment(step.agent).limit("course_dose_max", unit)
        if course is None:
            continue
        key = (step.agent, step.phase)
        shares[key] = shares.get(key, 0.0) + value * len(step.all_days) / course
        if shares[key] > 1 + 1e-9:
            raise DoseOutOfRange(
                f"{path}: steps[{number}]: {shares[key] * course:g} {unit} of {step.agent!r} in all to {step.phase}; "
                f"a course is at most {course:g} {unit}. Give less."
            )


def _quantity(text: str, where: str) -> tuple[float, str]:
    try:
        return parse_quantity(text)
    except UnitMismatch as error:
        raise UnitMismatch(f"{where}: {error}") from None


def duration_days(text: str, where: str) -> float:
    """Return a duration such as ``2 hour`` in days, or raise an error that names the field."""
    value, unit = _quantity(text, where)
    try:
        days = convert(value, unit, "day")
    except RegraftError:
        raise UnitMismatch(f"{where}: {text!r} is no length of time. Write it like '2 hour'.") from None
    if days <= 0:
        raise InvalidField(f"{where}: {text!r}; it takes longer than no time.")
    return days


def _check_order(protocol: Protocol, path: Path) -> None:
    """Refuse a graft that was not collected before its infusion, and conditioning after it."""
    collected = {step.product: max(step.days) for step in protocol.steps if isinstance(step, CollectStep)}
    infusions = [step for step in protocol.steps if isinstance(step, InfuseStep)]
    for step in infusions:
        product = load_treatment(step.product)
        if product.is_from_donor or product.is_banked:
            continue  # collected from somebody else, elsewhere
        if step.product not in collected:
            raise InvalidField(
                f"{path}: {step.product!r} is infused on day {step.day:g} but never collected. "
                "Add a step 'phase: collect'."
            )
        if collected[step.product] >= step.day:
            raise InvalidField(
                f"{path}: {step.product!r} is infused on day {step.day:g}, before it is collected. Move one of the two."
            )
    last = max((step.day for step in infusions), default=None)
    for other in protocol.steps:
        if (
            isinstance(other, DrugStep)
            and other.phase == "condition"
            and last is not None
            and max(other.all_days) >= last
        ):
            raise InvalidField(
                f"{path}: conditioning with {other.agent!r} goes on to day {max(other.all_days):g}, "
                f"but the graft is infused on day {last:g}. Conditioning ends before the graft."
            )
