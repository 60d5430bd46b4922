"""What the loop of exact simulation works on, in groups of arrays."""

from __future__ import annotations

from typing import NamedTuple

from regraft.engine.book import Floats, Integers

# Places in ``Work.clock`` and ``Work.counters``. HAZARD is what was left to pass at time SINCE, TOTAL the rate at which
# it is passed, CHOICE the number in (0, 1) that picks the next reaction.
TIME, SINCE, HAZARD, TOTAL, CHOICE = range(5)
CURSOR, WRITTEN, TAKEN, FIRED, LOGGED, FAULT, PLACE = range(7)
# What FAULT says: nothing, the rate of a reaction, what a reaction leaves behind, an initial amount, or a dose.
# PLACE is the number of that reaction or species.
NOTHING, RATE, REMAINDER, START, DOSE = range(5)


class Network(NamedTuple):
    """A compiled network: two sets of functions, and the change of each species (engine order) by each reaction."""

    laws: Integers
    records: Integers
    outputs: int
    targets: Integers
    amounts: Floats
    counts: Integers
    logged: Integers
    terminal: Integers
    stream: int
    max_steps: int
    max_logged: int


class Inputs(NamedTuple):
    """What is given per patient (rows); the schedule is one list with offsets."""

    ids: Integers
    parameters: Floats
    times: Floats
    time_counts: Integers
    schedule_from: Integers
    schedule_time: Floats
    schedule_kind: Integers
    schedule_index: Integers
    schedule_amount: Floats
    seed: int
    is_start: bool


class Ends(NamedTuple):
    """What is kept per patient at the end of a run, and, at a continuation, found at its start.

    ``reaction_clock`` is (patient, 2): the hazard left at time ``since``, and the rate at which it has been passed.
    """

    y: Floats
    parameters: Floats
    reaction_clock: Floats
    since: Floats
    fired: Integers
    time: Floats
    status: Integers
    steps: Integers
    fault: Integers
    place: Integers
    value: Floats


class Work(NamedTuple):
    """Arrays of one chunk: one patient's run at a time, and the log of all its patients."""

    y: Floats
    rates: Floats
    record: Floats
    law_constants: Floats
    record_constants: Floats
    clock: Floats
    counters: Integers
    log_reaction: Integers
    log_time: Floats
    log_counts: Integers
    nothing: Floats
