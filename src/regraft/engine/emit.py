"""LLVM text for a program: straight-line functions on doubles, all with one signature.

Every function is ``void name(i64 index, double x, ptr y, ptr c, ptr a, ptr b)``: ``y`` states in engine order,
``c`` constants (parameters, then values computed from them), ``x`` the time unless said otherwise. No fast-math
flag is set, so a model gives the same numbers on every machine with the same mathematical library.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence

from regraft.engine.graph import Graph
from regraft.engine.program import Jump, Program

_BINARY = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
_COMPARE = {"lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge", "eq": "oeq", "ne": "une"}
_INTRINSIC = {
    "exp": "llvm.exp.f64",
    "ln": "llvm.log.f64",
    "log10": "llvm.log10.f64",
    "sqrt": "llvm.sqrt.f64",
    "abs": "llvm.fabs.f64",
    "floor": "llvm.floor.f64",
    "ceil": "llvm.ceil.f64",
    "sin": "llvm.sin.f64",
    "cos": "llvm.cos.f64",
    "tan": "tan",
    "tanh": "tanh",
    "pow": "llvm.pow.f64",
    # These two keep a NaN, so a broken value is never hidden.
    "min": "llvm.minimum.f64",
    "max": "llvm.maximum.f64",
}
_TWO_ARGUMENTS = ("pow", "min", "max")
_SIGNATURE = "i64 %index, double %x, ptr noalias %y, ptr noalias %c, ptr noalias %a, ptr noalias %b"

Body = Callable[["_Function"], None]


def _literal(value: float) -> str:
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


class _Constants:
    """Slots of the constants table for sub-expressions of parameters alone."""

    def __init__(self, parameters: int) -> None:
        self.parameters = parameters
        self.slots: dict[int, int] = {}

    def slot(self, node: int) -> int:
        """Return the slot of a node, a new one at first use."""
        return self.slots.setdefault(node, self.parameters + len(self.slots))


class _Function:
    """Text of one function under construction; values live in numbered registers."""

    def __init__(self, graph: Graph, place: dict[int, int], constants: _Constants | None) -> None:
        self.graph, self.place, self.constants = graph, place, constants
        self.lines: list[str] = []
        self.known: dict[int, str] = {}
        self._count = 0

    def put(self, text: str) -> str:
        """Append an instruction that gives a value and return its register."""
        self._count += 1
        self.lines.append(f"%v{self._count} = {text}")
        return f"%v{self._count}"

    def load(self, array: str, index: int) -> str:
        """Read one element of an array argument."""
        pointer = self.put(f"getelementptr inbounds double, ptr {array}, i64 {index}")
        return self.put(f"load double, ptr {pointer}, align 8")

    def store(self, register: str, array: str, index: int) -> None:
        """Write one element of an array argument."""
        pointer = self.put(f"getelementptr inbounds double, ptr {array}, i64 {index}")
        self.lines.append(f"store double {register}, ptr {pointer}, align 8")

    def node(self, root: int) -> str:
        """Compute a node and everything it needs that is not known yet; return its register."""
        stack = [root]
        while stack:
            node = stack[-1]
            if node in self.known:
                stack.pop()
                continue
            missing = [] if self._is_leaf(node) else [a for a in self.graph.arguments[node] if a not in self.known]
            if missing:
                stack.extend(reversed(missing))
                continue
            self.known[node] = self._leaf(node) if self._is_leaf(node) else self._operation(node)
            stack.pop()
        return self.known[root]

    def real(self, node: int) -> str:
        """Return the register of a node as a double."""
        register = self.node(node)
        return self.put(f"uitofp i1 {register} to double") if self.graph.is_truth(node) else register

    def _is_leaf(self, node: int) -> bool:
        if not self.graph.arguments[node]:
            return True
        return self.constants is not None and self.graph.is_constant(node) and not self.graph.is_truth(node)

    def _leaf(self, node: int) -> str:
        operation, value = self.graph.operation[node], self.graph.value[node]
        if operation == "number":
            return _literal(value)
        index = int(value)
        if operation == "time":
            return "%x"
        if operation == "draw":
            return self.load("%a", index)
        if operation == "state":
            return self.load("%y", self.place[index])
        if operation == "constant":
            return self.load("%c", index)
        assert self.constants is not None
        return self.load("%c", self.constants.slot(node))

    def _operation(self, node: int) -> str:
        operation = self.graph.operation[node]
        registers = [self.known[a] for a in self.graph.arguments[node]]
        first = registers[0]
        if operation in _BINARY:
            return self.put(f"{_BINARY[operation]} double {first}, {registers[1]}")
        if operation in _COMPARE:
            return self.put(f"fcmp {_COMPARE[operation]} double {first}, {registers[1]}")
        if operation in _INTRINSIC:
            return self.put(f"call double @{_INTRINSIC[operation]}({', '.join(f'double {r}' for r in registers)})")
        if operation == "select":
            kind = "i1" if self.graph.is_truth(node) else "double"
            return self.put(f"select i1 {first}, {kind} {registers[1]}, {kind} {registers[2]}")
        if operation in ("and", "or"):
            return self.put(f"{operation} i1 {first}, {registers[1]}")
        simple = {"neg": f"fneg double {first}", "not": f"xor i1 {first}, true", "real": f"uitofp i1 {first} to double"}
        return self.put(simple[operation])


class _Module:
    """All functions of one kernel."""

    def __init__(self, program: Program, parameters: int) -> None:
        self.program = program
        self.place = {state: position for position, state in enumerate(program.state_order)}
        self.constants = _Constants(parameters)
        self.functions: list[str] = []

    def straight(self, name: str, write: Body) -> None:
        """Add a function that is one block."""
        function = _Function(self.program.graph, self.place, self.constants)
        write(function)
        self._add(name, ["entry:", *function.lines, "ret void"])

    def switch(self, name: str, cases: Sequence[Body]) -> None:
        """Add a function that picks one block by its index."""
        targets = " ".join(f"i64 {k}, label %case{k}" for k in range(len(cases)))
        lines = ["entry:", f"switch i64 %index, label %done [{targets}]"]
        count = 0
        for k, write in enumerate(cases):
            function = _Function(self.program.graph, self.place, self.constants)
            function._count = count
            write(function)
            count = function._count
            lines += [f"case{k}:", *function.lines, "br label %done"]
        self._add(name, [*lines, "done:", "ret void"])

    def hoisted(self) -> None:
        """Add the function that fills the constants table; last, when all slots are known."""
        function = _Function(self.program.graph, self.place, None)
        for node, slot in self.constants.slots.items():
            function.store(function.node(node), "%c", slot)
        self._add("constants", ["entry:", *function.lines, "ret void"])

    def _add(self, name: str, lines: Iterable[str]) -> None:
        body = "\n".join(lines)
        self.functions.append(f"define void @{name}({_SIGNATURE}) #0 {{\n{body}\n}}")

    def text(self) -> str:
        """Return the whole module."""
        declared = [
            f"declare double @{name}({'double, double' if op in _TWO_ARGUMENTS else 'double'})"
            for op, name in _INTRINSIC.items()
        ]
        return "\n".join([*declared, *self.functions, "attributes #0 = { nounwind }"]) + "\n"


FUNCTIONS = (
    "constants",
    "rates",
    "jacobian",
    "factor",
    "substitute",
    "triggers",
    "priorities",
    "outputs",
    "initial_arguments",
    "initial_value",
    "event_arguments",
    "event_values",
)


def emit(program: Program, parameters: int) -> tuple[str, int]:
    """Return the LLVM text of a program and the length of its constants table.

    The functions, with what they read and write beyond states and constants:
    ``rates`` b: rates of moving states; ``jacobian`` b: non-zero entries by row, a: slopes in time;
    ``factor`` x: 1/(h gamma), a: Jacobian, b: factors; ``substitute`` a: factors, b: right-hand side, then solution;
    ``triggers`` b: 0 or 1 per event, then per domain guard; ``priorities`` b; ``outputs`` b;
    ``*_arguments`` index: which jump, b: two arguments per draw; ``initial_value``, ``event_values`` index: which jump,
    a: draws, b: values.
    """
    module = _Module(program, parameters)
    module.straight("rates", lambda f: _store_all(f, program.rates))
    module.straight("jacobian", lambda f: _write_jacobian(f, program))
    module.straight("factor", lambda f: _write_factor(f, program))
    module.straight("substitute", lambda f: _write_substitute(f, program))
    module.straight("triggers", lambda f: _store_all(f, (*program.triggers, *(guard for guard, _ in program.guards))))
    module.straight("priorities", lambda f: _store_all(f, program.priorities))
    module.straight("outputs", lambda f: _store_all(f, program.outputs))
    for name, jumps in (("initial", program.initial), ("event", program.events)):
        module.switch(f"{name}_arguments", [_arguments_of(jump) for jump in jumps])
        module.switch("initial_value" if name == "initial" else "event_values", [_values_of(jump) for jump in jumps])
    module.hoisted()
    return module.text(), parameters + len(module.constants.slots)


def _store_all(function: _Function, nodes: Iterable[int]) -> None:
    """Write nodes one after another."""
    for index, node in enumerate(nodes):
        function.store(function.real(node), "%b", index)


def _arguments_of(jump: Jump) -> Body:
    """Return the writer of the arguments of a jump's draws."""

    def write(function: _Function) -> None:
        for k, draw in enumerate(jump.draws):
            for i, node in enumerate(draw.arguments):
                function.store(function.real(node), "%b", 2 * k + i)

    return write


def _values_of(jump: Jump) -> Body:
    """Return the writer of a jump's new values."""
    return lambda function: _store_all(function, jump.values)


def _write_jacobian(function: _Function, program: Program) -> None:
    """Write slopes in time, then the entries of the Jacobian by row, as ``factor`` reads them."""
    for index, node in enumerate(program.time_slopes):
        function.store(function.real(node), "%a", index)
    for index, key in enumerate(sorted(program.jacobian)):
        function.store(function.real(program.jacobian[key]), "%b", index)


def _write_factor(function: _Function, program: Program) -> None:
    """Write the elimination of x I - J: multipliers below, pivots as reciprocals on the diagonal."""
    plan = program.elimination
    source = {key: index for index, key in enumerate(sorted(program.jacobian))}
    matrix: dict[tuple[int, int], str] = {}
    for i, j in plan.entries:
        entry = function.load("%a", source[i, j]) if (i, j) in source else None
        if i == j:
            matrix[i, j] = "%x" if entry is None else function.put(f"fsub double %x, {entry}")
        elif entry is not None:
            matrix[i, j] = function.put(f"fneg double {entry}")
    for k in range(program.continuous):
        matrix[k, k] = function.put(f"fdiv double {_literal(1.0)}, {matrix[k, k]}")
        for i in plan.below[k]:
            matrix[i, k] = function.put(f"fmul double {matrix[i, k]}, {matrix[k, k]}")
            for j in plan.right[k]:
                product = function.put(f"fmul double {matrix[i, k]}, {matrix[k, j]}")
                known = matrix.get((i, j))
                text = f"fneg double {product}" if known is None else f"fsub double {known}, {product}"
                matrix[i, j] = function.put(text)
    for index, key in enumerate(plan.entries):
        function.store(matrix[key], "%b", index)


def _write_substitute(function: _Function, program: Program) -> None:
    """Write the forward and backward substitution."""
    plan = program.elimination
    place = {key: index for index, key in enumerate(plan.entries)}
    values = [function.load("%b", k) for k in range(program.continuous)]
    for k in range(program.continuous):
        for i in plan.below[k]:
            product = function.put(f"fmul double {function.load('%a', place[i, k])}, {values[k]}")
            values[i] = function.put(f"fsub double {values[i]}, {product}")
    for k in reversed(range(program.continuous)):
        for j in plan.right[k]:
            product = function.put(f"fmul double {function.load('%a', place[k, j])}, {values[j]}")
            values[k] = function.put(f"fsub double {values[k]}, {product}")
        values[k] = function.put(f"fmul double {values[k]}, {function.load('%a', place[k, k])}")
        function.store(values[k], "%b", k)
