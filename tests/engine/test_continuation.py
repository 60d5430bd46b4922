"""A run in two parts equals a run in one."""

from __future__ import annotations

import numpy as np
import pytest
from tests.engine.models import event, model, parameter_matrix

from regraft.engine import Administrations, SolverSettings, Status, compile_model, solve
from regraft.errors import InvalidArgument

EQUATIONS = model(
    {
        "x": (1, "s - x + 0.2 * sin(time)"),
        "h": (0, "0.3 * x"),
        "e": ("exponential(1)", 0),
        "count": (0, 0),
        "dead": (0, 0),
    },
    {"s": 1.0},
    events=[
        event("hit", "h >= e", {"e": "e + exponential(1)", "x": "x * uniform(0.5, 2)", "count": "count + 1"}),
        event("death", "count >= 9", {"dead": 1}),
    ],
)
KERNEL = compile_model(EQUATIONS, ["x", "count", "s"])
PATIENTS = 12
SETTINGS = SolverSettings(rtol=1e-8, atol=1e-10, threads=1)
BREAK = 13.0


def run(times, start=None, table=None, rows=slice(None)):
    ids = np.arange(PATIENTS)[rows]
    return solve(
        KERNEL,
        parameter_matrix(EQUATIONS, ids.size),
        times=times,
        patient_ids=ids,
        seed=3,
        settings=SETTINGS,
        start=start,
        administrations=table,
        terminal_events=["death"],
    )


def table(before):
    """Administrations that start before or after the break; the first infusion spans it."""
    rows = [(0, 10.0, "x", 1, 30.0, 6.0), (1, 5.0, "s", 2, 2.5, 0.0), (2, 14.0, "x", 0, 3.0, 0.0)]
    chosen = [row for row in rows if (row[1] < BREAK) == before]
    return Administrations(*zip(*chosen, strict=True))


def test_continuation_equals_an_uninterrupted_run():
    times = np.linspace(0, 40, 41)
    whole = run(times, table=Administrations.concatenate([table(True), table(False)]))
    first = run(times[times <= BREAK], table=table(True))
    second = run(times[times >= BREAK], start=first.snapshot, table=table(False))
    alive = first.status == Status.OK
    np.testing.assert_allclose(second.values[alive], whole.values[alive][:, times >= BREAK], rtol=1e-5)
    log = np.concatenate([first.event_time, second.event_time])
    rows = np.concatenate([first.event_patient, second.event_patient])
    order = np.lexsort((log, rows))
    np.testing.assert_array_equal(rows[order], whole.event_patient)
    np.testing.assert_allclose(log[order], whole.event_time, atol=1e-5)
    assert second.event_time.size > 10


def test_trigger_that_was_true_at_the_break_does_not_fire_again():
    equations = model({"x": (0, 1), "n": (0, 0)}, events=[event("once", "x > 1", {"n": "n + 1"})])
    kernel = compile_model(equations, ["n"])
    options = {"patient_ids": [0], "seed": 0, "settings": SETTINGS}
    first = solve(kernel, parameter_matrix(equations, 1), times=[0.0, 2.0], **options)
    second = solve(kernel, parameter_matrix(equations, 1), times=[2.0, 4.0], start=first.snapshot, **options)
    assert second.output("n")[0].tolist() == [1, 1]
    assert second.event_time.size == 0


def test_who_ended_stays_ended():
    first = run([0.0, 60.0])
    gone = first.status == Status.ENDED
    assert gone.any()
    second = run(np.where(np.isin([0, 1], [0]), 60.0, 70.0), start=first.snapshot)
    assert (second.status[gone] == Status.ENDED).all()
    assert np.isnan(second.values[gone]).all()
    np.testing.assert_array_equal(second.end_time[gone], first.end_time[gone])


def test_some_patients_of_a_snapshot_can_go_on_alone():
    first = run([0.0, BREAK], table=table(True))
    rows = np.array([4, 0])
    some = solve(
        KERNEL,
        parameter_matrix(EQUATIONS, 2),
        times=[BREAK, 20.0],
        patient_ids=rows,
        seed=3,
        settings=SETTINGS,
        start=first.snapshot.take(rows),
        terminal_events=["death"],
    )
    np.testing.assert_array_equal(some.values, run([BREAK, 20.0], start=first.snapshot).values[rows])


def test_snapshot_of_another_time_or_of_other_patients_is_refused():
    first = run([0.0, BREAK])
    with pytest.raises(InvalidArgument, match="day 13"):
        run([12.0, 20.0], start=first.snapshot)
    with pytest.raises(InvalidArgument, match="other patients"):
        run([BREAK, 20.0], start=first.snapshot, rows=slice(0, 3))
