from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from regraft.errors import InvalidArgument, InvalidField
from regraft.evidence.calibration.priors import Prior, Priors, read_priors
from regraft.patients.correlations import Correlations

EACH = (
    Prior("rate", "1/day", "lognormal", centre=2.0, spread=0.5),
    Prior("shift", "1", "normal", centre=-1.0, spread=2.0),
    Prior("share", "1", "logitnormal", centre=0.3, spread=1.0),
    Prior("part", "1", "logitnormal", centre=3.0, spread=1.0, lower=2.0, upper=6.0),
    Prior("age", "year", "uniform", lower=20.0, upper=60.0),
    Prior("cut", "1/day", "lognormal", centre=2.0, spread=0.5, lower=1.0, upper=4.0),
    Prior("half", "1", "normal", centre=1.0, spread=1.0, lower=0.0),
)
TIED = Correlations(("rate", "age"), np.linalg.cholesky(np.array([[1.0, 0.7], [0.7, 1.0]])))
DRAWS = np.arange(4000)


@pytest.mark.parametrize("prior", EACH, ids=lambda prior: prior.name)
def test_natural_values_and_scores_are_inverse(prior):
    scores = np.linspace(-3, 3, 25)
    np.testing.assert_allclose(prior.score(prior.natural(scores)), scores, atol=1e-8)


def test_all_parameters_come_back_from_white_scores_also_when_correlated():
    priors = Priors(EACH, TIED)
    white = priors.sample_white(1, DRAWS[:50])
    np.testing.assert_allclose(priors.white(priors.natural(white)), white, atol=1e-8)


def test_draws_have_the_distribution_that_the_prior_states():
    drawn = dict(zip([one.name for one in EACH], Priors(EACH).sample(3, DRAWS).T, strict=True))
    low, high = (0.0 - 1.0) / 1.0, np.inf
    laws = {
        "rate": stats.lognorm(0.5, scale=2.0),
        "shift": stats.norm(-1.0, 2.0),
        "age": stats.uniform(20.0, 40.0),
        "half": stats.truncnorm(low, high, loc=1.0, scale=1.0),
    }
    for name, law in laws.items():
        assert stats.kstest(drawn[name], law.cdf).pvalue > 1e-3, name
    assert np.median(drawn["share"]) == pytest.approx(0.3, abs=0.02)
    assert drawn["part"].min() > 2.0 and drawn["part"].max() < 6.0
    assert drawn["cut"].min() >= 1.0 and drawn["cut"].max() <= 4.0


def test_correlated_parameters_have_the_stated_rank_correlation():
    drawn = Priors(EACH, TIED).sample(3, DRAWS)
    # a Gaussian copula with rho has Spearman's (6 / pi) asin(rho / 2)
    assert stats.spearmanr(drawn[:, 0], drawn[:, 4]).statistic == pytest.approx(6 / np.pi * np.arcsin(0.35), abs=0.04)


def test_a_draw_depends_on_the_name_and_not_on_the_place_of_a_parameter():
    alone = Priors(EACH[:1]).sample(5, DRAWS[:20])[:, 0]
    among = Priors(EACH[::-1]).sample(5, DRAWS[:20])[:, -1]
    np.testing.assert_array_equal(alone, among)
    np.testing.assert_array_equal(Priors(EACH[:1]).sample(5, DRAWS[10:20])[:, 0], alone[10:])
    assert not np.allclose(Priors(EACH[:1]).sample(6, DRAWS[:20])[:, 0], alone)


def test_values_outside_a_prior_have_no_score():
    assert np.isnan(EACH[4].score(np.array([19.0, 61.0]))).all()
    assert np.isnan(EACH[5].score(np.array([0.5]))).all()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"distribution": "lognormall", "centre": 1.0, "spread": 1.0}, "Did you mean 'lognormal'"),
        ({"distribution": "lognormal", "centre": -1.0, "spread": 1.0}, "'centre' is -1.0"),
        ({"distribution": "normal", "centre": 1.0}, "'spread' is 0.0"),
        ({"distribution": "uniform", "lower": 1.0}, "needs both"),
        ({"distribution": "uniform", "lower": 2.0, "upper": 1.0}, "below 'upper'"),
        ({"distribution": "logitnormal", "centre": 1.5, "spread": 1.0}, "between 0 and 1"),
        ({"distribution": "normal", "centre": float("nan"), "spread": 1.0}, "finite"),
    ],
)
def test_what_is_no_distribution_is_refused_with_parameter_and_field(fields, words):
    with pytest.raises(InvalidField, match=words) as caught:
        Prior("rate", "1/day", **fields)
    assert "'rate'" in str(caught.value)


def test_priors_without_parameter_with_one_twice_or_with_unknown_correlations_are_refused():
    with pytest.raises(InvalidArgument, match="no parameter"):
        Priors(())
    with pytest.raises(InvalidArgument, match="two priors"):
        Priors((EACH[0], EACH[0]))
    with pytest.raises(InvalidArgument, match="'age', which has no prior"):
        Priors(EACH[:2], TIED)


def test_priors_are_read_from_a_table_and_faults_name_file_and_row(tmp_path):
    path = tmp_path / "priors.csv"
    header = "id,unit,distribution,centre,spread,lower,upper,source,locator,method\n"
    path.write_text(header + "rate,1/day,lognormal,2,0.5,,,a_2000,table 1,measured\n", encoding="utf-8")
    assert read_priors(path).members[0] == Prior("rate", "1/day", "lognormal", 2.0, 0.5, source="a_2000")
    path.write_text(header + "rate,1/day,lognormal,2,,,,a_2000,table 1,measured\n", encoding="utf-8")
    with pytest.raises(InvalidField, match=r"priors.csv: Prior of 'rate': 'spread'"):
        read_priors(path)
    path.write_text(header + "rate,1/day,lognormal,two,1,,,a_2000,table 1,measured\n", encoding="utf-8")
    with pytest.raises(InvalidField, match="'two' is not a finite number"):
        read_priors(path)
