"""What a run is, by content: two runs with one identity give the same patients the same numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from regraft.entries import content_hash
from regraft.model.lineages import HOST
from regraft.trial.clinic import clinic_entries
from regraft.trial.plan import Plan
from regraft.trial.provenance import place_of

FORMAT = 1  # of the files; another number is another identity

# What a design may say differently without another fate for anyone who is in both: more patients, other arms.
FREE = ("title", "patients_per_arm", "screening_limit", "arms", "reference_arm", "endpoints", "outcomes", "success")
NAMES = ("models", "population", "measurements", "posterior")
TEXTS = ("README.md", "checks.csv")  # of an entry: they change no patient
ENTRIES = {"models": "models", "population": "populations", "measurements": "measurements"}


def identity(plan: Plan) -> dict[str, Any]:
    """Return everything on which the numbers of a patient before and after randomisation depend, arms apart.

    Entries stand for their content, so that an edited table is another run; a moved folder or another README is not.
    """
    from importlib.metadata import version

    design = plan.design.model_dump(mode="json")
    parts = {name: value for name, value in design.items() if name not in (*FREE, *NAMES)}
    if design["lineages"] == [HOST]:  # a design that names none has the identity that it had before there were any
        del parts["lineages"]
    for field, kind in ENTRIES.items():
        names = design[field] if isinstance(design[field], list) else [design[field]]
        names = clinic_entries(design[field]) if field == "measurements" else names
        parts[field] = [_numbers(kind, name) for name in names]
    if plan.draws is not None:  # a trial without has the identity that it had before there were posteriors
        parts["posterior"] = [plan.draws.sha256, plan.draws.central]
    solver = {name: value for name, value in asdict(plan.settings).items() if name != "threads"}
    return parts | {"seed": plan.seed, "solver": solver, "regraft": version("regraft"), "format": FORMAT}


def plain_identity(plan: Plan) -> dict[str, Any]:
    """Return the identity as it is read from a file."""
    found: dict[str, Any] = json.loads(json.dumps(identity(plan)))
    return found


def arm_keys(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Return the id of each arm and the key of its files: its id and the content of protocol and treatments."""
    keys = []
    for arm, protocol in zip(plan.design.arms, plan.protocols, strict=True):
        entries = [("protocols", arm.protocol), *(("treatments", name) for name in protocol.treatment_ids)]
        hashes = [_numbers(kind, name) for kind, name in entries]
        keys.append((arm.id, f"{arm.id}-{_short(hashes)}"))
    return tuple(keys)


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return the names of what differs between two identities."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def _numbers(kind: str, name: str) -> str:
    """Return a hash of all of an entry on which numbers depend."""
    return content_hash(place_of(kind, name), without=TEXTS)


def _short(value: Any) -> str:
    """Return a short hash of plain values."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
