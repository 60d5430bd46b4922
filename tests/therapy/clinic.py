"""Protocols, treatments and patients for tests of compilation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from regraft.entries import list_entries
from regraft.model.parameter_table import COLUMNS
from regraft.patients import Population

# the part of each agent has the name of its treatment
AGENTS = tuple(sorted(set(list_entries("models")) & set(list_entries("treatments"))))
CORE = ("person", "hematopoiesis", "immunity", "msc", *AGENTS)
DOSE = {"phase": "condition", "agent": "cyclophosphamide", "dose": "50 mg/kg", "days": [-5, -4, -3, -2]}
COLLECT = {"phase": "collect", "product": "autologous_graft", "days": [-25]}
INFUSE = {"phase": "infuse", "product": "autologous_graft", "day": 0}
MONITOR = {"phase": "monitor", "label": "In hospital", "start": -6, "until": 21}

ENTRY = 'id = "cells"\nname = "Cells"\nversion = "1"\nstatus = "draft"\n'
ADMINISTRATION = '[administration]\nkind = "bolus"\nroutes = ["intravenous"]\n'
TARGET = '[[administration.targets]]\ntarget = "graft"\ntarget_unit = "Mcell/kg"\ndose_parameter = "dose"\n'
PRODUCT = '[product]\nviability = "viability"\n'
ROWS = (
    "dose,5,Mcell/kg,lognormal,0.5,1,20,assumption,a test,assumed,",
    "viability,0.8,dimensionless,fixed,,,,assumption,a test,assumed,",
)


def write_protocol(folder: Path, *steps: Mapping[str, Any], **fields: Any) -> Path:
    """Write a protocol file and return its path."""
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({"id": "mine", "title": "Mine", "steps": list(steps)} | fields))
    return path


def write_treatment(folder: Path, text: str, rows: tuple[str, ...] = ROWS) -> Path:
    """Write a treatment's folder and return it."""
    folder.mkdir(exist_ok=True)
    (folder / "entry.toml").write_text(ENTRY + text)
    (folder / "parameters.csv").write_text("\n".join([",".join(COLUMNS), *rows, ""]))
    return folder


def people(*weights_kg: float, first_id: int = 0) -> Population:
    """Return patients with given body weights."""
    return Population(first_id + np.arange(len(weights_kg)), 7, {"body_weight": np.array(weights_kg, dtype=float)}, ())
