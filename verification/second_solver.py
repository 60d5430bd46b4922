"""Integrates the parts of `second_core.py` with SciPy, with exact stops at administrations and events."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from verification.second_core import Event, Part, Values


@dataclass(frozen=True)
class Dose:
    """One administration: `amount` in the unit of the target; an infusion spreads it over `duration` days."""

    kind: Literal["bolus", "infusion", "set"]
    target: str
    time: float
    amount: float
    duration: float = 0.0


class Body:
    """Parts that run together: each reads the states of the others where they have the name of its input."""

    def __init__(
        self,
        parts: Sequence[Part],
        parameters: Mapping[str, float],
        inputs: Mapping[str, float],
        age_at_start: float | None,
    ) -> None:
        """`inputs` replace defaults from the start; with `age_at_start` (years on day 0) age runs as `person` says."""
        self.parts, self.p, self.age_at_start = parts, Values(**parameters), age_at_start
        self.events = [event for part in parts for event in part.events]
        self.inputs = {name: value for part in parts for name, value in part.inputs.items()} | dict(inputs)
        self.names: list[str] = []
        self.infused: dict[str, float] = {}  # amount per day of the infusions that run now, by state

    def read(self, t: float, states: Mapping[str, float]) -> Values:
        """All inputs at day `t`."""
        u = Values(**(self.inputs | {name: value for name, value in states.items() if name in self.inputs}))
        if self.age_at_start is not None:
            u.age = max(0.0, self.age_at_start + t / u.days_per_year)
        return u

    def start(self, t: float) -> NDArray[np.float64]:
        """States on day `t` before any administration, shape (states,)."""
        states: dict[str, float] = {}
        for part in self.parts:
            states |= part.start(self.read(t, states), self.p)
        self.names = list(states)
        return np.array(list(states.values()))

    def everything(self, t: float, y: NDArray[np.float64]) -> tuple[dict[str, float], dict[str, float]]:
        """Rates of the states `y`, shape (states,), and the values of all states and formulas."""
        values = dict(zip(self.names, y.tolist(), strict=True))
        s, u = Values(**values), self.read(t, values)
        rates: dict[str, float] = {}
        for part in self.parts:
            formulas, part_rates = part.equations(s, u, self.p)
            values |= vars(formulas)
            rates |= part_rates
        for name, flow in self.infused.items():
            rates[name] += flow
        return rates, values

    def rates(self, t: float, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rates per day, shape (states,)."""
        rates, _ = self.everything(t, y)
        return np.array([rates[name] for name in self.names])

    def margin(self, event: Event, t: float, y: NDArray[np.float64]) -> float:
        """Positive where the condition of `event` holds."""
        values = dict(zip(self.names, y.tolist(), strict=True))
        return event.margin(Values(**values), self.read(t, values), self.p)

    def administer(self, doses: Iterable[Dose], t: float, y: NDArray[np.float64]) -> None:
        """Do what is due at `t` in the order of the list, after ending infusions; `y` changes in place."""
        for dose in doses:
            flow = dose.amount / dose.duration if dose.kind == "infusion" else 0.0
            if flow and dose.time + dose.duration == t:
                self.infused[dose.target] -= flow
        for dose in doses:
            if dose.time != t:
                continue
            if dose.kind == "infusion":
                self.infused[dose.target] = self.infused.get(dose.target, 0.0) + dose.amount / dose.duration
            elif dose.target in self.names:
                at = self.names.index(dose.target)
                y[at] = dose.amount + (y[at] if dose.kind == "bolus" else 0.0)
            else:
                self.inputs[dose.target] = dose.amount

    def act(
        self, true_before: list[bool], t: float, y: NDArray[np.float64], drawn: list[float], crossed: int = -1
    ) -> list[bool]:
        """Fire the events whose conditions have turned true, until none is left, and return which hold now.

        `y` changes in place and `drawn` gives up the values it uses. `crossed` is the event whose margin the solver
        has just found to be zero (-1: none).
        """
        now = [self.margin(event, t, y) > 0 for event in self.events]
        if crossed >= 0:
            now[crossed] = not true_before[crossed]
        while due := [event for event, new, old in zip(self.events, now, true_before, strict=True) if new and not old]:
            for event in due:
                if None in event.assign.values() and not drawn:
                    raise ValueError(f"{event.name} on day {t:g} has no drawn value left.")
                for name, value in event.assign.items():
                    y[self.names.index(name)] = drawn.pop(0) if value is None else value
            true_before = now
            now = [self.margin(event, t, y) > 0 for event in self.events]
        return now


def simulate(  # noqa: PLR0913
    parts: Sequence[Part],
    parameters: Mapping[str, float],
    times: Sequence[float],
    *,
    doses: Sequence[Dose] = (),
    inputs: Mapping[str, float] | None = None,
    drawn_hsc: Sequence[float] = (),
    age_at_start: float | None = None,
    method: str = "LSODA",
    rtol: float = 1e-10,
    atol: float = 1e-14,
) -> dict[str, NDArray[np.float64]]:
    """States and formulas at `times` (days, rising), each of shape (times,); the run starts at the first of them.

    `drawn_hsc` are the stem cells after each draw, in order: chance is not part of this program. More or fewer draws
    than values is a ValueError.
    """
    body = Body(parts, parameters, inputs or {}, age_at_start)
    t, end, drawn = float(times[0]), float(times[-1]), list(drawn_hsc)
    y = body.start(t)
    holds = [True] * len(body.events)
    stops = {dose.time for dose in doses} | {dose.time + dose.duration for dose in doses} | {end}
    if age_at_start is not None:
        stops.add(-age_at_start * body.inputs["days_per_year"])  # birth, where age begins to run
    body.administer(doses, t, y)
    holds = body.act(holds, t, y, drawn)
    rows = {t: body.everything(t, y)[1]}
    for stop in sorted(stop for stop in stops if t < stop <= end):
        while t < stop:
            found = [watch(body, event, held) for event, held in zip(body.events, holds, strict=True)]
            wanted = [time for time in times if t < time <= stop]
            grid = wanted if wanted and wanted[-1] == stop else [*wanted, stop]
            run = solve_ivp(body.rates, (t, stop), y, method=method, t_eval=grid, events=found, rtol=rtol, atol=atol)
            if run.status < 0:
                raise RuntimeError(run.message)
            crossings = [(at[0], k) for k, at in enumerate(run.t_events) if len(at)]
            t, crossed = min(crossings, default=(stop, -1))
            y = (run.y_events[crossed][0] if crossings else run.y[:, -1]).copy()
            rows |= {time: body.everything(time, run.y[:, k])[1] for k, time in enumerate(run.t) if time < t}
            if t == stop:
                body.administer(doses, t, y)
            holds = body.act(holds, t, y, drawn, crossed)
            rows[t] = body.everything(t, y)[1]
    if drawn:
        raise ValueError(f"{len(drawn)} drawn values were not used.")
    return {name: np.array([rows[float(time)][name] for time in times]) for name in rows[end]}


def watch(body: Body, event: Event, held: bool) -> Callable[[float, NDArray[np.float64]], float]:
    """The margin of `event` as a terminal event of SciPy, in the direction that ends what holds now.

    SciPy sees the change of sign in the states at both ends of a step and then looks for the zero between them in its
    interpolation, which is not quite those states at the ends: an inflow that lifts an empty state over a floor of
    1e-9 would have no change of sign there. So the first value of each time counts.
    """
    first: dict[float, float] = {}

    def margin(t: float, y: NDArray[np.float64]) -> float:
        if t not in first:
            first[t] = body.margin(event, t, y)
        return first[t]

    margin.terminal = True  # type: ignore[attr-defined]
    margin.direction = -1.0 if held else 1.0  # type: ignore[attr-defined]
    return margin
