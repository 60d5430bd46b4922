"""The order in which unknowns are eliminated, chosen once per model so that few new entries appear."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


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
    """Choose pivots on the diagonal by the least product of row and column counts (Markowitz), ties by index."""
    rows: list[set[int]] = [{i} for i in range(size)]
    columns: list[set[int]] = [{i} for i in range(size)]
    for i, j in pattern:
        rows[i].add(j)
        columns[j].add(i)
    left = set(range(size))
    order: list[int] = []
    below: list[set[int]] = []
    right: list[set[int]] = []
    while left:
        pivot = min(left, key=lambda q: ((len(rows[q]) - 1) * (len(columns[q]) - 1), q))
        left.discard(pivot)
        order.append(pivot)
        below.append(columns[pivot] - {pivot})
        right.append(rows[pivot] - {pivot})
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
