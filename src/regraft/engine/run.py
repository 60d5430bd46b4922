"""Patients shared among threads, and their events put in order."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from regraft.engine import book as b
from regraft.engine.book import Floats, Integers, make_book
from regraft.engine.buffers import Arrays, model_arrays, thread_arrays
from regraft.engine.driver import run_lanes
from regraft.engine.kernel import Kernel
from regraft.engine.settings import SolverSettings, usable_cores
from regraft.engine.tape import NO_TAPE

Log = tuple[Integers, Integers, Floats]


class Inputs(NamedTuple):
    """What is given per patient (rows), all patients of the call; the schedule is one list with offsets.

    ``order`` lists the rows to run.
    """

    order: Integers
    ids: Integers
    parameters: Floats
    times: Floats
    counts: Integers
    schedule_from: Integers
    schedule_time: Floats
    schedule_kind: Integers
    schedule_index: Integers
    schedule_amount: Floats
    seed: int
    is_start: bool


class Tape(NamedTuple):
    """The ends of each patient's steps: ``ends`` is (patient, place), ``length`` counts also what found no place.

    ``use`` is one of ``NO_TAPE``, ``RECORD`` and ``FOLLOW``.
    """

    use: int
    ends: Floats
    length: Integers


class Ends(NamedTuple):
    """What is kept per patient at the end of a run, and, at a continuation, found at its start."""

    y: Floats
    parameters: Floats
    truth: Floats
    occurrence: Integers
    step: Floats
    time: Floats
    status: Integers
    steps: Integers
    culprit: Integers
    rate: Floats
    reduced: Floats


def run(
    kernel: Kernel,
    settings: SolverSettings,
    inputs: Inputs,
    ends: Ends,
    values: Floats,
    terminal: Integers,
    tape: Tape | None = None,
) -> Log:
    """Run all patients; fill ``ends`` and ``values`` and return patient, event and time of every event, by patient.

    Threads take patients from a common counter; whoever takes a patient writes only its rows.
    """
    tape = tape or no_tape(inputs.ids.size)
    shared = model_arrays(kernel, settings, terminal, inputs.seed, is_start=inputs.is_start, taping=tape.use)
    patients = patient_arrays(inputs, ends, values, tape)

    def run_thread(_: int) -> list[Log]:
        own = thread_arrays(kernel, settings)
        book = make_book(shared, patients, own)
        logs, left = [], True
        while left:
            left = run_lanes(book.pages)
            logs.append(empty_log(own))
        return logs

    threads = min(settings.threads or usable_cores(), math.ceil(inputs.order.size / kernel.lanes))
    if threads <= 1:
        parts = run_thread(0)
    else:
        with ThreadPoolExecutor(threads) as pool:
            parts = [log for logs in pool.map(run_thread, range(threads)) for log in logs]
    rows, events, times = (np.concatenate([part[k] for part in parts]) for k in range(3))
    by_patient = np.argsort(rows, kind="stable")
    return rows[by_patient], events[by_patient], times[by_patient]


def empty_log(own: Arrays) -> Log:
    """Take all events out of a thread's log."""
    size = int(own[b.LOG_COUNT][0])
    own[b.LOG_COUNT][0] = 0
    patients, events = (np.array(own[page][:size], dtype=np.int64) for page in (b.LOG_PATIENT, b.LOG_EVENT))
    return patients, events, np.array(own[b.LOG_TIME][:size], dtype=np.float64)


def no_tape(patients: int) -> Tape:
    """Return the tape of a run that needs none."""
    return Tape(NO_TAPE, np.zeros((patients, 0)), np.zeros(patients, dtype=np.int64))


def patient_arrays(inputs: Inputs, ends: Ends, values: Floats, tape: Tape) -> Arrays:
    """Return everything about all patients by page of the driver's book."""
    return {
        b.ORDER: inputs.order,
        b.IDS: inputs.ids,
        b.PARAMETERS: inputs.parameters,
        b.TIMES: inputs.times,
        b.TIME_COUNTS: inputs.counts,
        b.SCHEDULE_FROM: inputs.schedule_from,
        b.SCHEDULE_TIME: inputs.schedule_time,
        b.SCHEDULE_KIND: inputs.schedule_kind,
        b.SCHEDULE_INDEX: inputs.schedule_index,
        b.SCHEDULE_AMOUNT: inputs.schedule_amount,
        b.RECORDED: values.reshape(values.shape[0] * values.shape[1], values.shape[2]),
        b.END_Y: ends.y,
        b.END_PARAMETERS: ends.parameters,
        b.END_TRUTH: ends.truth,
        b.END_OCCURRENCE: ends.occurrence,
        b.END_STEP: ends.step,
        b.END_TIME: ends.time,
        b.END_STATUS: ends.status,
        b.END_STEPS: ends.steps,
        b.END_CULPRIT: ends.culprit,
        b.END_RATE: ends.rate,
        b.END_REDUCED: ends.reduced,
        b.COUNTER: np.zeros(1, dtype=np.int64),
        b.TAPE: tape.ends,
        b.TAPE_LENGTH: tape.length,
    }
