from __future__ import annotations

import math

import numpy as np
import pytest
from tests.model.run import run
from tests.model.sbml_text import (
    MATH,
    TIME,
    X,
    after,
    apply,
    compartment,
    csymbol,
    document,
    event,
    events,
    initial_assignments,
    number,
    parameters,
    production,
    rate_rule,
    rules,
    species,
)

from regraft.errors import InvalidArgument, InvalidModel, UnsupportedModel
from regraft.model import read_sbml
from regraft.model.expressions import Apply, Symbol
from regraft.model.sbml import read_sbml_model
from regraft.model.sbml_assembly import MissingValue

GROWTH = ("rate", apply("times", "c", number(0.1)))
DOUBLING = ("assignment", apply("plus", number(2.0), apply("times", number(2.0), TIME)))
TIMES = [0.0, 1.0, 2.0]


def rate_of(name: str) -> str:
    return f"<apply>{csymbol('rateOf')}<ci>{name}</ci></apply>"


def test_a_growing_compartment_dilutes_what_it_holds() -> None:
    text = document(compartment(2.0), species('initialAmount="6"', boundary=True), rules(c=GROWTH))
    assert run(text, "s", TIMES) == pytest.approx(3 * np.exp(-0.1 * np.array(TIMES)), rel=1e-8)


def test_a_compartment_that_has_a_formula_dilutes_what_it_holds() -> None:
    text = document(compartment(None), species('initialConcentration="3"', boundary=True), rules(c=DOUBLING))
    assert run(text, "s", TIMES) == pytest.approx([3.0, 1.5, 1.0], rel=1e-12)


def test_a_reaction_makes_an_amount_in_a_growing_compartment() -> None:
    text = document(
        compartment(2.0), species('initialAmount="0"'), parameters(k=5.0), rules(c=GROWTH), production("<ci>k</ci>")
    )
    expected = [5 * t / (2 * math.exp(0.1 * t)) for t in TIMES]
    assert run(text, "s", TIMES) == pytest.approx(expected, rel=1e-7, abs=1e-12)


def test_the_rate_rule_of_a_concentration_holds_in_a_growing_compartment() -> None:
    for size in (GROWTH, DOUBLING):
        text = document(
            compartment(2.0),
            species('initialConcentration="1"', boundary=True),
            rules(c=size, s=("rate", number(0.5))),
        )
        assert run(text, "s", TIMES) == pytest.approx([1.0, 1.5, 2.0], rel=1e-8)


def test_an_event_that_halves_a_compartment_keeps_the_amount() -> None:
    text = document(
        compartment(2.0), species('initialAmount="6"', boundary=True), events(event(after(1.5), c=number(1.0)))
    )
    assert run(text, "s", TIMES) == pytest.approx([3.0, 3.0, 6.0], rel=1e-12)


def test_a_concentration_assigned_with_the_size_takes_the_size_before() -> None:
    change = event(after(1.5), s=number(4.0), c=number(0.5))
    text = document(compartment(2.0), species('initialAmount="6"', boundary=True), events(change))
    assert run(text, "s", TIMES) == pytest.approx([3.0, 3.0, 4.0 * 2.0 / 0.5], rel=1e-12)


def test_a_species_in_amount_is_not_diluted() -> None:
    text = document(compartment(2.0), species('initialConcentration="3"', amounts=True, boundary=True), rules(c=GROWTH))
    assert run(text, "s", TIMES) == pytest.approx([6.0, 6.0, 6.0], rel=1e-12)


def test_a_species_at_a_point_is_an_amount() -> None:
    text = document(
        compartment(None, dimensions=0), species('initialAmount="6"'), parameters(k=1.0), production("<ci>s</ci>")
    )
    assert run(text, "s", TIMES) == pytest.approx(6 * np.exp(TIMES), rel=1e-8)


def test_an_initial_assignment_to_a_species_is_a_concentration() -> None:
    text = document(
        compartment(4.0),
        species('initialAmount="1"', boundary=True),
        parameters(k=3.0),
        initial_assignments(s="<ci>k</ci>", c=apply("times", "k", number(2.0))),
        rules(c=("rate", number(0.0))),
    )
    model = read_sbml_model(text)
    assert run(text, "s", [0.0])[0] == 3.0
    assert model.amount("s") == Apply("mul", (Symbol("s"), Symbol("c")))
    assert run(text, "amount_of_s", [0.0])[0] == 18.0


def test_what_is_assigned_at_the_start_from_what_moves_stays_as_it_was() -> None:
    text = document(
        parameters(x=1.0, y=0.0, z=0.0),
        initial_assignments(y=apply("plus", "x", TIME), z=apply("times", "y", number(2.0))),
        rate_rule("<ci>x</ci>"),
    )
    assert run(text, "z", TIMES).tolist() == [2.0, 2.0, 2.0]
    assert set(read_sbml(text).state_index) == {"x", "y", "z"}


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ('id="n"', rules(n=("assignment", apply("plus", number(1.0), TIME)))),
        ('id="n" stoichiometry="1"', rules(n=("rate", number(1.0)))),
    ],
)
def test_a_stoichiometry_may_change(reference: str, parts: str) -> None:
    text = document(compartment(), species('initialAmount="0"'), parts, production(number(2.0), reference))
    assert run(text, "s", TIMES) == pytest.approx([2 * (t + t * t / 2) for t in TIMES], rel=1e-8, abs=1e-12)


def test_a_stoichiometry_may_be_set_at_the_start_and_by_an_event() -> None:
    text = document(
        compartment(),
        species('initialAmount="0"'),
        initial_assignments(n=number(3.0)),
        production(number(1.0), 'id="n"'),
        events(event(after(1.0), n=number(5.0))),
    )
    assert run(text, "s", TIMES) == pytest.approx([0.0, 3.0, 8.0], rel=1e-7, abs=1e-12)
    assert run(text, "n", TIMES).tolist() == [3.0, 5.0, 5.0]


def test_stoichiometry_mathematics_of_level_2_is_a_formula() -> None:
    inner = f"<stoichiometryMath><math {MATH}>{apply('times', 'k', number(2.0))}</math></stoichiometryMath>"
    made = f'<speciesReference species="s">{inner}</speciesReference>'
    reaction = (
        f'<listOfReactions><reaction id="r" reversible="false"><listOfProducts>{made}</listOfProducts><kineticLaw>'
        f"<math {MATH}>{number(1.0)}</math></kineticLaw></reaction></listOfReactions>"
    )
    text = document(compartment(), species('initialAmount="0"'), parameters(k=3.0), reaction, level="2.4")
    assert run(text, "s", TIMES) == pytest.approx([0.0, 6.0, 12.0], rel=1e-8, abs=1e-12)


def test_a_reaction_and_a_stoichiometry_may_be_used_in_formulas() -> None:
    text = document(
        compartment(),
        species('initialAmount="1"'),
        parameters(y=None),
        rules(y=("assignment", apply("times", "r", "n"))),
        production("<ci>s</ci>", 'id="n" stoichiometry="2"'),
    )
    assert run(text, "y", TIMES) == pytest.approx(2 * np.exp(2 * np.array(TIMES)), rel=1e-7)


def test_the_rate_of_a_state_a_constant_and_a_diluted_concentration() -> None:
    text = document(
        compartment(2.0),
        species('initialAmount="6"', boundary=True),
        parameters(x=1.0, k=3.0, a=None, b=None, d=None),
        rules(
            c=GROWTH,
            x=("rate", apply("times", "k", "x")),
            a=("assignment", rate_of("x")),
            b=("assignment", rate_of("k")),
            d=("assignment", rate_of("s")),
        ),
    )
    assert run(text, "a", [0.0, 0.5]) == pytest.approx([3.0, 3 * math.exp(1.5)], rel=1e-8)
    assert run(text, "b", [0.0]).tolist() == [0.0]
    assert run(text, "d", TIMES) == pytest.approx(-0.3 * np.exp(-0.1 * np.array(TIMES)), rel=1e-8)


def test_a_rate_may_use_another_rate() -> None:
    text = document(parameters(x=1.0, y=0.0), rules(x=("rate", number(2.0)), y=("rate", rate_of("x"))))
    assert run(text, "y", TIMES) == pytest.approx([0.0, 2.0, 4.0], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (rules(y=("assignment", TIME), x=("rate", rate_of("y"))), "rate of 'y', which is given by a formula"),
        (rules(x=("rate", rate_of("yy"))), "rate of 'yy', which nothing defines. Did you mean 'y'"),
        (rules(x=("rate", rate_of("x"))), "form a loop"),
        (rules(x=("rate", "<ci>yy</ci>")), "d/dt x uses 'yy', which nothing defines. Did you mean 'y'"),
    ],
)
def test_a_rate_that_cannot_be_known_is_refused(parts: str, message: str) -> None:
    with pytest.raises(InvalidModel, match=message):
        read_sbml(document(parameters(x=1.0, y=2.0), parts))


def test_a_quantity_called_time_is_not_the_time() -> None:
    text = document(parameters(time=10.0, y=None), rules(y=("assignment", apply("plus", "time", TIME))))
    assert run(text, "y", TIMES).tolist() == [10.0, 11.0, 12.0]
    assert read_sbml_model(text).symbol("time") == Symbol("time_")


def test_elements_without_a_formula_count_as_absent() -> None:
    text = document(
        X,
        '<listOfInitialAssignments><initialAssignment symbol="x"/></listOfInitialAssignments>',
        '<listOfRules><rateRule variable="x"/></listOfRules>',
        '<listOfEvents><event id="e" useValuesFromTriggerTime="true"/></listOfEvents>',
    )
    equations = read_sbml(text)
    assert [p.id for p in equations.parameters] == ["x"]
    assert equations.events == ()


def test_a_reaction_without_a_law_is_refused() -> None:
    reaction = '<listOfReactions><reaction id="r" reversible="false"/></listOfReactions>'
    with pytest.raises(UnsupportedModel, match="Reaction 'r' has no kinetic law"):
        read_sbml(document(reaction))


def test_a_parameter_that_is_no_finite_number_is_kept_out_of_the_parameters() -> None:
    text = document('<listOfParameters><parameter id="p" value="INF" constant="true"/></listOfParameters>')
    assert "p" not in read_sbml(text).parameter_index
    assert run(text, "p", [0.0])[0] == math.inf


def test_a_species_without_a_start_is_named() -> None:
    with pytest.raises(MissingValue, match="'s' has no value") as error:
        read_sbml(document(compartment(), species(""), parameters(k=1.0), production("<ci>k</ci>")))
    assert error.value.symbol == "s"


def test_a_species_without_a_start_that_nothing_uses_is_not_known() -> None:
    assert math.isnan(run(document(compartment(), species("")), "s", [0.0])[0])


def test_a_drawing_that_is_not_valid_does_not_matter() -> None:
    package = 'xmlns:layout="http://www.sbml.org/sbml/level3/version1/layout/version1"'
    text = document(X, level="2.4").replace("<sbml ", f"<sbml {package} ")
    assert read_sbml(text).parameters[0].id == "x"


def test_amounts_and_concentrations_can_be_asked_for_by_species() -> None:
    model = read_sbml_model(document(compartment(2.0), species('initialAmount="6"', amounts=True)))
    assert model.amount("s") == Symbol("s")
    assert model.concentration("s") == Apply("div", (Symbol("s"), Symbol("c")))
    with pytest.raises(InvalidArgument, match="no species 'ss'. Did you mean 's'"):
        model.amount("ss")
