"""Everything a trial needs before the first patient: model, kernel, population, protocols, clinic, schedule."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from regraft.engine import Kernel, SolverSettings, compile_model
from regraft.errors import InvalidField, UnitMismatch, near_matches
from regraft.model import JoinedModel, join, load_part
from regraft.model.equations import Equations
from regraft.patients import PopulationSpec, load_population
from regraft.quantities import convert, parse_quantity
from regraft.therapy import Protocol, check_fit, load_protocol
from regraft.trial.clinic import Clinic, load_clinic
from regraft.trial.design import TrialDesign
from regraft.trial.design_checks import check_design
from regraft.trial.draws import StoredDraws, find_draws, read_draws
from regraft.trial.endpoints import ENDPOINTS
from regraft.trial.events import EventGroups, find_groups
from regraft.trial.measures import MEASURES
from regraft.trial.observation import RECORDED
from regraft.trial.selection import Selection, check_selection, read_selection, with_ranges
from regraft.trial.typical import SPREAD, check_typical, with_typical
from regraft.trial.visits import Schedule, make_schedule

RISK_START = "risk_start_day"  # harm begins with randomisation: who is enrolled has survived the run-in


@dataclass(frozen=True)
class Plan:
    """A trial ready to run; nothing in it depends on the patients. Its design has all plausible ranges written out.

    ``draws`` are those of the design's posterior, None where it has none; ``draw`` is the number of the one that
    decides typical values, None for the central values.
    """

    design: TrialDesign
    seed: int
    settings: SolverSettings
    model: JoinedModel
    kernel: Kernel
    groups: EventGroups
    population: PopulationSpec
    protocols: tuple[Protocol, ...]
    clinic: Clinic
    schedule: Schedule
    selection: Selection = field(default_factory=Selection)
    draws: StoredDraws | None = None
    draw: int | None = None

    @property
    def equations(self) -> Equations:
        """The joined model."""
        return self.kernel.equations

    def under(self, draw: int | None) -> Plan:
        """Return the plan with the typical values of a draw, the central ones if None."""
        if self.draws is None:
            return self
        values = self.draws.central if draw is None else self.draws.values(draw)
        return replace(with_typical(self, values), draw=draw)


def make_plan(design: TrialDesign, *, seed: int | None = None, threads: int | None = None) -> Plan:
    """Load, join and compile all that a design names.

    Raises
    ------
    InvalidField : the design cannot be run, an endpoint or criterion needs a quantity that no model defines, or a
        protocol gives a drug whose part is not among the models
    InvalidFile : draws of the posterior that cannot be read
    """
    check_design(design, f"design {design.id!r}")
    model = join([load_part(model) for model in design.models], id=design.id, lineages=design.lineages)
    population = load_population(design.population)
    _check_settings(design, population)
    draws = _read_posterior(design, model, population)
    model = model.with_values(trial_values(design, model.equations))
    _check_needs(design, model.equations)
    selection, groups = read_selection(design, population), find_groups(model.equations)
    design = with_ranges(design, population)
    check_selection(design, selection, model.equations, groups)
    clinic = load_clinic(design.measurements)
    outputs = [name for name in RECORDED if name in _defined(model.equations)]
    protocols = tuple(load_protocol(arm.protocol) for arm in design.arms)
    for protocol in protocols:
        check_fit(protocol, model.equations)
    plan = Plan(
        design=design,
        seed=design.seed if seed is None else seed,
        settings=SolverSettings(threads=threads),
        model=model,
        kernel=compile_model(model.equations, outputs),
        groups=groups,
        population=population,
        protocols=protocols,
        clinic=clinic,
        schedule=make_schedule(design, daily_until=clinic.days("daily_sampling_end")),
        selection=selection,
        draws=draws,
    )
    return plan.under(None)


def trial_values(design: TrialDesign, equations: Equations) -> dict[str, float]:
    """Return the parameters that the trial decides: its settings, and the day from which patients are at risk.

    Raises
    ------
    InvalidField : a setting that is no parameter of the models, or whose unit is not the parameter's
    """
    known = {parameter.id: parameter.unit for parameter in equations.parameters}
    values = {RISK_START: design.randomisation_day} if RISK_START in known else {}
    for name, text in design.settings.items():
        where = f"design {design.id!r}: settings.{name}"
        if name == RISK_START:
            raise InvalidField(f"{where} follows from 'randomisation_day'. Leave it out.")
        if name not in known:
            raise InvalidField(f"{where} is no parameter of the models. {near_matches(name, known)}")
        try:
            value, unit = parse_quantity(text)
            values[name] = value * convert(1.0, unit, known[name])
        except UnitMismatch as error:
            raise InvalidField(f"{where} is {text!r}: {error} The models have it in {known[name]!r}.") from None
    return values


def _read_posterior(design: TrialDesign, model: JoinedModel, population: PopulationSpec) -> StoredDraws | None:
    """Return the draws that a design names, after a look at who else decides the same parameters."""
    if design.posterior is None:
        return None
    draws = read_draws(find_draws(design.posterior))
    where = f"design {design.id!r}: posterior {design.posterior!r}"
    by_patient = _decided(population)
    for name in (name.removesuffix(SPREAD) for name in draws.names):
        if name in by_patient:
            raise InvalidField(
                f"{where} decides {name!r}, but the population {population.id!r} decides it patient by patient. Use "
                "another population, or leave 'posterior' out."
            )
        if name in design.settings:
            raise InvalidField(f"{where} decides {name!r}, but 'settings' decide it too. Leave one of them out.")
    check_typical(draws.names, [model], where)
    return draws


def _decided(population: PopulationSpec) -> set[str]:
    """Return what a population decides patient by patient."""
    return {*(row.id for row in population.covariates), *population.sums}


def _check_settings(design: TrialDesign, population: PopulationSpec) -> None:
    """Refuse a setting of what the population decides patient by patient."""
    decided = _decided(population)
    for name in design.settings:
        if name in decided:
            raise InvalidField(
                f"design {design.id!r}: settings.{name} differs between patients; the population {population.id!r} "
                "decides it. Leave it out, or use another population."
            )


def _defined(equations: Equations) -> set[str]:
    """Return the states and assigned quantities of a model."""
    return {*equations.state_index, *equations.assignment_index}


def _check_needs(design: TrialDesign, equations: Equations) -> None:
    """Refuse endpoints and criteria that read what no model of the design has."""
    wanted = [(f"endpoint {name!r}", ENDPOINTS[name].needs) for name in design.endpoints]
    wanted += [(f"criterion {c.measure!r}", MEASURES[c.measure].needs) for c in design.eligibility]
    for what, needs in wanted:
        for quantity in needs:
            if quantity not in _defined(equations):
                raise InvalidField(
                    f"design {design.id!r}: {what} needs {quantity!r}, which none of the models "
                    f"{', '.join(design.models)} defines. Add the model that does, or leave it out."
                )
