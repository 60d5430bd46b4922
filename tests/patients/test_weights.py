"""Entropy balancing: constraints are met, another optimiser agrees, and what cannot be is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

from regraft.errors import InvalidField, UsageError
from regraft.patients.baseline import Moment
from regraft.patients.weights import balance, effective_size, entropy_weights

IDS = np.arange(100, 400)


def people(seed: int = 1, n: int = 300) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    age = rng.normal(35, 8, n)
    return {"age": age, "edss": np.clip(rng.normal(age / 10, 1.3), 0, 9), "female": (rng.random(n) < 0.75) * 1.0}


def moment(covariate: str, statistic: str, value: float, unit: str = "dimensionless") -> Moment:
    return Moment("table", covariate, statistic, value, unit, "assumption", "a test", "assumed", f"row {covariate}")


MOMENTS = (
    moment("age", "mean", 38.0, "year"),
    moment("age", "sd", 9.0, "year"),
    moment("edss", "mean", 3.0, "edss"),
    moment("female", "proportion", 0.6),
)


def test_every_moment_is_met_to_a_hundred_millionth() -> None:
    found = balance(people(), MOMENTS, IDS)
    w, known = found.weights, people()
    mean = np.average(known["age"], weights=w)
    spread = np.sqrt(np.average((known["age"] - mean) ** 2, weights=w))
    reached = [mean, spread, np.average(known["edss"], weights=w), np.average(known["female"], weights=w)]
    np.testing.assert_allclose(reached, [38, 9, 3, 0.6], rtol=0, atol=1e-8)
    assert w.min() > 0
    assert w.mean() == pytest.approx(1, abs=1e-12)


def test_an_independent_optimiser_finds_the_same_weights() -> None:
    known = people(n=40)
    features = np.column_stack([known["age"], known["edss"], known["female"]])
    targets = np.array([36.5, 3.2, 0.6])
    found = entropy_weights(features, targets)
    assert found is not None
    scale = features.std(axis=0)
    other = minimize(  # the divergence itself, over all weights at once, by sequential quadratic programming
        lambda p: float(np.sum(p * np.log(p * 40))),
        np.full(40, 1 / 40),
        jac=lambda p: np.log(p * 40) + 1,
        bounds=[(1e-12, 1)] * 40,
        constraints=[
            {"type": "eq", "fun": lambda p: p.sum() - 1, "jac": lambda p: np.ones(40)},
            {"type": "eq", "fun": lambda p: (p @ features - targets) / scale, "jac": lambda p: (features / scale).T},
        ],
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    assert other.success
    np.testing.assert_allclose(found / 40, other.x, atol=2e-6)


@pytest.mark.parametrize("seed", range(30))
def test_there_is_a_solution_exactly_where_a_linear_programme_finds_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    features = rng.normal(0, 1, (25, 3))
    targets = rng.normal(0, 0.9, 3)
    whole = np.vstack([features.T, np.ones(25)])
    other = linprog(np.zeros(25), A_eq=whole, b_eq=[*targets, 1], bounds=[(0, 1)] * 25)
    assert (entropy_weights(features, targets) is not None) == other.success


def test_targets_that_the_patients_have_already_leave_all_weights_equal() -> None:
    known = people()
    already = tuple(moment(name, "mean", float(known[name].mean())) for name in ("age", "edss"))
    found = balance(known, already, IDS)
    np.testing.assert_allclose(found.weights, 1, atol=1e-9)
    assert found.effective_size == pytest.approx(300)
    assert found.largest_share == pytest.approx(1 / 300)


def test_effective_size_is_that_of_kish() -> None:
    assert effective_size(np.array([1.0, 1.0, 2.0])) == pytest.approx(16 / 6)
    assert effective_size(np.array([5.0])) == 1
    assert effective_size(np.zeros(3)) == 0


def test_the_table_shows_each_moment_before_and_after() -> None:
    known = people()
    rows = {(row.covariate, row.statistic): row for row in balance(known, MOMENTS, IDS).rows}
    assert rows["age", "mean"].before == pytest.approx(known["age"].mean())
    assert rows["age", "sd"].before == pytest.approx(known["age"].std())
    for (name, statistic), row in rows.items():
        assert row.after == pytest.approx(row.target, abs=1e-8), (name, statistic)
    assert rows["age", "sd"].unit == "year"


def test_a_sum_of_covariates_beside_its_terms_is_no_obstacle() -> None:
    known = people()
    known["onset"] = known["age"] - 5.0
    both = (moment("age", "mean", 38.0), moment("onset", "mean", 33.0))
    assert balance(known, both, IDS).rows[1].after == pytest.approx(33.0)
    with pytest.raises(UsageError, match="together they lie outside"):
        balance(known, (both[0], moment("onset", "mean", 34.0)), IDS)


def test_a_target_beyond_all_patients_names_covariate_and_range() -> None:
    with pytest.raises(UsageError, match=r"row age: mean of age is 80 year.*range from [\d.]+ to [\d.]+.*Enrol more"):
        balance(people(), (moment("age", "mean", 80.0, "year"),), IDS)
    with pytest.raises(UsageError, match="sd of age is 60 year.*distances from the mean range"):
        balance(people(), (moment("age", "mean", 36.0, "year"), moment("age", "sd", 60.0, "year")), IDS)


def test_targets_that_only_contradict_each_other_are_refused_together() -> None:
    rng = np.random.default_rng(3)
    x = rng.random(300)
    both = {"one": x, "other": 1 - x + rng.normal(0, 0.01, 300)}
    with pytest.raises(UsageError, match="mean of one 0.8, mean of other 0.8.*together they lie outside"):
        balance(both, (moment("one", "mean", 0.8), moment("other", "mean", 0.8)), IDS)


def test_where_all_patients_are_alike_only_their_own_value_can_be_met() -> None:
    alike = people() | {"female": np.ones(300)}
    np.testing.assert_allclose(balance(alike, (moment("female", "proportion", 1.0),), IDS).weights, 1)
    with pytest.raises(UsageError, match="proportion of female is 0.6"):
        balance(alike, (moment("female", "proportion", 0.6),), IDS)


def test_an_unknown_covariate_lists_near_matches() -> None:
    with pytest.raises(InvalidField, match="no covariate 'ages'. Did you mean 'age'"):
        balance(people(), (moment("ages", "mean", 38.0),), IDS)


def test_a_covariate_that_a_patient_does_not_have_names_the_patient() -> None:
    known = people()
    known["edss"][7] = np.nan
    with pytest.raises(UsageError, match="edss is unknown in 1 patients, the first is patient 107"):
        balance(known, MOMENTS, IDS)


def test_a_proportion_is_of_yes_and_no() -> None:
    with pytest.raises(InvalidField, match="a proportion of age is asked for"):
        balance(people(), (replace(MOMENTS[3], covariate="age"),), IDS)


def test_one_patient_who_carries_the_weight_is_named() -> None:
    known = people()
    known["edss"] = np.full(300, 2.0) + np.random.default_rng(5).normal(0, 0.01, 300)
    known["edss"][42] = 8.0
    found = balance(known, (moment("edss", "mean", 5.0),), IDS)
    assert found.heaviest == 142
    assert found.largest_share == pytest.approx(0.5, abs=0.01)
    assert found.effective_size < 5
