from __future__ import annotations

from pathlib import Path

import pytest
from tests.model.parts import ENTRY, MODEL, PARAMETERS, QUANTITIES, make_part

from regraft.model import lint_part
from regraft.model.lint import CHECKS

HAZARD = (
    "model tank()\n  level = level_start;\n  level' = supply - k_loss*level;\n  share := level/level_start;\n"
    "  H_burst' = k_loss*share;\n  H_burst = 0;\n  E_burst = exponential(1);\n"
    "  burst: at (H_burst >= E_burst): E_burst = exponential(1), H_burst = 0;\nend\n"
)
HAZARD_QUANTITIES = (*QUANTITIES, "H_burst,state,dimensionless,,hazard", "E_burst,state,dimensionless,,threshold")


def with_line(line: str, model: str = MODEL) -> str:
    return model.replace("end\n", f"  {line}\nend\n")


PLANTED = {
    "unused_parameter": ({"parameters": (*PARAMETERS, "extra,1,mg,fixed,,,,assumption,x,measured,")}, "extra"),
    "unknown_offer": ({"entry": ENTRY + '[offers]\nparameters = ["k_los"]\n'}, "k_los"),
    "unused_input": ({"quantities": (*QUANTITIES, "extra,input,mg,1,something")}, "extra"),
    "missing_meaning": ({"quantities": ("level,state,mg,,", *QUANTITIES[1:])}, "level"),
    "idle_state": (
        {"model": with_line("still' = 0; still = 0;"), "quantities": (*QUANTITIES, "still,state,mg,,never moves")},
        "still",
    ),
    "misplaced_draw": ({"model": MODEL.replace("- k_loss", "- uniform(0, 1)*k_loss")}, "level"),
    "hazard_without_threshold": (
        {"model": HAZARD.replace("E_burst = exponential(1);\n", "E_burst = 1;\n", 1)},
        "H_burst",
    ),
    "literal_numbers": ({"model": MODEL.replace("level/level_start", "level/level_start*0.7")}, "line 4"),
    "assumed_without_reason": ({"parameters": (PARAMETERS[0].replace("a test", "assumed"), PARAMETERS[1])}, "k_loss"),
    "no_limits": ({"entry": ENTRY.replace('["for tests"]', "[]")}, "tank"),
}


def test_a_parameter_that_is_offered_to_other_parts_need_not_be_used(tmp_path: Path) -> None:
    extra = "extra,1,mg,fixed,,,,assumption,x,measured,"
    offered = ENTRY + '[offers]\nparameters = ["extra"]\n'
    assert not lint_part(make_part(tmp_path / "tank", parameters=(*PARAMETERS, extra), entry=offered))


def test_every_check_has_a_planted_fault() -> None:
    assert [check.__name__ for check in CHECKS] == list(PLANTED)


@pytest.mark.parametrize("check", PLANTED)
def test_each_check_finds_its_planted_fault_and_nothing_else(tmp_path: Path, check: str) -> None:
    texts, where = PLANTED[check]
    if "H_burst" in str(texts):
        texts = texts | {"quantities": HAZARD_QUANTITIES}
    issues = lint_part(make_part(tmp_path / "tank", **texts))
    assert [(issue.check, issue.where, issue.severity) for issue in issues] == [(check, where, "error")]
    assert issues[0].message.endswith(".")


@pytest.mark.parametrize(
    "texts",
    [{}, {"model": HAZARD, "quantities": HAZARD_QUANTITIES}],
)
def test_a_part_without_faults_passes(tmp_path: Path, texts: dict[str, object]) -> None:
    assert lint_part(make_part(tmp_path / "tank", **texts)) == []


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (HAZARD.replace("H_burst >= E_burst", "H_burst >= share"), "no event fires at H_burst >= E_burst"),
        (HAZARD.replace("E_burst", "threshold"), "needs E_burst = exponential"),
    ],
)
def test_a_hazard_needs_its_own_threshold_and_event(tmp_path: Path, model: str, message: str) -> None:
    quantities = tuple(q.replace("E_burst", "threshold") if "threshold" in model else q for q in HAZARD_QUANTITIES)
    issues = lint_part(make_part(tmp_path / "tank", model=model, quantities=quantities))
    assert [issue.check for issue in issues] == ["hazard_without_threshold"]
    assert message in issues[0].message


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("E_burst = exponential(1), H", "E_burst = uniform(0, exponential(1)), H", "burst"),
        ("share := level", "share := exponential(1)*level", "share"),
        ("at (H_burst >= E_burst)", "at (H_burst >= E_burst && level > uniform(0, 1)*level_start)", "burst"),
        ("at (H_burst >= E_burst):", "at exponential(1) after (H_burst >= E_burst):", "burst"),
    ],
)
def test_draws_within_draws_formulas_triggers_and_delays_are_found(
    tmp_path: Path, old: str, new: str, where: str
) -> None:
    assert old in HAZARD
    part = make_part(tmp_path / "tank", model=HAZARD.replace(old, new), quantities=HAZARD_QUANTITIES)
    assert [(i.check, i.where) for i in lint_part(part)] == [("misplaced_draw", where)]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("// 0.7 in a comment", []),
        ("x1 := 2*level^3;", []),
        ("x1 := level*1e6;", ["1e6"]),
        ("x1 := level/365.25 + 17*level;", ["365.25", "17"]),
        ("x1 := 0.50*level;", ["0.50"]),
    ],
)
def test_numbers_that_are_no_structure_are_found_outside_comments(tmp_path: Path, line: str, found: list[str]) -> None:
    quantities = QUANTITIES if line.startswith("//") else (*QUANTITIES, "x1,derived,mg,,x")
    part = make_part(tmp_path / "tank", model=with_line(line), quantities=quantities)
    issues = lint_part(part)
    assert [issue.check for issue in issues] == ["literal_numbers"] * len(found)
    assert all(number in issue.message for number, issue in zip(found, issues, strict=True))
