from __future__ import annotations

import numpy as np
import pytest
from tests.model.run import result_of, run
from tests.model.sbml_text import after, apply, document, event, events, number, parameters, priority, rules

from regraft.model import read_sbml
from regraft.model.equations import Equations
from regraft.model.plain_events import plain_events

CLOCK = rules(t=("rate", number(1.0)))


def racing(first: str, second: str) -> Equations:
    """Return a model in which two events turn true at every tenth of a time unit; the first to act wins."""
    due = apply("geq", "t", number(0.1))
    options = 'initialValue="true" persistent="false"'
    winner = {"t": number(0.0)}
    return read_sbml(
        document(
            parameters(t=0.0, a=0.0, b=0.0),
            CLOCK,
            events(
                event(
                    due, name="ea", options=options, inner=priority(first), a=apply("plus", "a", number(1.0)), **winner
                ),
                event(
                    due, name="eb", options=options, inner=priority(second), b=apply("plus", "b", number(1.0)), **winner
                ),
            ),
        )
    )


@pytest.mark.parametrize("first", [number(5.0), apply("plus", "a", "b")])
def test_chance_decides_between_events_of_equal_priority(first: str) -> None:
    result = result_of(racing(first, first), ["a", "b"], [0.0, 100.05])
    wins = result.values[0, 1]
    assert wins.sum() == pytest.approx(1000, abs=1)
    # five standard deviations of a fair coin
    assert abs(wins[0] - wins[1]) < 5 * np.sqrt(1000)


def test_the_winners_depend_on_the_seed_and_on_nothing_else() -> None:
    model = racing(number(5.0), number(5.0))
    runs = [result_of(model, ["a"], [0.0, 20.05], seed=seed).values[0, 1, 0] for seed in (1, 1, 2, 3)]
    assert runs[0] == runs[1]
    assert len(set(runs)) > 1


@pytest.mark.parametrize(("first", "second", "winner"), [(2.0, 1.0, "a"), (1.0, 2.0, "b")])
def test_a_higher_priority_always_wins(first: float, second: float, winner: str) -> None:
    model = racing(number(first), number(second))
    assert plain_events(model) is model
    assert run(model, winner, [10.05])[0] == pytest.approx(100, abs=1)


def test_a_third_event_of_another_priority_keeps_its_place() -> None:
    third = event(after(1.0), name="ec", inner=priority(number(2.0)), x=number(3.0))
    tied = [
        event(after(1.0), name=name, inner=priority(number(1.0)), x=apply("plus", "x", number(1.0))) for name in "de"
    ]
    for sign in (1.0, -1.0):
        text = document(parameters(x=0.0), events(third, *tied).replace("<cn>2.0</cn>", f"<cn>{2 * sign}</cn>"))
        # values are from the time of the trigger: the last to act leaves its own
        assert run(text, "x", [2.0])[0] == (1.0 if sign > 0 else 3.0)


def test_an_event_triggered_again_while_it_is_due_acts_as_often() -> None:
    flips = [
        event(after(1.0), name=f"f{k}", inner=priority(number(9.0 - k)), m=number(2.0 * ((k + 1) % 2)))
        for k in range(5)
    ]
    counts = event(
        apply("gt", "m", number(1.0)),
        name="count",
        inner=priority(number(0.0)),
        trigger_values=False,
        x=apply("plus", "x", number(1.0)),
    )
    assert run(document(parameters(x=0.0, m=0.0), events(*flips, counts)), "x", [2.0])[0] == 3.0
