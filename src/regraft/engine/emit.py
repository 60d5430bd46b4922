"""LLVM text of a kernel: straight-line functions for one patient, and the step for a vector of patients.

Functions for one patient have the signature ``void name(i64 index, double x, ptr y, ptr c, ptr a, ptr b)``: ``y``
states in engine order, ``c`` constants (parameters, then values computed from them), ``x`` the time. Functions for a
vector have ``void name(ptr m)``: a block of memory in the order of ``Layout``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from regraft.engine.emit_lanes import lane_functions
from regraft.engine.emit_step import Vectors, step_functions
from regraft.engine.instructions import Code
from regraft.engine.layout import Layout, lay_out
from regraft.engine.machine import flush_functions
from regraft.engine.maths import own_function
from regraft.engine.program import Jump, Program
from regraft.engine.tableau import rodas5p
from regraft.engine.writing import Constants, Nodes

FOR_ONE_PATIENT = (
    "constants",
    "rates",
    "triggers",
    "guards",
    "priorities",
    "outputs",
    "stops",
    "reduced",
    "initial_arguments",
    "initial_value",
    "event_arguments",
    "event_values",
)
FOR_A_VECTOR = ("step", "keep", "prepare_outputs", "show", "flush_on", "flush_off")
FUNCTIONS = FOR_ONE_PATIENT + FOR_A_VECTOR
_SIGNATURE = "i64 %index, double %x, ptr noalias %y, ptr noalias %c, ptr noalias %a, ptr noalias %b"
_FOLDER = {"state": "%y", "constant": "%c", "draw": "%a"}

Body = Callable[["_Writer"], None]


class _Writer:
    """A function for one patient under construction."""

    def __init__(self, module: _Module, code: Code, constants: Constants | None) -> None:
        self.module, self.code = module, code
        self.nodes = Nodes(module.program.graph, code, self._read, constants)

    def _read(self, kind: str, index: int) -> str:
        if kind == "time":
            return "%x"
        return self.code.load(_FOLDER[kind], self.module.place[index] if kind == "state" else index)

    def store(self, nodes: Iterable[int], array: str = "%b") -> None:
        """Write nodes one after another."""
        for index, node in enumerate(nodes):
            self.code.store(self.nodes.real(node), array, index)


class _Module:
    """All functions of one kernel."""

    def __init__(self, program: Program, constants: Constants, *, fused: bool) -> None:
        self.program, self.constants, self.fused = program, constants, fused
        self.place = {state: position for position, state in enumerate(program.state_order)}
        self.functions: list[str] = []
        self.declared: dict[str, None] = {}
        self.called: dict[tuple[str, int], None] = {}

    def straight(self, name: str, write: Body) -> None:
        """Add a function for one patient that is one block."""
        code = Code(1, fused=self.fused)
        write(_Writer(self, code, self.constants))
        self.add(name, _SIGNATURE, code)

    def switch(self, name: str, cases: Sequence[Body]) -> None:
        """Add a function for one patient that picks one block by its index."""
        code = Code(1, fused=self.fused)
        targets = " ".join(f"i64 {k}, label %case{k}" for k in range(len(cases)))
        code.run(f"switch i64 %index, label %done [{targets}]")
        for k, write in enumerate(cases):
            code.run(f"case{k}:")
            write(_Writer(self, code, self.constants))
            code.run("br label %done")
        code.run("done:")
        self.add(name, _SIGNATURE, code)

    def hoisted(self) -> None:
        """Add the function that fills the constants table; last, when all slots are known."""
        code = Code(1, fused=self.fused)
        writer = _Writer(self, code, None)
        for node, slot in list(self.constants.slots.items()):
            code.store(writer.nodes.register(node), "%c", slot)
        self.add("constants", _SIGNATURE, code)

    def add(self, name: str, parameters: str, code: Code) -> None:
        """Add a finished function; one that Python does not call may not be seen from outside."""
        self.declared |= code.declared
        self.called |= {(own, code.lanes): None for own in code.called}
        linkage = "" if name in FUNCTIONS else "internal "
        body = "\n".join(["entry:", *code.lines, "ret void"])
        self.functions.append(f"define {linkage}void @{name}({parameters}) #0 {{\n{body}\n}}")

    def text(self) -> str:
        """Return the whole module."""
        own = []
        for name, lanes in self.called:
            definition, declared = own_function(name, lanes, fused=self.fused)
            own.append(definition)
            self.declared |= dict.fromkeys(declared)
        attributes = 'attributes #0 = { nounwind noinline "prefer-vector-width"="512" "min-legal-vector-width"="512" }'
        return "\n".join([*self.declared, *own, *self.functions, flush_functions(), attributes]) + "\n"


def emit(program: Program, parameters: int, lanes: int, *, fused: bool) -> tuple[str, Layout, int]:
    """Return the LLVM text of a program, the layout of a vector's memory and the length of the constants table.

    The functions for one patient, with what they read and write beyond states and constants:
    ``rates`` b: rates of moving states; ``triggers`` b: 0 or 1 per event, a: how far each trigger is from turning
    (above zero where it holds); ``guards`` b: 1 where a state has left its domain; ``priorities`` b; ``outputs`` b;
    ``stops`` b: times at which rates change abruptly; ``reduced`` b: quantities whose reductions are kept;
    ``*_arguments`` index: which jump, b: two arguments per draw;
    ``initial_value``, ``event_values`` index: which jump, a: draws, b: values.
    """
    constants = Constants(parameters)
    module = _Module(program, constants, fused=fused)
    module.straight("rates", lambda w: w.store(program.rates))
    module.straight("triggers", lambda w: _write_triggers(w, program))
    module.straight("guards", lambda w: w.store(guard for guard, _ in program.guards))
    module.straight("priorities", lambda w: w.store(program.priorities))
    module.straight("outputs", lambda w: w.store(program.outputs))
    module.straight("stops", lambda w: w.store(program.stops))
    module.straight("reduced", lambda w: w.store(program.reduced))
    for name, jumps in (("initial", program.initial), ("event", program.events)):
        module.switch(f"{name}_arguments", [_arguments_of(jump) for jump in jumps])
        module.switch("initial_value" if name == "initial" else "event_values", [_values_of(jump) for jump in jumps])
    method = rodas5p()
    layout = lay_out(program, method.node.size)
    vectors = Vectors(program, layout, constants, method, lanes, fused)
    for name, signature, code in (*step_functions(vectors), *lane_functions(vectors)):
        module.add(name, signature, code)
    module.hoisted()
    return module.text(), layout, constants.size


def _write_triggers(writer: _Writer, program: Program) -> None:
    """Write truth values, then distances."""
    writer.store(program.triggers)
    writer.store(program.gaps, "%a")


def _arguments_of(jump: Jump) -> Body:
    """Return the writer of the arguments of a jump's draws: two places for each draw."""

    def write(writer: _Writer) -> None:
        for k, draw in enumerate(jump.draws):
            for i, node in enumerate(draw.arguments):
                writer.code.store(writer.nodes.real(node), "%b", 2 * k + i)

    return write


def _values_of(jump: Jump) -> Body:
    """Return the writer of a jump's new values."""
    return lambda writer: writer.store(jump.values)
