from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest
from tests.model.evaluate import at_start, rates
from tests.model.parts import PARAMETERS, QUANTITIES, make_part

from regraft.errors import InvalidModel, UnitMismatch
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
CORE = ("person", "hematopoiesis", "immunity", "drugs")


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


def test_nothing_to_join_is_refused() -> None:
    with pytest.raises(InvalidModel, match="at least one part"):
        join([])


@pytest.mark.parametrize("order", list(permutations(CORE))[::6])
def test_the_core_parts_join_in_any_order(order: tuple[str, ...]) -> None:
    equations = join([load_part(name) for name in order]).equations
    before: set[str] = {"time", *equations.state_index, *equations.parameter_index}
    for assignment in equations.assignments:
        assert symbols(assignment.expression) <= before
        before.add(assignment.id)
    assert len(equations.units) == len(equations.states) + len(equations.parameters) + len(equations.assignments)
