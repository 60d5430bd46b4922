"""What a design and its population say together of who is plausible, who takes part, and how much each counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from regraft.engine import Result
from regraft.errors import InvalidField, UnitMismatch, UsageError, near_matches
from regraft.model.equations import Equations
from regraft.patients import PopulationSpec
from regraft.patients.baseline import Moment, in_units, read_moments
from regraft.patients.enrolment import Enrolment, read_enrolment
from regraft.patients.plausibility import IN_RUN_IN, Range, read_ranges
from regraft.patients.weights import Balance, balance
from regraft.quantities import same_dimension
from regraft.trial.design import DAYS, PlausibleRange, TrialDesign
from regraft.trial.events import EventGroups
from regraft.trial.measures import MEASURES, Screened
from regraft.trial.observation import RECORDED
from regraft.trial.statistics import Floats, Integers

PLAUSIBLE, ENROLMENT, BASELINE = "plausible.csv", "enrolment.csv", "baseline.csv"
READINGS = 12  # equal steps of a run-in whose course is looked at
# Events per year since onset, and the group of events that each counts.
RATES: Mapping[str, str] = {"relapses_per_year": "relapse", "lesions_per_year": "lesion"}


@dataclass(frozen=True)
class Selection:
    """What is read from the population's tables: chance to take part, published moments, and measures for both.

    ``sources`` are the citation keys of all that is used, ranges included.
    """

    enrolment: Enrolment | None = None
    moments: tuple[Moment, ...] = ()
    measures: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


def with_ranges(design: TrialDesign, population: PopulationSpec) -> TrialDesign:
    """Return the design with the population's ranges written out in it, where it asks for them."""
    rule = design.plausible
    if rule is None or not rule.population:
        return design
    own = tuple(
        PlausibleRange.model_validate(
            {"quantity": one.quantity, "min": one.minimum, "max": one.maximum, "unit": one.unit, "when": one.when}
        )
        for one in _population_ranges(design, population)
    )
    rule = rule.model_copy(update={"population": False, "ranges": (*own, *rule.ranges)})
    return design.model_copy(update={"plausible": rule})


def _population_ranges(design: TrialDesign, population: PopulationSpec) -> tuple[Range, ...]:
    """Return the ranges of a population that the design asks for."""
    path = population.entry.folder / PLAUSIBLE
    if not path.is_file():
        raise InvalidField(
            f"design {design.id!r}: plausible.population is true, but population {population.id!r} has no {PLAUSIBLE}. "
            "Write the ranges under plausible.ranges, or use another population."
        )
    return read_ranges(path)


def ranges_of(design: TrialDesign) -> tuple[Range, ...]:
    """Return the ranges of a design of a plan, in the order in which they are counted."""
    ranges = design.plausible.ranges if design.plausible else ()
    return tuple(Range(one.quantity, one.min, one.max, one.unit, one.when) for one in ranges)


def read_selection(design: TrialDesign, population: PopulationSpec) -> Selection:
    """Read what a design asks for from the folder of its population.

    Raises
    ------
    InvalidFile, InvalidField : a table is missing or not as it must be
    UnitMismatch : a published number in a unit that measures something else
    """
    where = f"design {design.id!r}"
    enrolment: Enrolment | None = None
    moments: tuple[Moment, ...] = ()
    sources: tuple[str, ...] = ()
    if design.plausible is not None and design.plausible.population:
        sources += tuple(one.source for one in _population_ranges(design, population))
    if design.enrolment is not None:
        chance = design.enrolment.probability
        path = population.entry.folder / ENROLMENT
        enrolment = _checked(read_enrolment(path), str(path)) if chance is None else Enrolment.constant(chance)
        sources += enrolment.sources
    if design.weights is not None:
        path = population.entry.folder / BASELINE
        if not path.is_file():
            raise InvalidField(
                f"{where}: weights.to is {design.weights.to!r}, but population {population.id!r} has no {BASELINE}. "
                "Leave 'weights' out, or use a population with published tables."
            )
        moments = in_units(read_moments(path, design.weights.to), _units(population))
        sources += tuple(moment.source for moment in moments)
    covariates = {*(row.id for row in population.covariates), *population.sums}
    named = [*(enrolment.coefficients if enrolment else ()), *(moment.covariate for moment in moments)]
    asked = {criterion.measure for criterion in design.eligibility}
    further = tuple(dict.fromkeys(name for name in named if name in MEASURES and name not in {*covariates, *asked}))
    return Selection(enrolment, moments, further, sources)


def check_selection(design: TrialDesign, selection: Selection, equations: Equations, groups: EventGroups) -> None:
    """Refuse ranges and measures of what no model of the design has.

    Raises
    ------
    InvalidField : an unknown quantity, or one at a time at which it does not exist
    UnitMismatch : a range in a unit that measures something else
    """
    defined = {*equations.state_index, *equations.assignment_index}
    known = [
        *(name for name in RECORDED if name in defined),
        *(name for name, of in RATES.items() if getattr(groups, of)),
    ]
    for number, one in enumerate(ranges_of(design)):
        field = f"design {design.id!r}: plausible.ranges[{number}]"
        if one.quantity not in known:
            raise InvalidField(
                f"{field}.quantity is {one.quantity!r}, which is not looked at in screening. "
                f"{near_matches(one.quantity, known)}"
            )
        if one.quantity in RATES and one.when != IN_RUN_IN:
            raise InvalidField(f"{field}: {one.quantity} is counted over the whole run-in. Write 'when: run_in'.")
        unit = "1/year" if one.quantity in RATES else equations.units[one.quantity]
        if not same_dimension(one.unit, unit):
            raise UnitMismatch(f"{field}.unit is {one.unit!r}; {one.quantity} is in {unit}. Write 'unit: {unit}'.")
    for name in selection.measures:
        for quantity in MEASURES[name].needs:
            if quantity not in defined:
                raise InvalidField(
                    f"design {design.id!r}: {name!r} is needed for enrolment or weights and reads "
                    f"{quantity!r}, which no model defines. Add the model that does."
                )


def looks_at_run_in(design: TrialDesign) -> bool:
    """Return whether a range needs the course between onset and randomisation."""
    return any(one.when == IN_RUN_IN and one.quantity not in RATES for one in ranges_of(design))


def courses(
    ranges: Iterable[Range], result: Result, people: Screened, equations: Equations
) -> tuple[dict[str, Floats], dict[str, str]]:
    """Return the untreated course of what the ranges ask for, (patient, time), as it truly is, and its units."""
    found: dict[str, Floats] = {}
    units: dict[str, str] = {}
    for name in dict.fromkeys(one.quantity for one in ranges):
        if name in RATES:
            count = people.events.count(getattr(people.groups, RATES[name]), people.onset, people.day)
            found[name] = np.asarray(count / ((people.day - people.onset) / DAYS["year"]))[:, None]
            units[name] = "1/year"
        else:
            found[name], units[name] = result.output(name), equations.units[name]
    return found, units


def weigh(
    design: TrialDesign, selection: Selection, baseline: Mapping[str, Floats], patient_ids: Integers
) -> Balance | None:
    """Weight the enrolled to the published table that the design names; None where it names none.

    Raises
    ------
    InvalidField, UsageError : a covariate or a target that the patients do not have or cannot reach, or one patient
        with more than the largest share of all weight, who is named
    """
    rule = design.weights
    if rule is None:
        return None
    found = balance(baseline, selection.moments, patient_ids)
    if found.largest_share > rule.largest_share:
        raise UsageError(
            f"design {design.id!r}: patient {found.heaviest} alone carries {100 * found.largest_share:.3g} % of all "
            f"weight, more than weights.largest_share {100 * rule.largest_share:g} %; the {patient_ids.size} patients "
            f"count as {found.effective_size:.3g}. Enrol more patients or others ('eligibility'), leave a row of "
            f"table {rule.to!r} out, or raise 'largest_share'."
        )
    return found


def _units(population: PopulationSpec) -> dict[str, str]:
    """Return the unit of everything that is known of a patient at randomisation."""
    units = {name: measure.unit for name, measure in MEASURES.items()}
    units |= {row.id: row.unit for row in population.covariates}
    return units | {name: units[terms[0]] for name, terms in population.sums.items()}


def _checked(enrolment: Enrolment, where: str) -> Enrolment:
    """Refuse terms that screening does not measure, and coefficients per another unit."""
    for name in enrolment.coefficients:
        if name not in MEASURES:
            raise InvalidField(
                f"{where}, row {name!r}: screening measures no such thing. {near_matches(name, MEASURES)}"
            )
        unit = MEASURES[name].unit
        wanted = "dimensionless" if unit == "dimensionless" else f"1/{unit}"
        if enrolment.units[name] != wanted:
            raise UnitMismatch(
                f"{where}, row {name!r}, column 'unit': {enrolment.units[name]!r}; {name} is in {unit}, so a "
                f"coefficient is per {unit}. Write {wanted!r}."
            )
    return enrolment
