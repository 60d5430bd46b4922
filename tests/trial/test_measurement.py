from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, kstest

from regraft.errors import InvalidField
from regraft.trial.clinic import load_clinic
from regraft.trial.measurement import RHEUMATOLOGY, Readings

from .hand_made import clinic

MANY = np.arange(20_000)
ERRING = {"assay_cv_cd4": 0.3, "biological_cv_cd4": 0.4, "assay_cv_share": 0.1, "biological_cv_share": 0.1}


def readings(ids: np.ndarray = MANY, seed: int = 5, **changes: float) -> Readings:
    return Readings(ids, seed, clinic(**(ERRING | changes)))


def truth(value: float, ids: np.ndarray = MANY) -> np.ndarray:
    return np.full((ids.size, 1), value)


def test_a_level_errs_with_mean_one_and_the_two_variations_together() -> None:
    seen = readings().level("cd4", truth(400.0), ["Month 3"]) / 400
    # five standard errors of each moment of 20 000 readings
    assert seen.mean() == pytest.approx(1, abs=5 * 0.5 / np.sqrt(MANY.size))
    assert seen.std() == pytest.approx(0.5, rel=0.05)
    sigma = np.sqrt(np.log(1.25))
    assert kstest(np.log(seen[:, 0]), "norm", args=(-(sigma**2) / 2, sigma)).pvalue > 1e-3


def test_a_rater_errs_in_proportion_to_the_score_and_gives_half_steps() -> None:
    seen = readings(edss_rater_cv=0.1).edss(truth(5.0), ["Month 3"])
    assert set(np.unique(seen * 2 % 1)) == {0.0}
    # rounding to half steps adds the variance of a uniform error
    assert seen.std() == pytest.approx(np.sqrt(0.5**2 + 0.5**2 / 12), rel=0.05)
    assert seen.mean() == pytest.approx(5, abs=0.02)


def test_scores_stay_on_the_scale() -> None:
    seen = readings(edss_rater_cv=0.5).edss(truth(9.5), ["Month 3"])
    assert (seen.min(), seen.max()) == (0, 10)
    assert (readings(edss_rater_cv=0.5).edss(truth(0.0), ["Month 3"]) == 0).all()


def test_a_share_is_never_above_one() -> None:
    seen = readings().share("share", truth(0.95), ["Month 3"])
    assert seen.max() == 1
    assert seen.min() < 0.95


def test_equal_truth_gives_equal_readings_in_any_order_and_company() -> None:
    few = np.array([7, 3, 11])
    alone = readings(few).level("cd4", truth(400.0, few), ["Month 3"])
    np.testing.assert_array_equal(alone, readings().level("cd4", truth(400.0), ["Month 3"])[few])


@pytest.mark.parametrize(
    ("seed", "quantity", "visit"), [(6, "cd4", "Month 3"), (5, "cd8", "Month 3"), (5, "cd4", "Month 6")]
)
def test_readings_of_another_seed_quantity_or_visit_are_unrelated(seed: int, quantity: str, visit: str) -> None:
    first = readings().deviates("cd4", ["Month 3"])[:, 0]
    other = readings(seed=seed).deviates(quantity, [visit])[:, 0]
    assert abs(np.corrcoef(first, other)[0, 1]) < 5 / np.sqrt(MANY.size)


def test_several_visits_are_the_columns_of_single_ones() -> None:
    both = readings().deviates("cd4", ["Month 3", "Month 6"])
    np.testing.assert_array_equal(both[:, 1:], readings().deviates("cd4", ["Month 6"]))
    assert readings().deviates("cd4", []).shape == (MANY.size, 0)


def test_what_is_missing_stays_missing() -> None:
    gap = np.array([[np.nan, 2.0]])
    one = readings(np.array([1]))
    for seen in (
        one.edss(gap, ["a", "b"]),
        one.level("cd4", gap, ["a", "b"]),
        one.share("share", gap / 4, ["a", "b"]),
        one.lesions(gap, ["a", "b"]),
    ):
        assert np.isnan(seen).tolist() == [[True, False]]


def test_a_scan_shows_each_lesion_with_the_same_probability() -> None:
    seen = readings(mri_detection=0.8).lesions(truth(4.0), ["Month 12"])[:, 0]
    expected = binom.pmf(np.arange(5), 4, 0.8)
    found = np.bincount(seen.astype(int), minlength=5) / MANY.size
    np.testing.assert_allclose(found, expected, atol=5 * np.sqrt(0.25 / MANY.size))


def test_more_lesions_never_show_fewer_and_none_show_none() -> None:
    clinician = readings(np.arange(500), mri_detection=0.6)
    seen = np.hstack([clinician.lesions(truth(float(n), np.arange(500)), ["Month 12"]) for n in range(8)])
    assert (np.diff(seen, axis=1) >= 0).all()
    assert (seen[:, 0] == 0).all()
    assert (seen <= np.arange(8)).all()


def test_a_perfect_scanner_shows_all() -> None:
    np.testing.assert_array_equal(readings(mri_detection=1.0).lesions(truth(3.0), ["Month 12"]), truth(3.0))


def test_a_quantity_without_an_error_is_refused_by_name() -> None:
    with pytest.raises(InvalidField, match="assay_cv_cd5.*'assay_cv_cd4'"):
        readings().level("cd5", truth(1.0), ["Month 3"])


def in_rheumatology(quantity: str, value: float, visits: int = 1) -> np.ndarray:
    who = Readings(MANY, 5, load_clinic("ra_clinic"))
    return who.rheumatology(quantity, np.full((MANY.size, visits), value), [f"Week {k}" for k in range(visits)])


@pytest.mark.parametrize("quantity", RHEUMATOLOGY)
def test_rheumatology_readings_scatter_around_the_truth_and_know_no_other(quantity: str) -> None:
    value = {"haq": 1.5, "crp": 20.0, "sharp_score": 60.0}.get(quantity, 30.0)
    seen = in_rheumatology(quantity, value)
    assert np.median(seen) == pytest.approx(value, rel=0.03)
    assert 0.02 < seen.std() / value < 0.7
    assert np.isnan(in_rheumatology(quantity, np.nan)).all()


def test_counts_and_scales_stay_on_their_scale_and_steps() -> None:
    ends = {"tender_joints": (68, 1), "swollen_joints": (66, 1), "pain": (100, 1), "haq": (3, 0.125)}
    for quantity, (top, step) in ends.items():
        high, low = in_rheumatology(quantity, float(top)), in_rheumatology(quantity, 0.0)
        assert high.max() == top
        assert low.min() == 0
        assert set(np.unique(np.concatenate([high, low]) / step % 1)) == {0.0}


def test_films_of_some_patients_are_hard_to_read_at_every_visit() -> None:
    error = in_rheumatology("sharp_score", 60.0, visits=2) - 60
    size = np.abs(error)
    assert np.corrcoef(size.T)[0, 1] > 0.1
    assert abs(np.corrcoef(error.T)[0, 1]) < 0.03
    assert in_rheumatology("sharp_score", 200.0).std() > 2 * in_rheumatology("sharp_score", 60.0).std()
