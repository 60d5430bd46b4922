from __future__ import annotations

from pathlib import Path

import pytest

from regraft.errors import InvalidField, InvalidFile
from regraft.trial import load_design
from regraft.trial.design import Criterion, Duration

from .designs import REMOVED, VALID, changed, write

MISTAKES = [
    ("patients_per_am", 3, ["unknown key 'patients_per_am'", "'patients_per_arm'"]),
    ("visits.0.evry", {"value": 1, "unit": "month"}, ["'visits[0].evry'", "'every'"]),
    ("arms.1.lable", "No", ["'arms[1].lable'", "'label'"]),
    ("eligibility.0.mx", 60, ["'eligibility[0].mx'", "'max'"]),
    ("follow_up", 5, ["follow_up is 5", "needs a unit", "day, week, month or year"]),
    ("follow_up", "5 years", ["follow_up is '5 years'", "{value: 1, unit: month}"]),
    ("follow_up.unit", "years", ["follow_up.unit is 'years'", "day, week, month or year"]),
    ("visits.1.until.unit", "kg", ["visits[1].until.unit is 'kg'", "no unit of time"]),
    ("follow_up.unit", REMOVED, ["'follow_up.unit' is missing"]),
    ("follow_up.value", -1, ["follow_up.value is -1", "greater than 0"]),
    ("follow_up.value", float("nan"), ["follow_up.value is nan", "finite"]),
    ("follow_up.value", float("inf"), ["follow_up.value is inf", "finite"]),
    ("patients_per_arm", -5, ["patients_per_arm is -5", "greater than or equal to 1"]),
    ("patients_per_arm", 0, ["patients_per_arm is 0", "greater than or equal to 1"]),
    ("patients_per_arm", 2.5, ["patients_per_arm is 2.5", "integer"]),
    ("patients_per_arm", "many", ["patients_per_arm is 'many'", "integer"]),
    ("seed", -1, ["seed is -1", "greater than or equal to 0"]),
    ("screening_limit", -3, ["screening_limit is -3", "greater than or equal to 1"]),
    ("randomisation_day", 5, ["randomisation_day is 5", "less than or equal to 0"]),
    ("eligibility.0.min", "low", ["eligibility[0].min is 'low'", "number"]),
    ("eligibility.0.max", float("inf"), ["eligibility[0].max is inf", "finite"]),
    ("id", "My trial", ["id is 'My trial'", "small letters"]),
    ("title", REMOVED, ["'title' is missing"]),
    ("arms", [], ["arms is []", "at least 1"]),
    ("visits", [], ["visits is []", "at least 1"]),
    ("models", [], ["models is []", "at least 1"]),
]


@pytest.mark.parametrize(("place", "value", "expected"), MISTAKES, ids=[f"{m[0]}={m[1]}"[:40] for m in MISTAKES])
def test_a_mistake_is_refused_with_file_field_value_and_what_is_allowed(
    tmp_path: Path, place: str, value: object, expected: list[str]
) -> None:
    path = write(tmp_path, changed(place, value))
    with pytest.raises(InvalidField) as error:
        load_design(path)
    (line,) = str(error.value).splitlines()
    assert line.startswith(f"{path}: ")
    for words in expected:
        assert words in line


def test_every_mistake_has_its_own_line(tmp_path: Path) -> None:
    content = changed("follow_up", 5) | {"seed": -1, "patients_per_arm": 0}
    with pytest.raises(InvalidField) as error:
        load_design(write(tmp_path, content))
    assert len(str(error.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"id: [unclosed\ntitle: x\n", "line 2 is not valid YAML"),
        (b"- one\n- two\n", "holds no 'key: value' lines; a trial design starts with 'id:'"),
        (b"", "holds no 'key: value' lines"),
        (b"id: caf\xe9\n", "cannot be read"),
        (b"id: one\nseed: 1\nseed: 2\n", "key 'seed' appears twice"),
        (b"id: !!python/object/apply:os.getcwd []\n", "is not valid YAML"),
    ],
)
def test_a_file_that_is_no_design_is_refused_by_name(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "design.yaml"
    path.write_bytes(content)
    with pytest.raises(InvalidFile) as error:
        load_design(path)
    assert str(path) in str(error.value)
    assert expected in str(error.value)


def test_a_missing_file_and_a_folder_are_refused_by_name(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.yaml", tmp_path):
        with pytest.raises(InvalidFile, match="cannot be read") as error:
            load_design(path)
        assert str(path) in str(error.value)


def test_a_valid_design_keeps_what_the_file_says(tmp_path: Path) -> None:
    design = load_design(write(tmp_path, VALID))
    assert design.models == tuple(VALID["models"])
    assert design.follow_up.days == pytest.approx(730.5)
    assert design.visits[1].until.months == pytest.approx(24)
    assert [arm.class_name for arm in design.arms] == ["ahsct", "untreated"]
    assert design.most_screened == 50 * design.patients_per_arm


def test_an_arm_may_name_the_class_of_published_arms(tmp_path: Path) -> None:
    design = load_design(write(tmp_path, changed("arms.0.arm_class", "ahsct_beam")))
    assert design.arms[0].class_name == "ahsct_beam"


def test_the_path_of_a_protocol_is_read_relative_to_the_design(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("id: own\ntitle: Own\nsteps: []\n")
    design = load_design(write(tmp_path, changed("arms.0.protocol", "own.yaml")))
    assert design.arms[0].protocol == str((tmp_path / "own.yaml").resolve())
    assert design.arms[1].protocol == "untreated"


@pytest.mark.parametrize(
    ("value", "unit", "days"), [(3, "day", 3), (2, "week", 14), (12, "month", 365.25), (2, "year", 730.5)]
)
def test_a_duration_knows_its_days(value: float, unit: str, days: float) -> None:
    duration = Duration(value=value, unit=unit)
    assert duration.days == pytest.approx(days)
    assert duration.months == pytest.approx(days * 12 / 365.25)


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        ({"measure": "edss", "min": 1, "max": 6, "unit": "edss"}, "edss 1 to 6 edss"),
        ({"measure": "disease_duration", "max": 10, "unit": "year"}, "disease duration at most 10 year"),
        ({"measure": "relapses_last_12_months", "min": 1}, "relapses last 12 months at least 1"),
        ({"measure": "comorbidity", "max": 2, "unit": "dimensionless"}, "comorbidity at most 2"),
    ],
)
def test_a_criterion_reads_like_a_sentence(limits: dict[str, object], text: str) -> None:
    assert Criterion.model_validate(limits).text == text
