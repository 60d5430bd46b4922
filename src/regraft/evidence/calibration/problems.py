"""What can go wrong with a fit: errors that end it, and the class of its warnings."""

from __future__ import annotations

from regraft.errors import RegraftError


class CollapsedPosterior(RegraftError):
    """The sample lost its spread, or rests on so few draws that it says nothing about uncertainty."""


class UnusableTarget(RegraftError):
    """A published row is hardly ever answered by the simulation, so that nothing can be fitted to it."""


class AllDrawsFailed(RegraftError):
    """Every, or nearly every, set of parameters ended in a failed simulation."""


class CalibrationWarning(UserWarning):
    """The fit ended, and something about it must be known before it is used."""
