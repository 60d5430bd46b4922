"""Choices of a fit that are no knowledge about patients: sizes, limits, and when to stop."""

from __future__ import annotations

from dataclasses import dataclass

from regraft.errors import InvalidArgument

LARGEST_TRAINING = 600  # runs behind a prediction of the stand-in
LARGEST_TUNING = 240  # runs on which its kernels are tuned
NEIGHBOURS = 6  # nearest runs that tell the chance to fail
MOVES = 10  # steps of every particle at one temperature


@dataclass(frozen=True)
class Settings:
    """Sizes and limits of a fit.

    Parameters
    ----------
    draws : size of the posterior sample
    runs : most forward runs, all stages together
    ensemble : runs at draws of the prior, with which a fit begins
    most_updates : Kalman updates of those draws before the stand-in is fitted, each at the cost of as many runs
    round_runs : fresh runs at posterior draws in each round that checks and improves the stand-in
    batch : forward runs that are computed one after the other and stored together
    particles : of the sampler that works on the stand-in
    common_luck : the forward model gives all draws the same random numbers
    smooth_remainder : the stand-in is a quadratic form and a smooth remainder; False leaves the quadratic form
    steady : share of effective draws, when the sample is weighted to the next stand-in, above which rounds end
    not_identified : contraction below which a parameter is called not identified
    """

    draws: int = 200
    runs: int = 600
    ensemble: int = 150
    most_updates: int = 0
    round_runs: int = 50
    batch: int = 5
    particles: int = 500
    common_luck: bool = True
    smooth_remainder: bool = True
    steady: float = 0.8
    not_identified: float = 0.2

    def __post_init__(self) -> None:
        """Refuse sizes with which nothing can be fitted."""
        least = {"draws": 10, "ensemble": 10, "most_updates": 0, "round_runs": 10, "batch": 1, "particles": 100}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise InvalidArgument(f"Setting {name!r} is {getattr(self, name)}; it must be at least {low}.")
        for name in ("steady", "not_identified"):
            if not 0 < getattr(self, name) < 1:
                raise InvalidArgument(f"Setting {name!r} is {getattr(self, name)}; it must lie between 0 and 1.")
        if self.particles < self.draws:
            raise InvalidArgument(
                f"Setting 'particles' is {self.particles} and 'draws' is {self.draws}: the draws are taken from the "
                "particles, so there must be at least as many."
            )
        if self.runs < self.ensemble + self.round_runs:
            raise InvalidArgument(
                f"Setting 'runs' is {self.runs}; the ensemble and one round alone need "
                f"{self.ensemble + self.round_runs}. Allow more runs, or make 'ensemble' smaller."
            )
