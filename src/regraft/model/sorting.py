"""Order formulas so that each uses only earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from regraft.errors import InvalidModel
from regraft.model.equations import Assignment
from regraft.model.expressions import symbols


def sort_assignments(assignments: Sequence[Assignment]) -> tuple[Assignment, ...]:
    """Return the assignments in an order in which each uses only earlier ones.

    Raises
    ------
    InvalidModel : the formulas form a loop; the message names it
    """
    by_id = {assignment.id: assignment for assignment in assignments}
    graph = {a.id: sorted(symbols(a.expression) & by_id.keys()) for a in assignments}
    try:
        order = tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise InvalidModel(
            "Formulas form a loop: " + " -> ".join(error.args[1]) + ". Make one of them a state."
        ) from None
    return tuple(by_id[name] for name in order)
