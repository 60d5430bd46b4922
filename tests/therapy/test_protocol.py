from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.therapy.clinic import COLLECT, DOSE, INFUSE, MONITOR, write_protocol

from regraft.entries import list_entries
from regraft.errors import DoseOutOfRange, InvalidField, InvalidFile, RegraftError, UnitMismatch, UnknownEntry
from regraft.therapy import load_protocol
from regraft.therapy.protocol import DrugStep, Repeat, duration_days


def load(folder: Path, *steps: dict[str, Any], **fields: Any):
    return load_protocol(write_protocol(folder, *steps, **fields))


def without(step: dict[str, Any], key: str) -> dict[str, Any]:
    return {k: v for k, v in step.items() if k != key}


def test_a_protocol_is_read_with_its_steps_in_order(tmp_path: Path) -> None:
    protocol = load(tmp_path, COLLECT, DOSE, INFUSE, MONITOR)
    assert [step.phase for step in protocol.steps] == ["collect", "condition", "infuse", "monitor"]
    assert protocol.treatment_ids == ("autologous_graft", "cyclophosphamide")
    assert protocol.status == "draft"


@pytest.mark.parametrize("name", list_entries("protocols"))
def test_every_catalog_protocol_loads_and_says_what_it_leaves_out(name: str) -> None:
    protocol = load_protocol(name)
    assert protocol.id == name
    assert protocol.limits


def test_an_unknown_protocol_lists_near_matches() -> None:
    with pytest.raises(UnknownEntry, match="Did you mean 'natalizumab'"):
        load_protocol("natalizumb")


@pytest.mark.parametrize(
    ("step", "error", "message"),
    [
        (DOSE | {"dsoe": 3}, InvalidField, r"steps\[0\].*dsoe.*Did you mean 'dose'"),
        (without(DOSE, "dose"), InvalidField, r"steps\[0\].*dose' is missing"),
        (without(DOSE, "agent"), InvalidField, "agent' is missing"),
        (without(DOSE, "days"), InvalidField, "days' is missing"),
        (without(DOSE, "phase"), InvalidField, r"steps\[0\]"),
        (without(INFUSE, "day"), InvalidField, "day' is missing"),
        (DOSE | {"phase": "condtion"}, InvalidField, "condtion"),
        (DOSE | {"dose": "50"}, UnitMismatch, r"steps\[0\].dose: '50' has no unit. Write it like '50 mg/kg'"),
        (DOSE | {"dose": 50}, InvalidField, "dose is 50: input should be a valid string"),
        (DOSE | {"dose": "50 mgg/kg"}, UnitMismatch, r"steps\[0\].dose: 'mgg/kg' is not a unit"),
        (DOSE | {"dose": "nan mg/kg"}, UnitMismatch, "'nan mg/kg' is not a finite number with a unit"),
        (DOSE | {"dose": "50 day"}, DoseOutOfRange, "in 'day' is not possible; write it in mg/kg or mg"),
        (DOSE | {"dose": "2 g/m^2"}, DoseOutOfRange, "in 'g/m.*2' is not possible"),
        (DOSE | {"dose": "-50 mg/kg"}, DoseOutOfRange, r"steps\[0\].dose: -50 mg/kg.*lies from 1 to 60 mg/kg"),
        (DOSE | {"dose": "50 g/kg"}, DoseOutOfRange, "50 g/kg of 'cyclophosphamide'; a single dose lies from 0.001"),
        (DOSE | {"agent": "cyclofosfamid"}, InvalidField, r"steps\[0\]: .*'cyclofosfamid'. Did you mean 'cyclophosph"),
        (DOSE | {"agent": "../models"}, InvalidField, "no treatment '../models'"),
        (DOSE | {"agent": "autologous_graft"}, InvalidField, "is a cell product: collect and infuse it"),
        (COLLECT | {"product": "cyclophosphamide"}, InvalidField, "is a drug: give it in a phase of its own"),
        (DOSE | {"route": "oral"}, InvalidField, r"steps\[0\].route: 'oral' is not possible.*intravenous"),
        (DOSE | {"duration": "2"}, UnitMismatch, r"steps\[0\].duration: '2' has no unit"),
        (DOSE | {"duration": "2 mg"}, UnitMismatch, "'2 mg' is no length of time. Write it like '2 hour'"),
        (DOSE | {"duration": "0 hour"}, InvalidField, "takes longer than no time"),
        (
            {"phase": "rescue", "agent": "gcsf", "dose": "5 ug/kg", "days": [1], "duration": "1 hour"},
            InvalidField,
            "'gcsf' is given at once, not over time. Remove the duration",
        ),
        (DOSE | {"days": []}, InvalidField, "days"),
        (DOSE | {"days": [-3, -4]}, InvalidField, "days must ascend, each once"),
        (DOSE | {"days": [-3, -3]}, InvalidField, "days must ascend, each once"),
        (DOSE | {"days": [float("nan")]}, InvalidField, "finite"),
        (DOSE | {"days": [-1000]}, InvalidField, "greater than or equal to -400"),
        (DOSE | {"days": {"start": 5, "every": 1, "until": 2}}, InvalidField, r"until \(2\) lies before start \(5\)"),
        (DOSE | {"days": {"start": 0, "every": 0, "until": 2}}, InvalidField, "greater than 0"),
        (DOSE | {"days": {"start": 0, "every": 1e-9, "until": 2}}, InvalidField, "gives more than 40000 doses"),
        (DOSE | {"days": {"start": 0, "evry": 1, "until": 2}}, InvalidField, "evry"),
        (DOSE | {"days": [-5, -4, -3, -2, -1]}, DoseOutOfRange, "250 mg/kg.*a course is at most 240 mg/kg"),
    ],
)
def test_a_step_that_cannot_be_given_is_refused_with_place_value_and_what_is_allowed(
    tmp_path: Path, step: dict[str, Any], error: type[RegraftError], message: str
) -> None:
    with pytest.raises(error, match=f"(?s)mine.yaml: .*{message}"):
        load(tmp_path, step)


def test_doses_of_a_course_add_up_over_its_steps(tmp_path: Path) -> None:
    other = DOSE | {"days": [-1]}
    with pytest.raises(DoseOutOfRange, match=r"steps\[1\]: 250 mg/kg of 'cyclophosphamide' in all to condition"):
        load(tmp_path, DOSE, other)
    # mobilisation weeks before is a course of its own
    load(tmp_path, DOSE, other | {"phase": "mobilise", "days": [-35]})


def test_each_mistake_has_its_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidField) as caught:
        load(tmp_path, DOSE | {"dsoe": 3}, without(INFUSE, "day"), id="Mine!")
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert all("mine.yaml: " in line for line in lines)
    assert any("'Mine!'; small letters, digits and _ are allowed" in line for line in lines)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ((INFUSE,), "infused on day 0 but never collected. Add a step 'phase: collect'"),
        ((COLLECT | {"days": [-25, 1]}, INFUSE), "infused on day 0, before it is collected"),
        ((COLLECT | {"days": [0]}, INFUSE), "before it is collected"),
        ((COLLECT, DOSE | {"days": [-1, 0]}, INFUSE), "goes on to day 0, but the graft is infused on day 0"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(
    tmp_path: Path, steps: tuple[dict[str, Any], ...], message: str
) -> None:
    with pytest.raises(InvalidField, match=f"mine.yaml: .*{message}"):
        load(tmp_path, *steps)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"id: [", ", line 1 is not valid YAML"),
        (b"id: a\ntitle: A\n\tsteps: []\n", ", line 3 is not valid YAML"),
        (b"- a\n- b\n", "holds no 'key: value' lines; a protocol starts with 'id:'"),
        (b"", "holds no 'key: value' lines"),
        (b"id: a\ntitle: A\nid: b\n", ", line 3 is not valid YAML: key 'id' appears twice"),
        (b"id: " + b"[" * 5000, "nests values too deeply"),
        (b"id: !!python/object/apply:os.getpid []\n", "is not valid YAML: could not determine a constructor"),
    ],
)
def test_a_file_that_is_no_protocol_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "mine.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidFile, match=f"mine.yaml.*{message}"):
        load_protocol(path)


def test_a_value_that_holds_itself_many_times_over_makes_a_short_message(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    path = tmp_path / "mine.yaml"
    path.write_text("\n".join([*lines, "id: *a11", "title: Mine", ""]))
    with pytest.raises(InvalidField) as caught:
        load_protocol(path)
    assert max(len(line) for line in str(caught.value).splitlines()) < 2000


@pytest.mark.parametrize(
    ("start", "every", "until", "days"),
    [
        (-34, 1, -31, (-34, -33, -32, -31)),
        (0, 28, 83, (0, 28, 56)),
        (0, 28, 84, (0, 28, 56, 84)),
        (0, 0.1, 0.3, (0, 0.1, 0.2, 0.3)),
        (5, 7, 5, (5,)),
    ],
)
def test_repeated_days_include_the_last(start: float, every: float, until: float, days: tuple[float, ...]) -> None:
    assert Repeat(start=start, every=every, until=until).days == pytest.approx(days, rel=1e-12)


def test_days_may_be_a_list_or_a_repeat(tmp_path: Path) -> None:
    repeat = DOSE | {"days": {"start": -5, "every": 1, "until": -2}}
    found = [load(tmp_path, step).steps[0] for step in (DOSE, repeat)]
    assert all(isinstance(step, DrugStep) and step.all_days == (-5, -4, -3, -2) for step in found)


@pytest.mark.parametrize(("text", "days"), [("2 hour", 1 / 12), ("1 day", 1.0), ("30 minute", 1 / 48), ("1 week", 7.0)])
def test_a_duration_is_given_in_days(text: str, days: float) -> None:
    assert duration_days(text, "here") == pytest.approx(days, rel=1e-12)
