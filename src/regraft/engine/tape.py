"""The ends of a patient's steps on a tape, so that a copy of the patient can take the same steps.

A solver chooses its steps by its errors, so two runs whose parameters differ by a millionth differ by the noise of that
choice, a thousand times more than by the parameter. On the same steps the noise is the same in both and cancels.
"""

from __future__ import annotations

import math

from regraft.engine import book as b
from regraft.engine.book import Integers, floats_of, integers, integers_of
from regraft.engine.buffers import FOLLOWS, TAPED, TAPING
from regraft.engine.jit import compiled_inner

# What a run does with the tape.
NO_TAPE, RECORD, FOLLOW = range(3)


@compiled_inner
def note(book: Integers, row: int, t: float) -> None:
    """Write the end of a step; count it also where the tape is full."""
    if integers(book, b.COUNTS)[TAPING] == RECORD:
        length, tape = integers(book, b.TAPE_LENGTH), floats_of(book, b.TAPE, row)
        if length[row] < tape.size:
            tape[length[row]] = t
        length[row] += 1


@compiled_inner
def given_end(book: Integers, lane: int, row: int, t: float) -> float:
    """Return where the next step ends by the tape, infinity where it says nothing; remember which it was."""
    counters = integers_of(book, b.COUNTERS, lane)
    end = math.inf
    if integers(book, b.COUNTS)[TAPING] == FOLLOW and row >= 0:
        length, tape, place = integers(book, b.TAPE_LENGTH)[row], floats_of(book, b.TAPE, row), counters[TAPED]
        while place < length and tape[place] <= t:
            place += 1
        counters[TAPED] = place
        if place < length:
            end = tape[place]
    counters[FOLLOWS] = 1 if end < math.inf else 0
    return end
