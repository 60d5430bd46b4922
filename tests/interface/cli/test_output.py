from __future__ import annotations

import pytest

from regraft.interface.cli.output import STICKY, column_widths, print_sentences, print_table

HEADER = ("Endpoint", "Arm")
ROWS = [("Relapse rate in the second year", "Natalizumab"), ("NEDA-3", f"75 (50{STICKY}to{STICKY}88.7)")]


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_a_table_with_room_keeps_each_row_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    print_table("Title", HEADER, ROWS)
    assert printed(capsys)[1:] == [
        "Title",
        "",
        "Endpoint                         Arm",
        "------------------------------------------------",
        "Relapse rate in the second year  Natalizumab",
        "NEDA-3                           75 (50 to 88.7)",
    ]


def test_text_is_folded_between_words_and_intervals_stay_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "25")
    print_table("Title", HEADER, ROWS)
    assert printed(capsys)[3:] == [
        "Endpoint     Arm",
        "-------------------------",
        "Relapse      Natalizumab",
        "rate in the",
        "second year",
        "NEDA-3       75",
        "             (50 to 88.7)",
    ]


def test_intervals_are_folded_too_before_a_table_is_given_up(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "21")
    print_table("Title", HEADER, ROWS)
    assert printed(capsys)[-2:] == ["NEDA-3    75 (50 to", "          88.7)"]


def test_a_table_that_is_too_wide_becomes_a_list(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "16")
    print_table("Title", HEADER, ROWS)
    assert printed(capsys)[3:] == [
        "Endpoint:",
        "    Relapse rate",
        "    in the",
        "    second year",
        "  Arm:",
        "    Natalizumab",
        "Endpoint: NEDA-3",
        "  Arm: 75",
        "    (50 to 88.7)",
    ]


def test_numbers_are_set_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("Title", ("Arm", "Died"), [("ahsct", "1"), ("none", "12")], numeric=(1,))
    assert printed(capsys)[-2:] == ["ahsct     1", "none     12"]


def test_a_table_without_rows_still_has_its_header(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("Title", HEADER, [])
    assert printed(capsys)[-2:] == ["Endpoint  Arm", "-------------"]


def test_the_widest_column_gives_way_first_but_never_breaks_a_word() -> None:
    rows = [("a" * 10, "b b " * 20, "c c c c c c c c")]
    assert column_widths(("", "", ""), rows, 40) == [10, 13, 13]
    assert column_widths(("", "", ""), [("a" * 30, "b" * 30, "")], 40) is None


def test_later_lines_of_a_sentence_are_indented(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "12")
    print_sentences("one two three four", "five")
    assert printed(capsys) == ["one two", "  three four", "five"]
