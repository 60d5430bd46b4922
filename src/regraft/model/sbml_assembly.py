"""Pieces of an SBML model to equations: what is a state, what a parameter, and which species are kept as amounts.

A species given as a concentration in a compartment that changes its size is kept as an amount, which the compartment
does not change; its own symbol is a formula, amount / size. All other symbols are kept as they stand in the file.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from regraft.errors import InvalidModel, UnsupportedModel, near_matches
from regraft.model.equations import Assignment, Equations, Event, Parameter, State
from regraft.model.expressions import RATE_OF, TIME, Apply, Expression, Number, Symbol, draws, symbols, transform
from regraft.model.sbml_draft import Draft, Species
from regraft.model.sorting import sort_assignments

_ZERO = Number(0.0)
# what nothing uses and no file gives
_UNKNOWN = Number(math.nan)


class MissingValue(InvalidModel):
    """A symbol of a model has no value, initial value or formula; ``symbol`` names it."""

    def __init__(self, model: str, symbol: str) -> None:
        super().__init__(f"Model {model!r}: {symbol!r} has no value. Give it one.")
        self.symbol = symbol


def assemble(draft: Draft) -> Equations:
    """Return the equations of a model.

    Raises
    ------
    InvalidModel : a formula uses a symbol that nothing defines, or formulas form a loop
    MissingValue : a symbol has no value (an ``InvalidModel`` too)
    UnsupportedModel : the rate of a symbol that has a formula is asked for
    """
    return _Assembly(draft).equations()


@dataclass
class _Assembly:
    """The pieces, where amounts are kept, and the formulas that the reader adds."""

    draft: Draft
    amounts: dict[str, str] = field(default_factory=dict)
    added: dict[str, Expression] = field(default_factory=dict)
    rate_names: dict[str, Expression] = field(default_factory=dict)

    def __post_init__(self) -> None:
        draft, changed = self.draft, self.draft.changed_by_events
        for species in draft.species.values():
            size = species.compartment
            varies = size in draft.formulas or size in draft.rates or size in changed
            # the rate rule of a concentration says all there is to say where the size has a formula of its own
            ruled = species.id in draft.formulas or (species.id in draft.rates and size in draft.formulas)
            if varies and not species.in_amount and not ruled:
                self.amounts[species.id] = self._fresh(f"amount_of_{species.id}")

    def equations(self) -> Equations:
        """Return everything put together."""
        draft = self.draft
        starts = self._starts()
        rates = {name: self._written(self._rate(name)) for name in starts if self._has_rate(name)}
        events = tuple(self._event(event) for event in draft.events)
        formulas = {
            name: self._written(formula) for name, formula in (*draft.reactions.items(), *draft.formulas.items())
        }
        for name, amount in self.amounts.items():
            formulas[name] = Apply("div", (Symbol(amount), Symbol(draft.species[name].compartment)))
        stored = {self.amounts.get(name, name): name for name in starts}
        jumping = {target for event in events for target, _ in event.assignments}
        held: dict[str, Expression] = {}
        states, parameters = [], []
        for place, name in stored.items():
            start = self._written(starts[name])
            if name in rates or place in jumping:
                states.append(State(place, "", start, rates.get(name, _ZERO)))
            elif isinstance(start, Number) and math.isfinite(start.value):
                parameters.append(Parameter(place, "", start.value))
            else:
                held[place] = start
        formulas |= self.added
        fixed, moving = _split(held, {p.id for p in parameters}, formulas)
        states += [State(name, "", start, _ZERO) for name, start in moving.items()]
        assignments = [Assignment(name, "", formula) for name, formula in (fixed | formulas).items()]
        equations = Equations(draft.id, tuple(states), tuple(parameters), sort_assignments(assignments), events)
        _check_symbols(equations)
        return equations

    def _fresh(self, name: str) -> str:
        """Return a name that the model does not use."""
        used = {*self.draft.values, *self.draft.reactions, *self.amounts.values(), *self.added, TIME}
        while name in used:
            name += "_"
        return name

    def _starts(self) -> dict[str, Expression]:
        """Return the value at the start of every symbol that has no formula; of an amount where that is kept."""
        draft, starts, used = self.draft, {}, self._used()
        for name, value in draft.values.items():
            if name in draft.formulas:
                continue
            species = draft.species.get(name)
            start = value if species is None else self._species_start(species)
            if start is None and (name in used or self._has_rate(name)):
                raise MissingValue(draft.id, name)
            starts[name] = _UNKNOWN if start is None else start
        return starts

    def _used(self) -> set[str]:
        """Return the symbols that some formula or event uses; the others need no value."""
        draft = self.draft
        found = draft.changed_by_events
        for formulas in (draft.values, draft.rates, draft.formulas, draft.reactions, draft.fluxes):
            found |= {symbol for formula in formulas.values() if formula is not None for symbol in symbols(formula)}
        for event in draft.events:
            found |= {symbol for expression in event.expressions for symbol in symbols(expression)}
        return found | {draft.species[name].compartment for name in self.amounts}

    def _species_start(self, species: Species) -> Expression | None:
        draft, size = self.draft, Symbol(species.compartment)
        kept_as_amount = species.in_amount or species.id in self.amounts
        value = draft.values[species.id]
        if value is not None:
            return Apply("mul", (value, size)) if species.id in self.amounts else value
        given = species.amount if kept_as_amount else species.concentration
        if given is not None:
            return Number(given)
        other = species.concentration if kept_as_amount else species.amount
        if other is None:
            return None
        known = draft.values[species.compartment]
        if isinstance(known, Number) and species.compartment not in draft.formulas:
            return Number(other * known.value if kept_as_amount else other / known.value)
        return Apply("mul" if kept_as_amount else "div", (Number(other), size))

    def _has_rate(self, name: str) -> bool:
        return name in self.draft.rates or name in self.draft.fluxes

    def _rate(self, name: str) -> Expression:
        """Return the rate of what is kept of a symbol: of its amount, or of the symbol itself."""
        draft, species = self.draft, self.draft.species.get(name)
        if name in draft.rates:
            rate = draft.rates[name]
            if name not in self.amounts:
                return rate
            assert species is not None
            size = species.compartment
            growth = draft.rates.get(size)
            moved = Apply("mul", (rate, Symbol(size)))
            return moved if growth is None else Apply("add", (moved, Apply("mul", (Symbol(name), growth))))
        flux = draft.fluxes[name]
        assert species is not None
        if species.in_amount or name in self.amounts:
            return flux
        return Apply("div", (flux, Symbol(species.compartment)))

    def _written(self, expression: Expression) -> Expression:
        """Replace ``rate_of`` by the symbol of an added formula."""
        if not _asks_for_rates(expression):
            return expression
        return transform(expression, lambda node: self._rate_symbol(node) if _is_rate(node) else node)

    def _rate_symbol(self, node: Expression) -> Expression:
        """Return the rate of a symbol as a number, or as a symbol whose formula is added once."""
        assert isinstance(node, Apply) and isinstance(node.arguments[0], Symbol)
        name = node.arguments[0].name
        if name not in self.rate_names:
            known = {*self.draft.values, *self.draft.reactions}
            if name not in known:
                raise InvalidModel(
                    f"Model {self.draft.id!r} uses the rate of {name!r}, which nothing defines. "
                    f"{near_matches(name, known)}"
                )
            place = self._fresh(f"rate_of_{name}")
            self.rate_names[name] = Symbol(place)
            self.added[place] = _ZERO
            self.added[place] = self._written(self._rate_of(name))
        return self.rate_names[name]

    def _rate_of(self, name: str) -> Expression:
        """Return the rate of a symbol as it stands in the file."""
        draft = self.draft
        if name in draft.formulas or name in draft.reactions:
            raise UnsupportedModel(
                f"Model {draft.id!r} uses the rate of {name!r}, which is given by a formula; only what has a rate of "
                "its own, or none, has one here. Write the derivative out."
            )
        if name not in self.amounts:
            return self._rate(name) if self._has_rate(name) else _ZERO
        size = draft.species[name].compartment
        growth = Apply(RATE_OF, (Symbol(size),))
        change = self._rate(name) if self._has_rate(name) else _ZERO
        return Apply("div", (Apply("sub", (change, Apply("mul", (Symbol(name), growth)))), Symbol(size)))

    def _event(self, event: Event) -> Event:
        """Return an event on what is kept: a concentration that is assigned sets an amount.

        The amount is the concentration times the size just before the jump, also where the event changes the size.
        """
        assignments, factors = [], []
        for target, value in event.assignments:
            place = self.amounts.get(target, target)
            if place == target or not event.use_trigger_values:
                new = self._written(value)
                assignments.append((place, new if place == target else Apply("mul", (new, self._size(target)))))
            else:
                # the concentration is from the time of the trigger, the size never is
                assignments.append((place, self._written(value)))
                factors.append((place, self._size(target)))
        optional = [None if e is None else self._written(e) for e in (event.delay, event.priority)]
        return replace(
            event,
            trigger=self._written(event.trigger),
            assignments=tuple(assignments),
            delay=optional[0],
            priority=optional[1],
            factors=tuple(factors),
        )

    def _size(self, species: str) -> Expression:
        return Symbol(self.draft.species[species].compartment)


def _is_rate(node: Expression) -> bool:
    return isinstance(node, Apply) and node.operation == RATE_OF


def _asks_for_rates(expression: Expression) -> bool:
    stack = [expression]
    while stack:
        node = stack.pop()
        if _is_rate(node):
            return True
        if isinstance(node, Apply):
            stack.extend(node.arguments)
    return False


def _split(
    held: Mapping[str, Expression], constant: Collection[str], formulas: Mapping[str, Expression]
) -> tuple[dict[str, Expression], dict[str, Expression]]:
    """Part symbols that nothing changes into formulas of constants, and states that keep what they had at the start."""
    known = set(constant)
    for item in sort_assignments([Assignment(name, "", e) for name, e in (*held.items(), *formulas.items())]):
        if symbols(item.expression) <= known and not draws(item.expression):
            known.add(item.id)
    fixed = {name: start for name, start in held.items() if name in known}
    return fixed, {name: start for name, start in held.items() if name not in known}


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
            raise InvalidModel(
                f"Model {equations.id!r}: {where} uses {unknown[0]!r}, which nothing defines. "
                f"{near_matches(unknown[0], known)}"
            )
