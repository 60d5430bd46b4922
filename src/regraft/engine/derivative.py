"""Exact derivatives on the expression graph, forward from the leaves; only those that are not zero are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from regraft.engine.graph import Graph

TIME_COLUMN = -1
Gradient = dict[int, int]


def reachable(graph: Graph, roots: Iterable[int]) -> list[int]:
    """Return all nodes below some roots, parts before wholes."""
    seen: set[int] = set()
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(graph.arguments[node])
    return sorted(seen)


def gradients(graph: Graph, roots: Iterable[int]) -> list[Gradient]:
    """Return, for each root, the node of its derivative by each state it depends on.

    Parameters
    ----------
    graph : holds the roots and receives the derivatives
    roots : nodes to differentiate

    Returns
    -------
    one mapping per root: state index (``TIME_COLUMN`` for the time) to node; absent means identically zero.
    A comparison counts as constant, so a switch contributes the slope of the branch that holds.
    """
    wanted = list(roots)
    known: dict[int, Gradient] = {}
    for node in reachable(graph, wanted):
        known[node] = {} if graph.is_constant(node) else _gradient(graph, node, known)
    return [known[node] for node in wanted]


def _gradient(graph: Graph, node: int, known: dict[int, Gradient]) -> Gradient:
    """Apply the chain rule at one node."""
    operation, arguments = graph.operation[node], graph.arguments[node]
    if operation == "state":
        return {int(graph.value[node]): graph.number(1.0)}
    if operation == "time":
        return {TIME_COLUMN: graph.number(1.0)}
    if operation == "select":
        return _select(graph, arguments, known)
    result: Gradient = {}
    for position, argument in enumerate(arguments):
        inner = known[argument]
        if not inner:
            continue
        slope = _slope(graph, node, position)
        if slope is None:
            continue
        for column, factor in inner.items():
            term = graph.mul(slope, factor)
            result[column] = graph.add(result[column], term) if column in result else term
    return {column: term for column, term in result.items() if not graph.is_number(term, 0.0)}


def _select(graph: Graph, arguments: tuple[int, ...], known: dict[int, Gradient]) -> Gradient:
    """Differentiate both branches of a switch."""
    condition, yes, no = arguments
    zero = graph.number(0.0)
    columns = sorted(known[yes].keys() | known[no].keys())
    return {c: graph.select(condition, known[yes].get(c, zero), known[no].get(c, zero)) for c in columns}


def _slope(graph: Graph, node: int, position: int) -> int | None:
    """Return the partial derivative of an operation by one argument, or None where it is zero."""
    operation, arguments = graph.operation[node], graph.arguments[node]
    if operation in _BINARY:
        return _BINARY[operation](graph, node, position, arguments)
    if operation in _UNARY:
        return _UNARY[operation](graph, node, arguments[0])
    return None


def _division(graph: Graph, node: int, position: int, arguments: tuple[int, ...]) -> int:
    if position == 0:
        return graph.div(graph.number(1.0), arguments[1])
    return graph.neg(graph.div(node, arguments[1]))


def _power(graph: Graph, node: int, position: int, arguments: tuple[int, ...]) -> int:
    base, exponent = arguments
    zero = graph.number(0.0)
    if position == 0:
        # n x^n / x reuses the power itself; at zero the slope is taken as zero (the solver needs no better).
        return graph.select(graph.apply("eq", base, zero), zero, graph.div(graph.mul(exponent, node), base))
    return graph.select(graph.apply("gt", base, zero), graph.mul(node, graph.apply("ln", base)), zero)


def _extreme(graph: Graph, node: int, position: int, arguments: tuple[int, ...]) -> int:
    one, zero = graph.number(1.0), graph.number(0.0)
    first = graph.apply("le" if graph.operation[node] == "min" else "ge", *arguments)
    return graph.select(first, one, zero) if position == 0 else graph.select(first, zero, one)


def _root(graph: Graph, node: int, argument: int) -> int:
    zero = graph.number(0.0)
    return graph.select(graph.apply("gt", argument, zero), graph.div(graph.number(0.5), node), zero)


def _absolute(graph: Graph, node: int, argument: int) -> int:
    zero = graph.number(0.0)
    return graph.select(graph.apply("ge", argument, zero), graph.number(1.0), graph.number(-1.0))


def _one_plus_square(graph: Graph, node: int, argument: int) -> int:
    return graph.add(graph.number(1.0), graph.mul(node, node))


def _one_minus_square(graph: Graph, node: int, argument: int) -> int:
    return graph.sub(graph.number(1.0), graph.mul(node, node))


def _log10(graph: Graph, node: int, argument: int) -> int:
    ten = graph.apply("ln", graph.number(10.0))
    return graph.div(graph.number(1.0), graph.mul(argument, ten))


_BINARY: dict[str, Callable[[Graph, int, int, tuple[int, ...]], int]] = {
    "add": lambda graph, node, position, arguments: graph.number(1.0),
    "sub": lambda graph, node, position, arguments: graph.number(1.0 if position == 0 else -1.0),
    "mul": lambda graph, node, position, arguments: arguments[1 - position],
    "div": _division,
    "pow": _power,
    "min": _extreme,
    "max": _extreme,
}
_UNARY: dict[str, Callable[[Graph, int, int], int]] = {
    "neg": lambda graph, node, argument: graph.number(-1.0),
    "exp": lambda graph, node, argument: node,
    "ln": lambda graph, node, argument: graph.div(graph.number(1.0), argument),
    "log10": _log10,
    "sqrt": _root,
    "abs": _absolute,
    "sin": lambda graph, node, argument: graph.apply("cos", argument),
    "cos": lambda graph, node, argument: graph.neg(graph.apply("sin", argument)),
    "tan": _one_plus_square,
    "tanh": _one_minus_square,
}
