"""Some cases of the SBML semantic test suite, which is not part of this repository.

Set REGRAFT_SBML_SUITE to its folder. ``verification/sbml_suite.py FOLDER`` runs every case.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from verification.sbml_cases import Settings, compare, find_cases, model_file, read_settings, read_tags, run_case
from verification.sbml_suite import report, run_all, tags_page

SETTING = "REGRAFT_SBML_SUITE"
# every tag of the suite is on three of these, if it has as many
# fmt: off
CHOSEN = (
    48, 112, 238, 258, 598, 900, 936, 962, 992, 1028, 1062, 1118, 1210, 1272, 1278, 1284, 1288, 1290, 1316, 1336,
    1402, 1464, 1496, 1498, 1508, 1512, 1526, 1528, 1598, 1600, 1602, 1656, 1660, 1666, 1742, 1754, 1772, 1776,
    1806, 1808,
)
# fmt: on
SETTINGS = Settings(0.0, 2.0, 2, 0.01, 0.1, ("x",), frozenset(), frozenset())
SBML = (
    '<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model id="m">'
    '<listOfParameters><parameter id="x" value="{value}" constant="true"/></listOfParameters></model></sbml>'
)


@pytest.fixture(scope="module")
def suite() -> dict[str, Path]:
    """Return the folder of each case of the suite, or skip."""
    folder = os.environ.get(SETTING, "")
    if not folder or not Path(folder).is_dir():
        pytest.skip(f"The SBML test suite is not here: set {SETTING} to its folder ({folder!r} is none).")
    return {path.name: path for path in find_cases(Path(folder))}


@pytest.mark.parametrize("case", [f"{number:05}" for number in CHOSEN])
def test_a_case_of_the_suite_passes(suite: dict[str, Path], case: str) -> None:
    if case not in suite:
        pytest.skip(f"Case {case} is not in the folder that {SETTING} names.")
    assert run_case(suite[case]).detail == ""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return a folder of three cases of our own: one that passes, one that is wrong, one that is refused."""
    for name, value, expected in (("1", "3", "3"), ("2", "4", "3"), ("3", "3", "3")):
        case = tmp_path / name
        case.mkdir()
        text = SBML.format(value=value)
        if name == "3":
            text = text.replace("level3/version2/core", "level3/version2/core").replace(
                "</model>",
                '<listOfRules><algebraicRule><math xmlns="http://www.w3.org/1998/Math/MathML"><cn>0</cn>'
                "</math></algebraicRule></listOfRules></model>",
            )
        (case / f"{name}-sbml-l3v2.xml").write_text(text)
        (case / f"{name}-sbml-l2v4.xml").write_text("an older one that is not read")
        (case / f"{name}-settings.txt").write_text(
            "start: 0\nduration: 2\nsteps: 2\nvariables: x\nabsolute: 0.001\nrelative: 0.001\namount:\nconcentration:\n"
        )
        (case / f"{name}-results.csv").write_text(f"time,x\n0,{expected}\n1,{expected}\n2,{expected}\n")
        (case / f"{name}-model.m").write_text("componentTags: Parameter,\n   Other\ntestTags: Amount\n")
    yield tmp_path


def test_cases_are_counted_by_kind_and_by_tag(folder: Path) -> None:
    paths = find_cases(folder)
    outcomes = run_all(paths, processes=1)
    assert [outcome.kind for outcome in outcomes] == ["passed", "wrong", "refused"]
    assert "x differ, first x at time 0: 4 where 3 is expected" in outcomes[1].detail
    assert "algebraic rule" in outcomes[2].detail
    assert report(outcomes).splitlines()[-1] == "passed 1 of 3"
    page = tags_page(outcomes, {path.name: read_tags(path) for path in paths})
    assert "| Other | 3 | 1 | 1 | 1 |" in page
    assert "- 3, refused: Model 'm' has an algebraic rule" in page


def test_models_without_results_are_only_run(folder: Path) -> None:
    path = folder / "1" / "1-sbml-l3v2.xml"
    assert [outcome.kind for outcome in run_all([path], models=True, processes=1)] == ["passed"]


def test_the_highest_level_and_version_is_read(folder: Path) -> None:
    assert model_file(folder / "1").name == "1-sbml-l3v2.xml"


def test_settings_are_read_from_the_file_of_the_case(folder: Path) -> None:
    settings = read_settings(folder / "1" / "1-settings.txt")
    assert (settings.steps, settings.absolute, settings.variables, settings.amounts) == (2, 0.001, ("x",), frozenset())
    assert settings.times.tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("found", "expected", "message"),
    [
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], ""),
        ([1.0, 2.2, 3.0], [1.0, 2.0, 3.0], ""),
        ([1.0, 2.22, 3.0], [1.0, 2.0, 3.0], "x differ, first x at time 1"),
        ([np.nan, np.inf, 3.0], [np.nan, np.inf, 3.0], ""),
        ([np.nan, 2.0, 3.0], [1.0, 2.0, 3.0], "x differ, first x at time 0"),
        ([1.0, 2.0, -np.inf], [1.0, 2.0, np.inf], "x differ, first x at time 2"),
    ],
)
def test_the_rule_of_the_suite_is_absolute_plus_relative_tolerance(
    found: list[float], expected: list[float], message: str
) -> None:
    table = np.column_stack([[0.0, 1.0, 2.0], expected])
    sentence = compare(["x"], np.array(found)[:, None], table, SETTINGS)
    assert sentence.startswith(message) and bool(sentence) == bool(message)
