"""The step of Rodas5P for a vector of patients in one call: stages, factorisation, error and the next step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from regraft.engine.graph import Graph
from regraft.engine.instructions import Code
from regraft.engine.layout import Layout
from regraft.engine.program import Program
from regraft.engine.rewriting import rewrite
from regraft.engine.tableau import Tableau
from regraft.engine.writing import Constants, Nodes

# Of the step: how much it may shrink or grow at once, and the share of the ideal length that is tried.
SMALLEST_FACTOR, LARGEST_FACTOR, SAFETY = 0.2, 6.0, 0.9
_SMALLEST_ERROR, _LARGEST_ERROR = 1e-10, 1e30
_LARGEST_SUM = 1e100


@dataclass(frozen=True)
class Vectors:
    """What the functions on vectors of patients are made from."""

    program: Program
    layout: Layout
    constants: Constants
    method: Tableau
    lanes: int
    fused: bool

    def code(self) -> Code:
        """Return an empty function body."""
        return Code(self.lanes, fused=self.fused)

    def nodes(self, code: Code, time: str, state: Callable[[int], str]) -> Nodes:
        """Return a writer of nodes that reads constants from the block and states by engine position."""
        place = {model: engine for engine, model in enumerate(self.program.state_order)}

        def read(kind: str, index: int) -> str:
            if kind == "time":
                return time
            if kind == "state":
                return state(place[index])
            assert kind == "constant", "draws are made outside vectors"
            return code.load("%m", self.layout.constants + index)

        return Nodes(self.program.graph, code, read, self.constants)


def step_functions(vectors: Vectors) -> list[tuple[str, str, Code]]:
    """Return name, parameters and body of the step and of the functions it calls."""
    real = vectors.code().real
    return [
        ("rates_v", f"ptr noalias %m, ptr noalias %from, {real} %time, ptr noalias %to", _rates(vectors)),
        ("matrix_v", f"ptr noalias %m, {real} %time, {real} %shift", _matrix(vectors)),
        ("factor_v", "ptr noalias %m", _factor(vectors)),
        ("substitute_v", "ptr noalias %m, ptr noalias %to", _substitute(vectors)),
        ("step", "ptr noalias %m", _step(vectors)),
    ]


def _rates(vectors: Vectors) -> Code:
    """Add the rates at the states in ``from`` to the rows of ``to``."""
    code, moving = vectors.code(), vectors.program.continuous
    cheaper = rewrite(vectors.program.graph, vectors.program.rates)

    def state(place: int) -> str:
        return code.load("%from", place) if place < moving else code.load("%m", vectors.layout.states + place)

    nodes = vectors.nodes(code, "%time", state)
    for index, node in enumerate(vectors.program.rates):
        code.store(code.add(code.load("%to", index), nodes.real(cheaper[node])), "%to", index)
    return code


def _matrix(vectors: Vectors) -> Code:
    """Write rates (with infusions), slopes in time, and Jacobian - shift I at the start of the step."""
    code, program, layout = vectors.code(), vectors.program, vectors.layout
    roots = (*program.rates, *program.time_slopes, *program.jacobian.values())
    cheaper = rewrite(program.graph, roots)
    nodes = vectors.nodes(code, "%time", lambda place: code.load("%m", layout.states + place))
    for index, node in enumerate(program.rates):
        rate = code.add(code.load("%m", layout.infusion + index), nodes.real(cheaper[node]))
        code.store(rate, "%m", layout.increments + index)
    risky = _may_have_no_slope(program.graph)

    def slope(node: int) -> str:
        value = nodes.real(cheaper[node])
        return _finite_or_zero(code, value) if risky[node] else value

    for index in _in_time(program):
        code.store(slope(program.time_slopes[index]), "%m", layout.slopes + index)
    for place, (i, j) in enumerate(program.elimination.entries):
        entry = program.jacobian.get((i, j))
        if i == j:
            value = code.neg("%shift") if entry is None else code.sub(slope(entry), "%shift")
        else:
            value = code.number(0.0) if entry is None else slope(entry)
        code.store(value, "%m", layout.factors + place)
    return code


def _may_have_no_slope(graph: Graph) -> list[bool]:
    """Return, for each node, whether it may be infinite over infinite where the rate itself is sound.

    A steep switch 1 / (1 + exp(u)) far from its place, or a power of 1 / x at zero, has the slope zero, but its formula
    gives no number there. Sums as denominators, as in saturation, are safe.
    """
    risky: list[bool] = []
    for node, (operation, arguments) in enumerate(zip(graph.operation, graph.arguments, strict=True)):
        own = operation in ("exp", "pow", "ln", "log10") or (
            operation == "div" and graph.operation[arguments[1]] not in ("add", "number", "constant")
        )
        risky.append((own and not graph.is_constant(node)) or any(risky[part] for part in arguments))
    return risky


def _finite_or_zero(code: Code, value: str) -> str:
    """Return a value, zero where it is infinite or no number."""
    sound = code.compare("olt", code.intrinsic("fabs", value), code.number(_LARGEST_SUM))
    return code.select(sound, value, code.number(0.0))


def _in_time(program: Program) -> list[int]:
    """Return the positions of the rates that depend on time itself."""
    return [k for k, node in enumerate(program.time_slopes) if not program.graph.is_number(node, 0.0)]


def _factor(vectors: Vectors) -> Code:
    """Eliminate in place: multipliers below, reciprocals of pivots on the diagonal, both with the other sign.

    With these signs neither this nor the substitution changes a sign on the way, which would cost an instruction.
    """
    code, program = vectors.code(), vectors.program
    plan = program.elimination
    place = {key: vectors.layout.factors + k for k, key in enumerate(plan.entries)}
    matrix: dict[tuple[int, int], str] = {}

    def entry(i: int, j: int) -> str:
        if (i, j) not in matrix:
            matrix[i, j] = code.load("%m", place[i, j])
        return matrix[i, j]

    for k in range(program.continuous):
        matrix[k, k] = code.div(code.number(-1.0), entry(k, k))
        code.store(matrix[k, k], "%m", place[k, k])
        for i in plan.below[k]:
            matrix[i, k] = code.mul(entry(i, k), matrix[k, k])
            code.store(matrix[i, k], "%m", place[i, k])
            for j in plan.right[k]:
                matrix[i, j] = code.fma(matrix[i, k], entry(k, j), entry(i, j))
        for j in plan.right[k]:
            code.store(entry(k, j), "%m", place[k, j])
    return code


def _substitute(vectors: Vectors) -> Code:
    """Solve (shift I - Jacobian) u = right in the rows of ``to``; the factors are those of the negative matrix."""
    code, program, layout = vectors.code(), vectors.program, vectors.layout
    plan = program.elimination
    place = {key: layout.factors + k for k, key in enumerate(plan.entries)}
    values = [code.load("%to", k) for k in range(program.continuous)]
    for k in range(program.continuous):
        for i in plan.below[k]:
            values[i] = code.fma(values[k], code.load("%m", place[i, k]), values[i])
    for k in reversed(range(program.continuous)):
        for j in plan.right[k]:
            values[k] = code.fma(values[j], code.load("%m", place[k, j]), values[k])
        values[k] = code.mul(values[k], code.load("%m", place[k, k]))
        code.store(values[k], "%to", k)
    return code


def _step(vectors: Vectors) -> Code:
    """Write all stages; then the new states, their scaled error and the factor for the next step."""
    code, layout, method = vectors.code(), vectors.layout, vectors.method
    moving, real = vectors.program.continuous, code.real
    time, step = code.load("%m", layout.time), code.load("%m", layout.step)
    inverse = code.div(code.number(1.0), step)
    shift = code.mul(inverse, code.number(1.0 / method.gamma))
    stages = [code.address("%m", layout.increments + i * moving) for i in range(method.node.size)]
    stage = code.address("%m", layout.stage)
    code.run(f"call void @matrix_v(ptr %m, {real} {time}, {real} {shift})")
    code.run("call void @factor_v(ptr %m)")
    for i, right in enumerate(stages):
        if i > 0:
            _stage_values(vectors, code, i, stages, inverse)
            moment = code.fma(step, code.number(method.node[i]), time)
            code.run(f"call void @rates_v(ptr %m, ptr {stage}, {real} {moment}, ptr {right})")
        _add_slopes(vectors, code, i, right, step)
        code.run(f"call void @substitute_v(ptr %m, ptr {right})")
    error = _error(vectors, code, stages[-1])
    code.store(error, "%m", layout.error)
    code.store(_growth(code, error, method.order), "%m", layout.growth)
    code.run("call void @triggers_v(ptr %m)")
    return code


def _stage_values(vectors: Vectors, code: Code, i: int, stages: list[str], inverse: str) -> None:
    """Write the argument of stage i, and its right-hand side without the rates, in one pass over the increments."""
    layout, method, right = vectors.layout, vectors.method, stages[i]
    # The last stages start where the one before ended.
    continues = i > 1 and method.a[i, i - 1] == 1.0 and (method.a[i, : i - 1] == method.a[i - 1, : i - 1]).all()

    def body(index: str) -> None:
        increments = [code.load(stages[j], index) for j in range(i)]
        if continues:
            value = code.add(code.load(code.address("%m", layout.stage), index), increments[-1])
        else:
            value = code.load(code.address("%m", layout.states), index)
            for weight, increment in zip(method.a[i], increments, strict=False):
                value = code.fma(increment, code.number(weight), value) if weight else value
        code.store(value, code.address("%m", layout.stage), index)
        total = ""
        for weight, increment in zip(method.c[i], increments, strict=False):
            if weight:
                factor = code.number(weight)
                total = code.fma(increment, factor, total) if total else code.mul(increment, factor)
        known = code.load(code.address("%m", layout.infusion), index)
        code.store(code.fma(total, inverse, known) if total else known, right, index)

    code.loop(vectors.program.continuous, body)


def _add_slopes(vectors: Vectors, code: Code, i: int, right: str, step: str) -> None:
    """Add the part of the right-hand side that comes from rates that depend on time itself."""
    weight, moving_with_time = vectors.method.time_derivative[i], _in_time(vectors.program)
    if weight and moving_with_time:
        scaled = code.mul(step, code.number(weight))
        for k in moving_with_time:
            slope = code.load("%m", vectors.layout.slopes + k)
            code.store(code.fma(scaled, slope, code.load(right, k)), right, k)


def _error(vectors: Vectors, code: Code, last: str) -> str:
    """Write the new states; return the root mean square of their scaled errors, infinite where one is not finite."""
    layout, count = vectors.layout, vectors.program.continuous
    relative = code.load("%m", layout.relative)

    def body(index: str, sums: list[str]) -> list[str]:
        increment = code.load(last, index)
        new = code.add(code.load(code.address("%m", layout.stage), index), increment)
        code.store(new, code.address("%m", layout.new), index)
        size = code.intrinsic("fabs", new)
        before = code.intrinsic("fabs", code.load(code.address("%m", layout.states), index))
        larger = code.select(code.compare("ogt", size, before), size, before)
        scale = code.fma(relative, larger, code.load(code.address("%m", layout.absolute), index))
        scaled = code.div(increment, scale)
        return [code.fma(scaled, scaled, sums[0]), code.add(sums[1], size)]

    if count == 0:
        return code.number(0.0)
    squares, total = code.folded(count, [code.number(0.0)] * 2, body)
    error = code.intrinsic("sqrt", code.mul(squares, code.number(1.0 / count)))
    sound = code.both(
        "and",
        code.compare("olt", total, code.number(_LARGEST_SUM)),
        code.compare("olt", error, code.number(_LARGEST_ERROR)),
    )
    return code.select(sound, error, code.number(float("inf")))


def _growth(code: Code, error: str, order: int) -> str:
    """Return by how much the step may change after an error."""
    floor, ceiling = code.number(_SMALLEST_ERROR), code.number(_LARGEST_ERROR)
    bounded = code.select(code.compare("ogt", error, floor), error, floor)
    bounded = code.select(code.compare("olt", bounded, ceiling), bounded, ceiling)
    power = code.call("exp", code.mul(code.call("ln", bounded), code.number(-1.0 / order)))
    factor = code.mul(power, code.number(SAFETY))
    factor = code.select(
        code.compare("ogt", factor, code.number(SMALLEST_FACTOR)), factor, code.number(SMALLEST_FACTOR)
    )
    return code.select(code.compare("olt", factor, code.number(LARGEST_FACTOR)), factor, code.number(LARGEST_FACTOR))
