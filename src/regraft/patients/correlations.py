"""Correlations between covariates and parameters: a Gaussian copula."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from regraft.entries import read_number, read_table
from regraft.errors import InvalidField, near_matches

Floats = NDArray[np.float64]
COLUMNS = ("a", "b", "rho", "source", "locator", "method")


@dataclass(frozen=True)
class Correlations:
    """Correlated names in a fixed order, and the lower triangular factor of their correlation matrix.

    A name that comes later in the order uses only the numbers of earlier ones, so adding a name at the end
    leaves everyone else's values as they were.
    """

    names: tuple[str, ...]
    factor: Floats

    def apply(self, uniforms: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return numbers in (0, 1), correlated where the table says so; they must hold all of ``names``."""
        correlated = dict(uniforms)
        scores = [ndtri(uniforms[name]) for name in self.names]
        for i, name in enumerate(self.names):
            correlated[name] = ndtr(sum((self.factor[i, k] * scores[k] for k in range(i + 1)), np.zeros(1)))
        return correlated


def read_correlations(path: Path, known: frozenset[str]) -> Correlations:
    """Read pairs ``a, b, rho`` and check that together they are possible.

    Parameters
    ----------
    path : table with columns a, b, rho, source, locator, method
    known : names that may be correlated

    Raises
    ------
    InvalidField : an unknown name (near matches), a rho outside (-1, 1), a pair twice, or rows that contradict
        each other (no such joint distribution exists; the last pair that broke it is named)
    """
    rows = read_table(path, columns=COLUMNS)
    names: list[str] = []
    pairs: list[tuple[str, str, float]] = []
    for cells in rows:
        first, second = cells["a"], cells["b"]
        for name in (first, second):
            if name not in known:
                raise InvalidField(
                    f"{path}, row {first!r}-{second!r}: {name!r} is sampled nowhere. {near_matches(name, known)}"
                )
            if name not in names:
                names.append(name)
        rho = read_number(cells["rho"], path=path, row=f"{first}-{second}", column="rho")
        if not -1 < rho < 1 or first == second:
            raise InvalidField(
                f"{path}, row {first!r}-{second!r}: rho is {rho:g}; two names and -1 < rho < 1 are needed."
            )
        if any({first, second} == {a, b} for a, b, _ in pairs):
            raise InvalidField(f"{path}, row {first!r}-{second!r}: the pair appears twice; keep one row.")
        pairs.append((first, second, rho))
    matrix = _matrix(names, pairs)
    if not _is_possible(matrix):
        # a row may need a later one to be possible: the culprit comes after the last rows that are possible together
        good = max(count for count in range(len(pairs)) if _is_possible(_matrix(names, pairs[:count])))
        first, second, rho = pairs[good]
        raise InvalidField(
            f"{path}, row {first!r}-{second!r}: rho {rho:g} contradicts the rows above it, pairs without a row taken "
            "as 0 (the correlation matrix is not positive definite). Lower one of them, or add the missing pairs."
        )
    return Correlations(tuple(names), np.asarray(np.linalg.cholesky(matrix), dtype=np.float64))


def _matrix(names: list[str], pairs: list[tuple[str, str, float]]) -> Floats:
    """Return the correlation matrix of some rows; pairs without a row are not correlated."""
    matrix = np.eye(len(names))
    for first, second, rho in pairs:
        i, k = names.index(first), names.index(second)
        matrix[i, k] = matrix[k, i] = rho
    return matrix


def _is_possible(matrix: Floats) -> bool:
    """Whether some joint distribution has these correlations."""
    return matrix.size == 0 or bool(np.linalg.eigvalsh(matrix)[0] > 0)
