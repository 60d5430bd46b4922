"""A trial with other typical values of parameters, or other spreads of them over patients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from regraft.errors import InvalidField, near_matches
from regraft.model import JoinedModel
from regraft.model.equations import Equations

if TYPE_CHECKING:
    from regraft.trial.plan import Plan

SPREAD = ".spread"  # what is named so is how much patients differ in the parameter


def check_typical(names: Iterable[str], models: Sequence[JoinedModel], what: str) -> None:
    """Refuse a name that means no parameter with a row in the tables of some models.

    Parameters
    ----------
    names : parameter ids, or ids and ``.spread``
    models : at least one of them has each parameter
    what : what the names belong to, as a message begins: ``A prior for design 'small'``

    Raises
    ------
    InvalidField : with near matches
    """
    known = list(dict.fromkeys(row.id for model in models for row in model.parameter_rows))
    for name in names:
        if name.removesuffix(SPREAD) not in known:
            raise InvalidField(f"{what} names {name!r}, no parameter of its models. {near_matches(name, known)}")


def with_typical(plan: Plan, values: Mapping[str, float]) -> Plan:
    """Return a plan with other typical values, or spreads, of some parameters; patients keep their own differences.

    Parameters
    ----------
    values : parameter id, or id and ``.spread``, to value in the parameter's unit
    """
    model = _typical(plan.model, values)
    return replace(plan, model=model, kernel=replace(plan.kernel, equations=_equations_of(plan, values)))


def _typical(model: JoinedModel, values: Mapping[str, float]) -> JoinedModel:
    """Return a joined model with other rows."""
    rows = tuple(
        replace(row, value=values.get(row.id, row.value), spread=values.get(row.id + SPREAD, row.spread))
        for row in model.parameter_rows
    )
    return replace(model, parameter_rows=rows)


def _equations_of(plan: Plan, values: Mapping[str, float]) -> Equations:
    """Return the kernel's equations with other defaults; what differs between patients is sampled from the rows."""
    equations = plan.kernel.equations
    parameters = tuple(replace(one, value=values.get(one.id, one.value)) for one in equations.parameters)
    return replace(equations, parameters=parameters)
