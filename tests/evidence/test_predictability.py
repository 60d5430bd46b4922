"""Covariates may not tell who dies better than scores do in real life."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines import CoxPHFitter
from lifelines.utils import concordance_index

from regraft.errors import InvalidArgument
from regraft.evidence import predictability as p


def trial(slope, patients=1500, seed=1, censored_at=1.2):
    rng = np.random.default_rng(seed)
    age, noise = rng.normal(size=patients), rng.normal(size=patients)
    death = rng.exponential(np.exp(-slope * age))
    time = np.minimum(death, censored_at)
    return {"age": age, "height": noise}, time, death <= censored_at


def test_concordance_equals_that_of_lifelines():
    covariates, time, died = trial(0.7, patients=300)
    risk = np.round(covariates["age"], 1)  # with ties
    assert p.concordance(risk, time, died)[0] == pytest.approx(concordance_index(time, -risk, died), abs=1e-9)


def test_the_regression_equals_that_of_lifelines():
    import pandas as pd

    covariates, time, died = trial(0.7)
    matrix = np.column_stack(list(covariates.values()))
    table = pd.DataFrame(matrix, columns=["a", "b"]).assign(time=time, died=died)
    wanted = CoxPHFitter().fit(table, "time", "died").params_.to_numpy()
    np.testing.assert_allclose(p._cox(matrix, time, died), wanted, rtol=0.02, atol=0.003)


def test_covariates_without_effect_predict_nothing():
    covariates, time, died = trial(0.0)
    found = p.mortality_concordance(covariates, time, died)
    assert found.value == pytest.approx(0.5, abs=0.03)
    p.require_unpredictable(found, what="a trial")


def test_an_over_determined_population_is_refused():
    covariates, time, died = trial(3.0)
    found = p.mortality_concordance(covariates, time, died)
    assert found.value > 0.85
    with pytest.raises(p.TooPredictable, match=r"arm x.*0\.68"):
        p.require_unpredictable(found, what="arm x")


def test_a_bent_relation_is_not_overlooked():
    rng = np.random.default_rng(2)
    weight = rng.normal(size=1500)
    death = rng.exponential(np.exp(-3.0 * weight**2))
    found = p.mortality_concordance({"weight": weight}, np.minimum(death, 1.0), death <= 1.0)
    assert found.value > 0.75


def test_chance_alone_is_no_reason_to_refuse():
    refused = 0
    for seed in range(20):
        covariates, time, died = trial(0.75, patients=200, seed=seed, censored_at=0.3)
        found = p.mortality_concordance(covariates, time, died)
        refused += found.lower > 0.72
    assert refused <= 3


def test_few_deaths_say_nothing():
    covariates, time, died = trial(3.0, patients=30, censored_at=0.05)
    found = p.mortality_concordance(covariates, time, died)
    assert np.isnan(found.value)
    p.require_unpredictable(found, what="a trial")


def test_holes_are_refused():
    covariates, time, died = trial(0.0, patients=100)
    covariates["age"][3] = np.nan
    with pytest.raises(InvalidArgument, match="'age'"):
        p.mortality_concordance(covariates, time, died)
