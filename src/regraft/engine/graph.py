"""A graph of expressions in which equal expressions are one node, so nothing is computed twice.

Nodes are small integers; a node's parts always have smaller numbers. Leaves are numbers, states, entries
of the table of constants (parameters first), the time, and random draws made by the driver.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from regraft.errors import InvalidModel, near_matches
from regraft.model.expressions import COMPARISONS, DRAWS, LOGIC, PIECEWISE, Expression, Number, Symbol

LEAVES: Final = frozenset({"number", "state", "constant", "time", "draw"})
TRUTH_OPERATIONS: Final = frozenset({*COMPARISONS, *LOGIC})
LARGEST_EXPANDED_POWER: Final = 16
# A model file is untrusted: beyond this, LLVM would work for minutes.
LARGEST_GRAPH: Final = 100_000

DrawMaker = Callable[[str, tuple[int, ...]], int]


class Graph:
    """Expression nodes, built once each and simplified where that cannot change a value."""

    def __init__(self) -> None:
        self.operation: list[str] = []
        self.arguments: list[tuple[int, ...]] = []
        self.value: list[float] = []
        self._known: dict[tuple[object, ...], int] = {}
        self._only_constants: list[bool] = []
        # Guarded powers and roots: (base, raw result) pairs, watched for truly negative bases.
        self.guards: dict[tuple[int, int], None] = {}

    def __len__(self) -> int:
        return len(self.operation)

    def _node(self, operation: str, arguments: tuple[int, ...], value: float = 0.0) -> int:
        key = (operation, arguments, value, math.copysign(1.0, value))
        found = self._known.get(key)
        if found is not None:
            return found
        if len(self.operation) >= LARGEST_GRAPH:
            raise InvalidModel(
                f"The model, derivatives included, needs more than {LARGEST_GRAPH} operations; "
                "no larger one is compiled. Split it, or leave parts out."
            )
        self.operation.append(operation)
        self.arguments.append(arguments)
        self.value.append(value)
        if operation in LEAVES:
            self._only_constants.append(operation in ("number", "constant"))
        else:
            self._only_constants.append(all(self._only_constants[a] for a in arguments))
        self._known[key] = len(self.operation) - 1
        return len(self.operation) - 1

    def number(self, value: float) -> int:
        """Return the node of a literal number."""
        return self._node("number", (), float(value))

    def leaf(self, kind: str, index: int = 0) -> int:
        """Return the node of a state, a constant, a draw (by index) or the time."""
        return self._node(kind, (), float(index))

    def is_number(self, node: int, value: float | None = None) -> bool:
        """Whether a node is a literal number (a given one)."""
        return self.operation[node] == "number" and (value is None or self.value[node] == value)

    def is_constant(self, node: int) -> bool:
        """Whether a node depends on nothing but numbers and parameters."""
        return self._only_constants[node]

    def is_truth(self, node: int) -> bool:
        """Whether a node is true or false rather than a number."""
        if self.operation[node] == "select":
            return self.is_truth(self.arguments[node][1])
        return self.operation[node] in TRUTH_OPERATIONS

    def as_real(self, node: int) -> int:
        """Return a node as a number: true is one, false is zero."""
        return self._node("real", (node,)) if self.is_truth(node) else node

    def as_truth(self, node: int) -> int:
        """Return a node as a truth value: any number but zero is true."""
        return node if self.is_truth(node) else self._node("ne", (node, self.number(0.0)))

    def add(self, a: int, b: int) -> int:
        """Return a + b."""
        if self.is_number(a) and self.is_number(b):
            return self.number(self.value[a] + self.value[b])
        if self.is_number(a, 0.0):
            return b
        if self.is_number(b, 0.0):
            return a
        if self.operation[b] == "neg":
            return self.sub(a, self.arguments[b][0])
        return self._node("add", (min(a, b), max(a, b)))

    def sub(self, a: int, b: int) -> int:
        """Return a - b."""
        if self.is_number(a) and self.is_number(b):
            return self.number(self.value[a] - self.value[b])
        if self.is_number(b, 0.0):
            return a
        if self.is_number(a, 0.0):
            return self.neg(b)
        if self.operation[b] == "neg":
            return self.add(a, self.arguments[b][0])
        return self._node("sub", (a, b))

    def neg(self, a: int) -> int:
        """Return -a."""
        if self.is_number(a):
            return self.number(-self.value[a])
        return self.arguments[a][0] if self.operation[a] == "neg" else self._node("neg", (a,))

    def mul(self, a: int, b: int) -> int:
        """Return a * b; zero times anything is zero, which keeps the Jacobian sparse."""
        if self.is_number(a) and self.is_number(b):
            return self.number(self.value[a] * self.value[b])
        if self.is_number(b):
            a, b = b, a
        if self.is_number(a, 0.0):
            return a
        if self.is_number(a, 1.0):
            return b
        if self.is_number(a, -1.0):
            return self.neg(b)
        if self.operation[a] == "neg":
            return self.neg(self.mul(self.arguments[a][0], b))
        if self.operation[b] == "neg":
            return self.neg(self.mul(a, self.arguments[b][0]))
        return self._node("mul", (min(a, b), max(a, b)))

    def div(self, a: int, b: int) -> int:
        """Return a / b."""
        if self.is_number(b, 1.0) or self.is_number(a, 0.0):
            return a
        if self.is_number(a) and self.is_number(b) and self.value[b] != 0.0:
            return self.number(self.value[a] / self.value[b])
        if self.operation[a] == "neg":
            return self.neg(self.div(self.arguments[a][0], b))
        return self._node("div", (a, b))

    def power(self, base: int, exponent: int) -> int:
        """Return base ** exponent: products for small whole exponents, guarded against negative bases otherwise."""
        if self.is_number(exponent):
            value = self.value[exponent]
            if value.is_integer() and abs(value) <= LARGEST_EXPANDED_POWER:
                product = self._whole_power(base, abs(int(value)))
                return product if value >= 0 else self.div(self.number(1.0), product)
        raw = self._node("pow", (base, exponent))
        return self._guarded(base, raw)

    def root(self, base: int) -> int:
        """Return the square root, guarded against a base that is negative by rounding."""
        return self._guarded(base, self._node("sqrt", (base,)))

    def _guarded(self, base: int, raw: int) -> int:
        """Return zero where a negative base has no real power; step errors may push a state just below zero."""
        self.guards[base, raw] = None
        no_value = self.apply("and", self.apply("lt", base, self.number(0.0)), self._node("ne", (raw, raw)))
        return self.select(no_value, self.number(0.0), raw)

    def _whole_power(self, base: int, exponent: int) -> int:
        result = self.number(1.0)
        while exponent:
            if exponent & 1:
                result = self.mul(result, base)
            base = self.mul(base, base) if exponent > 1 else base
            exponent >>= 1
        return result

    def select(self, condition: int, yes: int, no: int) -> int:
        """Return ``yes`` where the condition holds and ``no`` elsewhere."""
        if yes == no:
            return yes
        if self.is_truth(yes) != self.is_truth(no):
            yes, no = self.as_real(yes), self.as_real(no)
        return self._node("select", (self.as_truth(condition), yes, no))

    def apply(self, operation: str, *arguments: int) -> int:
        """Return an operation of the expression language on nodes."""
        special: dict[str, Callable[..., int]] = {
            "add": self.add,
            "sub": self.sub,
            "mul": self.mul,
            "div": self.div,
            "neg": self.neg,
            "pow": self.power,
            "sqrt": self.root,
        }
        if operation in LOGIC:
            return self._node(operation, tuple(self.as_truth(a) for a in arguments))
        real = tuple(self.as_real(a) for a in arguments)
        if operation in special:
            return special[operation](*real)
        return self._node(operation, real)

    def replace(self, node: int, arguments: tuple[int, ...]) -> int:
        """Return a node's operation on other arguments."""
        operation = self.operation[node]
        simplified: dict[str, Callable[..., int]] = {
            "add": self.add,
            "sub": self.sub,
            "mul": self.mul,
            "div": self.div,
            "neg": self.neg,
            "select": self.select,
        }
        return simplified[operation](*arguments) if operation in simplified else self._node(operation, arguments)

    def build(self, expression: Expression, names: Mapping[str, int], draw: DrawMaker | None = None) -> int:
        """Return the node of an expression.

        Parameters
        ----------
        expression : the tree
        names : node of every symbol that may occur
        draw : makes the leaf of a random draw from its name and argument nodes; None where draws are forbidden

        Raises
        ------
        InvalidModel : a symbol is unknown, or a draw stands where none is allowed
        """
        if isinstance(expression, Number):
            return self.number(expression.value)
        if isinstance(expression, Symbol):
            if expression.name not in names:
                hint = near_matches(expression.name, names)
                raise InvalidModel(f"{expression.name!r} is used but not defined. {hint}")
            return names[expression.name]
        parts = tuple(self.build(part, names, draw) for part in expression.arguments)
        if expression.operation in DRAWS:
            if draw is None:
                raise InvalidModel(
                    f"The random draw {expression.operation!r} stands in a rate, an assignment or a trigger; "
                    "draws are allowed in initial values and event assignments only."
                )
            return draw(expression.operation, tuple(self.as_real(part) for part in parts))
        if expression.operation == PIECEWISE:
            result = parts[-1]
            for i in range(len(parts) - 3, -1, -2):
                result = self.select(parts[i + 1], parts[i], result)
            return result
        return self.apply(expression.operation, *parts)
