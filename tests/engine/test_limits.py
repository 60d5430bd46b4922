"""A model file is untrusted: what would take minutes to compile is refused."""

from __future__ import annotations

import pytest
from tests.engine.models import model

from regraft.engine import compile_model
from regraft.engine.ordering import LARGEST_SYSTEM, plan_elimination
from regraft.errors import InvalidModel, UnsupportedModel


def test_too_many_operations_are_refused(monkeypatch):
    monkeypatch.setattr("regraft.engine.graph.LARGEST_GRAPH", 10)
    with pytest.raises(InvalidModel, match="rate of 'x'.*more than 10 operations"):
        compile_model(model({"x": (1, "x * exp(-x) + x ** 3 / (1 + x) + time")}), ["x"])


def test_too_many_states_are_refused():
    with pytest.raises(UnsupportedModel, match=f"more than {LARGEST_SYSTEM} are not compiled"):
        plan_elimination(LARGEST_SYSTEM + 1, [])


def test_too_many_derivatives_are_refused_also_where_elimination_makes_them(monkeypatch):
    monkeypatch.setattr("regraft.engine.ordering.LARGEST_MATRIX", 60)
    full = [(i, j) for i in range(9) for j in range(9)]
    with pytest.raises(UnsupportedModel, match="More than 60 derivatives"):
        plan_elimination(9, full)
    # a ring of spokes fills in as its hubs go
    grid = [(i, j) for i in range(25) for j in (i, i - 5, i + 5, i - 1, i + 1) if 0 <= j < 25][:60]
    with pytest.raises(UnsupportedModel, match="More than 60 derivatives"):
        plan_elimination(25, grid)
