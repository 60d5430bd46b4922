"""Where each quantity of a vector of patients stands in one block of memory, in rows of one double per lane."""

from __future__ import annotations

from typing import NamedTuple

from regraft.engine.program import Program


class Layout(NamedTuple):
    """First row of each quantity.

    ``end`` is the time after the step, ``moment`` an output time inside it and ``fraction`` where that is (0 to 1).
    ``attention`` is 1 in a lane where a trigger turned true or a state left its domain. ``kept`` is 1 in a lane that
    takes over the new states. ``constants`` come last, because their number is known last.
    """

    time: int
    step: int
    end: int
    moment: int
    fraction: int
    error: int
    growth: int
    attention: int
    kept: int
    relative: int
    absolute: int
    states: int
    new: int
    infusion: int
    slopes: int
    stage: int
    increments: int
    factors: int
    dense: int
    fresh: int
    truth: int
    shown: int
    constants: int


def lay_out(program: Program, stages: int) -> Layout:
    """Return the layout of a program's block."""
    moving, events = program.continuous, len(program.triggers)
    sizes = {
        "absolute": moving,
        "states": len(program.state_order),
        "new": moving,
        "infusion": moving,
        "slopes": moving,
        "stage": moving,
        "increments": stages * moving,
        "factors": len(program.elimination.entries),
        "dense": 3 * moving,
        "fresh": events,
        "truth": events,
        "shown": len(program.outputs),
    }
    rows: dict[str, int] = {}
    following = 0
    for name in Layout._fields:
        rows[name] = following
        following += sizes.get(name, 1)
    return Layout(**rows)


# Places of the fields, for the compiled driver.
TIME = Layout._fields.index("time")
STEP = Layout._fields.index("step")
END = Layout._fields.index("end")
MOMENT = Layout._fields.index("moment")
FRACTION = Layout._fields.index("fraction")
ERROR = Layout._fields.index("error")
GROWTH = Layout._fields.index("growth")
ATTENTION = Layout._fields.index("attention")
KEPT = Layout._fields.index("kept")
STATES = Layout._fields.index("states")
NEW = Layout._fields.index("new")
INFUSION = Layout._fields.index("infusion")
INCREMENTS = Layout._fields.index("increments")
FACTORS = Layout._fields.index("factors")
TRUTH = Layout._fields.index("truth")
SHOWN = Layout._fields.index("shown")
CONSTANTS = Layout._fields.index("constants")
