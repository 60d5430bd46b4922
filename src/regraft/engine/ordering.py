"""The order in which unknowns are eliminated, chosen once per model so that few new entries appear."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from regraft.errors import UnsupportedModel

# A model file is untrusted: beyond these, LLVM would work for minutes.
LARGEST_SYSTEM: Final = 2_000
LARGEST_MATRIX: Final = 20_000


@dataclass(frozen=True)
class Elimination:
    """A fixed plan for sparse Gaussian elimination without pivoting.

    ``order[k]`` is the unknown eliminated k-th. ``below[k]`` and ``right[k]`` are the rows and columns that step k
    meets, as positions in that order; ``entries`` are all (row, column) positions that can be non-zero.
    """

    order: tuple[int, ...]
    below: tuple[tuple[int, ...], ...]
    right: tuple[tuple[int, ...], ...]
    entries: tuple[tuple[int, int], ...]


def plan_elimination(size: int, pattern: Iterable[tuple[int, int]]) -> Elimination:
    """Choose pivots on the diagonal by the least product of row and column counts (Markowitz), ties by index.

    Raises
    ------
    UnsupportedModel : too many unknowns, or too many entries, also where elimination makes them
    """
    if size > LARGEST_SYSTEM:
        raise UnsupportedModel(
            f"The model has {size} states that change by rates; more than {LARGEST_SYSTEM} are not compiled."
        )
    pattern = list(pattern)
    _refuse_large(len(set(pattern)))
    rows: list[set[int]] = [{i} for i in range(size)]
    columns: list[set[int]] = [{i} for i in range(size)]
    for i, j in pattern:
        rows[i].add(j)
        columns[j].add(i)
    left = set(range(size))
    order: list[int] = []
    entries_so_far = size
    below: list[set[int]] = []
    right: list[set[int]] = []
    while left:
        pivot = min(left, key=lambda q: ((len(rows[q]) - 1) * (len(columns[q]) - 1), q))
        left.discard(pivot)
        order.append(pivot)
        below.append(columns[pivot] - {pivot})
        right.append(rows[pivot] - {pivot})
        entries_so_far += len(below[-1]) + len(right[-1])
        _refuse_large(entries_so_far)
        for i in below[-1]:
            rows[i].discard(pivot)
            rows[i] |= right[-1]
        for j in right[-1]:
            columns[j].discard(pivot)
            columns[j] |= below[-1]
    place = {unknown: position for position, unknown in enumerate(order)}
    below_places = tuple(tuple(sorted(place[i] for i in group)) for group in below)
    right_places = tuple(tuple(sorted(place[j] for j in group)) for group in right)
    entries = {(k, k) for k in range(size)}
    for k in range(size):
        entries |= {(i, k) for i in below_places[k]} | {(k, j) for j in right_places[k]}
    return Elimination(tuple(order), below_places, right_places, tuple(sorted(entries)))


def _refuse_large(entries: int) -> None:
    """Refuse a matrix whose elimination would be too long a text."""
    if entries > LARGEST_MATRIX:
        raise UnsupportedModel(
            f"More than {LARGEST_MATRIX} derivatives of rates by states are not zero, or become so in the elimination; "
            "no larger model is compiled. Let fewer states depend on each other directly."
        )
