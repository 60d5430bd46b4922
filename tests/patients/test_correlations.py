from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from tests.patients.rows import row

from regraft.errors import InvalidField
from regraft.patients.correlations import read_correlations
from regraft.patients.distributions import quantile
from regraft.streams import patient_uniforms

KNOWN = frozenset({"weight", "height", "age", "dose"})
IDS = np.arange(60_000)
# five standard errors of a correlation of so many pairs
NOISE = 5 / np.sqrt(IDS.size)


def write(folder: Path, *pairs: str) -> Path:
    path = folder / "correlations.csv"
    rows = [f"{pair},assumption,a test,assumed" for pair in pairs]
    path.write_text("\n".join(["a,b,rho,source,locator,method", *rows, ""]))
    return path


def sample(folder: Path, *pairs: str) -> dict[str, np.ndarray]:
    correlations = read_correlations(write(folder, *pairs), KNOWN)
    return correlations.apply({name: patient_uniforms(3, IDS, name) for name in KNOWN})


@pytest.mark.parametrize("rho", [-0.95, -0.4, 0.0, 0.7, 0.99])
def test_two_normals_have_the_linear_and_rank_correlation_of_the_table(tmp_path: Path, rho: float) -> None:
    found = sample(tmp_path, f"weight,height,{rho}")
    weight, height = (quantile(row(n, 50, "normal", spread=9), found[n]) for n in ("weight", "height"))
    assert np.corrcoef(weight, height)[0, 1] == pytest.approx(rho, abs=NOISE)
    # a Gaussian copula's rank correlation
    assert stats.spearmanr(weight, height).statistic == pytest.approx(6 / np.pi * np.arcsin(rho / 2), abs=NOISE)


def test_every_pair_reaches_its_correlation_and_other_names_stay_apart(tmp_path: Path) -> None:
    pairs = {("weight", "height"): 0.6, ("height", "age"): -0.5, ("weight", "age"): 0.1}
    found = sample(tmp_path, *(f"{a},{b},{rho}" for (a, b), rho in pairs.items()))
    for (a, b), rho in pairs.items():
        assert np.corrcoef(stats.norm.ppf(found[a]), stats.norm.ppf(found[b]))[0, 1] == pytest.approx(rho, abs=NOISE)
    for name in ("weight", "height", "age"):
        assert abs(np.corrcoef(found["dose"], found[name])[0, 1]) < NOISE


def test_correlation_changes_no_distribution(tmp_path: Path) -> None:
    for values in sample(tmp_path, "weight,height,0.7", "height,age,-0.6").values():
        assert stats.kstest(values, "uniform").pvalue > 1e-4
        assert 0 < values.min() <= values.max() < 1


def test_names_without_correlation_pass_unchanged(tmp_path: Path) -> None:
    found = sample(tmp_path, "weight,height,0.5")
    for name in ("age", "dose", "weight"):
        # the first name of the table keeps its own numbers, up to the rounding of ndtr(ndtri(u))
        np.testing.assert_allclose(found[name], patient_uniforms(3, IDS, name), rtol=1e-10)
    assert not np.allclose(found["height"], patient_uniforms(3, IDS, "height"))


def test_a_row_at_the_end_leaves_the_numbers_of_earlier_names(tmp_path: Path) -> None:
    before = sample(tmp_path, "weight,height,0.5")
    after = sample(tmp_path, "weight,height,0.5", "height,age,0.4")
    for name in ("weight", "height", "dose"):
        np.testing.assert_array_equal(before[name], after[name])
    assert not np.array_equal(before["age"], after["age"])


def test_a_table_without_rows_correlates_nothing(tmp_path: Path) -> None:
    assert read_correlations(write(tmp_path), KNOWN).names == ()


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (("weigth,height,0.5",), "row 'weigth'-'height': 'weigth' is sampled nowhere. Did you mean 'weight'"),
        (("weight,hight,0.5",), "'hight' is sampled nowhere. Did you mean .*'height'"),
        (("weight,height,1",), "rho is 1; two names and -1 < rho < 1"),
        (("weight,height,-1.2",), "rho is -1.2"),
        (("weight,height,nan",), "'nan' is not a finite number"),
        (("weight,weight,0.5",), "row 'weight'-'weight': rho is 0.5; two names"),
        (("weight,height,0.5", "height,weight,0.4"), "row 'height'-'weight': the pair appears twice"),
        (
            ("weight,height,0.9", "height,age,0.9", "weight,age,-0.9"),
            "row 'height'-'age': rho 0.9 contradicts the rows above it.*not positive definite.* Lower one",
        ),
        (
            ("weight,height,0.6", "height,age,0.6", "weight,age,-0.6"),
            "row 'weight'-'age': rho -0.6 contradicts the rows above it",
        ),
    ],
)
def test_a_table_that_no_patients_can_follow_is_refused(tmp_path: Path, pairs: tuple[str, ...], message: str) -> None:
    with pytest.raises(InvalidField, match=f"correlations.csv.*{message}"):
        read_correlations(write(tmp_path, *pairs), KNOWN)


def test_the_order_of_rows_decides_nothing_about_what_is_possible(tmp_path: Path) -> None:
    # the first two rows alone are impossible: a pair without a row is not correlated
    possible = ("weight,height,0.8", "height,age,0.8", "weight,age,0.6")
    for rows in (possible, possible[::-1]):
        assert len(read_correlations(write(tmp_path, *rows), KNOWN).names) == 3
