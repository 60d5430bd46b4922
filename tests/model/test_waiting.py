from __future__ import annotations

import pytest
from tests.model.run import result_of, run
from tests.model.sbml_text import (
    TIME,
    after,
    apply,
    compartment,
    delay,
    document,
    event,
    events,
    number,
    parameters,
    priority,
    rules,
    species,
)

from regraft.engine import Status
from regraft.model import read_sbml, write_sbml
from regraft.model.waiting import PLACES, write_out_waiting

TIMES = [0.0, 0.9, 1.1, 2.9, 3.1, 5.0]
CLOCK = rules(y=("rate", number(1.0)))


def test_an_event_acts_after_its_delay() -> None:
    text = document(parameters(x=0.0), events(event(after(1.0), inner=delay(number(2.0)), x=number(7.0))))
    assert run(text, "x", TIMES).tolist() == [0, 0, 0, 0, 7, 7]


@pytest.mark.parametrize(("from_trigger", "expected"), [(True, 1.0), (False, 3.0)])
def test_values_are_from_the_trigger_or_from_the_jump(from_trigger: bool, expected: float) -> None:
    change = event(after(1.0), inner=delay(number(2.0)), trigger_values=from_trigger, x="<ci>y</ci>")
    text = document(parameters(x=0.0, y=0.0), CLOCK, events(change))
    assert run(text, "x", TIMES)[-1] == pytest.approx(expected, rel=1e-7)


def test_an_event_may_wait_several_times_at_once() -> None:
    # y is set back at every whole number; each time x is due three later
    reset = event(apply("geq", "y", number(1.0)), name="reset", y=number(0.0))
    wait = event(
        apply("geq", "y", number(1.0)), name="wait", inner=delay(number(3.5)), x=apply("plus", "x", number(1.0))
    )
    text = document(parameters(x=0.0, y=0.0), CLOCK, events(wait.replace('"true">', '"false">', 1), reset))
    assert run(text, "x", [4.4, 4.6, 5.4, 5.6, 6.6]).tolist() == [0, 1, 1, 2, 3]


@pytest.mark.parametrize(("persistent", "expected"), [("true", 7.0), ("false", 0.0)])
def test_an_event_that_is_not_persistent_is_dropped_when_its_trigger_turns_false(
    persistent: str, expected: float
) -> None:
    window = apply("and", after(1.0), apply("lt", TIME, number(2.0)))
    options = f'initialValue="true" persistent="{persistent}"'
    change = event(window, options=options, inner=delay(number(2.0)), x=number(7.0))
    assert run(document(parameters(x=0.0), events(change)), "x", TIMES)[-1] == expected


def test_a_delay_of_zero_and_a_delay_from_a_formula() -> None:
    late = event(after(1.0), name="late", inner=delay(apply("plus", "y", number(1.0))), x=number(2.0))
    now = event(after(0.5), name="now", inner=delay(number(0.0)), x=number(1.0))
    text = document(parameters(x=0.0, y=0.0), CLOCK, events(late, now))
    assert run(text, "x", [0.4, 0.6, 2.9, 3.1]).tolist() == [0, 1, 1, 2]


def test_events_due_together_act_by_priority() -> None:
    first = event(after(1.0), name="a", inner=priority(number(1.0)) + delay(number(1.0)), x=number(1.0))
    second = event(after(1.0), name="b", inner=priority(number(2.0)) + delay(number(1.0)), x=number(2.0))
    text = document(parameters(x=0.0), events(first, second))
    assert run(text, "x", [1.5, 3.0]).tolist() == [0, 1]


@pytest.mark.parametrize("wait", ["", delay(number(1.0))])
def test_a_late_concentration_becomes_an_amount_with_the_size_of_the_jump(wait: str) -> None:
    change = event(after(1.0), inner=wait, s=number(4.0))
    grows = rules(c=("rate", number(1.0)))
    text = document(compartment(1.0), species('initialAmount="1"', boundary=True), grows, events(change))
    when = 2.0 if wait else 1.0
    assert run(text, "s", [3.0])[0] == pytest.approx(4.0 * (1.0 + when) / 4.0, rel=1e-7)


def test_a_late_concentration_means_the_same_once_written_and_read() -> None:
    change = event(after(1.0), inner=delay(number(1.0)), s=number(4.0))
    grows = rules(c=("rate", number(1.0)))
    text = document(compartment(1.0), species('initialAmount="1"', boundary=True), grows, events(change))
    assert run(write_sbml(read_sbml(text)), "s", [3.0])[0] == pytest.approx(3.0, rel=1e-7)


def test_more_events_than_places_end_the_run_with_the_name_of_the_event() -> None:
    reset = event(apply("geq", "y", number(0.1)), name="reset", y=number(0.0))
    wait = event(apply("geq", "y", number(0.1)), name="wait", inner=delay(number(100.0)), x=number(1.0))
    text = document(parameters(x=0.0, y=0.0), CLOCK, events(wait, reset))
    result = result_of(text, ["x"], [0.0, 0.1 * (PLACES + 3)])
    assert result.status[0] == Status.NON_FINITE
    assert "wait" in result.status_detail[0]


def test_a_model_in_which_nothing_waits_stays_as_it_is() -> None:
    equations = read_sbml(document(parameters(x=0.0), events(event(after(1.0), x=number(7.0)))))
    assert write_out_waiting(equations) is equations


def test_hidden_names_keep_clear_of_those_of_the_model() -> None:
    change = event(after(1.0), inner=delay(number(1.0)), e_due_1=number(7.0))
    text = document(parameters(e_due_1=0.0), events(change))
    assert run(text, "e_due_1", [0.0, 3.0]).tolist() == [0, 7]
