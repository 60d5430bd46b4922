"""No number from a paper stands in a ``.py`` file of the rooms that know patients, therapy, trials or evidence.

The rule: whole numbers up to 12, halves, powers of ten and the calendar (7, 12, 24, 365.25) are free. Any other literal
must be listed in ``technical_numbers.csv`` for its one file, with a reason why it is no knowledge about patients.
"""

from __future__ import annotations

from pathlib import Path

from tests.contracts.numbers import ROOMS, ROOT, literals, numbers_that_belong_in_a_table, technical

PACKAGE = ROOT / "src" / "regraft"


def test_code_holds_no_number_that_belongs_in_a_table() -> None:
    found = numbers_that_belong_in_a_table(PACKAGE, technical())
    assert not found, "\n".join(found)


def test_every_technical_number_is_still_in_its_file_and_has_a_reason() -> None:
    for (file, value), reason in technical().items():
        assert reason.strip(), f"{file}: {value:g} has no reason"
        assert value in {float(found) for _, found in literals(PACKAGE / file)}, f"{file} no longer holds {value:g}"


def test_a_planted_number_is_found(tmp_path: Path) -> None:
    for room in ROOMS:
        (tmp_path / room).mkdir()
    (tmp_path / "trial" / "planted.py").write_text(
        "HALF_LIFE = 6.3\nMONTH = 365.25 / 12\nSHARE = 0.5\nTOLERANCE = 1e-9\nDAYS = 180\n", encoding="utf-8"
    )
    found = numbers_that_belong_in_a_table(tmp_path, {})
    assert len(found) == 2
    assert "line 1: 6.3" in found[0]
    assert "line 5: 180" in found[1]


def test_a_technical_number_is_allowed_in_its_own_file_only(tmp_path: Path) -> None:
    for room in ROOMS:
        (tmp_path / room).mkdir()
    for name in ("one.py", "other.py"):
        (tmp_path / "trial" / name).write_text("LIMIT = 2000\n", encoding="utf-8")
    found = numbers_that_belong_in_a_table(tmp_path, {("trial/one.py", 2000.0): "batch size"})
    assert [line.split(",")[0] for line in found] == ["trial/other.py"]
