"""Checks of a model entry, on a model whose answers are known: a tank that empties by half in a day."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.model.parts import write_part

from regraft import entries
from regraft.errors import InvalidField, InvalidFile, UnknownEntry
from regraft.evidence.golden import COLUMNS, Outcome, read_checks, run_checks

MODEL = "model tank()\n  level = level_start;\n  level' = -k_loss*level;\n  share := level/level_start;\nend\n"
QUANTITIES = ("level,state,mg,,what is in the tank", "share,derived,dimensionless,,level as a share of the start")
PARAMETERS = (
    "k_loss,0.6931471805599453,1/day,fixed,,,,definition,ln 2,derived,loses half a day",
    "level_start,8,mg,lognormal,0.5,,,assumption,a test,assumed,differs between patients",
    "body_weight,70,kg,fixed,,,,assumption,a test,assumed,",
)
CHECKS = '\n[checks]\nparts = ["tank"]\nstart_day = -1\n'
ENTRY = 'id = "{id}"\nname = "{id}"\nversion = "1"\nstatus = "draft"\nlimits = ["for tests"]\n'
Write = Callable[..., None]


def row(**changes: str) -> str:
    """Return a row of checks.csv; the level on day 2, three days after the start, is 1 mg."""
    cells = {
        "id": "eighth_left",
        "kind": "qualitative",
        "scenario": "untreated",
        "set": "",
        "quantity": "level",
        "time_day": "2",
        "lower": "0.99",
        "upper": "1.01",
        "unit": "mg",
        "source": "definition",
        "locator": "three half-lives",
    }
    return ",".join((cells | changes)[column] for column in COLUMNS)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Return a function that writes the checks of a catalog that holds only the tank."""
    folder = write_part(
        tmp_path / "models" / "tank", model=MODEL, quantities=QUANTITIES, parameters=PARAMETERS, entry=ENTRY + CHECKS
    )
    (tmp_path / "protocols").mkdir()
    (tmp_path / "treatments").mkdir()
    (tmp_path / "protocols" / "untreated.yaml").write_text("id: untreated\ntitle: None\nsource: none\nsteps: []\n")
    monkeypatch.setattr(entries, "catalog_root", lambda: tmp_path)

    def checks(*rows: str, entry: str = ENTRY + CHECKS) -> None:
        (folder / "checks.csv").write_text("\n".join([",".join(COLUMNS), *rows, ""]))
        (folder / "entry.toml").write_text(entry.format(id="tank"))

    return checks


def outcomes() -> dict[str, Outcome]:
    return {outcome.check.id: outcome for outcome in run_checks("tank")}


def test_a_check_gives_the_exact_answer_of_the_model(write: Write) -> None:
    write(row())
    (outcome,) = run_checks("tank")
    assert outcome.value == pytest.approx(1, rel=1e-3)
    assert outcome.is_met


def test_a_planted_check_that_must_fail_does_fail_and_says_by_how_much(write: Write) -> None:
    write(row(lower="2", upper="3", source="nobody_2001"), row(id="right"))
    found = outcomes()
    assert not found["eighth_left"].is_met
    assert found["right"].is_met
    sentence = found["eighth_left"].sentence
    for words in ("'eighth_left'", "level on day 2 of 'untreated' is 1", "mg, expected 2 to 3 (nobody_2001)"):
        assert words in sentence


@pytest.mark.parametrize(("lower", "upper", "is_met"), [("0", "0.9", False), ("1.1", "9", False), ("0", "9", True)])
def test_both_bounds_count(write: Write, lower: str, upper: str, is_met: bool) -> None:
    write(row(lower=lower, upper=upper))
    assert outcomes()["eighth_left"].is_met is is_met


def test_what_a_check_sets_applies_to_it_alone(write: Write) -> None:
    write(row(id="full", set="k_loss=0 level_start=5", lower="4.99", upper="5.01"), row())
    assert {name: outcome.is_met for name, outcome in outcomes().items()} == {"full": True, "eighth_left": True}


def test_a_value_is_compared_in_the_unit_of_the_check(write: Write) -> None:
    write(
        row(lower="999", upper="1001", unit="ug"),
        row(id="derived", quantity="share", lower="0.124", upper="0.126", unit="%"),
    )
    found = outcomes()
    assert found["eighth_left"].value == pytest.approx(1000, rel=1e-3)
    assert found["derived"].value == pytest.approx(12.5, rel=1e-3)


def test_times_are_kept_apart(write: Write) -> None:
    write(
        row(time_day="0", lower="3.99", upper="4.01"),
        row(id="later"),
        row(id="first", time_day="-1", lower="8", upper="8"),
    )
    assert all(outcome.is_met for outcome in outcomes().values())
    assert list(outcomes()) == ["eighth_left", "later", "first"]


def test_a_model_that_cannot_be_solved_meets_no_check(write: Write) -> None:
    write(row(set="level_start=0", quantity="share", unit="dimensionless", lower="-1e9", upper="1e9"))
    (outcome,) = run_checks("tank")
    assert outcome.value != outcome.value
    assert not outcome.is_met


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"quantity": "lvel"}, InvalidField, "'eighth_left' of 'tank': 'lvel'.*'level'"),
        ({"set": "k_los=1"}, InvalidField, "'eighth_left' of 'tank' sets 'k_los'.*'k_loss'"),
        ({"scenario": "untreatd"}, UnknownEntry, "'untreatd'.*'untreated'"),
        ({"lower": "2", "upper": "1"}, InvalidField, "row 'eighth_left': lower 2 is above upper 1"),
        ({"lower": "few"}, InvalidField, "row 'eighth_left', column 'lower': 'few'"),
        ({"time_day": ""}, InvalidField, "row 'eighth_left', column 'time_day'"),
        ({"set": "k_loss"}, InvalidField, "row 'eighth_left', column 'set'"),
    ],
)
def test_a_check_that_cannot_be_run_is_named(
    write: Write, changes: dict[str, str], kind: type[Exception], words: str
) -> None:
    write(row(**changes))
    with pytest.raises(kind, match=words):
        run_checks("tank")


@pytest.mark.parametrize("entry", [ENTRY, ENTRY + '\n[checks]\nparts = "tank"\nstart_day = 0\n'])
def test_an_entry_must_declare_parts_and_start(write: Write, entry: str) -> None:
    write(row(), entry=entry)
    with pytest.raises(InvalidField, match="needs 'parts'.*'start_day'"):
        run_checks("tank")


def test_a_table_without_a_column_is_refused(write: Write, tmp_path: Path) -> None:
    write(row())
    path = tmp_path / "models" / "tank" / "checks.csv"
    path.write_text(path.read_text().replace("quantity", "quantty"))
    with pytest.raises(InvalidFile, match="'quantity' is missing.*'quantty'"):
        read_checks("tank")
