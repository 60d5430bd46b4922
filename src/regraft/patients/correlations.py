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
        """Return correlated numbers in (0, 1) for the names given; the other names pass through unchanged."""
        correlated = dict(uniforms)
        present = [i for i, name in enumerate(self.names) if name in uniforms]
        scores = {i: ndtri(uniforms[self.names[i]]) for i in present}
        for i in present:
            mixed = sum((self.factor[i, k] * scores[k] for k in present if k <= i), np.zeros(1))
            correlated[self.names[i]] = ndtr(mixed)
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
    matrix = np.eye(len(names))
    for first, second, rho in pairs:
        i, k = names.index(first), names.index(second)
        matrix[i, k] = matrix[k, i] = rho
        if np.linalg.eigvalsh(matrix)[0] <= 0:
            raise InvalidField(
                f"{path}, row {first!r}-{second!r}: rho {rho:g} contradicts the rows above it "
                "(the correlation matrix is not positive definite). Lower one of them."
            )
    factor: Floats = np.asarray(np.linalg.cholesky(matrix), dtype=np.float64) if names else np.zeros((0, 0))
    return Correlations(tuple(names), factor)
