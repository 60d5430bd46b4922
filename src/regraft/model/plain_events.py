"""The events of SBML in the form that the engine runs: each acts at the instant of its trigger, in a known order."""

from __future__ import annotations

from regraft.model.equations import Equations
from regraft.model.ties import write_out_ties
from regraft.model.waiting import FIRST, write_out_waiting


def plain_events(equations: Equations) -> Equations:
    """Return equations without delays, without events that are due twice at once, and without ties of priority.

    Models that use none of these stay as they are. Others gain hidden states and events, whose names begin with the
    name of the event they stand for. Equations written out before stay as they are.
    """
    if any(event.priority == FIRST for event in equations.events):
        return equations
    return write_out_waiting(write_out_ties(equations))
