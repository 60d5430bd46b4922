"""Which of its repetitions a trial is: other patients, or another posterior draw."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from regraft.errors import UsageError
from regraft.trial.plan import Plan

FEWEST_DRAWS = 2  # one draw says nothing about how draws differ


@dataclass(frozen=True)
class Repetition:
    """One repetition of a trial: its number among those with other patients, and its draw, None for central values."""

    replicate: int = 0
    draw: int | None = None

    @property
    def folder(self) -> str:
        """Name of the folder of its chunks."""
        drawn = "" if self.draw is None else f"-draw-{self.draw:04d}"
        return f"replicate-{self.replicate:04d}{drawn}"

    def plan(self, plan: Plan) -> Plan:
        """Return the plan of this repetition, from that of the trial.

        All draws have the seed of their replicate: the same people with the same luck.
        """
        return replace(plan.under(self.draw), seed=replicate_seed(plan.seed, self.replicate))


def repetitions(plan: Plan, *, replicates: int, draws: int) -> tuple[Repetition, ...]:
    """Return all repetitions of a trial: the trial itself, then others' luck, then what else may be true.

    Replicates tell how much luck there is, draws how much is not known; each is varied with the other held still.

    Parameters
    ----------
    replicates : with central values, at least 1, the trial itself among them
    draws : of the posterior, for the patients of the trial itself; 0 for none

    Raises
    ------
    UsageError : draws without a posterior, one draw alone, or more than are stored
    """
    if draws and plan.draws is None:
        raise UsageError(
            f"{draws} draws were asked for, but design {plan.design.id!r} has no posterior. Name a fit in it "
            "(posterior: ms), or leave --draws out."
        )
    if draws and draws < FEWEST_DRAWS:
        raise UsageError(f"--draws is {draws}; at least {FEWEST_DRAWS} are needed to tell how much is not known.")
    others = tuple(Repetition(number) for number in range(replicates))
    chosen = plan.draws.first(draws) if plan.draws is not None else ()
    return others + tuple(Repetition(0, draw) for draw in chosen)


def replicate_seed(seed: int, replicate: int) -> int:
    """Return the seed of a repetition of a trial; the first one, 0, has the seed itself."""
    if replicate == 0:
        return seed
    digest = hashlib.sha256(f"{seed} {replicate}".encode()).digest()
    return int.from_bytes(digest[:8], "big") // 2
