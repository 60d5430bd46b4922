"""What a run may keep of a quantity instead of its course."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from regraft.errors import InvalidArgument


class ReductionKind(IntEnum):
    """What is kept: an extreme (unit of the quantity), an integral over time (times day), or a time (days)."""

    MAXIMUM = 0
    MINIMUM = 1
    INTEGRAL = 2
    TIME_ABOVE = 3
    TIME_BELOW = 4


@dataclass(frozen=True)
class Reduction:
    """One number per patient, gathered over the whole run on the dense output of every step.

    Parameters
    ----------
    id : name of the number
    kind : what is kept
    of : id of a state, an assigned quantity or a parameter
    threshold : for times above or below it, in the unit of the quantity
    """

    id: str
    kind: ReductionKind
    of: str
    threshold: float = 0.0


def check_reductions(reductions: Sequence[Reduction]) -> None:
    """Refuse two reductions of one name, and a threshold that is no number.

    Raises
    ------
    InvalidArgument : the message names the reduction
    """
    seen: set[str] = set()
    for reduction in reductions:
        if reduction.id in seen:
            raise InvalidArgument(f"reductions holds the id {reduction.id!r} twice; give each its own.")
        if not math.isfinite(reduction.threshold):
            raise InvalidArgument(
                f"The threshold of reduction {reduction.id!r} is {reduction.threshold}; it must be a finite number."
            )
        seen.add(reduction.id)
