"""Reactions read from models, and what is refused by name."""

from __future__ import annotations

import pytest
from tests.model.evaluate import value

from regraft.errors import UnsupportedModel
from regraft.model import read_antimony, read_antimony_reactions, read_sbml_reactions
from regraft.model.antimony_text import antimony_to_sbml
from regraft.model.expressions import Number

CLONE = """
model clone
  substanceOnly species A, B, C
  A = 10; B = 0; C = 4
  split: A -> 2 A; b*A
  die: A -> ; d*A
  pair: 2 A -> B; k*A*(A - 1)
  swap: A + C -> B + C; s*A*C
  b = 1; d = 0.5; k = 0.1; s = 0.01
  total := A + 2*B
end
"""


def changes(text):
    return {reaction.id: dict(reaction.changes) for reaction in read_antimony_reactions(text).reactions}


def initial(text, species="A"):
    network = read_antimony_reactions(text)
    return network.equations.states[network.equations.state_index[species]].initial


def test_each_reaction_has_the_net_change_of_each_species():
    assert changes(CLONE) == {
        "split": {"A": 1},
        "die": {"A": -1},
        "pair": {"A": -2, "B": 1},
        "swap": {"A": -1, "C": 0, "B": 1},
    }


def test_parameters_and_species_stand_in_the_order_of_the_differential_equations():
    network, equations = read_antimony_reactions(CLONE), read_antimony(CLONE)
    assert network.equations.parameters == equations.parameters
    assert network.species == tuple(state.id for state in equations.states)
    assert all(state.derivative == Number(0.0) for state in network.equations.states)


def test_laws_stand_under_the_names_of_the_reactions():
    equations = read_antimony_reactions(CLONE).equations
    law = equations.assignments[equations.assignment_index["pair"]].expression
    assert value(law, {"A": 7.0, "k": 0.1}) == pytest.approx(4.2, rel=1e-15)


def test_reactions_leave_a_fixed_species_alone():
    text = "substanceOnly species A, $F; A = 1; F = 100; feed: F -> A; k*F; k = 1"
    assert changes(text) == {"feed": {"A": 1}}
    assert "F" in read_antimony_reactions(text).equations.parameter_index


def test_a_concentration_is_counted_as_an_amount_and_its_symbol_is_amount_per_size():
    text = "compartment c; c = 4; species A in c; A = 3; die: A -> ; k*A*c; k = 1; seen := A"
    network = read_antimony_reactions(text)
    assert network.equations.states[0].initial == Number(12.0)
    for name, expected in {"die": 12.0, "seen": 3.0}.items():
        expression = network.equations.assignments[network.equations.assignment_index[name]].expression
        assert value(expression, {"A": 12.0, "c": 4.0, "k": 1.0}) == expected


def test_an_amount_stays_whole_where_the_file_gives_it_and_the_size_splits_it_unevenly():
    sbml = antimony_to_sbml("compartment c; c = 3; species A in c; A = 1; die: A -> ; k*A; k = 1")
    assert 'initialConcentration="1"' in sbml
    network = read_sbml_reactions(sbml.replace('initialConcentration="1"', 'initialAmount="10"'))
    assert network.equations.states[0].initial == Number(10.0)


def test_a_product_of_concentration_and_size_is_rounded_to_the_whole_number_it_means():
    text = "compartment c; c = 1.1; species A in c; A = 50; die: A -> ; k*A; k = 1"
    assert 50 * 1.1 != 55
    assert initial(text) == Number(55.0)


def test_an_initial_amount_may_be_a_formula_of_parameters():
    text = "substanceOnly species A; n = 3; A = 2*n; die: A -> ; k*A; k = 1"
    assert value(initial(text), {"n": 3.0}) == 6.0


def test_a_species_called_time_keeps_its_reactions():
    sbml = antimony_to_sbml("substanceOnly species zeit; zeit = 5; die: zeit -> ; k*zeit; k = 1")
    network = read_sbml_reactions(sbml.replace("zeit", "time"))
    assert network.species == ("time_",)
    assert dict(network.reactions[0].changes) == {"time_": -1}


def test_reactions_are_read_from_a_file(tmp_path):
    path = tmp_path / "clone.xml"
    path.write_text(antimony_to_sbml(CLONE), encoding="utf-8")
    assert read_sbml_reactions(path) == read_antimony_reactions(CLONE)


DIE = "substanceOnly species A; A = 5; die: A -> ; k*A; k = 1; "


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A' = -1; A = 3", "'A' has a rate rule"),
        ("A = 3; k := 1", "has no reactions"),
        (DIE + "species B; B := 2*A", "Species 'B' is made by an assignment rule"),
        (DIE + "x' = 1; x = 0", "'x' has a rate rule"),
        (DIE + "compartment c; c := 1 + k; species B in c; B = 1; b: B -> ; B", "Compartment 'c' has a rule"),
        (DIE + "late: at 3 after A < 2: A = 5", "'late' is an event with a delay"),
        (DIE + "full: at A > 2: A = 1", "'full' is an event, which"),
        ("substanceOnly species A; A = 5; die: 1.5 A -> ; k*A; k = 1", "of 'A' in reaction 'die' is 1.5"),
        ("substanceOnly species A; A = 5; n = 2; die: n A -> ; k*A; k = 1", "'A' in reaction 'die' has a name"),
        ("substanceOnly species A; A = 2.5; die: A -> ; k*A; k = 1", "initial amount of 'A' is 2.5"),
        ("substanceOnly species A; A = -1; die: A -> ; k*A; k = 1", "initial amount of 'A' is -1"),
        ("substanceOnly species A; A = 1e17; die: A -> ; k*A; k = 1", "initial amount of 'A' is 1e+17"),
        (DIE + "substanceOnly species B; B = A; b: B -> ; B", "initial amount of 'B' depends on 'A'"),
        (DIE + "total := 2*A; substanceOnly species B; B = total; b: B -> ; B", "of 'B' depends on 'A'"),
        (DIE + "grow: -> A; k*(1 + sin(time))", "law of reaction 'grow' depends on the time"),
        (DIE + "wave := sin(time); grow: -> A; k*(1 + wave)", "law of reaction 'grow' depends on the time"),
        (DIE + "p = 2*A", "'p' starts at a value computed from species"),
    ],
)
def test_what_whole_numbers_cannot_do_is_refused_by_name(text, words):
    with pytest.raises(UnsupportedModel) as error:
        read_antimony_reactions(text)
    assert words in str(error.value)


def test_a_conversion_factor_is_refused_by_name():
    sbml = antimony_to_sbml(DIE).replace('id="A" ', 'id="A" conversionFactor="k" ')
    with pytest.raises(UnsupportedModel, match="Species 'A' has a conversion factor"):
        read_sbml_reactions(sbml)


def test_an_initial_amount_drawn_at_random_is_refused_by_name():
    text = "substanceOnly species A; A = poisson(5); die: A -> ; k*A; k = 1"
    with pytest.raises(UnsupportedModel, match="initial amount of 'A' depends on a random draw"):
        read_antimony_reactions(text)
