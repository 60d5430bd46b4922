"""Virtual trials under given parameters, summed up as the published rows are: the forward model of a fit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from regraft.errors import UsageError
from regraft.evidence.calibration.chance import Floats, Integers
from regraft.evidence.calibration.forward import Prediction
from regraft.evidence.fitting.answers import answer
from regraft.evidence.fitting.study import RowUse
from regraft.evidence.likelihood import simulated_on_link
from regraft.evidence.links import link_name
from regraft.evidence.match import REPORTED_AS
from regraft.evidence.published_types import PublishedResult
from regraft.trial.arms import simulate_arm
from regraft.trial.design import TrialDesign
from regraft.trial.endpoints import ENDPOINTS
from regraft.trial.endpoints.base import EndpointResult
from regraft.trial.observation import ObservedTrial
from regraft.trial.plan import Plan, make_plan
from regraft.trial.screening import Enrolled, screen
from regraft.trial.stored.identity import arm_keys, plain_identity
from regraft.trial.typical import check_typical, with_typical


@dataclass(frozen=True)
class TrialModel:
    """Trials that answer published rows; a copy can be sent to another process.

    All draws give the patients the same numbers for luck and for their differences, so what changes between draws is
    what the parameters change.

    Parameters
    ----------
    designs : by id, with the arms that are needed
    uses : which arm of which design answers each row
    rows : in the order of ``uses``; the numbers in them are not read
    names : of the parameters, in the order of the columns of theta; ``x.spread`` is the spread of ``x`` over patients
    seed : of the trials
    """

    designs: Mapping[str, TrialDesign]
    uses: tuple[RowUse, ...]
    rows: tuple[PublishedResult, ...]
    names: tuple[str, ...]
    seed: int
    _plans: dict[str, Plan] = field(default_factory=dict, compare=False, repr=False)

    def __call__(self, theta: Floats, draws: Integers) -> Prediction:
        """Predict every row for each draw; see ``Predict``."""
        shape = (theta.shape[0], len(self.uses))
        value, variance, failed = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape[0], dtype=np.bool_)
        for k, parameters in enumerate(theta):
            try:
                value[k], variance[k] = self.one(parameters)
            except UsageError:  # too few candidates were eligible: no such trial under these parameters
                failed[k] = True
        return Prediction(value, variance, failed)

    def one(self, parameters: Floats) -> tuple[Floats, Floats]:
        """Return value and Monte Carlo variance of every row on its link scale, NaN where a trial gives none."""
        values = dict(zip(self.names, map(float, parameters), strict=True))
        value, variance = np.full(len(self.uses), np.nan), np.full(len(self.uses), np.nan)
        enrolled: dict[str, Enrolled] = {}
        for name in self.designs:
            mine = [k for k, use in enumerate(self.uses) if use.design == name]
            if not mine:
                continue
            plan = with_typical(self.plan(name), values)
            key = _same_people(plan)
            if key not in enrolled:
                enrolled[key] = screen(plan)[0]
            endpoints = run_endpoints(plan, enrolled[key])
            for k in mine:
                found = answer(self.rows[k], endpoints, self.uses[k].arms, self.uses[k].reference)
                if found is not None:
                    on_link = simulated_on_link(self.rows[k], found)
                    value[k], variance[k] = on_link.y, on_link.se**2
        return value, variance

    def plan(self, name: str) -> Plan:
        """Return the plan of a design, made once."""
        if name not in self._plans:
            self._plans[name] = make_plan(self.designs[name], seed=self.seed, threads=1)
        return self._plans[name]

    @property
    def identity(self) -> str:
        """A text that changes with anything on which the answers depend."""
        content = {
            "trials": {name: _identity(self.plan(name)) for name in self.designs},
            "uses": [[use.id, use.design, use.arm, use.reference] for use in self.uses],
            "rows": [[row.id, row.endpoint_id, row.time_months, row.unit, row.kind.value] for row in self.rows],
            "names": self.names,
        }
        return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=16).hexdigest()

    def __reduce__(self) -> tuple[object, ...]:
        """Travel without plans: machine code cannot be sent."""
        return TrialModel, (self.designs, self.uses, self.rows, self.names, self.seed)


def _identity(plan: Plan) -> dict[str, object]:
    """Return everything on which the numbers of a trial depend."""
    design = plan.design
    size = {"patients": design.patients_per_arm, "limit": design.most_screened, "endpoints": design.endpoints}
    return plain_identity(plan) | size | {"arms": arm_keys(plan)}


def make_trial_model(
    designs: Mapping[str, TrialDesign],
    uses: Sequence[RowUse],
    rows: Sequence[PublishedResult],
    names: Sequence[str],
    seed: int,
) -> TrialModel:
    """Return the forward model after a look at names, endpoints and times.

    Raises
    ------
    InvalidField : a parameter that none of the trials' models has, a row that no endpoint of its trial answers
    """
    kept = {name: _lean(design, uses, rows) for name, design in designs.items()}
    model = TrialModel(kept, tuple(uses), tuple(rows), tuple(names), seed)
    check_typical(names, [model.plan(name).model for name in kept], "A prior")
    for row in rows:
        link_name(row)
    return model


def _lean(design: TrialDesign, uses: Sequence[RowUse], rows: Sequence[PublishedResult]) -> TrialDesign:
    """Return a design that evaluates only the endpoints that its rows need."""
    needed = {
        REPORTED_AS[row.endpoint_id][0]
        for use, row in zip(uses, rows, strict=True)
        if use.design == design.id and row.endpoint_id in REPORTED_AS
    }
    return design.model_copy(update={"endpoints": tuple(name for name in design.endpoints if name in needed)})


def _same_people(plan: Plan) -> str:
    """Return a text that two designs share when the same patients enter both."""
    after = ("id", "follow_up", "visits", "endpoints", "arms")
    return json.dumps({name: value for name, value in _identity(plan).items() if name not in after}, sort_keys=True)


def run_endpoints(plan: Plan, people: Enrolled) -> dict[str, EndpointResult]:
    """Run all arms of a trial for enrolled patients and evaluate its endpoints."""
    arms = [simulate_arm(plan, people, position).observed for position in range(len(plan.design.arms))]
    observed = ObservedTrial(tuple(arms), plan.design.reference_arm, plan.clinic)
    return {name: ENDPOINTS[name].result(observed) for name in plan.design.endpoints}
