"""Exact simulation of a reaction network for many patients: every reaction, one after another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regraft.engine.administrations import Administrations, Kind, Schedule, make_schedule
from regraft.engine.inputs import check_ids, check_parameters, check_times
from regraft.engine.result import Result, Snapshot
from regraft.engine.settings import SolverSettings, usable_cores
from regraft.engine.stochastic_buffers import Ends, Inputs, Network, Work
from regraft.engine.stochastic_driver import run_rows
from regraft.engine.stochastic_ends import check_start, make_ends, make_snapshot, sentences
from regraft.engine.stochastic_kernel import NetworkKernel
from regraft.errors import InvalidArgument, near_matches

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Log = tuple[Integers, Integers, Floats]

_CHUNK = 64


def solve_exactly(
    kernel: NetworkKernel,
    parameters: ArrayLike,
    *,
    times: ArrayLike,
    patient_ids: ArrayLike,
    seed: int,
    administrations: Administrations | None = None,
    start: Snapshot | None = None,
    settings: SolverSettings | None = None,
    terminal_events: Sequence[str] = (),
) -> Result:
    """Simulate a reaction network exactly for many patients, each with its own doses and random draws.

    Every reaction is carried out (Gillespie's direct method), so the numbers follow the chemical master equation
    without any error of discretisation. Use it where a few cells decide; a large clone costs one step per reaction.

    Parameters
    ----------
    kernel : from ``compile_network``
    parameters : (patient, parameter) float, in the order and units of ``kernel.equations.parameters``
    times : (time,) or (patient, time) float, days, ascending; the first is the patient's start; rows may end in NaN
    patient_ids : (patient,) int, unique, 0 <= id < 2**32; with ``seed`` they fix all random draws
    seed : int, 0 <= seed < 2**63
    administrations : boluses of whole cells, and species or parameters that are set; no infusions
    start : snapshot of an earlier result of ``solve_exactly`` with the same patients; the first time must be its time
    settings : ``max_steps`` limits the reactions of a patient, ``max_events`` the kept ones, ``threads`` the threads;
        tolerances mean nothing here
    terminal_events : ids of kept reactions (``compile_network(..., events=...)``) that end a patient's run

    Returns
    -------
    Result ; amounts just after everything due by each time. ``steps`` are numbers of reactions. The same numbers, bit
        for bit, for any number of threads, any output times and whoever else is in the call

    Raises
    ------
    InvalidArgument : a shape, order, id or value that is not allowed; the message names it

    Assumptions
    -----------
    Between reactions and administrations every law is constant, which holds as no law may depend on the time.

    References
    ----------
    gillespie_1977, direct method
    """
    settings = settings or SolverSettings()
    ids = check_ids(patient_ids, seed)
    matrix = check_parameters(kernel.laws, parameters, ids)
    grid, counts = check_times(times, ids)
    if start is not None:
        check_start(kernel, start, ids, grid)
        matrix = np.where(np.isnan(start.switched), matrix, start.switched)
    # an array that may not be written to would have the loop compiled once more
    ids = np.require(ids, requirements=["C", "W"])
    matrix = np.require(matrix, requirements=["C", "W"])
    grid = np.require(grid, requirements=["C", "W"])
    table = Administrations.empty() if administrations is None else administrations
    schedule = _whole_schedule(kernel, table, grid[:, 0])
    inputs = Inputs(
        ids,
        matrix,
        grid,
        counts,
        schedule.offsets,
        schedule.time,
        schedule.kind,
        schedule.index,
        schedule.amount,
        int(seed),
        start is None,
    )
    ends = make_ends(kernel, ids.size, start)
    values = np.full((ids.size, grid.shape[1], len(kernel.output_ids)), np.nan)
    log = _run(_network(kernel, settings, terminal_events), kernel, settings, inputs, ends, values)
    details = sentences(kernel, ids, ends, start)
    return Result(
        ids,
        grid,
        kernel.output_ids,
        values,
        ends.status,
        details,
        ends.time,
        kernel.event_ids,
        *log,
        ends.steps,
        make_snapshot(kernel, inputs, ends, details, table, start),
    )


def _whole_schedule(kernel: NetworkKernel, table: Administrations, starts: Floats) -> Schedule:
    """Check administrations and sort them per patient; refuse infusions and parts of cells."""
    table.refuse(table.kind == Kind.INFUSION, "kind", "a bolus or a set; give an infusion of cells as a reaction")
    counted = np.array([target in kernel.equations.state_index for target in table.target], dtype=bool)
    table.refuse(counted & (table.amount != np.rint(table.amount)), "amount", "a whole number of cells")
    return make_schedule(kernel.laws, table, starts)


def _network(kernel: NetworkKernel, settings: SolverSettings, terminal_events: Sequence[str]) -> Network:
    """Return the driver's view of a kernel."""
    for name in terminal_events:
        if name not in kernel.event_ids:
            hint = near_matches(name, kernel.event_ids)
            raise InvalidArgument(f"The terminal event {name!r} is not among the kept reactions. {hint}")
    events = list(kernel.event_ids)
    return Network(
        laws=kernel.laws.addresses,
        records=kernel.records.addresses,
        outputs=len(kernel.output_ids),
        targets=kernel.targets,
        amounts=kernel.amounts,
        counts=kernel.change_counts,
        logged=np.array([events.index(r) if r in events else -1 for r in kernel.reaction_ids], dtype=np.int64),
        terminal=np.array([name in set(terminal_events) for name in events] or [False], dtype=np.int64),
        stream=kernel.stream,
        max_steps=settings.max_steps,
        max_logged=settings.max_events,
    )


def _run(
    network: Network, kernel: NetworkKernel, settings: SolverSettings, inputs: Inputs, ends: Ends, values: Floats
) -> Log:
    """Share the patients among threads; each chunk writes only its own rows."""
    patients = inputs.ids.size
    threads = settings.threads or usable_cores()
    chunk = max(1, min(_CHUNK, math.ceil(patients / threads)))

    def run_chunk(first: int) -> Log:
        work = _work_space(kernel, chunk, settings.max_events if kernel.event_ids else 0)
        beyond = min(first + chunk, patients)
        run_rows(network, work, inputs, ends, values, first, beyond)
        sizes = work.log_counts[: beyond - first]
        kept = np.arange(work.log_time.shape[1]) < sizes[:, None]
        rows = np.repeat(np.arange(first, beyond, dtype=np.int64), sizes)
        return rows, work.log_reaction[: beyond - first][kept], work.log_time[: beyond - first][kept]

    firsts = range(0, patients, chunk)
    if threads == 1:
        parts = [run_chunk(first) for first in firsts]
    else:
        with ThreadPoolExecutor(threads) as pool:
            parts = list(pool.map(run_chunk, firsts))
    rows, reactions, moments = (np.concatenate([part[k] for part in parts]) for k in range(3))
    return rows, reactions, moments


def _work_space(kernel: NetworkKernel, chunk: int, kept: int) -> Work:
    """Allocate the arrays of one chunk."""
    species, reactions = len(kernel.network.species), len(kernel.reaction_ids)
    return Work(
        y=np.zeros(species),
        rates=np.zeros(reactions),
        record=np.zeros(len(kernel.output_ids) + species),
        law_constants=np.zeros(kernel.laws.constants),
        record_constants=np.zeros(kernel.records.constants),
        clock=np.zeros(5),
        counters=np.zeros(7, dtype=np.int64),
        log_reaction=np.zeros((chunk, kept), dtype=np.int64),
        log_time=np.zeros((chunk, kept)),
        log_counts=np.zeros(chunk, dtype=np.int64),
        nothing=np.zeros(1),
    )
