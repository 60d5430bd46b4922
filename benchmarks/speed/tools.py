"""The tools that are compared, and which of them are missing here."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

from .immune_model import Floats, Problem

# Outputs of the row that records few of them, as a trial would.
FEW_OUTPUTS = ("NEU", "TN4", "TH1", "TREG", "AB", "TIS")
FEW = f"{{}}, {len(FEW_OUTPUTS)} outputs"


@dataclass(frozen=True)
class Tool:
    """A tool ready to run: ``run(n)`` solves the first n patients.

    ``records_all`` is False where only some states are recorded, so that no error is given.
    """

    name: str
    version: str
    run: Callable[[int], Floats]
    is_ours: bool = False
    records_all: bool = True


def make_tools(problem: Problem, rtol: float) -> tuple[list[Tool], list[str]]:
    """Return the tools that are installed, and a sentence for each that is not."""
    atol = rtol * 1e-3
    tools, missing = _own(problem, rtol, atol), []
    compiled = None
    for name, module, package, options in (
        ("libroadrunner CVODE", "roadrunner_cvode", "libroadrunner", {}),
        ("libroadrunner CVODE, doses as events", "roadrunner_cvode", "libroadrunner", {"events": True}),
        (FEW.format("libroadrunner CVODE"), "roadrunner_cvode", "libroadrunner", {"outputs": FEW_OUTPUTS}),
        ("numbalsoda LSODA", "numbalsoda_lsoda", "numbalsoda", None),
        ("scikit-sundae CVODE", "sundae_cvode", "scikit-sundae", None),
        ("SciPy LSODA", "scipy_lsoda", "scipy", None),
    ):
        try:
            peer = importlib.import_module(f".peers.{module}", __package__)
            if options is None:
                compiled = compiled or compiled_rates(problem)
                options = {"compiled": compiled}
        except ImportError as error:
            missing.append(f"{name} is left out: {error}. Install it with pip install -e '.[benchmarks]'.")
            continue
        run = peer.prepare(problem, rtol, atol, **options)
        tools.append(Tool(name, version(package), run, records_all="outputs" not in options))
    return tools, missing


def compiled_rates(problem: Problem) -> Any:
    """Return rates and Jacobian for the tools that take functions."""
    from .compiled_rates import compile_rates

    return compile_rates(problem.equations, problem.parameters)


def _own(problem: Problem, rtol: float, atol: float) -> list[Tool]:
    """Return the rows of this engine; the first is the one that others are compared with."""
    from .peers import regraft_engine

    make = partial(regraft_engine.prepare, problem, rtol, atol)
    own = version("regraft")
    rows = [
        Tool("regraft", own, make(), is_ours=True),
        Tool(FEW.format("regraft"), own, make(outputs=FEW_OUTPUTS), is_ours=True, records_all=False),
    ]
    if regraft_engine.has_lanes():
        rows.append(Tool("regraft, 1 lane", own, make(lanes=1), is_ours=True))
    for looser in (rtol * 10.0, rtol * 100.0):
        run = regraft_engine.prepare(problem, looser, looser * 1e-3)
        rows.append(Tool(f"regraft, rtol {looser:.0e}", own, run, is_ours=True))
    return rows
