from __future__ import annotations

import pytest
from tests.model.evaluate import OPERATIONS, value

from regraft.model.expressions import (
    ARITY,
    Apply,
    Number,
    Symbol,
    children,
    draws,
    substitute,
    symbols,
    transform,
    walk,
)

X, Y = Symbol("x"), Symbol("y")
SUM = Apply("add", (Apply("mul", (Number(2.0), X)), Y))


def test_walk_yields_parents_before_children_from_left_to_right() -> None:
    assert list(walk(SUM)) == [SUM, SUM.arguments[0], Number(2.0), X, Y]


def test_only_operations_have_children() -> None:
    assert children(SUM) == SUM.arguments
    assert children(X) == children(Number(1.0)) == ()


def test_symbols_are_the_names_that_occur() -> None:
    assert symbols(SUM) == {"x", "y"}
    assert symbols(Number(3.0)) == set()


def test_draws_are_found_at_any_depth_in_reading_order() -> None:
    first, second = Apply("exponential", (X,)), Apply("poisson", (Apply("uniform", (X, Y)),))
    found = draws(Apply("add", (first, Apply("neg", (second,)))))
    assert [draw.operation for draw in found] == ["exponential", "poisson", "uniform"]


def test_substitution_replaces_symbols_and_not_what_it_has_just_put_in() -> None:
    swapped = substitute(SUM, {"x": Y, "y": X})
    assert swapped == Apply("add", (Apply("mul", (Number(2.0), Y)), X))
    assert substitute(SUM, {"z": X}) is SUM


def test_transform_changes_leaves_first() -> None:
    seen: list[object] = []

    def note(node):
        seen.append(node)
        return Number(1.0) if node == X else node

    assert transform(SUM, note).arguments[0] == Apply("mul", (Number(2.0), Number(1.0)))
    assert seen[0] == Number(2.0)
    assert seen[-1].operation == "add"


def test_expressions_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        SUM.operation = "sub"


def test_the_evaluator_of_the_tests_knows_every_operation_that_is_not_a_draw() -> None:
    assert OPERATIONS.keys() == ARITY.keys() - {"exponential", "uniform", "normal", "poisson", "binomial"}
    assert value(SUM, {"x": 3.0, "y": 4.0}) == 10.0
