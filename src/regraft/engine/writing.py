"""Nodes of the expression graph as instructions, whatever the width of the vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from regraft.engine.graph import Graph
from regraft.engine.instructions import Code
from regraft.engine.maths import OWN

_COMPARE = {"lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge", "eq": "oeq", "ne": "une"}
# Exact on every processor; minimum and maximum keep a NaN, so a broken value is never hidden.
_EXACT = {"sqrt": "sqrt", "abs": "fabs", "floor": "floor", "ceil": "ceil", "min": "minimum", "max": "maximum"}


class Constants:
    """Slots of the constants table for sub-expressions of parameters alone."""

    def __init__(self, parameters: int) -> None:
        self.parameters = parameters
        self.slots: dict[int, int] = {}

    def slot(self, node: int) -> int:
        """Return the slot of a node, a new one at first use."""
        return self.slots.setdefault(node, self.parameters + len(self.slots))

    @property
    def size(self) -> int:
        """Length of the table."""
        return self.parameters + len(self.slots)


class Nodes:
    """Computes nodes in a function, each at most once.

    Parameters
    ----------
    graph : the nodes
    code : receives the instructions
    read : gives the register of a leaf: ``state``, ``constant`` (a slot of the table), ``draw`` by index, or ``time``
    constants : slots of what is computed once per patient; None where that itself is computed
    """

    def __init__(self, graph: Graph, code: Code, read: Callable[[str, int], str], constants: Constants | None) -> None:
        self.graph, self.code, self.read, self.constants = graph, code, read, constants
        self.known: dict[int, str] = {}

    def register(self, root: int) -> str:
        """Compute a node and everything it needs that is not known yet; return its register."""
        stack = [root]
        while stack:
            node = stack[-1]
            if node in self.known:
                stack.pop()
                continue
            operation, parts = self._form(node)
            missing = [part for part in parts if part not in self.known]
            if missing:
                stack.extend(reversed(missing))
                continue
            self.known[node] = self._compute(node, operation, [self.known[part] for part in parts])
            stack.pop()
        return self.known[root]

    def real(self, node: int) -> str:
        """Return the register of a node as a number."""
        register = self.register(node)
        return self.code.as_real(register) if self.graph.is_truth(node) else register

    def all(self, nodes: Iterable[int]) -> list[str]:
        """Return the registers of some nodes as numbers."""
        return [self.real(node) for node in nodes]

    def _is_leaf(self, node: int) -> bool:
        if not self.graph.arguments[node]:
            return True
        return self.constants is not None and self.graph.is_constant(node) and not self.graph.is_truth(node)

    def _form(self, node: int) -> tuple[str, tuple[int, ...]]:
        """Return an operation and its arguments; a product that meets a sum becomes one operation with it."""
        if self._is_leaf(node):
            return "leaf", ()
        operation, arguments = self.graph.operation[node], self.graph.arguments[node]
        if operation in ("add", "sub"):
            for place in (1, 0):
                if self.graph.operation[arguments[place]] == "mul" and not self._is_leaf(arguments[place]):
                    name = "plus" if operation == "add" else ("less", "from")[place]
                    return name, (*self.graph.arguments[arguments[place]], arguments[1 - place])
        return operation, arguments

    def _leaf(self, node: int) -> str:
        operation, value = self.graph.operation[node], self.graph.value[node]
        if operation == "number":
            return self.code.number(value)
        if not self.graph.arguments[node]:
            return self.read(operation, int(value))
        assert self.constants is not None
        return self.read("constant", self.constants.slot(node))

    def _compute(self, node: int, operation: str, parts: list[str]) -> str:
        code = self.code
        if operation == "leaf":
            return self._leaf(node)
        if operation in _COMPARE:
            return code.compare(_COMPARE[operation], *parts)
        if operation in OWN:
            return code.call(operation, *parts)
        if operation in _EXACT:
            return code.intrinsic(_EXACT[operation], *parts)
        if operation in ("and", "or"):
            return code.both(operation, *parts)
        if operation == "select":
            return code.select(*parts, kind=code.truth if self.graph.is_truth(node) else code.real)
        return self._arithmetic(operation, parts)

    def _arithmetic(self, operation: str, parts: list[str]) -> str:
        code = self.code
        if operation == "plus":
            return code.fma(*parts)
        if operation == "from":
            return code.fma(code.neg(parts[0]), parts[1], parts[2])
        if operation == "less":
            return code.fma(parts[0], parts[1], code.neg(parts[2]))
        if operation == "not":
            return code.both("xor", parts[0], code.always)
        simple: dict[str, Callable[..., str]] = {
            "add": code.add,
            "sub": code.sub,
            "mul": code.mul,
            "div": code.div,
            "neg": code.neg,
            "real": code.as_real,
        }
        return simple[operation](*parts)
