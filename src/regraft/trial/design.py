"""The design of a trial: what the YAML file may say, and its checks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from regraft.complaints import explain
from regraft.entries import is_path, read_yaml
from regraft.errors import InvalidField
from regraft.model.lineages import HOST

# Lengths of the units a design may use, in days; 365.25 days are a year everywhere in regraft.
DAYS: Mapping[str, float] = {"day": 1.0, "week": 7.0, "month": 365.25 / 12, "year": 365.25}

START = "a trial design starts with 'id:' and 'title:'"

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class _Strict(BaseModel):
    """A part of a design: unknown keys are refused, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Duration(_Strict):
    """A length of time with its unit."""

    value: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    unit: Annotated[str, Field(pattern=f"^({'|'.join(DAYS)})$")]

    @property
    def days(self) -> float:
        """Length in days."""
        return self.value * DAYS[self.unit]

    @property
    def months(self) -> float:
        """Length in months of 365.25/12 days."""
        return self.days / DAYS["month"]


class VisitRule(_Strict):
    """Visits at equal intervals from the end of the rule before (or day 0) until a time after day 0."""

    every: Duration
    until: Duration


class Criterion(_Strict):
    """One eligibility criterion: a measure within limits, both included."""

    measure: str
    min: Annotated[float, Field(allow_inf_nan=False)] | None = None
    max: Annotated[float, Field(allow_inf_nan=False)] | None = None
    unit: str | None = None

    @property
    def text(self) -> str:
        """The criterion as a reader writes it."""
        name, unit = self.measure.replace("_", " "), f" {self.unit}" if self.unit not in (None, "dimensionless") else ""
        if self.min is not None and self.max is not None:
            return f"{name} {self.min:g} to {self.max:g}{unit}"
        return f"{name} at least {self.min:g}{unit}" if self.min is not None else f"{name} at most {self.max:g}{unit}"


class ArmDesign(_Strict):
    """One arm: the protocol that its patients follow.

    ``arm_class`` names the published arms it is compared with; the arm's id if left out.
    """

    id: Identifier
    label: Annotated[str, Field(min_length=1)]
    protocol: Annotated[str, Field(min_length=1)]
    arm_class: Identifier | None = None

    @property
    def class_name(self) -> str:
        """Class of the published arms that this one is compared with."""
        return self.arm_class or self.id


class PlausibleRange(_Strict):
    """Where a quantity must stay without treatment: on the day of randomisation, or all the time since onset."""

    quantity: str
    min: Annotated[float, Field(allow_inf_nan=False)] | None = None
    max: Annotated[float, Field(allow_inf_nan=False)] | None = None
    unit: str = "dimensionless"
    when: Literal["randomisation", "run_in"] = "randomisation"


class Plausible(_Strict):
    """Which patients are plausible: inside the ranges of the population's ``plausible.csv``, and inside others."""

    population: bool = False
    ranges: tuple[PlausibleRange, ...] = ()


class EnrolmentRule(_Strict):
    """How likely an eligible patient takes part: a probability, or the population's ``enrolment.csv``."""

    population: bool = False
    probability: Annotated[float, Field(gt=0, le=1)] | None = None


class WeightsRule(_Strict):
    """Weights that make the enrolled look like a published group, and when they are not good enough.

    ``to`` names a table in the population's ``baseline.csv``. Estimates whose effective size is below
    ``smallest_effective_size`` are withheld; a patient with more than ``largest_share`` of all weight ends the trial.
    """

    to: Annotated[str, Field(min_length=1)]
    smallest_effective_size: Annotated[float, Field(ge=1, allow_inf_nan=False)]
    largest_share: Annotated[float, Field(gt=0, le=1)]


class SuccessRule(_Strict):
    """A smaller trial whose chance of success is asked for: an arm against the reference arm on a share of responders.

    ``parameter`` is what is uncertain, with its prior in the fit ``priors`` of the catalog; ``class_effect`` names
    a row of the table of class effects. ``what_if`` multiplies parameters for everybody, one at a time.
    """

    arm: Identifier
    endpoint: str
    statistic: Annotated[str, Field(min_length=1)]
    after: Duration
    patients_per_arm: Annotated[int, Field(ge=2, le=10_000, strict=True)]
    parameter: str
    priors: Identifier
    class_effect: Identifier | None = None
    what_if: Mapping[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(default_factory=dict)


class TrialDesign(_Strict):
    """A trial as its YAML file describes it.

    Model time is in days; day 0 is the infusion or the first dose. ``follow_up`` and visits count from day 0,
    ``randomisation_day`` lies at or before it. ``settings`` give model parameters that belong to the trial and not to
    the patient (calendar year, experience of the centre) a value with its unit, the same in every arm. Without
    ``plausible``, ``enrolment`` and ``weights`` everybody is plausible, all who are eligible take part and count alike.
    ``posterior`` names a fit, or a folder of its draws: its central values are then the typical values of the fitted
    parameters, in place of those in the tables of the models. ``success`` asks for the chance that a smaller trial
    succeeds.
    """

    id: Identifier
    title: Annotated[str, Field(min_length=1)]
    disease: Identifier
    models: Annotated[tuple[str, ...], Field(min_length=1)]
    lineages: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=3)] = (HOST,)
    population: str
    patients_per_arm: Annotated[int, Field(ge=1, strict=True)]
    seed: Annotated[int, Field(ge=0, lt=2**63, strict=True)]
    randomisation_day: Annotated[float, Field(le=0, allow_inf_nan=False)] = 0.0
    run_in: Duration | None = None
    settings: Mapping[str, str] = Field(default_factory=dict)
    follow_up: Duration
    visits: Annotated[tuple[VisitRule, ...], Field(min_length=1)]
    eligibility: tuple[Criterion, ...] = ()
    plausible: Plausible | None = None
    enrolment: EnrolmentRule | None = None
    weights: WeightsRule | None = None
    screening_limit: Annotated[int, Field(ge=1, strict=True)] | None = None
    arms: Annotated[tuple[ArmDesign, ...], Field(min_length=1)]
    reference_arm: str
    endpoints: Annotated[tuple[str, ...], Field(min_length=1)]
    measurements: str = "ms_clinic"
    outcomes: tuple[str, ...] = ()
    posterior: Annotated[str, Field(min_length=1)] | None = None
    success: SuccessRule | None = None

    @property
    def most_screened(self) -> int:
        """How many patients may be screened before the trial gives up."""
        return self.screening_limit or 50 * self.patients_per_arm


def load_design(path: str | Path) -> TrialDesign:
    """Read and check a trial design.

    Parameters
    ----------
    path : a YAML file; protocols in it may be catalog ids, or paths relative to it

    Raises
    ------
    InvalidFile : the file cannot be read or is not YAML
    InvalidField : a key, value, unit, time or name that is not allowed; one line each, with the next step
    """
    from regraft.trial.design_checks import check_design

    path = Path(path)
    design = parse_design(read_yaml(path, START), str(path))
    check_design(design, str(path), folder=path.parent)
    return _with_whole_paths(design, path.parent)


def parse_design(content: Mapping[str, Any], where: str) -> TrialDesign:
    """Turn the content of a design file into a design; ``where`` names the file in messages."""
    try:
        return TrialDesign.model_validate(content)
    except ValidationError as error:
        raise InvalidField(explain(error, TrialDesign, where)) from None


def _with_whole_paths(design: TrialDesign, folder: Path) -> TrialDesign:
    """Return the design with the paths of a user's own entries made absolute, so that it runs from anywhere."""

    def located(name: str) -> str:
        return str((folder / name).resolve()) if is_path(name) or name.endswith((".yaml", ".yml")) else name

    arms = tuple(arm.model_copy(update={"protocol": located(arm.protocol)}) for arm in design.arms)
    return design.model_copy(
        update={
            "arms": arms,
            "models": tuple(map(located, design.models)),
            "outcomes": tuple(map(located, design.outcomes)),
            "population": located(design.population),
            "measurements": located(design.measurements),
            "posterior": design.posterior and located(design.posterior),
        }
    )
