"""The compiled loop of exact simulation: one reaction after another, one patient at a time.

This is Gillespie's direct method [gillespie_1977] with one difference: the waiting time is kept as a hazard still to be
passed (a draw from the exponential distribution of mean one). A dose changes how fast it is passed and draws nothing
new, so two arms share their luck until the dose acts. Output times change nothing at all.
"""

from __future__ import annotations

import math

import numpy as np

from regraft import streams
from regraft.engine.book import Floats, Integers
from regraft.engine.calls import CONSTANTS, OUTPUTS, call
from regraft.engine.jit import compiled, compiled_inner
from regraft.engine.patient import ADD, SET_PARAMETER
from regraft.engine.status import DOMAIN, ENDED, EVENT_LOG_FULL, NON_FINITE, OK, STEP_LIMIT
from regraft.engine.step import copy
from regraft.engine.stochastic_buffers import (
    CHOICE,
    CURSOR,
    DOSE,
    FAULT,
    FIRED,
    HAZARD,
    LOGGED,
    NOTHING,
    PLACE,
    RATE,
    REMAINDER,
    SINCE,
    START,
    TAKEN,
    TIME,
    TOTAL,
    WRITTEN,
    Ends,
    Inputs,
    Network,
    Work,
)
from regraft.model.reactions import LARGEST_COUNT

_ROUNDING = 1e-9
_LOW = 0xFFFFFFFF
_HALF_STEP = 2.0**-54


@compiled_inner
def _draw(seed: int, patient: int, stream: int, fired: int) -> tuple[float, float]:
    """Return the hazard to pass before a patient's next reaction, and the number in (0, 1) that picks it."""
    first, second = streams.philox(seed, patient, stream, fired & _LOW, fired >> 32)
    waiting = float(first >> np.uint64(11)) * 2.0**-53 + _HALF_STEP
    return -math.log(waiting), float(second >> np.uint64(11)) * 2.0**-53 + _HALF_STEP


@compiled_inner
def _total(rates: Floats) -> float:
    """Return the sum of all rates; not below infinity where one of them cannot be a rate."""
    total = 0.0
    for r in range(rates.size):
        total += rates[r] if rates[r] >= 0.0 else math.nan
    return total


@compiled_inner
def _pick(rates: Floats, goal: float) -> int:
    """Return the reaction in whose share of the total a number lies; never one with a rate of zero."""
    reached, last = 0.0, 0
    for r in range(rates.size):
        if rates[r] > 0.0:
            reached += rates[r]
            last = r
            if reached > goal:
                return r
    return last  # the number was rounded up to the total


@compiled_inner
def _blame_rates(rates: Floats, counters: Integers) -> int:
    """Find a rate that cannot be one; return the status."""
    place = int(np.argmax(rates))
    for r in range(rates.size - 1, -1, -1):
        if not 0.0 <= rates[r] < math.inf:
            place = r
    counters[FAULT], counters[PLACE] = RATE, place
    return DOMAIN if -math.inf < rates[place] < 0.0 else NON_FINITE


@compiled_inner
def _record(network: Network, work: Work, times: Floats, values: Floats, before: float) -> None:
    """Write the outputs at all times before a moment; nothing has changed since the last reaction."""
    written = work.counters[WRITTEN]
    while written < times.size and times[written] < before:
        call(network.records[OUTPUTS], 0, times[written], work.y, work.record_constants, work.nothing, work.record)
        for k in range(network.outputs):
            values[written, k] = work.record[k]
        written += 1
    work.counters[WRITTEN] = written


@compiled_inner
def _log(network: Network, work: Work, line: int, reaction: int) -> int:
    """Write a reaction that is kept into the log; return the status, ENDED after a terminal one."""
    count, event = work.counters[LOGGED], network.logged[reaction]
    if count >= network.max_logged:
        work.counters[FAULT], work.counters[PLACE] = RATE, reaction
        return EVENT_LOG_FULL
    work.log_reaction[line, count], work.log_time[line, count] = event, work.clock[TIME]
    work.counters[LOGGED] += 1
    return ENDED if network.terminal[event] else OK


@compiled_inner
def _rates_at_change(network: Network, work: Work) -> int:
    """Compute all rates after a change from outside; what is left of the hazard is passed at the new total."""
    clock = work.clock
    call(network.laws[OUTPUTS], 0, clock[TIME], work.y, work.law_constants, work.nothing, work.rates)
    total = _total(work.rates)
    if not total < math.inf:
        return _blame_rates(work.rates, work.counters)
    if total != clock[TOTAL]:
        clock[HAZARD] = max(0.0, clock[HAZARD] - clock[TOTAL] * (clock[TIME] - clock[SINCE]))
        clock[SINCE], clock[TOTAL] = clock[TIME], total
    return OK


@compiled_inner
def _react(
    network: Network, work: Work, times: Floats, values: Floats, seed: int, patient: int, line: int, target: float
) -> int:
    """Carry out all reactions due by a time, and write the outputs before it; return the status.

    This is where the time goes: everything it needs is local, and it hands few arrays on.
    """
    y, rates, clock, counters = work.y, work.rates, work.clock, work.counters
    constants, nothing, law = work.law_constants, work.nothing, network.laws[OUTPUTS]
    targets, amounts, counts, logged = network.targets, network.amounts, network.counts, network.logged
    hazard, since, total, choice = clock[HAZARD], clock[SINCE], clock[TOTAL], clock[CHOICE]
    status, taken, fired = OK, counters[TAKEN], counters[FIRED]
    while status == OK and total > 0.0:
        t = since + hazard / total
        if t > target:
            break
        if taken >= network.max_steps:
            counters[FAULT], counters[PLACE], status = RATE, np.argmax(rates), STEP_LIMIT
            break
        if counters[WRITTEN] < times.size and times[counters[WRITTEN]] < t:
            _record(network, work, times, values, t)
        reaction = _pick(rates, choice * total)
        clock[TIME] = since = t
        taken += 1
        fired += 1
        for i in range(counts[reaction]):
            y[targets[reaction, i]] += amounts[reaction, i]
            if y[targets[reaction, i]] < 0.0:
                counters[FAULT], counters[PLACE], status = REMAINDER, reaction, DOMAIN
        if status == OK and logged[reaction] >= 0:
            status = _log(network, work, line, reaction)
        hazard, choice = _draw(seed, patient, network.stream, fired)
        call(law, 0, t, y, constants, nothing, rates)
        total = _total(rates)
        if status == OK and not total < math.inf:
            status = _blame_rates(rates, counters)
    clock[HAZARD], clock[SINCE], clock[TOTAL], clock[CHOICE] = hazard, since, total, choice
    counters[TAKEN], counters[FIRED] = taken, fired
    return status


@compiled_inner
def _count(y: Floats, index: int, value: float, counters: Integers, fault: int) -> int:
    """Set a species to a whole number; return the status."""
    nearest = np.rint(value)
    y[index] = value
    if not (0.0 <= nearest <= LARGEST_COUNT and abs(value - nearest) <= _ROUNDING * max(1.0, nearest)):
        counters[FAULT], counters[PLACE] = fault, index
        return DOMAIN
    y[index] = nearest
    return OK


@compiled_inner
def _administer(network: Network, work: Work, inputs: Inputs, row: int) -> tuple[int, bool]:
    """Carry out all entries of the schedule due by now; return the status and whether there were any."""
    y, counters, t = work.y, work.counters, work.clock[TIME]
    cursor, before, switched, status = counters[CURSOR], counters[CURSOR], False, OK
    while status == OK and cursor < inputs.schedule_from[row + 1] and inputs.schedule_time[cursor] <= t:
        kind, index = inputs.schedule_kind[cursor], inputs.schedule_index[cursor]
        amount = inputs.schedule_amount[cursor]
        if kind == SET_PARAMETER:
            work.law_constants[index] = work.record_constants[index] = amount
            switched = True
        else:
            status = _count(y, index, amount + (y[index] if kind == ADD else 0.0), counters, DOSE)
        cursor += 1
    if switched:
        _compute_constants(network, work)
    counters[CURSOR] = cursor
    return status, cursor > before


@compiled_inner
def _compute_constants(network: Network, work: Work) -> None:
    """Compute everything that depends on parameters alone."""
    t = work.clock[TIME]
    call(network.laws[CONSTANTS], 0, t, work.y, work.law_constants, work.nothing, work.nothing)
    call(network.records[CONSTANTS], 0, t, work.y, work.record_constants, work.nothing, work.nothing)


@compiled_inner
def _begin(network: Network, work: Work, inputs: Inputs, ends: Ends, row: int) -> int:
    """Load a patient at the start of a run; return the status."""
    clock, counters, y = work.clock, work.counters, work.y
    for k in range(inputs.parameters.shape[1]):
        work.law_constants[k] = work.record_constants[k] = inputs.parameters[row, k]
    counters[CURSOR], counters[WRITTEN], counters[TAKEN] = inputs.schedule_from[row], 0, 0
    counters[LOGGED], counters[FAULT], clock[TIME] = 0, NOTHING, inputs.times[row, 0]
    _compute_constants(network, work)
    if not inputs.is_start:
        copy(ends.y[row], y)
        clock[SINCE], counters[FIRED] = ends.since[row], ends.fired[row]
        clock[HAZARD], clock[TOTAL] = ends.reaction_clock[row, 0], ends.reaction_clock[row, 1]
        _, clock[CHOICE] = _draw(inputs.seed, inputs.ids[row], network.stream, counters[FIRED])
        return OK
    counters[FIRED], clock[SINCE], clock[TOTAL] = 0, clock[TIME], 0.0
    clock[HAZARD], clock[CHOICE] = _draw(inputs.seed, inputs.ids[row], network.stream, 0)
    for k in range(y.size):
        y[k] = 0.0  # initial amounts do not depend on it
    call(network.records[OUTPUTS], 0, clock[TIME], y, work.record_constants, work.nothing, work.record)
    for k in range(y.size):
        status = _count(y, k, work.record[network.outputs + k], counters, START)
        if status != OK:
            return status
    return OK


@compiled_inner
def _run_patient(network: Network, work: Work, inputs: Inputs, ends: Ends, values: Floats, row: int, line: int) -> None:
    """Run one patient from the first to the last time."""
    times, clock = inputs.times[row, : inputs.time_counts[row]], work.clock
    last, stop = times[times.size - 1], inputs.schedule_from[row + 1]
    status, changed = _begin(network, work, inputs, ends, row), True
    while status == OK:
        status, due = _administer(network, work, inputs, row)
        if status == OK and (changed or due):
            status = _rates_at_change(network, work)
        if status != OK or clock[TIME] >= last:
            break
        cursor, changed = work.counters[CURSOR], False
        target = min(last, inputs.schedule_time[cursor]) if cursor < stop else last
        status = _react(network, work, times, values[row], inputs.seed, inputs.ids[row], line, target)
        if status == OK:
            _record(network, work, times, values[row], target)
            clock[TIME] = target
    if status <= ENDED:
        _record(network, work, times, values[row], np.nextafter(clock[TIME], math.inf))
    _finish(work, ends, row, status)


@compiled_inner
def _finish(work: Work, ends: Ends, row: int, status: int) -> None:
    """Keep a patient's end, and what was at fault with its value."""
    clock, counters, place = work.clock, work.counters, work.counters[PLACE]
    copy(work.y, ends.y[row])
    for k in range(ends.parameters.shape[1]):
        ends.parameters[row, k] = work.law_constants[k]
    ends.reaction_clock[row, 0], ends.reaction_clock[row, 1] = clock[HAZARD], clock[TOTAL]
    ends.since[row], ends.fired[row], ends.time[row] = clock[SINCE], counters[FIRED], clock[TIME]
    ends.status[row], ends.steps[row] = status, counters[TAKEN]
    ends.fault[row], ends.place[row] = counters[FAULT], place
    if counters[FAULT] == RATE:
        ends.value[row] = work.rates[place]
    elif counters[FAULT] >= START:
        ends.value[row] = work.y[place]


@compiled
def run_rows(network: Network, work: Work, inputs: Inputs, ends: Ends, values: Floats, first: int, beyond: int) -> None:
    """Run some patients; those that a snapshot says have ended stay as they are."""
    for row in range(first, beyond):
        work.log_counts[row - first] = 0
        if ends.status[row] == OK:
            _run_patient(network, work, inputs, ends, values, row, row - first)
            work.log_counts[row - first] = work.counters[LOGGED]
