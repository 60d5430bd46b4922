"""Virtual trials of stem-cell therapy for immune disorders.

The names below are the public interface. Each is imported from its room when it is first used, so that
``import regraft`` stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regraft.engine import (
        Administrations,
        Kernel,
        Reduction,
        Result,
        SolverSettings,
        Status,
        compile_model,
        solve_with_gradient,
    )
    from regraft.engine.solve import solve
    from regraft.errors import (
        DoseOutOfRange,
        InvalidArgument,
        InvalidField,
        InvalidFile,
        InvalidModel,
        OutputFolderError,
        RegraftError,
        UnitMismatch,
        UnknownEntry,
        UnsupportedModel,
        UsageError,
    )
    from regraft.evidence.targets import load_targets
    from regraft.interface.report.adapter import report_data
    from regraft.interface.results import write_results
    from regraft.model import JoinedModel, Part, join, load_part, write_sbml
    from regraft.patients import Population, load_population, sample_population
    from regraft.therapy import Protocol, compile_protocol, load_protocol
    from regraft.trial import TrialDesign, TrialResult, load_design, run_trial

__all__ = [
    "Administrations",
    "DoseOutOfRange",
    "InvalidArgument",
    "InvalidField",
    "InvalidFile",
    "InvalidModel",
    "JoinedModel",
    "Kernel",
    "OutputFolderError",
    "Part",
    "Population",
    "Protocol",
    "Reduction",
    "RegraftError",
    "Result",
    "SolverSettings",
    "Status",
    "TrialDesign",
    "TrialResult",
    "UnitMismatch",
    "UnknownEntry",
    "UnsupportedModel",
    "UsageError",
    "compile_model",
    "compile_protocol",
    "join",
    "load_design",
    "load_part",
    "load_population",
    "load_protocol",
    "load_targets",
    "report_data",
    "run_trial",
    "sample_population",
    "solve",
    "solve_with_gradient",
    "write_results",
    "write_sbml",
]

_ROOMS = {
    "regraft.engine": (
        "Administrations",
        "Kernel",
        "Reduction",
        "Result",
        "SolverSettings",
        "Status",
        "compile_model",
        "solve",
        "solve_with_gradient",
    ),
    "regraft.errors": (
        "DoseOutOfRange",
        "InvalidArgument",
        "InvalidField",
        "InvalidFile",
        "InvalidModel",
        "OutputFolderError",
        "RegraftError",
        "UnitMismatch",
        "UnknownEntry",
        "UnsupportedModel",
        "UsageError",
    ),
    "regraft.evidence.targets": ("load_targets",),
    "regraft.interface.report.adapter": ("report_data",),
    "regraft.interface.results": ("write_results",),
    "regraft.model": ("JoinedModel", "Part", "join", "load_part", "write_sbml"),
    "regraft.patients": ("Population", "load_population", "sample_population"),
    "regraft.therapy": ("Protocol", "compile_protocol", "load_protocol"),
    "regraft.trial": ("TrialDesign", "TrialResult", "load_design", "run_trial"),
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a public name from its room at first use."""
    if name not in _HOME:
        raise AttributeError(f"module 'regraft' has no attribute {name!r}")
    found: object = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
