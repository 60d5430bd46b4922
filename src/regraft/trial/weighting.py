"""Weights of the patients of a trial as statistics use them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regraft.patients.weights import effective_size


@dataclass(frozen=True)
class Weights:
    """How much each patient counts, and how few may speak.

    A patient has one weight, the same in every arm. An estimate of patients whose effective size is below
    ``smallest`` is withheld: missing, with the reason.

    Parameters
    ----------
    values : (patient,) float, above or at 0; only their ratios matter
    smallest : effective size below which nothing is told
    """

    values: NDArray[np.float64]
    smallest: float = 0.0

    @property
    def are_equal(self) -> bool:
        """Whether all patients count the same, so that weights change nothing."""
        return self.values.size == 0 or bool(self.values.min() == self.values.max())

    @property
    def effective_size(self) -> float:
        """Number of equally weighted patients that would know as much."""
        return effective_size(self.values)

    def at(self, chosen: NDArray[np.bool_]) -> Weights:
        """Return the weights of some patients."""
        return Weights(self.values[chosen], self.smallest)

    def twice(self) -> Weights:
        """Return the weights of the patients of two arms, one after the other."""
        return Weights(np.concatenate([self.values, self.values]), self.smallest)

    def lack(self, *groups: NDArray[np.bool_]) -> str:
        """Return why an estimate of some groups is withheld, nothing where each of them is large enough."""
        sizes = [self.at(group).effective_size for group in groups] or [self.effective_size]
        if min(sizes) >= self.smallest:
            return ""
        return f"withheld: effective size {min(sizes):.1f} is below {self.smallest:g}"

    def matter(self, *groups: NDArray[np.bool_]) -> bool:
        """Return whether an estimate of some groups is another one than without weights."""
        chosen = self.at(np.any(groups, axis=0)) if groups else self
        return not chosen.are_equal or bool(self.lack(*groups))
