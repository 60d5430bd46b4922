"""What a run may keep of a quantity instead of its course."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from regraft.errors import InvalidArgument

KINDS = ("maximum", "minimum", "integral", "time_above", "time_below")


@dataclass(frozen=True)
class Reduction:
    """One number per patient, gathered over the whole run on the dense output of every step.

    Parameters
    ----------
    id : name of the number
    kind : ``maximum`` or ``minimum`` (unit of the quantity), ``integral`` over time (times day), ``time_above`` or
        ``time_below`` the threshold (days)
    of : id of a state, an assigned quantity or a parameter
    threshold : in the unit of the quantity
    """

    id: str
    kind: str
    of: str
    threshold: float = 0.0


def check_reductions(reductions: Sequence[Reduction]) -> None:
    """Refuse two reductions of one name, an unknown kind, and a threshold that is no number.

    Raises
    ------
    InvalidArgument : the message names the reduction
    """
    seen: set[str] = set()
    for reduction in reductions:
        if reduction.id in seen:
            raise InvalidArgument(f"reductions holds the id {reduction.id!r} twice; give each its own.")
        if reduction.kind not in KINDS:
            raise InvalidArgument(
                f"The kind of reduction {reduction.id!r} is {reduction.kind!r}; it must be one of {', '.join(KINDS)}."
            )
        if not math.isfinite(reduction.threshold):
            raise InvalidArgument(
                f"The threshold of reduction {reduction.id!r} is {reduction.threshold}; it must be a finite number."
            )
        seen.add(reduction.id)
