from __future__ import annotations

from itertools import permutations

import pytest

from regraft.errors import InvalidModel
from regraft.model.equations import Assignment
from regraft.model.expressions import Apply, Symbol, symbols
from regraft.model.sorting import sort_assignments


def formula(name: str, *uses: str) -> Assignment:
    return Assignment(name, "", Apply("max", tuple(Symbol(use) for use in uses)))


FORMULAS = (formula("a", "b", "c"), formula("b", "c", "x"), formula("c", "x"), formula("d", "a"))


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_each_formula_comes_after_those_it_uses_whatever_the_order_given(order: tuple[int, ...]) -> None:
    found = sort_assignments([FORMULAS[i] for i in order])
    names = [a.id for a in found]
    assert sorted(names) == ["a", "b", "c", "d"]
    for place, assignment in enumerate(found):
        assert symbols(assignment.expression) & set("abcd") <= set(names[:place])


@pytest.mark.parametrize("loop", [("a",), ("a", "b"), ("a", "b", "c")])
def test_a_loop_is_refused_and_all_its_members_named(loop: tuple[str, ...]) -> None:
    after = (*loop[1:], loop[0])
    with pytest.raises(InvalidModel, match="Formulas form a loop: .* Make one of them a state") as caught:
        sort_assignments([formula(name, use) for name, use in zip(loop, after, strict=True)] + [formula("z", "a")])
    assert all(f"{name}" in str(caught.value).split("loop:")[1].split(".")[0] for name in loop)
    assert "z" not in str(caught.value).split("loop:")[1].split(".")[0]


def test_nothing_sorts_to_nothing() -> None:
    assert sort_assignments([]) == ()
