from __future__ import annotations

from pathlib import Path

import pytest
from tests.model.evaluate import at_start, rates
from tests.model.parts import MODEL, PARAMETERS, QUANTITIES, make_part, write_part

from regraft.errors import InvalidField, InvalidFile, InvalidModel, RegraftError, UnknownEntry
from regraft.model import load_part
from regraft.model.expressions import Apply, Number, Symbol
from regraft.model.part import used_symbols


def test_a_part_takes_structure_from_its_text_and_numbers_and_units_from_its_tables(tmp_path: Path) -> None:
    part = make_part(tmp_path / "tank")
    assert (part.id, part.equations.id, part.entry.status) == ("tank", "tank", "draft")
    assert part.equations.units == {
        "level": "mg",
        "k_loss": "1/day",
        "level_start": "mg",
        "supply": "mg/day",
        "share": "dimensionless",
    }
    assert part.equations.states[0].meaning == "what is in the tank"
    assert list(part.inputs) == ["supply"]
    assert [row.id for row in part.parameter_rows] == ["k_loss", "level_start"]
    assert rates(part.equations, at_start(part.equations)) == {"level": 1 - 0.5 * 2}


def test_an_unknown_part_lists_near_matches() -> None:
    with pytest.raises(UnknownEntry, match="Did you mean 'immunity'"):
        load_part("imunity")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            {"model": MODEL.replace("supply -", "sypply -")},
            "model.ant: .*'sypply' has no value and is in no table.*Did you mean 'supply'",
        ),
        (
            {"model": MODEL.replace("level = level_start;", "")},
            "model.ant: .*'level' has no value. Write its initial value",
        ),
        ({"model": MODEL.replace("end\n", "")}, "no 'end'"),
        ({"model": MODEL.replace("level' =", "level' := =")}, "model.ant: .*line 3"),
        ({"model": MODEL.replace("  share := level/level_start;\n", "")}, "'share' is declared as derived"),
        ({"quantities": (*QUANTITIES[:2], "share,state,dimensionless,,share")}, "declared as state .* is a derived"),
        ({"quantities": QUANTITIES[1:]}, "'level' is in no table. Add it to quantities.csv"),
        ({"parameters": PARAMETERS[:1]}, "'level_start' has no value and is in no table. Add it"),
        ({"quantities": (*QUANTITIES, "k_loss,input,1/day,1,x")}, "'k_loss' is in quantities.csv and in param"),
    ],
)
def test_tables_and_text_that_disagree_are_refused_by_name(
    tmp_path: Path, texts: dict[str, object], message: str
) -> None:
    with pytest.raises(RegraftError, match=message):
        make_part(tmp_path / "tank", **texts)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("extra,rate,mg,,x", "column 'kind': 'rate'; use one of state, derived, input"),
        ("level,state,mg,,x", "the id appears twice"),
        ("extra,state,mgg,,x", "column 'unit': 'mgg' is not a unit"),
        ("extra,input,mg,,x", "column 'default': an input needs one"),
        ("extra,state,mg,3,x", "column 'default': .*a state has none"),
        ("extra,input,mg,nan,x", "column 'default': 'nan' is not a finite number"),
    ],
)
def test_a_bad_row_of_quantities_is_refused_with_row_and_column(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(InvalidField, match=f"quantities.csv, row '{row.split(',')[0]}'.*{message}"):
        make_part(tmp_path / "tank", quantities=(*QUANTITIES, row))


@pytest.mark.parametrize("name", ["entry.toml", "model.ant", "parameters.csv", "quantities.csv"])
@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00\x80"])
def test_a_file_that_is_missing_or_no_text_is_named(tmp_path: Path, name: str, content: bytes | None) -> None:
    folder = write_part(tmp_path / "tank")
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(InvalidFile, match=f"{name} cannot be read"):
        load_part(folder)


def test_a_number_in_a_table_is_never_worked_out(tmp_path: Path) -> None:
    row = PARAMETERS[0].replace("0.5", "__import__('os').getpid()")
    with pytest.raises(InvalidField, match="is not a finite number"):
        make_part(tmp_path / "tank", parameters=(row, PARAMETERS[1]))


def test_the_used_symbols_include_those_of_delays_priorities_and_initial_values(tmp_path: Path) -> None:
    event = "  e: at wait after (level < low), priority=rank: level = top;\nend\n"
    names = ("wait", "low", "rank", "top")
    rows = tuple(f"{name},1,mg,fixed,,,,assumption,a test,assumed," for name in names)
    part = make_part(tmp_path / "tank", model=MODEL.replace("end\n", event), parameters=(*PARAMETERS, *rows))
    assert used_symbols(part.equations) == {*names, "level", "level_start", "k_loss", "supply"}
    assert part.equations.events[0].trigger == Apply("lt", (Symbol("level"), Symbol("low")))


def test_a_default_of_an_input_may_be_zero(tmp_path: Path) -> None:
    part = make_part(tmp_path / "tank", quantities=(QUANTITIES[0], "supply,input,mg/day,0,x", QUANTITIES[2]))
    assert part.equations.parameters[part.equations.parameter_index["supply"]].value == 0.0
    assert part.equations.states[0].derivative != Number(0.0)


def test_a_model_error_of_a_part_is_an_invalid_model(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel):
        make_part(tmp_path / "tank", model="model tank()\n  level = ;;;(;\nend\n")
