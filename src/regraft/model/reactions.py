"""Reactions of a model for exact simulation: whole numbers of each species, changed by one reaction at a time.

Formulas are read as for differential equations; what this module adds is how many of each species a reaction makes or
uses, and a refusal of everything that cannot be said in whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import libsbml

from regraft.entries import read_text
from regraft.errors import UnsupportedModel
from regraft.model.antimony_text import antimony_to_sbml
from regraft.model.equations import Assignment, Equations, State
from regraft.model.expressions import TIME, Apply, Expression, Number, Symbol, draws, substitute, symbols
from regraft.model.sbml import SbmlModel, read_sbml_model

# Above this a double cannot count by ones.
LARGEST_COUNT = 2.0**53
# A concentration times a size may miss the whole number that it means by this, relative to it.
_ROUNDING = 1e-9
_ZERO = Number(0.0)


@dataclass(frozen=True)
class Reaction:
    """One reaction: its name, and how many of each species it adds (uses, where negative); its law is a formula."""

    id: str
    changes: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class ReactionNetwork:
    """Species in whole numbers and the reactions that change them.

    ``equations`` hold one state without a rate per species (its amount, never a concentration), the parameters in the
    order of the same model read as differential equations, and among the assigned quantities the kinetic law of each
    reaction under the reaction's name. A law is the mean number of reactions per day as it stands.
    """

    equations: Equations
    reactions: tuple[Reaction, ...]

    @property
    def species(self) -> tuple[str, ...]:
        """Names of the species that reactions change."""
        return tuple(state.id for state in self.equations.states)


def read_antimony_reactions(text: str, *, name: str = "the model") -> ReactionNetwork:
    """Read Antimony text as reactions.

    Raises
    ------
    InvalidModel, UnsupportedModel : as ``read_antimony`` and ``read_sbml_reactions``
    """
    return read_sbml_reactions(antimony_to_sbml(text, name=name))


def read_sbml_reactions(source: str | Path) -> ReactionNetwork:
    """Read an SBML document as reactions between whole numbers of molecules, cells or people.

    Parameters
    ----------
    source : SBML text, or the path of a file; at most twenty million characters

    Raises
    ------
    InvalidModel : as ``read_sbml``
    UnsupportedModel : the model has no reactions, or something that an exact simulation cannot do: a rule on a species
        or compartment, a rate rule, an event, a stoichiometry or an initial amount that is no whole number, a
        conversion factor, a law that depends on the time. The message names it
    """
    text = read_text(source) if isinstance(source, Path) else source
    found = read_sbml_model(text)
    document = libsbml.readSBMLFromString(text)
    model = document.getModel()
    _refuse_rules_and_events(model)
    reactions = tuple(_reaction(model.getReaction(i), model, found) for i in range(model.getNumReactions()))
    if not reactions:
        raise UnsupportedModel(f"Model {found.equations.id!r} has no reactions; solve it as differential equations.")
    return ReactionNetwork(_counted(found, reactions), reactions)


def _refuse_rules_and_events(model: Any) -> None:
    """Refuse by name what changes a count other than by a reaction."""
    for i in range(model.getNumRules()):
        rule = model.getRule(i)
        name = rule.getVariable()
        if rule.isRate():
            raise UnsupportedModel(
                f"{name!r} has a rate rule, which changes it evenly; exact simulation changes whole numbers, one "
                "reaction at a time. Write it as a reaction, or make it a parameter."
            )
        if model.getSpecies(name) is not None:
            raise UnsupportedModel(
                f"Species {name!r} is made by an assignment rule; exact simulation counts species. Make it a parameter."
            )
        if model.getCompartment(name) is not None:
            raise UnsupportedModel(f"Compartment {name!r} has a rule; exact simulation needs compartments of one size.")
    for i in range(model.getNumEvents()):
        event = model.getEvent(i)
        what = "an event with a delay" if event.getDelay() is not None else "an event"
        raise UnsupportedModel(
            f"{event.getId() or f'event_{i + 1}'!r} is {what}, which exact simulation does not run. "
            "Give what happens at a known time as an administration, and anything else as a reaction."
        )


def _reaction(reaction: Any, model: Any, found: SbmlModel) -> Reaction:
    """Return the net change of each species that a reaction may change."""
    name = found.renamed.get(reaction.getId(), reaction.getId())
    sides = [(reaction.getReactant(k), -1) for k in range(reaction.getNumReactants())]
    sides += [(reaction.getProduct(k), 1) for k in range(reaction.getNumProducts())]
    changes: dict[str, int] = {}
    for reference, sign in sides:
        species = found.renamed.get(reference.getSpecies(), reference.getSpecies())
        if found.species[species].is_fixed:
            continue
        if model.getConversionFactor() or model.getSpecies(reference.getSpecies()).getConversionFactor():
            raise UnsupportedModel(
                f"Species {species!r} has a conversion factor; exact simulation needs laws in reactions per day."
            )
        changes[species] = changes.get(species, 0) + sign * _stoichiometry(reference, name)
    return Reaction(name, tuple(changes.items()))


def _stoichiometry(reference: Any, reaction: str) -> int:
    """Return a stoichiometry, refused where it is no fixed whole number."""
    where = f"The stoichiometry of {reference.getSpecies()!r} in reaction {reaction!r}"
    if reference.isSetStoichiometryMath() or reference.getId():
        raise UnsupportedModel(f"{where} has a name or a formula and could change. Write it as a whole number.")
    value = reference.getStoichiometry() / reference.getDenominator()
    if not (0.0 <= value <= LARGEST_COUNT and value.is_integer()):
        raise UnsupportedModel(f"{where} is {value:g}; exact simulation needs a whole number.")
    return int(value)


def _counted(found: SbmlModel, reactions: Iterable[Reaction]) -> Equations:
    """Return the equations with amounts in place of concentrations, and no rates."""
    equations = found.equations
    changed = {species for reaction in reactions for species, _ in reaction.changes}
    for state in equations.states:
        if state.id not in changed:
            raise UnsupportedModel(
                f"{state.id!r} starts at a value computed from species, which exact simulation does not keep. "
                "Give it a number or a formula of parameters."
            )
    per_size: dict[str, Expression] = {
        name: Apply("div", (Symbol(name), Symbol(species.compartment)))
        for name, species in found.species.items()
        if name in changed and not species.in_amount
    }
    assignments = tuple(replace(a, expression=substitute(a.expression, per_size)) for a in equations.assignments)
    needs = _needs(assignments)
    for reaction in reactions:
        if TIME in needs[reaction.id]:
            raise UnsupportedModel(
                f"The law of reaction {reaction.id!r} depends on the time, which exact simulation does not run. "
                "Switch a parameter at the times where it changes (an administration that sets it)."
            )
    states = tuple(
        replace(state, initial=_initial_amount(found, state, needs), derivative=_ZERO) for state in equations.states
    )
    return replace(equations, states=states, assignments=assignments)


def _needs(assignments: Iterable[Assignment]) -> dict[str, set[str]]:
    """Return every symbol that each assigned quantity depends on, also through others."""
    needs: dict[str, set[str]] = {}
    for assignment in assignments:
        direct = symbols(assignment.expression)
        needs[assignment.id] = set(direct).union(*(needs.get(name, set()) for name in direct))
    return needs


def _initial_amount(found: SbmlModel, state: State, needs: Mapping[str, set[str]]) -> Expression:
    """Return the amount of a species at the start: a whole number, or a formula of parameters checked in the run."""
    species, start = found.species[state.id], state.initial
    if not species.in_amount:
        size = next((p.value for p in found.equations.parameters if p.id == species.compartment), None)
        if isinstance(start, Number) and size is not None:
            start = Number(start.value * size)
        else:
            start = Apply("mul", (start, Symbol(species.compartment)))
    if isinstance(start, Number):
        return Number(_whole(start.value, state.id))
    used = symbols(start).union(*(needs.get(name, set()) for name in symbols(start)))
    moving = sorted(used & {*found.equations.state_index, TIME})
    if moving or draws(start):
        what = repr(moving[0]) if moving else "a random draw"
        raise UnsupportedModel(
            f"The initial amount of {state.id!r} depends on {what}; exact simulation needs a whole number or a formula "
            "of parameters."
        )
    return start


def _whole(value: float, species: str) -> float:
    """Return an amount as a whole number."""
    nearest = float(round(value)) if abs(value) <= LARGEST_COUNT else -1.0
    if nearest < 0 or abs(value - nearest) > _ROUNDING * max(1.0, nearest):
        raise UnsupportedModel(
            f"The initial amount of {species!r} is {value:g}; exact simulation needs a whole number from 0 to 2**53."
        )
    return nearest
