"""What else is done for a vector of patients at once: triggers, taking over new states, and outputs inside a step."""

from __future__ import annotations

from regraft.engine.emit_step import Vectors
from regraft.engine.instructions import Code
from regraft.engine.program import moving_states_of


def lane_functions(vectors: Vectors) -> list[tuple[str, str, Code]]:
    """Return name, parameters and body of each function."""
    parameters = "ptr noalias %m"
    return [
        ("triggers_v", parameters, _triggers(vectors)),
        ("keep", parameters, _keep(vectors)),
        ("prepare_outputs", parameters, _prepare_outputs(vectors)),
        ("show", parameters, _show(vectors)),
    ]


def _triggers(vectors: Vectors) -> Code:
    """Write which triggers hold at the new states, and the lanes where one turned true or a domain was left."""
    code, program, layout = vectors.code(), vectors.program, vectors.layout

    def state(place: int) -> str:
        return code.load("%m", (layout.new if place < program.continuous else layout.states) + place)

    nodes = vectors.nodes(code, code.load("%m", layout.end), state)
    zero, attention = code.number(0.0), ""
    conditions = []
    for event, trigger in enumerate(program.triggers):
        holds = nodes.register(trigger)
        code.store(code.as_real(holds), "%m", layout.fresh + event)
        before = code.compare("oeq", code.load("%m", layout.truth + event), zero)
        conditions.append(code.both("and", holds, before))
    conditions += [nodes.register(guard) for guard, _ in program.guards]
    for condition in conditions:
        attention = code.both("or", attention, condition) if attention else condition
    code.store(code.as_real(attention) if attention else zero, "%m", layout.attention)
    return code


def _keep(vectors: Vectors) -> Code:
    """Take over the new states and truth of triggers in the lanes marked as kept."""
    code, layout = vectors.code(), vectors.layout
    kept = code.compare("une", code.load("%m", layout.kept), code.number(0.0))

    def take(target: int, source: int, count: int) -> None:
        def body(index: str) -> None:
            into, out_of = code.address("%m", target), code.address("%m", source)
            code.store(code.select(kept, code.load(out_of, index), code.load(into, index)), into, index)

        code.loop(count, body)

    take(layout.states, layout.new, vectors.program.continuous)
    take(layout.truth, layout.fresh, len(vectors.program.triggers))
    return code


def _prepare_outputs(vectors: Vectors) -> Code:
    """Write the coefficients between the ends of the step, of the states that outputs need."""
    code, layout, method = vectors.code(), vectors.layout, vectors.method
    moving = vectors.program.continuous
    for k in moving_states_of(vectors.program, vectors.program.outputs):
        increments = [code.load("%m", layout.increments + i * moving + k) for i in range(method.node.size)]
        for r in range(len(method.dense)):
            total = code.number(0.0)
            for weight, increment in zip(method.dense[r], increments, strict=True):
                total = code.fma(increment, code.number(weight), total)
            code.store(total, "%m", layout.dense + r * moving + k)
    return code


def _show(vectors: Vectors) -> Code:
    """Write all outputs at a moment inside the step."""
    code, program, layout = vectors.code(), vectors.program, vectors.layout
    moving = program.continuous
    s = code.load("%m", layout.fraction)
    rest = code.sub(code.number(1.0), s)

    def state(place: int) -> str:
        before = code.load("%m", layout.states + place)
        if place >= moving:
            return before
        inner = [code.load("%m", layout.dense + r * moving + place) for r in range(3)]
        inside = code.fma(s, code.fma(s, inner[2], inner[1]), inner[0])
        after = code.fma(rest, inside, code.load("%m", layout.new + place))
        return code.fma(s, after, code.mul(rest, before))

    nodes = vectors.nodes(code, code.load("%m", layout.moment), state)
    for index, node in enumerate(program.outputs):
        code.store(nodes.real(node), "%m", layout.shown + index)
    return code
