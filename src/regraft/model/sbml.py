"""SBML to frozen equations. A file from elsewhere is untrusted: it is parsed by libsbml and never evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libsbml

from regraft.entries import read_text
from regraft.errors import InvalidArgument, InvalidModel, UnsupportedModel, near_matches
from regraft.model.equations import Equations
from regraft.model.expressions import TIME, Apply, Expression, Symbol
from regraft.model.sbml_assembly import MissingValue as MissingValue
from regraft.model.sbml_assembly import assemble
from regraft.model.sbml_draft import Species, read_draft
from regraft.model.untrusted import refuse_deep_text, refuse_exploding_functions

MAX_ELEMENTS = 20_000
MAX_CHARACTERS = 20_000_000
# drawings of a model are often not valid SBML and change no number
_DRAWINGS = ("layout", "render")
_DRAWING = re.compile("package '?(layout|render)", re.IGNORECASE)
_CONVERSIONS = ("promoteLocalParameters", "expandFunctionDefinitions")


@dataclass(frozen=True)
class SbmlModel:
    """The equations of an SBML file and what its symbols stood for.

    ``renamed`` maps an id of the file to the id in the equations where that differs (only a quantity called like the
    time).
    """

    equations: Equations
    species: Mapping[str, Species]
    renamed: Mapping[str, str]

    def symbol(self, name: str) -> Expression:
        """Return what an id of the file is in the equations: a species is an amount or a concentration."""
        return Symbol(self.renamed.get(name, name))

    def amount(self, species: str) -> Expression:
        """Return the amount of a species, or raise ``InvalidArgument`` with near matches."""
        found, symbol = self._species(species), self.symbol(species)
        return symbol if found.in_amount else Apply("mul", (symbol, self.symbol(found.compartment)))

    def concentration(self, species: str) -> Expression:
        """Return the amount of a species per size of its compartment, or raise ``InvalidArgument``."""
        found, symbol = self._species(species), self.symbol(species)
        return Apply("div", (symbol, self.symbol(found.compartment))) if found.in_amount else symbol

    def _species(self, name: str) -> Species:
        found = self.species.get(self.renamed.get(name, name))
        if found is None:
            raise InvalidArgument(f"The model has no species {name!r}. {near_matches(name, self.species)}")
        return found


def read_sbml(source: str | Path) -> Equations:
    """Read an SBML document as equations.

    Parameters and errors as ``read_sbml_model``. Units are left empty (a part's tables or the file's own unit
    definitions are checked elsewhere).
    """
    return read_sbml_model(source).equations


def read_sbml_model(source: str | Path) -> SbmlModel:
    """Read an SBML document as equations, with what its species are.

    Parameters
    ----------
    source : SBML text, or the path of a file; at most twenty million characters

    Raises
    ------
    InvalidModel : not a valid SBML model; the first error of libsbml is passed on
    MissingValue : a symbol has no value (an ``InvalidModel`` too)
    UnsupportedModel : the model uses something that cannot be run, which is named, or is too large
    """
    text = read_text(source) if isinstance(source, Path) else source
    if len(text) > MAX_CHARACTERS:
        raise UnsupportedModel(f"The SBML text has {len(text)} characters; more than {MAX_CHARACTERS} are not read.")
    refuse_deep_text(text)
    document = libsbml.readSBMLFromString(text)
    _raise_on_errors(document)
    _refuse_packages(document)
    refuse_exploding_functions(document.getModel())
    for option in _CONVERSIONS:
        properties = libsbml.ConversionProperties()
        properties.addOption(option, True)
        if document.convert(properties) != libsbml.LIBSBML_OPERATION_SUCCESS:
            raise UnsupportedModel(f"The SBML conversion {option!r} failed: {_last_error(document)}")
    model = document.getModel()
    _refuse_elements(model)
    time = _rename_time(model)
    draft = read_draft(model)
    return SbmlModel(assemble(draft), draft.species, {} if time == TIME else {TIME: time})


def _raise_on_errors(document: Any) -> None:
    for i in range(document.getNumErrors()):
        error = document.getError(i)
        is_of_drawing = error.getPackage() in _DRAWINGS or _DRAWING.search(error.getMessage())
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR and not is_of_drawing:
            raise InvalidModel(f"SBML line {error.getLine()}: {error.getMessage().strip()}")
    if document.getModel() is None:
        raise InvalidModel("The SBML document holds no model.")


def _last_error(document: Any) -> str:
    """Return the reason of libsbml for refusing a document, as far as it gives one."""
    if not document.getNumErrors():
        return "simplify the model's functions or local parameters."
    return " ".join(document.getError(document.getNumErrors() - 1).getMessage().split())


def _refuse_packages(document: Any) -> None:
    for i in range(document.getNumPlugins()):
        package = document.getPlugin(i).getPackageName()
        if package not in ("distrib", "l3v2extendedmath", "layout", "render") and document.getPackageRequired(package):
            raise UnsupportedModel(f"The SBML package {package!r} cannot be run; only 'distrib' can.")


def _refuse_elements(model: Any) -> None:
    """Refuse models that are too large or hold an element that cannot be run."""
    size = model.getNumParameters() + model.getNumSpecies() + model.getNumReactions() + model.getNumEvents()
    if size > MAX_ELEMENTS:
        raise UnsupportedModel(f"The model has {size} elements; more than {MAX_ELEMENTS} are not read.")
    if any(model.getRule(i).isAlgebraic() for i in range(model.getNumRules())):
        raise UnsupportedModel(
            f"Model {model.getId()!r} has an algebraic rule, which cannot be run. Solve it for one symbol."
        )
    if model.getNumConstraints():
        raise UnsupportedModel(f"Model {model.getId()!r} has constraints, which are not checked in a run. Remove them.")
    for i in range(model.getNumReactions()):
        if model.getReaction(i).getFast():
            raise UnsupportedModel(f"Reaction {model.getReaction(i).getId()!r} is fast, which cannot be run.")


def _rename_time(model: Any) -> str:
    """Give a quantity called like the time another name, everywhere in a libsbml Model, and return that name."""
    name = f"{TIME}_"
    if model.getElementBySId(TIME) is None:
        return TIME
    while model.getElementBySId(name) is not None:
        name += "_"
    elements = model.getListOfAllElements()
    model.getElementBySId(TIME).setId(name)
    for i in range(elements.getSize()):
        elements.get(i).renameSIdRefs(TIME, name)
    return name
