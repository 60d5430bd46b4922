from __future__ import annotations

from pathlib import Path

import pytest
from tests.model.evaluate import at_start, rates, value
from tests.model.sbml_text import MATH, X, document, function, rate_rule

from regraft.errors import InvalidFile, InvalidModel, UnsupportedModel
from regraft.model import read_sbml
from regraft.model.expressions import Number

COMPARTMENT = '<listOfCompartments><compartment id="c" size="{size}" constant="true"/></listOfCompartments>'
SPECIES = (
    '<listOfSpecies><species id="s" compartment="c" {initial} hasOnlySubstanceUnits="{amounts}" '
    'boundaryCondition="{boundary}" constant="false" {extra}/></listOfSpecies>'
)


def reaction(options: str = 'reversible="false"', *, stoichiometry: str = "2", law: str = "<ci>k</ci>") -> str:
    reference = f'<speciesReference species="s" stoichiometry="{stoichiometry}" constant="true"/>'
    return (
        f'<listOfReactions><reaction id="r" {options}><listOfProducts>{reference}</listOfProducts>'
        f"<kineticLaw><math {MATH}>{law}</math></kineticLaw></reaction></listOfReactions>"
    )


def model_with_reaction(
    *,
    initial: str = 'initialAmount="8"',
    amounts: str = "false",
    boundary: str = "false",
    extra: str = "",
    **model: str,
) -> str:
    parameters = (
        '<listOfParameters><parameter id="k" value="3" constant="true"/>'
        '<parameter id="f" value="5" constant="true"/></listOfParameters>'
    )
    return document(
        COMPARTMENT.format(size="4"),
        SPECIES.format(initial=initial, amounts=amounts, boundary=boundary, extra=extra),
        parameters,
        reaction(),
        **model,
    )


@pytest.mark.parametrize(
    ("options", "start", "rate"),
    [
        ({}, 2.0, 2 * 3 / 4),
        ({"initial": 'initialConcentration="8"'}, 8.0, 2 * 3 / 4),
        ({"amounts": "true"}, 8.0, 2 * 3.0),
        ({"amounts": "true", "initial": 'initialConcentration="8"'}, 32.0, 2 * 3.0),
        ({"extra": 'conversionFactor="f"'}, 2.0, 5 * 2 * 3 / 4),
        ({"attributes": 'conversionFactor="f"'}, 2.0, 5 * 2 * 3 / 4),
    ],
)
def test_a_reaction_becomes_a_rate_of_amount_or_concentration(
    options: dict[str, str], start: float, rate: float
) -> None:
    equations = read_sbml(model_with_reaction(**options))
    values = at_start(equations)
    assert values["s"] == start
    assert rates(equations, values) == {"s": rate}


def test_a_boundary_species_is_not_changed_by_reactions() -> None:
    equations = read_sbml(model_with_reaction(boundary="true"))
    assert equations.states == ()
    assert "s" in equations.parameter_index


def test_local_parameters_and_functions_are_written_out() -> None:
    functions = function("twice", "<apply><times/><cn>2</cn><ci>a</ci></apply>") + function(
        "shift", "<apply><plus/><apply><ci>twice</ci><ci>a</ci></apply><cn>1</cn></apply>"
    )
    text = document(
        f"<listOfFunctionDefinitions>{functions}</listOfFunctionDefinitions>",
        X,
        rate_rule("<apply><ci>shift</ci><apply><ci>twice</ci><ci>x</ci></apply></apply>"),
    )
    equations = read_sbml(text)
    assert rates(equations, {"x": 3.0}) == {"x": 13.0}


@pytest.mark.parametrize(
    ("mathml", "expected"),
    [
        ("<apply><plus/></apply>", 0.0),
        ("<apply><times/></apply>", 1.0),
        ("<apply><root/><cn>9</cn></apply>", 3.0),
        ("<apply><root/><degree><cn>3</cn></degree><cn>8</cn></apply>", 2.0),
        ("<apply><log/><logbase><cn>2</cn></logbase><cn>8</cn></apply>", 3.0),
        ("<cn type='e-notation'>1<sep/>3</cn>", 1000.0),
        ("<cn type='rational'>1<sep/>4</cn>", 0.25),
        ("<apply><plus/>" + "<ci>x</ci>" * 5000 + "</apply>", 15_000.0),
        (
            "<piecewise><piece><cn>1</cn><apply><lt/><cn>1</cn><ci>x</ci><cn>5</cn></apply></piece>"
            "<otherwise><cn>0</cn></otherwise></piecewise>",
            1.0,
        ),
        ("<apply><divide/><ci>x</ci><apply><minus/><cn>2</cn></apply></apply>", -1.5),
    ],
)
def test_mathml_has_its_meaning(mathml: str, expected: float) -> None:
    equations = read_sbml(document(X, rate_rule(mathml)))
    assert value(equations.states[0].derivative, {"x": 3.0}) == pytest.approx(expected, rel=1e-14)


def test_an_initial_assignment_wins_over_the_value() -> None:
    assignment = (
        f'<listOfInitialAssignments><initialAssignment symbol="x"><math {MATH}><cn>7</cn></math>'
        "</initialAssignment></listOfInitialAssignments>"
    )
    assert read_sbml(document(X, assignment, rate_rule("<ci>x</ci>"))).states[0].initial == Number(7.0)


def test_a_file_is_read_like_its_text(tmp_path: Path) -> None:
    text = document(X, rate_rule("<ci>x</ci>"))
    (tmp_path / "m.xml").write_text(text)
    assert read_sbml(tmp_path / "m.xml") == read_sbml(text)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\xff\xfe\x00", "m.xml cannot be read"), (None, "m.xml cannot be read")],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "m.xml").write_bytes(content)
    with pytest.raises(InvalidFile, match=message):
        read_sbml(tmp_path / "m.xml")


ALGEBRAIC = f"<listOfRules><algebraicRule><math {MATH}><ci>x</ci></math></algebraicRule></listOfRules>"
CONSTRAINT = f"<listOfConstraints><constraint><math {MATH}><true/></math></constraint></listOfConstraints>"
FAST = document(
    COMPARTMENT.format(size="1"),
    SPECIES.format(initial='initialAmount="1"', amounts="false", boundary="false", extra=""),
    '<listOfParameters><parameter id="k" value="3" constant="true"/></listOfParameters>',
    reaction('reversible="false" fast="true"'),
    level="3.1",
)
FIXED = '<listOfParameters><parameter id="{}" {} constant="false"/></listOfParameters>'
COMP = document(attributes='xmlns:comp="c"').replace(
    'level="3" version="2"',
    'xmlns:fbc="http://www.sbml.org/sbml/level3/version1/comp/version1" fbc:required="true" level="3" version="2"',
)
DELAY = '<apply><csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/delay">d</csymbol>'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (document(X, ALGEBRAIC), "algebraic rule"),
        (document(X, CONSTRAINT), "constraints"),
        (FAST, "'r' is fast"),
        (document(X, rate_rule(f"{DELAY}<ci>x</ci><cn>1</cn></apply>")), r"rule of 'x' uses delay\(\) \('d'\)"),
        (document(X, rate_rule("<apply><power/><ci>x</ci></apply>")), "pow takes 2|power"),
        (COMP, "package 'comp' cannot be run"),
    ],
)
def test_what_cannot_be_run_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(InvalidModel, match=message):
        read_sbml(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no XML"),
        ("x = 3", "is no XML"),
        ("<sbml></sbml>", "SBML line"),
        (document(X, rate_rule("<ci>x</ci>"))[:-20], "is no XML"),
        (document(X).replace("<model id", "<modle id").replace("</model>", "</modle>"), "SBML line|holds no model"),
        (document(X, rate_rule("<ci>zz</ci>")), "d/dt x uses 'zz', which nothing defines"),
        (document(FIXED.format("x", ""), rate_rule("<cn>1</cn>")), "'x' has no value"),
    ],
)
def test_what_is_no_model_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InvalidModel, match=message):
        read_sbml(text)


def test_the_trigger_of_a_level_2_event_counts_as_true_before_the_start() -> None:
    parameters = '<listOfParameters><parameter id="x" value="1" constant="false"/></listOfParameters>'
    event = (
        f'<listOfEvents><event id="e"><trigger><math {MATH}><true/></math></trigger><listOfEventAssignments>'
        f'<eventAssignment variable="x"><math {MATH}><cn>1</cn></math></eventAssignment></listOfEventAssignments>'
        "</event></listOfEvents>"
    )
    found = read_sbml(document(parameters, event, level="2.4")).events[0]
    assert (found.initial_value, found.persistent) == (True, True)


def test_a_model_with_too_many_elements_is_refused() -> None:
    many = "".join(f'<parameter id="p{i}" value="1" constant="true"/>' for i in range(20_001))
    with pytest.raises(UnsupportedModel, match="20001 elements; more than 20000"):
        read_sbml(document(f"<listOfParameters>{many}</listOfParameters>"))
