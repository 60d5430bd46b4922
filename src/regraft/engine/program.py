"""Equations turned into a graph: what the kernel must compute, in the engine's own order of states."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from regraft.engine.derivative import TIME_COLUMN, Gradient, gradients, reachable
from regraft.engine.graph import Graph
from regraft.engine.ordering import Elimination, plan_elimination
from regraft.errors import InvalidArgument, InvalidModel, UnsupportedModel, near_matches
from regraft.model.equations import Equations, Event
from regraft.model.expressions import COMPARISONS, TIME, Expression

DRAW_CODES = {"exponential": 0, "uniform": 1, "normal": 2, "poisson": 3, "binomial": 4}
# A base this far below zero under a fractional power or root is no step error: the model has left its domain.
DOMAIN_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Draw:
    """One random draw: what is drawn and the nodes of its arguments."""

    code: int
    arguments: tuple[int, ...]


@dataclass(frozen=True)
class Jump:
    """What happens to some states at once: their targets (engine positions), new values, and the draws used."""

    targets: tuple[int, ...]
    values: tuple[int, ...]
    draws: tuple[Draw, ...]


@dataclass(frozen=True)
class Program:
    """All quantities the kernel computes, as nodes of one graph.

    States are in *engine order*: those that change by rates first, in the order of elimination, then those
    that only jump. ``state_order[k]`` is the model's index of the k-th. ``jacobian`` maps (row, column) to a node.
    ``gaps`` say how far each trigger is from turning; ``stops`` are times at which rates may change abruptly.
    """

    graph: Graph
    state_order: tuple[int, ...]
    continuous: int
    elimination: Elimination
    rates: tuple[int, ...]
    time_slopes: tuple[int, ...]
    jacobian: dict[tuple[int, int], int]
    initial: tuple[Jump, ...]
    events: tuple[Jump, ...]
    triggers: tuple[int, ...]
    gaps: tuple[int, ...]
    priorities: tuple[int, ...]
    guards: tuple[tuple[int, tuple[int, ...]], ...]
    outputs: tuple[int, ...]
    reduced: tuple[int, ...]
    stops: tuple[int, ...]


@dataclass
class _Builder:
    """The graph under construction, with the node of every symbol (states by model index)."""

    equations: Equations
    graph: Graph = field(default_factory=Graph)
    names: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        graph, names = self.graph, self.names
        names[TIME] = graph.leaf("time")
        for index, parameter in enumerate(self.equations.parameters):
            names[parameter.id] = graph.leaf("constant", index)
        for index, state in enumerate(self.equations.states):
            names[state.id] = graph.leaf("state", index)
        for assignment in self.equations.assignments:
            names[assignment.id] = self.build(assignment.expression, f"the assignment of {assignment.id!r}")

    def build(self, expression: Expression, where: str) -> int:
        """Return the node of an expression without draws, naming the place in errors."""
        try:
            return self.graph.build(expression, self.names)
        except InvalidModel as error:
            raise InvalidModel(f"In {where} of model {self.equations.id!r}: {error}") from None

    def jump(self, pairs: Iterable[tuple[int, Expression]], where: str) -> Jump:
        """Return a jump; each draw becomes a leaf numbered in reading order."""
        made: list[Draw] = []

        def draw(operation: str, arguments: tuple[int, ...]) -> int:
            made.append(Draw(DRAW_CODES[operation], arguments))
            return self.graph.leaf("draw", len(made) - 1)

        targets, values = [], []
        for target, expression in pairs:
            try:
                values.append(self.graph.as_real(self.graph.build(expression, self.names, draw)))
            except InvalidModel as error:
                raise InvalidModel(f"In {where} of model {self.equations.id!r}: {error}") from None
            targets.append(target)
        for one in made:
            if any(self.graph.operation[node] == "draw" for node in reachable(self.graph, one.arguments)):
                raise UnsupportedModel(f"In {where} of model {self.equations.id!r} a draw depends on another draw.")
        return Jump(tuple(targets), tuple(values), tuple(made))


def build_program(
    equations: Equations, outputs: Sequence[str], infused: Sequence[str] = (), reduced: Sequence[str] = ()
) -> Program:
    """Turn equations into the graph of everything the kernel computes.

    Raises
    ------
    InvalidModel : an unknown symbol, a misplaced draw, circular initial values, or an event on no state
    UnsupportedModel : a construct that cannot be run, named
    InvalidArgument : an output or infusion target that the model does not have
    """
    for event in equations.events:
        _check_event(equations, event)
    builder = _Builder(equations)
    graph = builder.graph
    output_nodes = tuple(graph.as_real(_named(builder.names, name, "output")) for name in outputs)
    reduced_nodes = tuple(graph.as_real(_named(builder.names, name, "reduced quantity")) for name in reduced)
    rates = [graph.as_real(builder.build(s.derivative, f"the rate of {s.id!r}")) for s in equations.states]
    slopes = gradients(graph, rates)
    forced = {_named(equations.state_index, name, "infused state") for name in infused}
    moving = [i for i, rate in enumerate(rates) if not graph.is_number(rate, 0.0) or i in forced]
    place = {state: position for position, state in enumerate(moving)}
    pattern = [(place[i], place[j]) for i in moving for j in slopes[i] if j in place]
    elimination = plan_elimination(len(moving), pattern)
    order = tuple(moving[k] for k in elimination.order)
    order += tuple(i for i in range(len(equations.states)) if i not in place)
    position = {state: k for k, state in enumerate(order)}
    zero = graph.number(0.0)
    triggers = tuple(graph.as_truth(builder.build(e.trigger, f"the trigger of {e.id!r}")) for e in equations.events)
    priorities = tuple(
        zero if e.priority is None else graph.as_real(builder.build(e.priority, f"the priority of {e.id!r}"))
        for e in equations.events
    )
    return Program(
        graph=graph,
        state_order=order,
        continuous=len(moving),
        elimination=elimination,
        rates=tuple(rates[i] for i in order[: len(moving)]),
        time_slopes=tuple(slopes[i].get(TIME_COLUMN, zero) for i in order[: len(moving)]),
        jacobian=_jacobian(moving, slopes, position),
        initial=_initial_jumps(builder, position),
        events=tuple(
            builder.jump(((position[equations.state_index[t]], x) for t, x in e.assignments), f"event {e.id!r}")
            for e in equations.events
        ),
        triggers=triggers,
        gaps=tuple(_gap(graph, trigger) for trigger in triggers),
        priorities=priorities,
        guards=_guards(graph, rates),
        outputs=output_nodes,
        reduced=reduced_nodes,
        stops=_stops(graph, rates),
    )


def moving_states_of(program: Program, roots: Iterable[int]) -> list[int]:
    """Return the engine positions of the moving states that some nodes depend on."""
    graph, place = program.graph, {model: engine for engine, model in enumerate(program.state_order)}
    places = {place[int(graph.value[n])] for n in reachable(graph, roots) if graph.operation[n] == "state"}
    return sorted(k for k in places if k < program.continuous)


def _gap(graph: Graph, node: int) -> int:
    """Return a number that is above zero where a condition holds and, if it can, reaches zero where it turns."""
    operation, arguments = graph.operation[node], graph.arguments[node]
    if operation in ("lt", "le"):
        return graph.sub(arguments[1], arguments[0])
    if operation in ("gt", "ge"):
        return graph.sub(arguments[0], arguments[1])
    if operation in ("and", "or"):
        parts = (_gap(graph, arguments[0]), _gap(graph, arguments[1]))
        return graph.apply("min" if operation == "and" else "max", *parts)
    if operation == "not":
        return graph.neg(_gap(graph, arguments[0]))
    return graph.select(node, graph.number(1.0), graph.number(-1.0))


def _stops(graph: Graph, rates: list[int]) -> tuple[int, ...]:
    """Return the times that conditions on time alone compare with, of all piecewise rates."""
    time, found = graph.leaf("time"), dict[int, None]()
    for node in reachable(graph, rates):
        if graph.operation[node] in COMPARISONS:
            for one, other in (graph.arguments[node], graph.arguments[node][::-1]):
                if one == time and graph.is_constant(other):
                    found[other] = None
    return tuple(found)


def _named(known: dict[str, int], name: str, role: str) -> int:
    """Look a name up or say which names exist."""
    if name not in known:
        raise InvalidArgument(f"The {role} {name!r} is not in the model. {near_matches(name, known)}")
    return known[name]


def _check_event(equations: Equations, event: Event) -> None:
    """Refuse events that cannot be run."""
    if event.delay is not None:
        raise UnsupportedModel(
            f"Event {event.id!r} of model {equations.id!r} has a delay, which cannot be run. "
            "Use a state that stores the time of the trigger and a second event instead."
        )
    for target, _ in event.assignments:
        if target not in equations.state_index:
            raise InvalidModel(
                f"Event {event.id!r} of model {equations.id!r} assigns {target!r}, which is not a state. "
                f"{near_matches(target, equations.state_index)}"
            )


def _jacobian(moving: list[int], slopes: list[Gradient], position: dict[int, int]) -> dict[tuple[int, int], int]:
    """Return the non-zero derivatives of rates by moving states, at engine positions."""
    pairs = ((i, j, node) for i in moving for j, node in slopes[i].items() if j != TIME_COLUMN)
    return {(position[i], position[j]): node for i, j, node in pairs if position[j] < len(moving)}


def _initial_jumps(builder: _Builder, position: dict[int, int]) -> tuple[Jump, ...]:
    """Return one jump per state that sets its initial value, sorted so that each uses only earlier ones."""
    states, graph = builder.equations.states, builder.graph
    jumps = [builder.jump([(position[i], s.initial)], f"the initial value of {s.id!r}") for i, s in enumerate(states)]
    needs: list[set[int]] = []
    for jump in jumps:
        roots = (*jump.values, *(a for draw in jump.draws for a in draw.arguments))
        needs.append({int(graph.value[n]) for n in reachable(graph, roots) if graph.operation[n] == "state"})
    done: list[int] = []
    waiting = list(range(len(states)))
    while waiting:
        ready = [i for i in waiting if needs[i] <= set(done)]
        if not ready:
            names = ", ".join(repr(states[i].id) for i in waiting[:5])
            raise InvalidModel(f"The initial values of {names} in model {builder.equations.id!r} depend on each other.")
        done += ready
        waiting = [i for i in waiting if i not in ready]
    return tuple(jumps[i] for i in done)


def _guards(graph: Graph, rates: list[int]) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """Return, for each guarded power or root in the rates, its 'left the domain' node and the states in its base."""
    needed = set(reachable(graph, rates))
    found = []
    for base, raw in list(graph.guards):
        if raw in needed and not graph.is_constant(raw):
            far = graph.apply("lt", base, graph.number(-DOMAIN_TOLERANCE))
            if graph.operation[raw] == "pow":
                exponent = graph.arguments[raw][1]
                far = graph.apply("and", far, graph.apply("ne", graph.apply("floor", exponent), exponent))
            states = tuple(int(graph.value[n]) for n in reachable(graph, [base]) if graph.operation[n] == "state")
            found.append((far, states))
    return tuple(found)
