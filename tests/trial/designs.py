"""A valid design as plain data, and how to change one place of it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

AGENTS = ("cyclophosphamide", "atg_rabbit", "gcsf", "natalizumab")
VALID: Mapping[str, Any] = {
    "id": "small",
    "title": "A small trial",
    "disease": "ms",
    "models": ["person", "hematopoiesis", "immunity", *AGENTS, "autoimmunity", "ms", "harm"],
    "population": "ms_relapsing",
    "patients_per_arm": 4,
    "seed": 1,
    "randomisation_day": -42,
    "follow_up": {"value": 2, "unit": "year"},
    "visits": [
        {"every": {"value": 1, "unit": "month"}, "until": {"value": 6, "unit": "month"}},
        {"every": {"value": 6, "unit": "month"}, "until": {"value": 24, "unit": "month"}},
    ],
    "eligibility": [
        {"measure": "age", "min": 18, "max": 55, "unit": "year"},
        {"measure": "relapses_last_12_months", "min": 1},
    ],
    "arms": [
        {"id": "ahsct", "label": "Transplant", "protocol": "ahsct_cy_atg"},
        {"id": "untreated", "label": "No treatment", "protocol": "untreated"},
    ],
    "reference_arm": "untreated",
    "endpoints": ["neda3", "overall_survival"],
    "outcomes": ["ms_ahsct_calibrate"],
}
REMOVED = ("removed",)  # a value with the same name in every process, so that tests can be divided


def changed(place: str, value: object) -> dict[str, Any]:
    """Return the valid design with another value at a place such as ``visits.0.every.unit``."""
    design = copy.deepcopy(dict(VALID))
    spot: Any = design
    *path, last = [int(part) if part.isdigit() else part for part in place.split(".")]
    for part in path:
        spot = spot[part]
    if value is REMOVED:
        del spot[last]
    else:
        spot[last] = value
    return design


def write(folder: Path, content: Mapping[str, Any]) -> Path:
    """Write a design file and return its path."""
    path = folder / "design.yaml"
    path.write_text(yaml.safe_dump(dict(content)), encoding="utf-8")
    return path
