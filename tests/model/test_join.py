from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest
from tests.model.evaluate import at_start, rates
from tests.model.parts import PARAMETERS, QUANTITIES, make_part

from regraft.errors import InvalidField, InvalidModel, UnitMismatch
from regraft.model import Part, join, load_part
from regraft.model.expressions import symbols

SPRING = (
    "model spring()\n  supply := flow_max*opening;\n  level_sum = 0; level_sum' = flow_max;\n"
    "  gone: at (opening > 1): level_sum = 0;\nend\n"
)
SPRING_ROWS = ("flow_max,6,mg/day,fixed,,,,assumption,a test,assumed,",)
SPRING_QUANTITIES = (
    "supply,derived,mg/day,,what flows in",
    "opening,input,dimensionless,0.5,how far it is open",
    "level_sum,state,mg,,all that flowed",
)
CORE = ("person", "hematopoiesis", "immunity", "cyclophosphamide", "atg_rabbit")


def spring(folder: Path, **texts: object) -> Part:
    given = {"model": SPRING, "parameters": SPRING_ROWS, "quantities": SPRING_QUANTITIES} | texts
    return make_part(folder / "spring", **given)


def test_an_input_is_met_by_the_formula_of_another_part(tmp_path: Path) -> None:
    tank = make_part(tmp_path / "tank")
    joined = join([tank, spring(tmp_path)], id="both")
    assert joined.equations.id == "both"
    assert [p.id for p in joined.equations.parameters] == ["flow_max", "k_loss", "level_start", "opening"]
    values = at_start(joined.equations)
    assert values["supply"] == 3.0
    assert rates(joined.equations, values) == {"level": 3 - 0.5 * 2, "level_sum": 6.0}
    assert [row.id for row in joined.parameter_rows] == ["k_loss", "level_start", "flow_max"]
    assert [event.id for event in joined.equations.events] == ["gone"]


def test_the_order_of_parts_changes_no_value(tmp_path: Path) -> None:
    parts = [make_part(tmp_path / "tank"), spring(tmp_path)]
    first, second = join(parts).equations, join(parts[::-1]).equations
    assert at_start(first) == at_start(second)
    assert first.parameters == second.parameters


def test_an_input_that_nobody_defines_stays_a_parameter_with_its_default(tmp_path: Path) -> None:
    joined = join([make_part(tmp_path / "tank")])
    parameter = joined.equations.parameters[joined.equations.parameter_index["supply"]]
    assert (parameter.value, parameter.unit, parameter.meaning) == (1.0, "mg/day", "what flows in")


def test_an_input_of_two_parts_is_one_parameter(tmp_path: Path) -> None:
    renamed = [q.replace("level", "depth").replace("share", "part") for q in QUANTITIES]
    other = make_part(
        tmp_path / "pond",
        model="model pond()\n  depth = 2*depth_start;\n  depth' = supply - k_seep*depth;\n"
        "  part := depth/depth_start;\nend\n",
        parameters=[p.replace("level", "depth").replace("k_loss", "k_seep") for p in PARAMETERS],
        quantities=renamed,
    )
    equations = join([make_part(tmp_path / "tank"), other]).equations
    assert [p.id for p in equations.parameters].count("supply") == 1


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        (
            {
                "model": SPRING.replace("level_sum", "level"),
                "quantities": (*SPRING_QUANTITIES[:2], "level,state,mg,,x"),
            },
            InvalidModel,
            "Parts 'tank' and 'spring' both define 'level'",
        ),
        (
            {"quantities": ("supply,derived,g/day,,x", *SPRING_QUANTITIES[1:])},
            UnitMismatch,
            "'supply' is defined in 'spring' in g/day but 'tank' expects mg/day",
        ),
        (
            {"quantities": ("supply,derived,mg,,x", *SPRING_QUANTITIES[1:])},
            UnitMismatch,
            "'supply' is defined in 'spring' in mg but 'tank' expects mg/day",
        ),
        (
            {"quantities": (*SPRING_QUANTITIES, "extra,input,mg,1,x")},
            InvalidModel,
            "Part 'spring' declares the input 'extra' but never uses it",
        ),
        (
            {
                "model": SPRING.replace("supply :=", "inflow :=").replace("end\n", "  all := supply;\nend\n"),
                "quantities": (
                    "inflow,derived,mg/day,,x",
                    "all,derived,mg/day,,x",
                    "supply,input,mg/day,7,x",
                    *SPRING_QUANTITIES[1:],
                ),
            },
            UnitMismatch,
            r"'tank' and 'spring' declare the input 'supply' differently \(1 mg/day and 7 mg/day\)",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused_by_name(
    tmp_path: Path, texts: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        join([make_part(tmp_path / "tank"), spring(tmp_path, **texts)])


def test_two_events_of_one_name_are_refused(tmp_path: Path) -> None:
    tank = make_part(
        tmp_path / "tank",
        model="model tank()\n  level = level_start;\n  level' = supply - k_loss*level;\n"
        "  share := level/level_start;\n  gone: at (level < 1): level = 1;\nend\n",
    )
    with pytest.raises(InvalidModel, match="'tank' and 'spring' both have an event 'gone'"):
        join([tank, spring(tmp_path)])


def test_formulas_that_form_a_loop_across_parts_are_refused(tmp_path: Path) -> None:
    spring_of_share = spring(
        tmp_path,
        model=SPRING.replace("flow_max*opening", "flow_max*share*opening"),
        quantities=(*SPRING_QUANTITIES, "share,input,dimensionless,1,x"),
    )
    tank = make_part(
        tmp_path / "tank",
        model="model tank()\n  level = level_start;\n  level' = supply - k_loss*level;\n"
        "  share := supply/level_start/k_loss;\nend\n",
    )
    with pytest.raises(InvalidModel, match="Formulas form a loop: .*(share -> supply|supply -> share)"):
        join([tank, spring_of_share])


def adder(
    folder: Path, name: str, flow: float, *, unit: str = "mg/day", adds_to: str = "supply", **texts: object
) -> Part:
    """Make a part whose only formula adds to the inflow of the tank."""
    given: dict[str, object] = {
        "model": f"model {name}()\n  {name}_flow := {name}_rate;\nend\n",
        "parameters": (f"{name}_rate,{flow},{unit},fixed,,,,assumption,a test,assumed,",),
        "quantities": (f"{name}_flow,derived,{unit},,what it adds,{adds_to}",),
        "columns": "id,kind,unit,default,meaning,adds_to",
    }
    return make_part(folder / name, **(given | texts))


def test_what_several_parts_add_to_an_input_is_its_sum(tmp_path: Path) -> None:
    parts = [make_part(tmp_path / "tank"), adder(tmp_path, "rain", 3), adder(tmp_path, "river", 0.5)]
    equations = join(parts).equations
    assert "supply" not in equations.parameter_index
    assert at_start(equations)["supply"] == 3.5
    assert equations.units["supply"] == "mg/day"
    assert rates(equations, at_start(equations)) == {"level": 3.5 - 0.5 * 2}
    alone = join(parts[:2]).equations
    assert rates(alone, at_start(alone)) == {"level": 3 - 0.5 * 2}


def test_the_order_of_parts_changes_no_bit_of_a_sum(tmp_path: Path) -> None:
    parts = [adder(tmp_path, name, flow) for name, flow in (("a", 0.1), ("b", 0.2), ("c", 0.3))]
    totals = {at_start(join(order).equations)["supply"] for order in permutations(parts)}
    assert totals == {0.1 + 0.2 + 0.3}


def test_one_part_may_add_twice_and_also_use_the_sum(tmp_path: Path) -> None:
    twice = adder(
        tmp_path,
        "rain",
        3,
        model="model rain()\n  rain_flow := rain_rate;\n  snow_flow := 2*rain_rate;\n  wet := supply/rain_rate;\nend\n",
        quantities=(
            "rain_flow,derived,mg/day,,x,supply",
            "snow_flow,derived,mg/day,,x,supply",
            "wet,derived,dimensionless,,x,",
            "supply,input,mg/day,1,x,",
        ),
    )
    values = at_start(join([make_part(tmp_path / "tank"), twice]).equations)
    assert (values["supply"], values["wet"]) == (9.0, 3.0)


def test_a_sum_that_no_part_uses_is_allowed(tmp_path: Path) -> None:
    assert at_start(join([adder(tmp_path, "rain", 3, adds_to="lake_supply")]).equations)["lake_supply"] == 3.0


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        (
            "g/day",
            "Parts 'rain' and 'river' add to 'supply' in different units .'rain_flow' in mg/day, 'river_flow' in g",
        ),
        ("mg", "Parts 'rain' and 'river' add to 'supply' in different units"),
    ],
)
def test_parts_that_add_in_different_units_are_refused_by_name(tmp_path: Path, unit: str, message: str) -> None:
    with pytest.raises(UnitMismatch, match=message):
        join([make_part(tmp_path / "tank"), adder(tmp_path, "rain", 3), adder(tmp_path, "river", 1, unit=unit)])


def test_a_sum_in_another_unit_than_an_input_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UnitMismatch, match="'supply' is what 'rain' add up to in g/day but 'tank' expects mg/day"):
        join([make_part(tmp_path / "tank"), adder(tmp_path, "rain", 3, unit="g/day")])


def test_a_part_that_defines_what_another_adds_to_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match="Part 'spring' defines 'supply', to which part 'rain' adds 'rain_flow'"):
        join([make_part(tmp_path / "tank"), spring(tmp_path), adder(tmp_path, "rain", 3)])


def test_a_sum_that_needs_itself_is_refused(tmp_path: Path) -> None:
    rain = adder(
        tmp_path,
        "rain",
        3,
        model="model rain()\n  rain_flow := supply/rain_rate*rain_rate;\nend\n",
        quantities=("rain_flow,derived,mg/day,,x,supply", "supply,input,mg/day,1,x,"),
    )
    with pytest.raises(InvalidModel, match="Formulas form a loop: .*supply"):
        join([rain])


@pytest.mark.parametrize(
    ("quantities", "message"),
    [
        (("rain_flow,input,mg/day,1,x,supply",), "row 'rain_flow', column 'adds_to': a quantity of kind 'input' adds"),
        (("rain_flow,derived,mg/day,,x,the supply",), "column 'adds_to': 'the supply' is no name"),
        (("rain_flow,derived,mg/day,,x,rain_flow",), "adds to 'rain_flow', which this part defines itself"),
    ],
)
def test_a_contribution_that_cannot_be_one_is_refused_by_row(
    tmp_path: Path, quantities: tuple[str, ...], message: str
) -> None:
    with pytest.raises(InvalidField, match=message):
        adder(tmp_path, "rain", 3, quantities=quantities)


def test_nothing_to_join_is_refused() -> None:
    with pytest.raises(InvalidModel, match="at least one part"):
        join([])


@pytest.mark.parametrize("order", list(permutations(CORE))[::30])
def test_the_core_parts_join_in_any_order(order: tuple[str, ...]) -> None:
    equations = join([load_part(name) for name in order]).equations
    before: set[str] = {"time", *equations.state_index, *equations.parameter_index}
    for assignment in equations.assignments:
        assert symbols(assignment.expression) <= before
        before.add(assignment.id)
    assert len(equations.units) == len(equations.states) + len(equations.parameters) + len(equations.assignments)
