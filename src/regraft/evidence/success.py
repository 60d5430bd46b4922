"""How likely a trial of some size is to succeed, and what would have to be different for it to be likely."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from regraft.entries import catalog_root, read_number, read_table
from regraft.errors import InvalidField, near_matches
from regraft.evidence.calibration.priors import Prior, read_priors
from regraft.evidence.match import EXACT_MONTHS
from regraft.trial.arms import simulate_arm
from regraft.trial.design import SuccessRule
from regraft.trial.endpoints import ENDPOINTS
from regraft.trial.observation import ObservedArm, ObservedTrial
from regraft.trial.plan import Plan
from regraft.trial.screening import Enrolled, screen
from regraft.trial.statistics import Floats, normal_quantile

NODES = 7  # of the quadrature over a prior
HIGH = 0.8  # power that designers of trials ask for
LIMIT = 20.0  # log odds ratio beyond which nothing is looked for
COLUMNS = ("id", "mean", "sd", "source", "locator", "method")


@dataclass(frozen=True)
class WhatIf:
    """The trial if one parameter were another from randomisation on: share of responders, and chance of success."""

    parameter: str
    factor: float
    share: float
    chance: float


@dataclass(frozen=True)
class Chance:
    """The chance that a trial of ``patients`` an arm finds the treated better at p < 0.05.

    Parameters
    ----------
    control, treated : shares of responders among the virtual patients, 0 to 1; ``treated`` at the centre of the prior
    by_mechanism : chance over the prior of one parameter, each of its values simulated
    by_class : chance over what is known of such treatments as a class, a normal log odds ratio; None if not asked for
    log_odds_ratio, needed : at the centre of the prior, and the one that gives a chance of 80 %
    needed_value : of the parameter, for that log odds ratio; NaN where the parameter does not move it
    """

    arm: str
    reference: str
    statistic: str
    months: float
    patients: int
    parameter: str
    control: float
    treated: float
    by_mechanism: float
    by_class: float | None
    log_odds_ratio: float
    needed: float
    needed_value: float
    what_if: tuple[WhatIf, ...]


def chance_of_success(plan: Plan, rule: SuccessRule, people: Enrolled | None = None) -> Chance:
    """Return the chance of success of a smaller trial with patients like those of a plan.

    The treated arm is simulated for values of the parameter at the nodes of a quadrature over its prior; all else stays
    at its typical values. Nothing moves before randomisation, so the parameter must be one of the treatment.

    Parameters
    ----------
    people : the enrolled; screened anew if None

    Raises
    ------
    InvalidField : the parameter has no prior, or the endpoint reports no share of patients near the time
    """
    people = screen(plan)[0] if people is None else people
    prior = _prior(plan, rule)
    scores, weights = np.polynomial.hermite_e.hermegauss(NODES)
    weights = weights / weights.sum()
    values = np.asarray(prior.natural(scores))
    control = _share(plan, rule, people, plan.design.reference_arm, {})
    shares = np.array([_share(plan, rule, people, rule.arm, {rule.parameter: value}) for value in values])
    n, centre = rule.patients_per_arm, values[NODES // 2]
    effects = _logit(shares, people) - _logit(np.array(control), people)
    moved = values - centre
    slope = float((moved * (effects - effects[NODES // 2])).sum() / (moved**2).sum())
    needed = needed_log_odds_ratio(control, n)
    at_centre = float(effects[NODES // 2])
    return Chance(
        arm=rule.arm,
        reference=plan.design.reference_arm,
        statistic=rule.statistic,
        months=rule.after.months,
        patients=n,
        parameter=rule.parameter,
        control=control,
        treated=float(shares[NODES // 2]),
        by_mechanism=float(sum(w * power(share, control, n) for w, share in zip(weights, shares, strict=True))),
        by_class=None if rule.class_effect is None else by_class(rule.class_effect, control, n),
        log_odds_ratio=at_centre,
        needed=needed,
        needed_value=centre + (needed - at_centre) / slope if slope else math.nan,
        what_if=tuple(_what_if(plan, rule, people, control, name, factor) for name, factor in rule.what_if.items()),
    )


def power(treated: float, control: float, patients: int) -> float:
    """Return the chance that the test of two proportions (pooled, two-sided) favours the treated, exactly.

    Parameters
    ----------
    treated, control : probabilities of response
    patients : of each arm
    """
    from scipy.stats import binom

    counts = np.arange(patients + 1)
    first, second = (binom.pmf(counts, patients, share) for share in (treated, control))
    difference = (counts[:, None] - counts[None, :]) / patients
    pooled = (counts[:, None] + counts[None, :]) / (2 * patients)
    error = np.sqrt(2 * pooled * (1 - pooled) / patients)
    is_better = difference > normal_quantile() * np.where(error > 0, error, np.inf)
    return float(first @ is_better @ second)


def by_class(name: str, control: float, patients: int) -> float:
    """Return the chance over the normal log odds ratio that is stored for a class of treatments.

    Raises
    ------
    InvalidField : the table of class effects has no such row
    """
    path = catalog_root() / "evidence" / "class_effects.csv"
    rows = {row["id"]: row for row in read_table(path, columns=COLUMNS)}
    if name not in rows:
        raise InvalidField(f"success.class_effect is {name!r}. {near_matches(name, rows)}")
    mean, deviation = (read_number(rows[name][key], path=path, row=name, column=key) for key in ("mean", "sd"))
    scores, weights = np.polynomial.hermite_e.hermegauss(NODES)
    effects = mean + deviation * scores
    chances = [power(_moved(control, effect), control, patients) for effect in effects]
    return float(np.dot(weights / weights.sum(), chances))


def needed_log_odds_ratio(control: float, patients: int) -> float:
    """Return the log odds ratio at which the chance of success is 80 %, NaN where none below the limit is enough."""
    from scipy.optimize import brentq

    def short_of(effect: float) -> float:
        return power(_moved(control, effect), control, patients) - HIGH

    return float(brentq(short_of, 0.0, LIMIT)) if short_of(LIMIT) > 0 else math.nan


def _moved(share: float, log_odds_ratio: float) -> float:
    """Return a probability after its odds were multiplied."""
    from scipy.special import expit, logit

    return float(expit(logit(share) + log_odds_ratio))


def _logit(shares: Floats, people: Enrolled) -> Floats:
    """Return log odds with half a patient added on each side."""
    n = people.patient_ids.size
    return np.asarray(np.log((shares * n + 0.5) / ((1 - shares) * n + 0.5)))


def _prior(plan: Plan, rule: SuccessRule) -> Prior:
    """Return what is believed of the parameter."""
    path = catalog_root() / "calibrations" / rule.priors / "priors.csv"
    if not path.is_file():
        known = sorted(folder.parent.name for folder in path.parent.parent.glob("*/priors.csv"))
        raise InvalidField(f"success.priors is {rule.priors!r}. {near_matches(rule.priors, known)}")
    members = {member.name: member for member in read_priors(path).members}
    if rule.parameter not in members:
        raise InvalidField(f"success.parameter is {rule.parameter!r}. {near_matches(rule.parameter, members)}")
    _require_parameter(plan, rule.parameter)
    return members[rule.parameter]


def _require_parameter(plan: Plan, name: str) -> None:
    """Refuse a name that is no parameter of the models."""
    known = plan.equations.parameter_index
    if name not in known:
        raise InvalidField(
            f"design {plan.design.id!r}: success names {name!r}, no parameter. {near_matches(name, known)}"
        )


def _what_if(plan: Plan, rule: SuccessRule, people: Enrolled, control: float, name: str, factor: float) -> WhatIf:
    """Simulate the treated arm with one parameter multiplied for everybody."""
    _require_parameter(plan, name)
    column = people.parameters[:, plan.equations.parameter_index[name]]
    share = _share(plan, rule, people, rule.arm, {name: factor * column})
    return WhatIf(name, factor, share, power(share, control, rule.patients_per_arm))


def _share(plan: Plan, rule: SuccessRule, people: Enrolled, arm: str, changes: Mapping[str, Floats | float]) -> float:
    """Return the share of responders of an arm, 0 to 1, under other parameters from randomisation on."""
    parameters = people.parameters.copy()
    for name, value in changes.items():
        parameters[:, plan.equations.parameter_index[name]] = value
    position = [one.id for one in plan.design.arms].index(arm)
    observed = simulate_arm(plan, replace(people, parameters=parameters), position).observed
    return _responders(ObservedTrial((observed,), arm, plan.clinic), rule, observed)


def _responders(trial: ObservedTrial, rule: SuccessRule, arm: ObservedArm) -> float:
    """Read the share of responders from the endpoint."""
    rows = [row for row in ENDPOINTS[rule.endpoint].result(trial).estimates if row.statistic == rule.statistic]
    rows = [row for row in rows if row.estimate.unit == "%" and row.time_months is not None]
    near = [row for row in rows if abs(float(row.time_months or 0.0) - rule.after.months) < EXACT_MONTHS]
    if not near:
        raise InvalidField(
            f"success: endpoint {rule.endpoint!r} reports no share {rule.statistic!r} of {arm.id!r} at month "
            f"{rule.after.months:.3g}. Choose a visit, and a statistic in per cent."
        )
    return near[0].estimate.value / 100
