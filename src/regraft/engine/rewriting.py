"""The same rates in fewer instructions: shared reciprocals, and constants gathered in products.

Used for the step kernel only. There a last bit does not matter, while outputs, triggers and jumps are computed as the
model writes them.
"""

from __future__ import annotations

from collections.abc import Iterable

from regraft.engine.derivative import reachable
from regraft.engine.graph import Graph


def rewrite(graph: Graph, roots: Iterable[int]) -> dict[int, int]:
    """Return, for every node below some roots, its cheaper form in the same graph."""
    cheaper: dict[int, int] = {}
    for node in reachable(graph, roots):
        arguments = tuple(cheaper[a] for a in graph.arguments[node])
        cheaper[node] = _rebuild(graph, node, arguments)
    return cheaper


def _rebuild(graph: Graph, node: int, arguments: tuple[int, ...]) -> int:
    """Return one node on new arguments."""
    operation = graph.operation[node]
    if not arguments:
        return node
    if operation == "div" and not graph.is_constant(node):
        return product(graph, arguments[0], graph.div(graph.number(1.0), arguments[1]))
    if operation == "mul":
        return product(graph, *arguments)
    return node if arguments == graph.arguments[node] else graph.replace(node, arguments)


def product(graph: Graph, a: int, b: int) -> int:
    """Return a * b with the constants of both in front, where they are computed once per patient."""
    constant_a, rest_a = _split(graph, a)
    constant_b, rest_b = _split(graph, b)
    if constant_a is None and constant_b is None:
        return graph.mul(rest_a, rest_b)
    one = graph.number(1.0)
    constant = graph.mul(one if constant_a is None else constant_a, one if constant_b is None else constant_b)
    return graph.mul(constant, graph.mul(rest_a, rest_b))


def _split(graph: Graph, node: int) -> tuple[int | None, int]:
    """Return the constant factor of a product (None if there is none) and the rest."""
    if graph.is_constant(node):
        return node, graph.number(1.0)
    if graph.operation[node] == "mul":
        first, second = graph.arguments[node]
        if graph.is_constant(first):
            return first, second
        if graph.is_constant(second):
            return second, first
    return None, node
