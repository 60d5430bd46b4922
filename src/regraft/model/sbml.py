"""SBML to frozen equations. A file from elsewhere is untrusted: it is parsed by libsbml and never evaluated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import libsbml

from regraft.entries import read_text
from regraft.errors import InvalidModel, UnsupportedModel
from regraft.model.equations import Assignment, Equations, Event, Parameter, State
from regraft.model.expressions import TIME, Apply, Expression, Number, Symbol, substitute, symbols
from regraft.model.mathml import expression_from_ast
from regraft.model.sorting import sort_assignments
from regraft.model.untrusted import refuse_deep_text, refuse_exploding_functions

MAX_ELEMENTS = 20_000
# what stands where a file gives no value; no number of a file is this object
_UNSET = Symbol("")
_CONVERSIONS = ("promoteLocalParameters", "expandFunctionDefinitions")


class MissingValue(InvalidModel):
    """A symbol of a model has no value, initial value or formula; ``symbol`` names it."""

    def __init__(self, model: str, symbol: str) -> None:
        super().__init__(f"Model {model!r}: {symbol!r} has no value. Give it one.")
        self.symbol = symbol


def read_sbml(source: str | Path) -> Equations:
    """Read an SBML document.

    Parameters
    ----------
    source : SBML text, or the path of a file

    Returns
    -------
    Equations, units left empty (a part's tables or the file's own unit definitions are checked elsewhere)

    Raises
    ------
    InvalidModel : not a valid SBML model; the first error of libsbml is passed on
    MissingValue : a symbol has no value (an ``InvalidModel`` too)
    UnsupportedModel : the model uses something that cannot be run, which is named
    """
    text = read_text(source) if isinstance(source, Path) else source
    refuse_deep_text(text)
    document = libsbml.readSBMLFromString(text)
    _raise_on_errors(document)
    _refuse_packages(document)
    refuse_exploding_functions(document.getModel())
    for option in _CONVERSIONS:
        properties = libsbml.ConversionProperties()
        properties.addOption(option, True)
        if document.convert(properties) != libsbml.LIBSBML_OPERATION_SUCCESS:
            raise UnsupportedModel(
                f"The SBML conversion {option!r} failed; simplify the model's functions or local parameters."
            )
    return _Reader(document.getModel()).equations()


def _raise_on_errors(document: Any) -> None:
    for i in range(document.getNumErrors()):
        error = document.getError(i)
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR:
            raise InvalidModel(f"SBML line {error.getLine()}: {error.getMessage().strip()}")
    if document.getModel() is None:
        raise InvalidModel("The SBML document holds no model.")


def _refuse_packages(document: Any) -> None:
    for i in range(document.getNumPlugins()):
        package = document.getPlugin(i).getPackageName()
        if package not in ("distrib", "l3v2extendedmath", "layout", "render") and document.getPackageRequired(package):
            raise UnsupportedModel(f"The SBML package {package!r} cannot be run; only 'distrib' can.")


class _Reader:
    """Collects the pieces of one SBML model. State is the model being read, nothing else."""

    def __init__(self, model: Any) -> None:
        self.model = model
        size = model.getNumParameters() + model.getNumSpecies() + model.getNumReactions() + model.getNumEvents()
        if size > MAX_ELEMENTS:
            raise UnsupportedModel(f"The model has {size} elements; more than {MAX_ELEMENTS} are not read.")
        self._refuse()
        self.initial: dict[str, Expression] = {}
        self.rates: dict[str, Expression] = {}
        self.formulas: dict[str, Expression] = {}
        self.reaction_rates: dict[str, Expression] = {}

    def _refuse(self) -> None:
        model = self.model
        for i in range(model.getNumRules()):
            if model.getRule(i).isAlgebraic():
                raise UnsupportedModel(
                    f"Model {model.getId()!r} has an algebraic rule, which cannot be run. Solve it for one symbol."
                )
        if model.getNumConstraints():
            raise UnsupportedModel(
                f"Model {model.getId()!r} has constraints, which are not checked in a run. Remove them."
            )
        for i in range(model.getNumReactions()):
            if model.getReaction(i).getFast():
                raise UnsupportedModel(f"Reaction {model.getReaction(i).getId()!r} is fast, which cannot be run.")

    def equations(self) -> Equations:
        """Return the model's equations."""
        self._values()
        self._rules()
        self._reactions()
        events = tuple(self._event(self.model.getEvent(i), i) for i in range(self.model.getNumEvents()))
        changed = {target for event in events for target, _ in event.assignments}
        self._refuse_values(changed)
        rates = {name: self._inline_reactions(rate) for name, rate in self.rates.items()}
        states, parameters = [], []
        for name, given in self.initial.items():
            value = self._inline_reactions(given)
            if name in rates or (name in changed and name not in self.formulas):
                states.append(State(name, "", value, rates.get(name, Number(0.0))))
            elif name not in self.formulas:
                parameters.append((name, value))
        fixed = tuple(Parameter(name, "", value.value) for name, value in parameters if isinstance(value, Number))
        # a constant given by a formula of others stays a formula
        computed = [Assignment(n, "", v) for n, v in parameters if not isinstance(v, Number)]
        formulas = [Assignment(n, "", self._inline_reactions(e)) for n, e in self.formulas.items()]
        equations = Equations(
            self.model.getId() or "model", tuple(states), fixed, sort_assignments([*computed, *formulas]), events
        )
        _check_symbols(equations)
        return equations

    def _refuse_values(self, changed: set[str]) -> None:
        """Refuse what has no value, what is called like the time, and compartments that change their size."""
        for name, value in self.initial.items():
            if value == _UNSET and name not in self.formulas:
                raise MissingValue(self.model.getId(), name)
            if name == TIME:
                raise UnsupportedModel(f"Model {self.model.getId()!r} names a quantity {TIME!r}. Rename it.")
            if self.model.getCompartment(name) is not None and name in {*self.formulas, *self.rates, *changed}:
                raise UnsupportedModel(f"Compartment {name!r} changes its size, which this reader cannot run yet.")

    def _values(self) -> None:
        model = self.model
        for i in range(model.getNumCompartments()):
            compartment = model.getCompartment(i)
            self.initial[compartment.getId()] = Number(compartment.getSize() if compartment.isSetSize() else 1.0)
        for i in range(model.getNumParameters()):
            parameter = model.getParameter(i)
            self.initial[parameter.getId()] = Number(parameter.getValue()) if parameter.isSetValue() else _UNSET
        for i in range(model.getNumSpecies()):
            self._species(model.getSpecies(i))
        for i in range(model.getNumInitialAssignments()):
            element = model.getInitialAssignment(i)
            self.initial[element.getSymbol()] = expression_from_ast(
                element.getMath(), f"the initial assignment of {element.getSymbol()!r}"
            )

    def _species(self, species: Any) -> None:
        if not (species.isSetInitialAmount() or species.isSetInitialConcentration()):
            self.initial[species.getId()] = _UNSET
            return
        volume = self.model.getCompartment(species.getCompartment()).getSize()
        if species.getHasOnlySubstanceUnits():
            value = (
                species.getInitialAmount()
                if species.isSetInitialAmount()
                else species.getInitialConcentration() * volume
            )
        else:
            value = (
                species.getInitialConcentration()
                if species.isSetInitialConcentration()
                else species.getInitialAmount() / volume
            )
        self.initial[species.getId()] = Number(value)

    def _rules(self) -> None:
        for i in range(self.model.getNumRules()):
            rule = self.model.getRule(i)
            kind = self.rates if rule.isRate() else self.formulas
            kind[rule.getVariable()] = expression_from_ast(rule.getMath(), f"the rule of {rule.getVariable()!r}")

    def _reactions(self) -> None:
        for i in range(self.model.getNumReactions()):
            reaction = self.model.getReaction(i)
            law = reaction.getKineticLaw()
            if law is None or law.getMath() is None:
                raise UnsupportedModel(f"Reaction {reaction.getId()!r} has no kinetic law.")
            rate = expression_from_ast(law.getMath(), f"reaction {reaction.getId()!r}")
            self.reaction_rates[reaction.getId()] = rate
            sides = [(reaction.getReactant(k), -1.0) for k in range(reaction.getNumReactants())]
            sides += [(reaction.getProduct(k), 1.0) for k in range(reaction.getNumProducts())]
            for reference, sign in sides:
                self._add_flux(reference, sign, rate)

    def _add_flux(self, reference: Any, sign: float, rate: Expression) -> None:
        species = self.model.getSpecies(reference.getSpecies())
        if species.getBoundaryCondition() or species.getConstant():
            return
        if reference.getId() in self.formulas or reference.isSetStoichiometryMath():
            raise UnsupportedModel(
                f"Species {species.getId()!r} has a stoichiometry that changes, which this reader cannot run yet."
            )
        amount = sign * (reference.getStoichiometry() if reference.isSetStoichiometry() else 1.0)
        flux: Expression = Apply("mul", (Number(amount), rate))
        if not species.getHasOnlySubstanceUnits():
            flux = Apply("div", (flux, Symbol(species.getCompartment())))
        factor = species.getConversionFactor() or self.model.getConversionFactor()
        if factor:
            flux = Apply("mul", (flux, Symbol(factor)))
        before = self.rates.get(species.getId())
        self.rates[species.getId()] = flux if before is None else Apply("add", (before, flux))

    def _inline_reactions(self, expression: Expression) -> Expression:
        """Replace the id of a reaction by its rate."""
        return substitute(expression, self.reaction_rates)

    def _optional(self, element: Any, where: str) -> Expression | None:
        """Return the formula of an element that may be absent or empty."""
        if element is None or element.getMath() is None:
            return None
        return self._inline_reactions(expression_from_ast(element.getMath(), where))

    def _event(self, event: Any, number: int) -> Event:
        name = event.getId() or f"event_{number + 1}"
        delay = self._optional(event.getDelay(), f"the delay of event {name!r}")
        priority = self._optional(event.getPriority(), f"the priority of event {name!r}")
        trigger = event.getTrigger()
        if trigger is None:
            raise UnsupportedModel(f"Event {name!r} has no trigger. Write one.")
        level3 = self.model.getLevel() >= 3
        assignments = tuple(
            (
                event.getEventAssignment(k).getVariable(),
                expression_from_ast(event.getEventAssignment(k).getMath(), f"event {name!r}"),
            )
            for k in range(event.getNumEventAssignments())
        )
        return Event(
            name,
            self._inline_reactions(expression_from_ast(trigger.getMath(), f"the trigger of event {name!r}")),
            tuple((target, self._inline_reactions(value)) for target, value in assignments),
            initial_value=trigger.getInitialValue() if level3 else True,
            persistent=trigger.getPersistent() if level3 else True,
            delay=delay,
            priority=priority,
            use_trigger_values=event.getUseValuesFromTriggerTime(),
        )


def _check_symbols(equations: Equations) -> None:
    """Raise where a formula uses a symbol that nothing defines."""
    known = {*equations.units, TIME}
    places: list[tuple[str, Expression]] = [(f"d/dt {s.id}", s.derivative) for s in equations.states]
    places += [(f"the initial value of {s.id}", s.initial) for s in equations.states]
    places += [(f"the formula of {a.id}", a.expression) for a in equations.assignments]
    for event in equations.events:
        places += [(f"event {event.id}", expression) for expression in event.expressions]
    for where, expression in places:
        unknown = sorted(symbols(expression) - known)
        if unknown:
            raise InvalidModel(f"Model {equations.id!r}: {where} uses {unknown[0]!r}, which nothing defines.")
