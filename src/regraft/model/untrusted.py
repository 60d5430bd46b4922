"""A first look at an SBML file from elsewhere, before libsbml walks and expands it.

libsbml follows nested elements and calls of functions by recursion in C++, without a limit: a deep file, or a function
that calls itself, ends the whole process, and a few short functions can expand to more terms than memory holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

import libsbml

from regraft.errors import InvalidModel, UnsupportedModel
from regraft.model.mathml import operands

MAX_XML_DEPTH = 300
MAX_EXPANDED_TERMS = 1_000_000


def refuse_deep_text(text: str) -> None:
    """Refuse SBML text that nests elements too deeply or declares a document type.

    Raises
    ------
    UnsupportedModel : more than ``MAX_XML_DEPTH`` levels, or a document type (the way to entities that explode)
    InvalidModel : not XML
    """
    depth = 0

    def enter(name: str, _attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_XML_DEPTH:
            raise UnsupportedModel(
                f"The SBML text nests elements more than {MAX_XML_DEPTH} levels deep at <{name}>. Split the formula up."
            )

    def leave(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def refuse_type(*_declaration: object) -> None:
        raise UnsupportedModel("The SBML text declares a document type, which is not read. Remove <!DOCTYPE ...>.")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = enter, leave
    parser.StartDoctypeDeclHandler = refuse_type
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise InvalidModel(f"The SBML text is no XML: {error}. Give a whole SBML file.") from None


@dataclass(frozen=True)
class _Size:
    """Terms of an expanded formula: those of its own, and how often it holds each argument."""

    terms: int = 1
    uses: dict[str, int] = field(default_factory=dict)

    def plus(self, other: _Size, times: int = 1) -> _Size:
        uses = dict(self.uses)
        for name, count in other.uses.items():
            uses[name] = uses.get(name, 0) + times * count
        return _Size(self.terms + times * other.terms, uses)


def refuse_exploding_functions(model: Any) -> None:
    """Refuse functions that call themselves, and formulas that expand to too many terms.

    Parameters
    ----------
    model : libsbml Model, functions not yet expanded

    Raises
    ------
    InvalidModel : a function calls itself, directly or through others (named)
    UnsupportedModel : a formula has more than ``MAX_EXPANDED_TERMS`` terms once its functions are written out
    """
    try:
        _measure_formulas(model)
    except RecursionError:
        raise UnsupportedModel("The functions of the model call each other too deeply. Write some out.") from None


def _measure_formulas(model: Any) -> None:
    """Raise where a formula is too large once its functions are written out."""
    sizes: dict[str, _Size] = {}
    for i in range(model.getNumFunctionDefinitions()):
        _function_size(model, model.getFunctionDefinition(i), sizes, ())
    elements = model.getListOfAllElements()
    for i in range(elements.getSize()):
        element = elements.get(i)
        if isinstance(element, libsbml.FunctionDefinition) or not hasattr(element, "getMath"):
            continue
        if element.getMath() is not None:
            size = _size(model, element.getMath(), sizes, ())
            if size.terms > MAX_EXPANDED_TERMS:
                raise UnsupportedModel(
                    f"A formula in <{element.getElementName()}> has more than {MAX_EXPANDED_TERMS} terms once its "
                    "functions are written out. Give the parts names by assignment rules."
                )


def _function_size(model: Any, function: Any, sizes: dict[str, _Size], open_calls: tuple[str, ...]) -> _Size:
    """Return the size of a function's body in terms of its arguments; each function is measured once."""
    name = function.getId()
    if name in open_calls:
        raise InvalidModel(f"Function {name!r} calls itself ({' -> '.join((*open_calls, name))}). Write it out.")
    if name not in sizes:
        body = function.getBody()
        sizes[name] = _Size() if body is None else _size(model, body, sizes, (*open_calls, name))
    return sizes[name]


def _size(model: Any, node: Any, sizes: dict[str, _Size], open_calls: tuple[str, ...]) -> _Size:
    """Return the size of a formula once every call in it is written out."""
    if node.getType() == libsbml.AST_NAME:
        return _Size(0, {node.getName(): 1}) if open_calls else _Size()
    parts = [_size(model, part, sizes, open_calls) for part in operands(node)]
    function = model.getFunctionDefinition(node.getName()) if node.getType() == libsbml.AST_FUNCTION else None
    if function is None:
        result = _Size()
        for part in parts:
            result = result.plus(part)
        return result
    body = _function_size(model, function, sizes, open_calls)
    result = _Size(body.terms + sum(count for name, count in body.uses.items() if not _is_argument(function, name)))
    for i, part in enumerate(parts[: function.getNumArguments()]):
        result = result.plus(part, body.uses.get(function.getArgument(i).getName(), 0))
    return result


def _is_argument(function: Any, name: str) -> bool:
    return any(function.getArgument(i).getName() == name for i in range(function.getNumArguments()))
