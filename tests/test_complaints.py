from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from regraft.complaints import explain, field_name


class Length(BaseModel):
    model_config = ConfigDict(extra="forbid")
    value: float
    unit: Annotated[str, Field(pattern="^(day|week)$")]


class Visit(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(pattern="^[a-z]+$")]
    every: Length | None = None


class Plan(BaseModel):
    model_config = ConfigDict(extra="forbid")
    visits: tuple[Visit, ...] = ()
    follow_up: Length


GOOD = {"follow_up": {"value": 3, "unit": "week"}, "visits": [{"name": "first"}, {"name": "second"}]}


def complaints(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        Plan.model_validate(GOOD | changes)
    return explain(caught.value, Plan, "plan.yaml")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"folow_up": 1}, "unknown key 'folow_up'. Did you mean 'follow_up'?"),
        (
            {"visits": [{"name": "a"}, {"name": "b", "evry": 1}]},
            "unknown key 'visits[1].evry'. Did you mean 'every'?",
        ),
        ({"follow_up": {"value": 1}}, "'follow_up.unit' is missing. Add it"),
        ({"follow_up": 3}, "follow_up is 3: a time needs a unit. Write {value: 3, unit: year}"),
        ({"follow_up": "long"}, "follow_up is 'long': keys with values are needed here"),
        ({"follow_up": {"value": 1, "unit": "hour"}}, "follow_up.unit is 'hour', which is no unit of time"),
        ({"visits": [{"name": "A b"}]}, "visits[0].name is 'A b'; small letters, digits and _ are allowed"),
        ({"follow_up": {"value": "x", "unit": "day"}}, "follow_up.value is 'x': input should be a valid number"),
    ],
)
def test_a_mistake_is_said_with_file_field_value_and_what_is_allowed(changes: dict[str, Any], message: str) -> None:
    assert complaints(**changes).startswith(f"plan.yaml: {message}")


def test_each_mistake_has_a_line_of_its_own() -> None:
    assert len(complaints(folow_up=1, visits=[{"name": "A"}, {}]).splitlines()) == 3


def test_a_long_value_is_cut() -> None:
    text = complaints(follow_up={"value": "x" * 10_000, "unit": "day"})
    assert len(text) < 300
    assert "'xxx" in text


def test_a_place_is_written_as_a_path() -> None:
    assert field_name(("visits", 1, "every", "unit")) == "visits[1].every.unit"
