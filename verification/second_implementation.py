"""Set the platform beside a second implementation of `hematopoiesis` and `immunity`; end with 1 where they differ.

Run ``python verification/second_implementation.py``; it prints one line per scenario: the largest difference over all
states and formulas of the parts and all times, and where it is.

The second implementation (`second_core.py`, `second_solver.py`) was written from the READMEs of the two entries and
their tables alone, before `model.ant` or the platform's code was read. At the first comparison no equation, start,
event or dose differed. What exceeded the limit was the measure alone: relative differences of numbers that are none
(maternal IgG of 1e-182 g/L in an adult, thymocytes of 1e-28 where the other program has 0). Hence the smallest scale
below. Second grafts, cord blood, the ceiling of division and the excision circles of a lineage were added in the same
way, and again nothing differed; no README had to be mended, only the search for the zero of an event in `watch`. The
scenarios move every input, fire every event and tell a change of any parameter by 0.1 % from none, except six: the
floors of tails and ratios, and the two limits from which stem cells are drawn.

Differences are relative to the second value, or to `LEAST` in the unit of the quantity, or to `FLOOR` of its largest
value in the run, whichever is largest. The quantities in `NEAR_ZERO` are differences that vanish in health and are
compared absolutely, as the READMEs say. The largest difference left, 2e-6 just after birth, is a long step of the
platform over the kink where age begins to run; steps of at most 0.05 day leave 1e-7. Stem cells that an event draws are
taken from the platform into the second.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from regraft.engine import Administrations, Kind, SolverSettings, compile_model, solve
from regraft.model import join, load_part
from verification.second_core import IMMUNITY, MARROW, Part, read_parameters
from verification.second_solver import Dose, simulate

Course = dict[str, NDArray[np.float64]]
ENTRIES = Path(__file__).resolve().parent.parent / "src" / "regraft" / "catalog" / "models"
PARTS: dict[str, Part] = {"hematopoiesis": MARROW, "immunity": IMMUNITY}
SETTINGS = SolverSettings(rtol=1e-9, atol=1e-14, max_step_days=1.0, max_steps=10_000_000, threads=1)
LIMIT = 1e-5
FLOOR = 1e-9
LEAST = 1e-7  # below one in 1e5 stem cells and the floor of the progenitors; events end all tails at 1e-9
NEAR_ZERO = ("niche_free", "t_shortage", "lymphopenia", "cd8_shortage", "nk_shortage")
SEED = 7
YEARS = 365.25
BOTH = ("hematopoiesis", "immunity")
PARAMETERS = read_parameters(ENTRIES)
KILLS = sorted(name for name in MARROW.inputs | IMMUNITY.inputs if name.startswith("kill_"))


@dataclass(frozen=True)
class Scenario:
    """What both are given: `age` in years on day 0 (None: no `person`), `inputs` from the start, other parameters."""

    age: float | None
    days: tuple[float, float]
    doses: Sequence[Dose] = ()
    inputs: Mapping[str, float] = field(default_factory=dict)
    parts: tuple[str, ...] = BOTH
    parameters: Mapping[str, float] = field(default_factory=dict)

    def times(self) -> list[float]:
        """Return the days of comparison: 200 even ones, half days from day 0 to 40, and those of all doses."""
        grid = {*np.linspace(*self.days, 201), *np.linspace(0, 40, 81), *(dose.time for dose in self.doses)}
        return sorted(float(day) for day in grid if self.days[0] <= day <= self.days[1])


def period(target: str, start: float, end: float, amount: float, after: float = 0.0) -> list[Dose]:
    """An input that is `amount` from one day to another."""
    return [Dose("set", target, start, amount), Dose("set", target, end, after)]


def kill(start: float, end: float, rates: Mapping[str, float]) -> list[Dose]:
    """A pulse of conditioning: 1.5 per day on every kind of cell, others by `rates`."""
    every = dict.fromkeys(KILLS, 1.5) | {"kill_stroma": 0.3, "kill_plasma": 0.1} | dict(rates)
    return [dose for target, rate in every.items() for dose in period(target, start, end, rate)]


def inputs_of(part: Part, doses: Sequence[Dose]) -> list[Dose]:
    """Those that change an input of `part`, for a run of it alone."""
    return [dose for dose in doses if dose.target in part.inputs]


def graft(day: float, cd34: float, t_cells: float, progenitors: float = 1.0, cord: bool = False) -> list[Dose]:
    """A graft in 1e6 per kg, with so many committed progenitors per CD34+; T cells of cord blood are naive."""
    target_t = "graft_naive_t_cells" if cord else "graft_t_cells"
    amounts = {"graft_cd34": cd34, "graft_progenitors": cd34 * progenitors, target_t: t_cells}
    return [Dose("bolus", target, day, amount) for target, amount in amounts.items()]


def gcsf(*days: float) -> list[Dose]:
    """Half a day of G-CSF on each of some days."""
    return [dose for day in days for dose in period("gcsf_effect", day, day + 0.5, 8.0)]


DEEP = kill(-6.0, -2.0, {"kill_hsc": 2.4, "kill_progenitor": 3.0})
ENTRIES_OF_GRAFT = {
    "graft_cd34_entry": 6.0,
    "graft_progenitors_entry": 3.5,
    "graft_t_entry": 20.0,
    "graft_naive_t_entry": 4.0,
    "nk_entry": 30.0,
}
SECOND_GRAFT = [dose for target, amount in ENTRIES_OF_GRAFT.items() for dose in period(target, 70.0, 71.0, amount)]
ATHYMIC = {"thymus_tissue": 0.0}
SCENARIOS = {
    "marrow alone, untreated": Scenario(None, (0.0, 3 * YEARS), parts=("hematopoiesis",)),
    "immunity alone, 35 years": Scenario(None, (0.0, 3 * YEARS), parts=("immunity",)),
    "immunity alone, one year": Scenario(None, (0.0, 3 * YEARS), inputs={"age": 1.0}, parts=("immunity",)),
    "immunity alone, marrow gone for a time": Scenario(
        None,
        (0.0, 2 * YEARS),
        [
            *period("lymphoid_progenitors", 10.0, 100.0, 0.0, after=0.4),
            *period("progenitors", 10.0, 60.0, 0.2, after=1.2),
        ],
        parts=("immunity",),
    ),
    "adult of 35 years, untreated": Scenario(35.0, (0.0, 3 * YEARS)),
    "child of 1 year, untreated": Scenario(1.0, (0.0, 3 * YEARS)),
    "from 60 days before birth on": Scenario(20 / YEARS, (-80.0, 2 * YEARS)),
    "conditioning and graft, adult": Scenario(35.0, (-42.0, 3 * YEARS), [*DEEP, *graft(0.0, 5.0, 20.0)]),
    "conditioning and graft, child": Scenario(1.0, (-42.0, 3 * YEARS), [*DEEP, *graft(0.0, 15.0, 80.0, 0.4)]),
    "conditioning without graft": Scenario(35.0, (-42.0, 3 * YEARS), DEEP),
    "two courses with a pause": Scenario(
        50.0,
        (-20.0, 2 * YEARS),
        [*kill(-12.0, -9.0, {"kill_hsc": 1.0}), *kill(-6.0, -3.0, {"kill_hsc": 1.5}), *graft(0.0, 2.0, 0.0)],
    ),
    "kill below a draw, then more": Scenario(
        35.0, (-20.0, 200.0), [*period("kill_hsc", -15.0, -14.0, 0.08), *period("kill_hsc", -10.0, -9.0, 0.05)]
    ),
    "repeated G-CSF": Scenario(35.0, (-30.0, 200.0), gcsf(*range(-20, -10), *range(5, 12))),
    "conditioning, graft and G-CSF": Scenario(
        35.0, (-42.0, YEARS), [*DEEP, *graft(0.0, 5.0, 20.0), *gcsf(*range(5, 13))]
    ),
    "no thymus, T cells of a graft": Scenario(0.5, (-5.0, 3 * YEARS), graft(0.0, 4.0, 50.0), ATHYMIC),
    "no thymus, untreated": Scenario(0.5, (0.0, YEARS), inputs=ATHYMIC),
    "T development 0.3": Scenario(1.0, (0.0, 3 * YEARS), inputs={"t_development": 0.3}),
    "T development 0.3 from day 0 by a dose": Scenario(1.0, (0.0, YEARS), [Dose("set", "t_development", 0.0, 0.3)]),
    "no T, B and NK cells from birth": Scenario(
        0.0,
        (0.0, 3 * YEARS),
        [*graft(100.0, 10.0, 5.0), Dose("set", "t_development", 100.0, 1.0), Dose("set", "b_development", 100.0, 0.5)],
        {"t_development": 0.0, "b_development": 0.0, "nk_development": 0.0, "b_function": 0.5},
    ),
    "IgG infusions": Scenario(
        2.0,
        (-10.0, YEARS),
        [
            *(Dose("infusion", "igg_given", day, 5.0, 0.25) for day in np.arange(0.0, 200.0, 28.0)),
            Dose("bolus", "igg_given", 30.0, 3.0),
            *period("igg_inflow", 60.0, 90.0, 0.1),
            *(Dose("infusion", "igg_given", day, 2.0, 3.0) for day in (100.0, 101.5)),
        ],
        {"b_function": 0.2},
    ),
    "rejection of a graft, second graft": Scenario(
        35.0,
        (-20.0, 2 * YEARS),
        [*DEEP, *graft(0.0, 3.0, 10.0), *period("rejection", 20.0, 60.0, 0.8), *graft(70.0, 6.0, 0.0)],
    ),
    "attack on lymphocytes and thymus": Scenario(
        20.0,
        (-10.0, 2 * YEARS),
        [
            *graft(0.0, 3.0, 100.0),
            *period("lymphocyte_loss", 0.0, 60.0, 0.05),
            *period("stroma_injury", 10.0, 100.0, 0.03),
            *period("expansion_block", 0.0, 180.0, 0.9),
            *period("nk_development", 50.0, 150.0, 0.5, after=1.0),
        ],
    ),
    "rejection of a graft, second graft by entries": Scenario(
        35.0,
        (-20.0, 2 * YEARS),
        [
            *DEEP,
            *graft(0.0, 3.0, 10.0),
            *period("rejection", 20.0, 60.0, 0.8),
            *SECOND_GRAFT,
            *period("kill_naive", 70.5, 80.0, 0.4),
            *period("kill_memory", 71.0, 78.0, 0.2),
        ],
    ),
    "entries of a second graft one at a time": Scenario(
        8.0,
        (-5.0, YEARS),
        [
            dose
            for k, (target, amount) in enumerate(sorted(ENTRIES_OF_GRAFT.items()))
            for dose in period(target, 40.0 * k, 40.0 * k + 3.0, amount)
        ],
    ),
    "marrow alone, second graft": Scenario(
        None, (-10.0, YEARS), inputs_of(MARROW, [*kill(-6.0, -2.0, {}), *SECOND_GRAFT]), parts=("hematopoiesis",)
    ),
    "immunity alone, second graft": Scenario(
        None,
        (-10.0, YEARS),
        inputs_of(IMMUNITY, [*kill(60.0, 64.0, {}), *SECOND_GRAFT]),
        {"age": 4.0},
        parts=("immunity",),
    ),
    "conditioning and cord blood, adult, drug left that kills naive T cells": Scenario(
        35.0, (-42.0, 3 * YEARS), [*DEEP, *graft(0.0, 0.2, 5.0, 0.5, cord=True), *period("kill_naive", -1.0, 9.0, 0.5)]
    ),
    "conditioning and cord blood, child, T cells attacked": Scenario(
        2.0,
        (-42.0, 2 * YEARS),
        [*DEEP, *graft(0.0, 0.5, 20.0, 0.5, cord=True), *period("lymphocyte_loss", 0.5, 90.0, 0.03)],
    ),
    "no thymus, naive T cells twice": Scenario(
        0.5,
        (-5.0, 2 * YEARS),
        [
            *graft(0.0, 0.5, 30.0, cord=True),
            Dose("infusion", "graft_naive_t_cells", 60.0, 8.0, 0.25),
            *period("expansion_block", 5.0, 50.0, 0.7),
        ],
        ATHYMIC,
    ),
    "no T and NK cells, few T cells and NK cells given, division near its ceiling": Scenario(
        1.0,
        (-5.0, YEARS),
        [*graft(0.0, 0.0, 0.05), *graft(3.0, 0.0, 0.02, cord=True), *period("nk_entry", 10.0, 12.0, 40.0)],
        {"t_development": 0.0, "nk_development": 0.0},
    ),
    "loss of lymphocytes from birth, half of T development": Scenario(
        0.0,
        (0.0, 2 * YEARS),
        [Dose("set", "lymphocyte_loss", 200.0, 0.0), *graft(200.0, 3.0, 4.0, cord=True)],
        {"t_development": 0.5, "thymus_tissue": 0.8, "lymphocyte_loss": 0.01},
    ),
    "every parameter 5 % up or down": Scenario(
        6.0,
        (-42.0, 2 * YEARS),
        [
            *DEEP,
            *graft(0.0, 8.0, 40.0),
            *gcsf(*range(5, 13)),
            *period("rejection", 30.0, 90.0, 0.02),
            *graft(60.0, 0.3, 6.0, 0.5, cord=True),
            *SECOND_GRAFT,
        ],
        {"days_per_year": 360.0},
        parameters={
            name: value * (0.95 if k % 2 else 1.05) for k, (name, value) in enumerate(sorted(PARAMETERS.items()))
        },
    ),
    "each kind of cell killed in turn": Scenario(
        35.0,
        (-10.0, 2 * YEARS),
        [dose for k, target in enumerate(KILLS) for dose in period(target, 5.0 + 20 * k, 7.0 + 20 * k, 1.1)],
    ),
}


def names_of(scenario: Scenario) -> list[str]:
    """States and formulas of the parts, as their `quantities.csv` list them."""
    parts = [load_part(name).equations for name in scenario.parts]
    return [name for equations in parts for name in (*equations.state_index, *equations.assignment_index)]


def platform(scenario: Scenario) -> tuple[Course, list[float]]:
    """Return the course by the platform, and the stem cells after each draw."""
    person = () if scenario.age is None else ("person",)
    model = join([load_part(name) for name in (*person, *scenario.parts)])
    fixed = {**scenario.inputs, **scenario.parameters} | (
        {} if scenario.age is None else {"age_at_start": scenario.age}
    )
    equations = model.with_values(fixed).equations
    names, times = names_of(scenario), scenario.times()
    doses = scenario.doses
    result = solve(
        compile_model(equations, names),
        [[parameter.value for parameter in equations.parameters]],
        times=times,
        patient_ids=[0],
        seed=SEED,
        administrations=Administrations(
            np.zeros(len(doses), dtype=np.int64),
            np.array([dose.time for dose in doses]),
            tuple(dose.target for dose in doses),
            np.array([Kind[dose.kind.upper()] for dose in doses]),
            np.array([dose.amount for dose in doses]),
            np.array([dose.duration for dose in doses]),
        ),
        settings=SETTINGS,
    )
    if result.failed.any():
        raise SystemExit(str(result.status_detail[0]))
    course = {name: result.output(name)[0] for name in names}
    draws = result.events_of("hsc_draw")[1] if "hematopoiesis" in scenario.parts else ()
    return course, [float(course["hsc"][times.index(day)]) for day in draws]


def second(scenario: Scenario, drawn_hsc: Sequence[float]) -> Course:
    """Return the course by the second implementation."""
    return simulate(
        [PARTS[name] for name in scenario.parts],
        read_parameters(ENTRIES, scenario.parts) | dict(scenario.parameters),
        scenario.times(),
        doses=scenario.doses,
        inputs=scenario.inputs,
        drawn_hsc=drawn_hsc,
        age_at_start=scenario.age,
    )


def differences(ours: Course, theirs: Course) -> dict[str, NDArray[np.float64]]:
    """Return the differences of each quantity, shape (times,)."""
    found = {}
    for name, course in ours.items():
        size = np.abs(theirs[name])
        scale = 1.0 if name in NEAR_ZERO else np.maximum(size, max(FLOOR * size.max(), LEAST))
        found[name] = np.abs(course - theirs[name]) / scale
    return found


def main() -> int:
    """Print a line per scenario and return 1 where one is above the limit."""
    failed = 0
    for title, scenario in SCENARIOS.items():
        ours, drawn = platform(scenario)
        found = differences(ours, second(scenario, drawn))
        worst = max(found, key=lambda name: found[name].max())
        largest, day = found[worst].max(), scenario.times()[int(found[worst].argmax())]
        failed += not largest < LIMIT
        print(f"{title}: {largest:.1e} ({worst}, day {day:g}); {len(found)} quantities, {len(drawn)} draws")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
