"""The expression graph, its derivatives and the elimination plan."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.engine.models import formula

from regraft.engine.derivative import TIME_COLUMN, gradients
from regraft.engine.graph import Graph
from regraft.engine.ordering import plan_elimination
from regraft.engine.tableau import rodas5p

OPERATIONS = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": lambda a, b: a**b,
    "neg": lambda a: -a,
    "exp": math.exp,
    "ln": math.log,
    "log10": math.log10,
    "sqrt": math.sqrt,
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "tanh": math.tanh,
    "min": min,
    "max": max,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "not": lambda a: not a,
    "real": float,
    "select": lambda c, a, b: a if c else b,
}


def evaluate(graph, node, states, time):
    """Compute a node in plain Python."""
    kind, arguments = graph.operation[node], graph.arguments[node]
    if kind == "number":
        return graph.value[node]
    if kind == "state":
        return states[int(graph.value[node])]
    if kind == "time":
        return time
    if kind == "select":
        condition, yes, no = arguments
        return evaluate(graph, yes if evaluate(graph, condition, states, time) else no, states, time)
    return OPERATIONS[kind](*(evaluate(graph, a, states, time) for a in arguments))


@pytest.mark.parametrize(
    "text",
    [
        "x * y + x / y - y",
        "x ** 3 / (1 + y ** -2)",
        "x ** y",
        "x ** 2.5 * exp(-y)",
        "ln(x) + log10(x * y) + sqrt(x + y)",
        "sin(x * time) + cos(y) + tan(x / 4)",
        "tanh(x - y) * abs(y - x)",
        "min(x, y) * max(x * x, y)",
        "2 ** x",
        "piecewise(x * y, x > y, y ** 2, time > 1, x)",
        "floor(x) * y + ceil(y) * x",
        "-(-x) * -y - -time",
    ],
)
def test_derivatives_agree_with_differences(text):
    graph = Graph()
    names = {"x": graph.leaf("state", 0), "y": graph.leaf("state", 1), "time": graph.leaf("time")}
    node = graph.build(formula(text), names)
    gradient = gradients(graph, [node])[0]
    point, step = np.array([1.3, 0.8, 1.7]), 1e-6
    for column, key in enumerate((0, 1, TIME_COLUMN)):
        ends = []
        for sign in (1, -1):
            moved = point.copy()
            moved[column] += sign * step
            ends.append(evaluate(graph, node, moved[:2], moved[2]))
        exact = evaluate(graph, gradient[key], point[:2], point[2]) if key in gradient else 0.0
        assert exact == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-7, abs=1e-8)


def test_equal_expressions_are_one_node():
    graph = Graph()
    names = {"x": graph.leaf("state", 0), "y": graph.leaf("state", 1)}
    assert graph.build(formula("x * y + 1"), names) == graph.build(formula("1 + y * x"), names)
    assert graph.build(formula("0 * x + y - 0"), names) == names["y"]


@pytest.mark.parametrize("seed", range(5))
def test_elimination_plan_solves_random_sparse_systems(seed):
    random = np.random.default_rng(seed)
    size = 25
    dense = np.where(random.random((size, size)) < 0.1, random.normal(size=(size, size)), 0) + 4 * np.eye(size)
    plan = plan_elimination(size, [(int(i), int(j)) for i, j in np.argwhere(dense)])
    assert sorted(plan.order) == list(range(size))
    matrix = dense[np.ix_(plan.order, plan.order)].copy()
    allowed = np.zeros_like(matrix, dtype=bool)
    allowed[tuple(np.array(plan.entries).T)] = True
    for k in range(size):
        for i in plan.below[k]:
            matrix[i, k] /= matrix[k, k]
            matrix[i, list(plan.right[k])] -= matrix[i, k] * matrix[k, list(plan.right[k])]
    assert (matrix[~allowed] == 0).all()
    lower, upper = np.tril(matrix, -1) + np.eye(size), np.triu(matrix)
    np.testing.assert_allclose(lower @ upper, dense[np.ix_(plan.order, plan.order)], atol=1e-12)


def test_arrow_matrix_is_eliminated_without_fill():
    size = 30
    pattern = [(0, j) for j in range(size)] + [(j, 0) for j in range(size)]
    assert len(plan_elimination(size, pattern).entries) == 3 * size - 2


def test_coefficients_satisfy_conditions_of_order():
    method = rodas5p()
    # In the untransformed variables alpha = a Gamma^-1 ..., the nodes are the row sums of alpha.
    inverse = np.linalg.inv(np.diag(np.full(method.node.size, 1 / method.gamma)) - method.c)
    np.testing.assert_allclose((method.a @ inverse).sum(axis=1), method.node, atol=1e-11)
    np.testing.assert_allclose(inverse.sum(axis=1), method.time_derivative, atol=1e-11)
