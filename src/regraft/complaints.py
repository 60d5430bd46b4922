"""Say what pydantic found wrong in words for the person who wrote the file."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from regraft.errors import near_matches

# a value may be huge, or hold itself many times over by YAML's references
_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 80
_REPR.maxlevel = 3

Location = Sequence[str | int]
TIME_UNITS = "day, week, month or year"


def explain(error: ValidationError, model: type[BaseModel], where: str) -> str:
    """Return one line per mistake: file, field, value, what is allowed, next step."""
    return "\n".join(f"{where}: {_sentence(dict(item), model)}" for item in error.errors(include_url=False))


def _sentence(item: dict[str, Any], model: type[BaseModel]) -> str:
    """Return what is wrong with one field."""
    location, kind, value = item["loc"], item["type"], item["input"]
    field = field_name(location)
    if kind == "extra_forbidden":
        return f"unknown key {field!r}. {near_matches(str(location[-1]), _keys_beside(model, location))}"
    if kind == "missing":
        return f"{field!r} is missing. Add it; see the example designs for its form."
    if kind == "model_type" and not isinstance(value, dict):
        return _not_a_group(field, value)
    if kind == "string_pattern_mismatch" and location[-1] == "unit":
        return f"{field} is {_shown(value)}, which is no unit of time. Write {TIME_UNITS}."
    if kind == "string_pattern_mismatch":
        return f"{field} is {_shown(value)}; small letters, digits and _ are allowed, a letter first. Rename it."
    message = str(item["msg"])
    return f"{field} is {_shown(value)}: {message[:1].lower()}{message[1:]}. Change it."


def _shown(value: Any) -> str:
    """Return a value as it would be written, cut to a length that can be read."""
    return _REPR.repr(value)


def _not_a_group(field: str, value: Any) -> str:
    """Say that a bare value stands where keys are needed; most often a time without a unit."""
    if isinstance(value, int | float):
        return (
            f"{field} is {_shown(value)}: a time needs a unit. Write {{value: {value}, unit: year}} with {TIME_UNITS}."
        )
    return f"{field} is {_shown(value)}: keys with values are needed here. A time is {{value: 1, unit: month}}."


def field_name(location: Location) -> str:
    """Return a path such as ``visits[1].every.unit``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _keys_beside(model: type[BaseModel], location: Location) -> list[str]:
    """Return the keys that are allowed where an unknown one stood."""
    current = model
    for part in location[:-1]:
        if isinstance(part, str) and part in current.model_fields:
            current = _model_inside(current.model_fields[part].annotation) or current
    return list(current.model_fields)


def _model_inside(annotation: Any) -> type[BaseModel] | None:
    """Return the model that a type holds, also within tuples and unions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _model_inside(part)
        if found is not None:
            return found
    return None
