"""The pieces of an SBML model as expressions, each symbol with the meaning it has in SBML."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from regraft.errors import UnsupportedModel
from regraft.model.equations import Event
from regraft.model.expressions import Apply, Expression, Number, Symbol, chain
from regraft.model.mathml import FormulaReader


@dataclass(frozen=True)
class Species:
    """A species: ``in_amount`` says whether its symbol stands for an amount or for a concentration.

    ``amount`` is the amount at the start where the file gives it; ``is_fixed`` means that reactions leave it alone.
    """

    id: str
    compartment: str
    in_amount: bool
    is_fixed: bool
    amount: float | None = None
    concentration: float | None = None


@dataclass
class Draft:
    """What a file says. Every mapping is by the id of a symbol.

    ``values`` are values at the start (None where the file gives none), ``rates`` and ``formulas`` are rate and
    assignment rules, ``reactions`` are kinetic laws, ``fluxes`` amounts of a species per time from reactions.
    """

    id: str
    values: dict[str, Expression | None] = field(default_factory=dict)
    rates: dict[str, Expression] = field(default_factory=dict)
    formulas: dict[str, Expression] = field(default_factory=dict)
    reactions: dict[str, Expression] = field(default_factory=dict)
    fluxes: dict[str, Expression] = field(default_factory=dict)
    species: dict[str, Species] = field(default_factory=dict)
    compartments: dict[str, float | None] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    reader: FormulaReader = field(default_factory=FormulaReader, repr=False)

    @property
    def changed_by_events(self) -> set[str]:
        """Ids of symbols that some event assigns."""
        return {target for event in self.events for target, _ in event.assignments}


def read_draft(model: Any) -> Draft:
    """Read all pieces of a libsbml Model whose functions and local parameters are written out.

    An element that holds no formula counts as absent, as SBML level 3 version 2 says.
    """
    draft = Draft(model.getId() or "model")
    _read_compartments(model, draft)
    for i in range(model.getNumParameters()):
        parameter = model.getParameter(i)
        draft.values[parameter.getId()] = Number(parameter.getValue()) if parameter.isSetValue() else None
    for i in range(model.getNumSpecies()):
        _read_species(model, model.getSpecies(i), draft)
    _read_rules(model, draft)
    _read_reactions(model, draft)
    draft.events = [
        _event(model, i, draft) for i in range(model.getNumEvents()) if _formula(model.getEvent(i).getTrigger())
    ]
    return draft


def _formula(element: Any) -> Any:
    """Return the formula of an element, or None if either is absent."""
    return None if element is None else element.getMath()


def _read_compartments(model: Any, draft: Draft) -> None:
    for i in range(model.getNumCompartments()):
        compartment = model.getCompartment(i)
        # files of level 2 often leave a size of one out
        size = compartment.getSize() if compartment.isSetSize() else 1.0
        draft.compartments[compartment.getId()] = size
        draft.values[compartment.getId()] = Number(size)


def _read_species(model: Any, species: Any, draft: Draft) -> None:
    compartment = model.getCompartment(species.getCompartment())
    # a point has no volume to divide by
    is_point = compartment.isSetSpatialDimensions() and compartment.getSpatialDimensionsAsDouble() == 0
    name = species.getId()
    draft.species[name] = Species(
        name,
        species.getCompartment(),
        bool(species.getHasOnlySubstanceUnits() or is_point),
        bool(species.getBoundaryCondition() or species.getConstant()),
        species.getInitialAmount() if species.isSetInitialAmount() else None,
        species.getInitialConcentration() if species.isSetInitialConcentration() else None,
    )
    draft.values[name] = None


def _read_rules(model: Any, draft: Draft) -> None:
    for i in range(model.getNumRules()):
        rule = model.getRule(i)
        if _formula(rule) is not None:
            kind = draft.rates if rule.isRate() else draft.formulas
            kind[rule.getVariable()] = draft.reader.read(rule.getMath(), f"the rule of {rule.getVariable()!r}")
    for i in range(model.getNumInitialAssignments()):
        element = model.getInitialAssignment(i)
        if _formula(element) is not None:
            where = f"the initial assignment of {element.getSymbol()!r}"
            draft.values[element.getSymbol()] = draft.reader.read(element.getMath(), where)


def _read_reactions(model: Any, draft: Draft) -> None:
    parts: dict[str, list[Expression]] = {}
    for i in range(model.getNumReactions()):
        reaction = model.getReaction(i)
        name = reaction.getId()
        law = _formula(reaction.getKineticLaw())
        if law is None:
            raise UnsupportedModel(f"Reaction {name!r} has no kinetic law. Give it one, or remove the reaction.")
        draft.reactions[name] = draft.reader.read(law, f"reaction {name!r}")
        sides = [(reaction.getReactant(k), -1.0) for k in range(reaction.getNumReactants())]
        sides += [(reaction.getProduct(k), 1.0) for k in range(reaction.getNumProducts())]
        for reference, sign in sides:
            count = _stoichiometry(reference, draft)
            species = model.getSpecies(reference.getSpecies())
            flux: Expression = Apply("mul", (_signed(count, sign), Symbol(name)))
            factor = species.getConversionFactor() or model.getConversionFactor()
            if factor:
                flux = Apply("mul", (flux, Symbol(factor)))
            parts.setdefault(species.getId(), []).append(flux)
    for name, fluxes in parts.items():
        if not draft.species[name].is_fixed:
            draft.fluxes[name] = chain("add", fluxes)


def _stoichiometry(reference: Any, draft: Draft) -> Expression:
    """Return how many of a species one turn of a reaction uses or makes; one with an id is a symbol of the model."""
    written = _formula(reference.getStoichiometryMath()) if reference.isSetStoichiometryMath() else None
    name = reference.getId()
    if written is not None:
        count = draft.reader.read(written, f"the stoichiometry of {reference.getSpecies()!r}")
        if name:
            draft.formulas[name] = count
            draft.values.setdefault(name, None)
        return Symbol(name) if name else count
    given = reference.isSetStoichiometry() or not name or (reference.getLevel() < 3)
    value = Number(reference.getStoichiometry() / reference.getDenominator() if reference.isSetStoichiometry() else 1.0)
    if not name:
        return value
    draft.values.setdefault(name, value if given else None)
    return Symbol(name)


def _signed(count: Expression, sign: float) -> Expression:
    if isinstance(count, Number):
        return Number(sign * count.value)
    return count if sign > 0 else Apply("neg", (count,))


def _event(model: Any, number: int, draft: Draft) -> Event:
    event = model.getEvent(number)
    name = event.getId() or f"event_{number + 1}"
    trigger = event.getTrigger()
    is_level_3 = model.getLevel() >= 3
    optional = {
        kind: None if _formula(element) is None else draft.reader.read(element.getMath(), f"the {kind} of {name!r}")
        for kind, element in (("delay", event.getDelay()), ("priority", event.getPriority()))
    }
    found = Event(
        name,
        draft.reader.read(trigger.getMath(), f"the trigger of event {name!r}"),
        (),
        initial_value=trigger.getInitialValue() if is_level_3 else True,
        persistent=trigger.getPersistent() if is_level_3 else True,
        delay=optional["delay"],
        priority=optional["priority"],
        use_trigger_values=event.getUseValuesFromTriggerTime(),
    )
    changes = [event.getEventAssignment(k) for k in range(event.getNumEventAssignments())]
    return replace(
        found,
        assignments=tuple(
            (change.getVariable(), draft.reader.read(change.getMath(), f"event {name!r}"))
            for change in changes
            if _formula(change) is not None
        ),
    )
