from __future__ import annotations

import pytest
from tests.model.sbml_text import X, apply, document, function, number, parameters, rate_rule, rules

from regraft.errors import InvalidModel, UnsupportedModel
from regraft.model import read_sbml
from regraft.model.sbml import MAX_CHARACTERS

DOUBLE = "<apply><times/>{0}{0}</apply>"


def model_with_functions(functions: list[str], formula: str) -> str:
    listed = f"<listOfFunctionDefinitions>{''.join(functions)}</listOfFunctionDefinitions>"
    return document(listed, X, rate_rule(formula))


def call(name: str, argument: str) -> str:
    return f"<apply><ci>{name}</ci>{argument}</apply>"


@pytest.mark.parametrize("depth", [250, 100_000])
def test_a_deep_file_is_refused_and_does_not_end_the_process(depth: int) -> None:
    with pytest.raises(UnsupportedModel, match="too large|levels deep"):
        read_sbml(document(X, rate_rule("<apply><minus/>" * depth + "<ci>x</ci>" + "</apply>" * depth)))


def test_a_document_type_is_refused_because_its_entities_can_explode() -> None:
    text = document(X, rate_rule("<ci>&a;</ci>")).replace("?>", '?><!DOCTYPE s [<!ENTITY a "x">]>')
    with pytest.raises(UnsupportedModel, match="document type"):
        read_sbml(text)


@pytest.mark.parametrize("names", [["f"], ["f", "g", "h"]])
def test_functions_that_call_themselves_are_refused_by_name(names: list[str]) -> None:
    functions = [
        function(name, call(after, "<ci>a</ci>")) for name, after in zip(names, [*names[1:], names[0]], strict=True)
    ]
    with pytest.raises(InvalidModel, match=f"Function 'f' calls itself \\({' -> '.join(names)} -> f\\)"):
        read_sbml(model_with_functions(functions, call("f", "<ci>x</ci>")))


def test_functions_that_double_at_each_level_are_refused() -> None:
    functions = [function("f0", DOUBLE.format("<ci>a</ci>"))]
    functions += [function(f"f{i}", DOUBLE.format(call(f"f{i - 1}", "<ci>a</ci>"))) for i in range(1, 60)]
    with pytest.raises(UnsupportedModel, match="more than 1000000 terms"):
        read_sbml(model_with_functions(functions, call("f59", "<ci>x</ci>")))


def test_nested_calls_that_double_are_refused() -> None:
    formula = "<ci>x</ci>"
    for _ in range(60):
        formula = call("f", formula)
    with pytest.raises(UnsupportedModel, match="more than 1000000 terms"):
        read_sbml(model_with_functions([function("f", DOUBLE.format("<ci>a</ci>"))], formula))


def test_a_long_chain_of_functions_is_refused() -> None:
    functions = [function(f"f{i}", call(f"f{i + 1}", "<ci>a</ci>")) for i in range(2000)]
    functions.append(function("f2000", "<ci>a</ci>"))
    with pytest.raises(UnsupportedModel, match="too deeply"):
        read_sbml(model_with_functions(functions, call("f0", "<ci>x</ci>")))


def test_functions_of_usual_size_pass() -> None:
    functions = [function("f", DOUBLE.format("<ci>a</ci>")), function("g", DOUBLE.format(call("f", "<ci>a</ci>")))]
    equations = read_sbml(model_with_functions(functions, call("g", "<ci>x</ci>")))
    assert len(equations.states) == 1


@pytest.mark.parametrize("operation", ["arctan", "factorial", "arcsinh", "lt"])
def test_nested_functions_that_grow_when_written_out_are_refused(operation: str) -> None:
    body = "<ci>x</ci>"
    for _ in range(60):
        body = apply(operation, number(0.0), body, number(9.0)) if operation == "lt" else apply(operation, body)
    with pytest.raises(UnsupportedModel, match="rule of 'x' is too large"):
        read_sbml(document(X, rate_rule(body)))


def test_many_formulas_that_are_large_together_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regraft.model.mathml.MAX_NODES_OF_A_MODEL", 5_000)
    # each factorial is written out with some five hundred terms
    names = {f"x{i}": 1.0 for i in range(20)}
    formulas = {name: ("rate", apply("factorial", name)) for name in names}
    with pytest.raises(UnsupportedModel, match="more than 5000 terms together"):
        read_sbml(document(parameters(**names), rules(**formulas)))


def test_a_huge_text_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(UnsupportedModel, match=f"more than {MAX_CHARACTERS} are not read"):
        read_sbml(" " * (MAX_CHARACTERS + 1))
