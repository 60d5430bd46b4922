from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.patients.rows import write_population

from regraft.errors import InvalidField
from regraft.patients import Population, load_population, sample_population
from regraft.patients.strata import COLUMNS

IDS = np.arange(4000)
BY_SEX = "weight,female,1,,66,0.15,40,110,assumption,a test,assumed,"
BY_AGE = "weight,age,,30,60,0.15,40,110,assumption,a test,assumed,"


def sample(folder: Path, *rows: str) -> Population:
    write_population(folder)
    if rows:
        (folder / "strata.csv").write_text("\n".join([",".join(COLUMNS), *rows, ""]), encoding="utf-8")
    return sample_population(load_population(folder), (), IDS, 1)


def test_women_have_their_own_distribution_and_men_keep_theirs(tmp_path: Path) -> None:
    plain, by_sex = sample(tmp_path / "a").values, sample(tmp_path / "b", BY_SEX).values
    women = plain["female"] == 1
    np.testing.assert_array_equal(by_sex["weight"][~women], plain["weight"][~women])
    assert by_sex["weight"][women].mean() == pytest.approx(66, abs=0.5)
    assert by_sex["weight"][women].max() <= 110
    for name in ("onset", "duration", "female", "age"):
        np.testing.assert_array_equal(by_sex[name], plain[name])


def test_a_stratum_keeps_everybodys_place_among_others(tmp_path: Path) -> None:
    plain, by_sex = sample(tmp_path / "a").values, sample(tmp_path / "b", BY_SEX).values
    women = plain["female"] == 1
    order = np.argsort(plain["weight"][women])
    assert (np.diff(by_sex["weight"][women][order]) >= 0).all()


def test_strata_may_go_by_a_sum_such_as_age(tmp_path: Path) -> None:
    plain, by_age = sample(tmp_path / "a").values, sample(tmp_path / "b", BY_AGE).values
    changed = by_age["weight"] != plain["weight"]
    np.testing.assert_array_equal(changed, plain["age"] < 30)


def test_a_sum_follows_the_strata_of_its_terms(tmp_path: Path) -> None:
    found = sample(tmp_path, "onset,female,1,,25,5,16,52,assumption,a test,assumed,").values
    np.testing.assert_array_equal(found["age"], found["onset"] + found["duration"])
    assert found["onset"][found["female"] == 1].mean() < 27


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (("wieght,female,1,,66,0.15,,,assumption,a test,assumed,",), "no such covariate. Did you mean 'weight'"),
        (("weight,sex,1,,66,0.15,,,assumption,a test,assumed,",), "'sex' is no covariate"),
        (("weight,weight,1,,66,0.15,,,assumption,a test,assumed,",), "'weight' has strata itself"),
        (("onset,age,1,,25,5,,,assumption,a test,assumed,",), "'age' has strata itself, or is a sum of one"),
        (("weight,female,1,1,66,0.15,,,assumption,a test,assumed,",), "1 is not below 'below' 1"),
        (("weight,female,1,,66,-1,,,assumption,a test,assumed,",), "'spread'"),
        ((BY_SEX, BY_AGE), "strata of one covariate go by one other"),
        ((BY_AGE, BY_AGE.replace(",,30,", ",29,40,")), "strata from -inf and from 29 overlap"),
    ],
)
def test_strata_that_make_no_sense_are_refused(tmp_path: Path, rows: tuple[str, ...], message: str) -> None:
    with pytest.raises(InvalidField) as error:
        sample(tmp_path, *rows)
    assert message in str(error.value)
    assert "strata.csv, row" in str(error.value)
