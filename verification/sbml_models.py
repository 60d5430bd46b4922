"""SBML files without expected results, such as those of a model collection: does each load, compile and run?"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from regraft.engine import SolverSettings, compile_model, solve
from regraft.errors import InvalidModel, RegraftError
from regraft.model.sbml import read_sbml
from verification.sbml_cases import FAILED, PASSED, REFUSED, Outcome

DURATION, OUTPUTS = 100.0, 101


def find_models(folder: Path) -> list[Path]:
    """Return the SBML files below a folder, sorted."""
    return sorted(path for path in folder.rglob("*") if path.suffix in (".xml", ".sbml") and path.is_file())


def run_model(path: Path) -> Outcome:
    """Read, compile and integrate one file over ``DURATION`` of its own time units.

    A file that is not valid counts as refused: it is not part of a suite that says it is.
    """
    name = f"{path.parent.name}/{path.stem}"
    try:
        equations = read_sbml(path)
        kernel = compile_model(equations, [*(s.id for s in equations.states), *(a.id for a in equations.assignments)])
        result = solve(
            kernel,
            [[parameter.value for parameter in equations.parameters]],
            times=np.linspace(0.0, DURATION, OUTPUTS),
            patient_ids=[1],
            seed=1,
            settings=SolverSettings(rtol=1e-6, atol=1e-9, threads=1, max_steps=1_000_000, max_events=500_000),
        )
    except InvalidModel as error:
        return Outcome(name, REFUSED, str(error))
    except RegraftError as error:
        return Outcome(name, FAILED, f"{type(error).__name__}: {error}")
    except Exception as error:
        return Outcome(name, FAILED, f"unforeseen {type(error).__name__}: {error}")
    if result.failed[0]:
        return Outcome(name, FAILED, str(result.status_detail[0]))
    return Outcome(name, PASSED, f"{len(equations.states)} states, {int(result.steps[0])} steps")
