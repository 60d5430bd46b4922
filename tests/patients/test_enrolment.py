from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from regraft.errors import InvalidField
from regraft.patients.enrolment import COLUMNS, Enrolment, read_enrolment

IDS = np.arange(20_000)
ROWS = (
    "intercept,-1,dimensionless,assumption,a test,assumed,",
    "relapses,1,dimensionless,assumption,a test,assumed,",
)


def write(folder: Path, *rows: str) -> Path:
    path = folder / "enrolment.csv"
    path.write_text("\n".join([",".join(COLUMNS), *rows, ""]), encoding="utf-8")
    return path


def test_a_declared_probability_is_the_share_that_takes_part() -> None:
    found = Enrolment.constant(0.3).takes_part({}, IDS, seed=1)
    assert found.mean() == pytest.approx(0.3, abs=0.01)
    assert Enrolment.constant(1.0).takes_part({}, IDS, seed=1).all()


def test_who_takes_part_does_not_depend_on_who_else_is_asked() -> None:
    half = Enrolment.constant(0.5)
    whole = half.takes_part({}, IDS, seed=1)
    np.testing.assert_array_equal(half.takes_part({}, IDS[5:9], seed=1), whole[5:9])
    assert (half.takes_part({}, IDS, seed=2) != whole).any()


def test_recent_activity_changes_the_odds_as_the_table_says(tmp_path: Path) -> None:
    enrolment = read_enrolment(write(tmp_path, *ROWS))
    chance = enrolment.probability({"relapses": np.array([0.0, 1.0, 2.0, np.nan])}, 4)
    np.testing.assert_allclose(chance[:3] / (1 - chance[:3]), np.exp([-1, 0, 1]), rtol=1e-12)
    assert chance[3] == 0


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ((ROWS[1],), "has no row 'intercept'"),
        ((ROWS[0], ROWS[0]), "row 'intercept' appears twice"),
        (("intercept,-1,dimensionless,assumption,a test,felt,",), "'method': 'felt'"),
        (("intercept,-1,,assumption,a test,assumed,",), "'unit': empty"),
        (("intercept,much,dimensionless,assumption,a test,assumed,",), "'much' is not a finite number"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path: Path, rows: tuple[str, ...], message: str) -> None:
    with pytest.raises(InvalidField) as error:
        read_enrolment(write(tmp_path, *rows))
    assert message in str(error.value)
