"""A compiled model: the addresses of its functions and what the driver must know about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regraft.engine.emit import FUNCTIONS, emit
from regraft.engine.layout import Layout
from regraft.engine.machine import host_lanes, load_machine_code
from regraft.engine.program import Jump, Program, build_program, moving_states_of
from regraft.engine.reductions import Reduction, check_reductions
from regraft.errors import InvalidArgument
from regraft.model.equations import Equations
from regraft.model.plain_events import plain_events
from regraft.streams import stream_key

_LANES = (1, 2, 4, 8)


@dataclass(frozen=True)
class JumpTable:
    """Targets, draw codes and stream keys of a list of jumps, padded to rectangles for the driver."""

    targets: NDArray[np.int64]
    target_counts: NDArray[np.int64]
    codes: NDArray[np.int64]
    code_counts: NDArray[np.int64]
    streams: NDArray[np.int64]


@dataclass(frozen=True)
class Kernel:
    """A model ready to run. Copies sent to another process compile again (or read the cached object code).

    ``state_order`` gives the model's index of each state in engine order; the first ``continuous`` of them change
    by rates. ``lanes`` patients are stepped at once; ``addresses`` are in the order of ``emit.FUNCTIONS``.
    ``watched`` are the moving states that triggers depend on.
    """

    equations: Equations
    output_ids: tuple[str, ...]
    infused: tuple[str, ...]
    reductions: tuple[Reduction, ...]
    state_order: NDArray[np.int64]
    continuous: int
    constants: int
    lanes: int
    layout: Layout
    initial: JumpTable
    events: JumpTable
    stops: int
    watched: NDArray[np.int64]
    guard_states: tuple[tuple[str, ...], ...]
    addresses: NDArray[np.int64]
    machine: Any = field(repr=False, compare=False)

    @property
    def event_ids(self) -> tuple[str, ...]:
        """Names of the events, in the order of the model."""
        return tuple(event.id for event in self.equations.events)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the recipe: machine code cannot travel."""
        return _compile_again, (self.equations, self.output_ids, self.infused, self.reductions)


def _compile_again(
    equations: Equations, outputs: Sequence[str], infused: Sequence[str], reductions: Sequence[Reduction]
) -> Kernel:
    return compile_model(equations, outputs, infused, reductions=reductions)


def compile_model(
    equations: Equations,
    outputs: Sequence[str],
    infused: Sequence[str] = (),
    *,
    reductions: Sequence[Reduction] = (),
    lanes: int | None = None,
) -> Kernel:
    """Compile a model for many patients.

    Parameters
    ----------
    equations : the whole model; events that wait or compete are written out first (``plain_events``)
    outputs : ids of states, assigned quantities or parameters to be recorded
    infused : ids of states without a rate that will receive infusions; states with a rate always can
    reductions : what is gathered while patients are solved, instead of recording a whole course
    lanes : patients per vector, 1, 2, 4 or 8; None takes what the processor is made for. Results do not depend on it

    Raises
    ------
    InvalidModel, UnsupportedModel : the model cannot be run; the message names the place
    InvalidArgument : an unknown output, reduced quantity or infused state, with near matches; a reduction twice
    """
    equations = plain_events(equations)
    check_reductions(reductions)
    program = build_program(equations, outputs, infused, [reduction.of for reduction in reductions])
    best, fused = host_lanes()
    lanes = best if lanes is None else lanes
    if lanes not in _LANES:
        raise InvalidArgument(f"lanes is {lanes}; it must be one of 1, 2, 4 and 8.")
    text, layout, constants = emit(program, len(equations.parameters), lanes, fused=fused)
    machine = load_machine_code(text)
    names = [state.id for state in equations.states]
    return Kernel(
        equations=equations,
        output_ids=tuple(outputs),
        infused=tuple(infused),
        reductions=tuple(reductions),
        state_order=np.array(program.state_order, dtype=np.int64),
        continuous=program.continuous,
        constants=constants,
        lanes=lanes,
        layout=layout,
        initial=_jump_table(program.initial, _initial_streams(program, names)),
        events=_jump_table(program.events, [stream_key(event.id) for event in equations.events]),
        stops=len(program.stops),
        watched=np.array(moving_states_of(program, program.triggers), dtype=np.int64),
        guard_states=tuple(tuple(names[i] for i in states) for _, states in program.guards),
        addresses=np.array([machine.get_function_address(name) for name in FUNCTIONS], dtype=np.int64),
        machine=machine,
    )


def _initial_streams(program: Program, names: list[str]) -> list[int]:
    """Return the stream key of each initial value, named after its state."""
    return [stream_key(names[program.state_order[jump.targets[0]]]) for jump in program.initial]


def _jump_table(jumps: Sequence[Jump], streams: Sequence[int]) -> JumpTable:
    """Pad the lists of targets and draw codes."""
    codes = [[draw.code for draw in jump.draws] for jump in jumps]
    return JumpTable(
        targets=_rectangle([list(jump.targets) for jump in jumps]),
        target_counts=np.array([len(jump.targets) for jump in jumps], dtype=np.int64),
        codes=_rectangle(codes),
        code_counts=np.array([len(row) for row in codes], dtype=np.int64),
        streams=np.array(streams, dtype=np.int64),
    )


def _rectangle(rows: list[list[int]]) -> NDArray[np.int64]:
    """Return rows as one array, padded with zeros, at least one column wide."""
    table = np.zeros((len(rows), max([1, *(len(row) for row in rows)])), dtype=np.int64)
    for i, row in enumerate(rows):
        table[i, : len(row)] = row
    return table
