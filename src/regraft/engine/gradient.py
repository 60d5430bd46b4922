"""Derivatives of a patient's outputs with respect to parameters, on the patient's own steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regraft.engine.administrations import Administrations
from regraft.engine.inputs import make_ends, make_inputs, terminal_flags
from regraft.engine.kernel import Kernel
from regraft.engine.rescue import subset
from regraft.engine.result import Result
from regraft.engine.run import Ends, Inputs, Tape, run
from regraft.engine.settings import SolverSettings
from regraft.engine.solve import solve
from regraft.engine.status import ENDED
from regraft.engine.tape import FOLLOW, RECORD
from regraft.errors import InvalidArgument, near_matches

Floats = NDArray[np.float64]

# A change this large, relative to the parameter, loses least to curvature and rounding together.
_CHANGE = 1e-6
_FIRST_PLACES = 1024  # steps of a patient that the first tape has room for
_EVENT_TIME_TOLERANCE = 1e-14  # an error in an event's time is divided by the change of the parameter
_MOST_NUMBERS = 2**24  # of the copies' records and tapes, held at once


@dataclass(frozen=True)
class Gradient:
    """A result and its derivatives.

    ``derivative`` is (patient, time, output, parameter), in the unit of the output per unit of the parameter; NaN where
    the value is NaN, and for a patient whose run, or whose copy's run, needed another attempt or failed.
    """

    result: Result
    parameter_ids: tuple[str, ...]
    derivative: Floats

    def of(self, output: str, parameter: str) -> Floats:
        """Return one derivative as (patient, time)."""
        for name, known in ((output, self.result.output_ids), (parameter, self.parameter_ids)):
            if name not in known:
                raise InvalidArgument(f"{name!r} is not part of this gradient. {near_matches(name, known)}")
        place = self.result.output_ids.index(output), self.parameter_ids.index(parameter)
        return self.derivative[:, :, place[0], place[1]]


def solve_with_gradient(
    kernel: Kernel,
    parameters: ArrayLike,
    *,
    by: Sequence[str],
    times: ArrayLike,
    patient_ids: ArrayLike,
    seed: int,
    administrations: Administrations | None = None,
    settings: SolverSettings | None = None,
    terminal_events: Sequence[str] = (),
) -> Gradient:
    """Solve a model and differentiate every recorded value by some parameters.

    Each patient is solved, and then once more per parameter, changed by a millionth, in neighbouring lanes and on the
    same steps (internal numerical differentiation). The errors of the steps cancel, so the derivative is as good as the
    solution, at the cost of one more run per parameter and three for the patient.

    Parameters
    ----------
    by : ids of the parameters
    others : as in ``solve``

    Returns
    -------
    Gradient

    Raises
    ------
    InvalidArgument : as in ``solve``, or an unknown or repeated parameter

    Assumptions
    -----------
    The derivative is that of one patient with one luck: a random event moves in time with the parameter. Where a change
    would add or remove an event, the mean over patients has a part that no single patient shows; it is missing here.

    References
    ----------
    bock_1983
    """
    settings = settings or SolverSettings()
    columns = _columns(kernel, by)
    result = solve(
        kernel,
        parameters,
        times=times,
        patient_ids=patient_ids,
        seed=seed,
        administrations=administrations,
        settings=settings,
        terminal_events=terminal_events,
    )
    inputs, _ = make_inputs(kernel, parameters, times, patient_ids, seed, administrations, None)
    exact = replace(settings, event_time_tolerance=_EVENT_TIME_TOLERANCE)
    differ = _Differences(kernel, exact, inputs, terminal_flags(kernel, terminal_events), columns)
    derivative = np.full((*result.values.shape, columns.size), np.nan)
    sound = np.flatnonzero((result.status <= ENDED) & (result.attempt == 0))
    each = max(1, _MOST_NUMBERS // (derivative[0].size + (1 + columns.size) * _FIRST_PLACES))
    for first in range(0, sound.size, each):
        rows = sound[first : first + each]
        derivative[rows] = differ(rows)
    return Gradient(result, tuple(by), derivative)


def _columns(kernel: Kernel, by: Sequence[str]) -> NDArray[np.int64]:
    """Return the columns of the parameters."""
    index = kernel.equations.parameter_index
    for name in by:
        if name not in index:
            raise InvalidArgument(f"{name!r} is not a parameter of the model. {near_matches(name, index)}")
    if len(set(by)) < len(by) or not by:
        raise InvalidArgument(f"by is {tuple(by)}; give at least one parameter, each once.")
    return np.array([index[name] for name in by], dtype=np.int64)


@dataclass(frozen=True)
class _Differences:
    """Records the steps of some patients and lets their changed copies take the same."""

    kernel: Kernel
    settings: SolverSettings
    inputs: Inputs
    terminal: NDArray[np.int64]
    columns: NDArray[np.int64]

    def __call__(self, rows: NDArray[np.int64]) -> Floats:
        """Return (patient, time, output, parameter) for some patients."""
        tape, copies = self._record(rows), 1 + self.columns.size
        # The copies of a patient follow each other, so they stand in neighbouring lanes; the first is not changed. It
        # takes the steps anew because the tape cuts them at events, which the patient itself found inside longer ones.
        inputs = subset(self.inputs, np.repeat(rows, copies))
        matrix = inputs.parameters.reshape(rows.size, copies, -1)
        numbers = np.arange(self.columns.size)
        before = matrix[:, 1 + numbers, self.columns]
        matrix[:, 1 + numbers, self.columns] = np.where(before == 0.0, _CHANGE, before * (1.0 + _CHANGE))
        change = matrix[:, 1 + numbers, self.columns] - before
        ends, values = self._space(inputs)
        following = Tape(FOLLOW, np.repeat(tape.ends, copies, axis=0), np.repeat(tape.length, copies))
        run(self.kernel, self.settings, inputs, ends, values, self.terminal, following)
        values[ends.status > ENDED] = np.nan
        by_copy = values.reshape(rows.size, copies, *values.shape[1:])
        return np.moveaxis((by_copy[:, 1:] - by_copy[:, :1]) / change[:, :, None, None], 1, -1)

    def _record(self, rows: NDArray[np.int64]) -> Tape:
        """Solve the patients again and keep the ends of their steps."""
        inputs, places = subset(self.inputs, rows), _FIRST_PLACES
        while True:
            tape = Tape(RECORD, np.zeros((rows.size, places)), np.zeros(rows.size, dtype=np.int64))
            ends, values = self._space(inputs)
            run(self.kernel, self.settings, inputs, ends, values, self.terminal, tape)
            longest = int(tape.length.max(initial=0))
            if longest <= places:
                return tape
            places = longest

    def _space(self, inputs: Inputs) -> tuple[Ends, Floats]:
        """Return places for ends and values."""
        patients = inputs.ids.size
        values = np.empty((patients, inputs.times.shape[1], len(self.kernel.output_ids)))
        return make_ends(self.kernel, patients, None), values
