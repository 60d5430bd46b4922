"""The same patients with other luck from randomisation on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from regraft.streams import patient_uniforms
from regraft.trial.plan import Plan
from regraft.trial.screening import Enrolled
from regraft.trial.stored.repetition import replicate_seed

HAZARD, THRESHOLD = "H_", "E_"  # a random event: cumulative hazard, and the value of it at which the event happens


def other_luck(plan: Plan, people: Enrolled, number: int) -> tuple[Plan, Enrolled]:
    """Return plan and patients of a trial in which only luck after randomisation is another.

    The patients keep covariates, parameters, and all that happened before. How far off each random event is drawn
    again: an exponential law forgets how long it has been waited for.

    Parameters
    ----------
    number : 0 for the luck that the trial has by itself; another number, another luck
    """
    if number == 0:
        return plan, people
    index, snapshot = plan.equations.state_index, people.snapshot
    states = snapshot.states.copy()
    for name, place in index.items():
        hazard = index.get(HAZARD + name.removeprefix(THRESHOLD))
        if name.startswith(THRESHOLD) and hazard is not None:
            chance = patient_uniforms(plan.seed, people.patient_ids, f"{name}, luck {number}")
            states[:, place] = states[:, hazard] - np.log1p(-chance)
    again = replace(people, snapshot=replace(snapshot, states=states))
    return replace(plan, seed=replicate_seed(plan.seed, number)), again
