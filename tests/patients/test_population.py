from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.patients.rows import COVARIATES, row, write_population
from tests.therapy.clinic import CORE

from regraft.entries import list_entries
from regraft.errors import InvalidArgument, InvalidField, UnitMismatch, UnknownEntry
from regraft.model import join, load_part, read_antimony
from regraft.patients import Population, PopulationSpec, load_population, sample_population

IDS = np.arange(5_000)
ROWS = (
    row("k", 0.5, "lognormal", spread=0.3, unit="1/day"),
    row("fixed", 2.0),
    row("weight", 70, "normal", spread=1, unit="kg"),
    row("age", 40, "normal", spread=1, unit="year"),
)


@pytest.fixture
def spec(tmp_path: Path) -> PopulationSpec:
    return load_population(write_population(tmp_path / "adults"))


def same(first: Population, second: Population, names: list[str] | None = None) -> None:
    for name in names or first.values:
        np.testing.assert_array_equal(first.values[name], second.values[name], err_msg=name)


def test_a_population_is_read_with_its_sums_and_limits(spec: PopulationSpec) -> None:
    assert [r.id for r in spec.covariates] == ["onset", "duration", "weight", "female"]
    assert spec.sums == {"age": ("onset", "duration")}
    assert spec.entry.limits == ("for tests",)


def test_an_unknown_population_lists_near_matches() -> None:
    with pytest.raises(UnknownEntry, match="Did you mean 'ms_relapsing'"):
        load_population("ms_relapsin")


def test_covariates_spread_parameters_and_sums_are_sampled_and_fixed_ones_are_not(spec: PopulationSpec) -> None:
    people = sample_population(spec, ROWS, IDS, 7)
    assert set(people.values) == {"onset", "duration", "weight", "female", "age", "k"}
    assert people.covariate_ids == ("onset", "duration", "weight", "female", "age")
    assert people.units["age"] == "year"
    np.testing.assert_array_equal(people.values["age"], people.values["onset"] + people.values["duration"])


def test_a_covariate_or_sum_replaces_the_distribution_of_a_parameter(spec: PopulationSpec) -> None:
    people = sample_population(spec, ROWS, IDS, 7)
    # the parameter's own row has a standard deviation of 1
    assert people.values["weight"].std() > 10
    assert people.values["age"].std() > 7


def test_other_rows_in_the_tables_change_nobody(spec: PopulationSpec) -> None:
    before = sample_population(spec, ROWS, IDS, 7)
    more = (row("new", 1, "normal", spread=1), *reversed(ROWS))
    same(before, sample_population(spec, more, IDS, 7))
    extended = replace(spec, covariates=(row("extra", 1, "normal", spread=1), *spec.covariates))
    same(before, sample_population(extended, ROWS, IDS, 7))


def test_other_patients_and_their_order_change_nobody(spec: PopulationSpec) -> None:
    some = sample_population(spec, ROWS, np.array([4, 9, 400_000]), 7)
    mixed = sample_population(spec, ROWS, np.array([400_000, 1, 4, 2, 9]), 7)
    for name, values in some.values.items():
        np.testing.assert_array_equal(values, mixed.values[name][[2, 4, 0]], err_msg=name)


def test_another_seed_gives_other_patients(spec: PopulationSpec) -> None:
    first, second = (sample_population(spec, ROWS, IDS, seed) for seed in (7, 8))
    for name, values in first.values.items():
        # shared zeros and ones are all that a yes-or-no covariate can have
        assert (values == second.values[name]).mean() < (0.7 if name == "female" else 0.01), name


def test_covariates_have_the_correlations_and_shares_of_the_tables(spec: PopulationSpec) -> None:
    people = sample_population(spec, ROWS, np.arange(60_000), 7)
    noise = 5 / np.sqrt(60_000)
    assert people.values["female"].mean() == pytest.approx(0.72, abs=0.5 * noise)
    # a uniform and a bounded normal: the linear correlation is a little below that of the scores
    assert np.corrcoef(people.values["onset"], people.values["duration"])[0, 1] == pytest.approx(-0.29, abs=0.02)
    assert abs(np.corrcoef(people.values["female"], people.values["weight"])[0, 1]) < noise


def test_a_population_without_correlations_is_independent(tmp_path: Path) -> None:
    spec = load_population(write_population(tmp_path / "adults", correlations=None))
    people = sample_population(spec, (), np.arange(60_000), 7)
    assert abs(np.corrcoef(people.values["onset"], people.values["duration"])[0, 1]) < 5 / np.sqrt(60_000)


def test_the_parameter_matrix_fills_in_what_does_not_differ(spec: PopulationSpec) -> None:
    equations = read_antimony("model m()\n  x = 1; k = 3; fixed = 4; other = 5;\n  x' = -k*fixed*other*x;\nend\n")
    units = {"k": "1/day", "fixed": "dimensionless", "other": "mg"}
    equations = replace(equations, parameters=tuple(replace(p, unit=units[p.id]) for p in equations.parameters))
    people = sample_population(spec, ROWS, IDS, 7)
    matrix = people.parameter_matrix(equations)
    assert matrix.shape == (IDS.size, 3)
    column = equations.parameter_index
    np.testing.assert_array_equal(matrix[:, column["k"]], people.values["k"])
    assert set(matrix[:, column["fixed"]]) == {4.0}
    assert set(matrix[:, column["other"]]) == {5.0}


def test_a_covariate_in_another_unit_than_the_model_is_refused(spec: PopulationSpec) -> None:
    equations = read_antimony("model m()\n  x = 1; weight = 70000;\n  x' = -x/weight;\nend\n")
    equations = replace(equations, parameters=(replace(equations.parameters[0], unit="g"),))
    people = sample_population(spec, (), IDS, 7)
    with pytest.raises(UnitMismatch, match="gives 'weight' in kg, model 'm' takes it in g"):
        people.parameter_matrix(equations)


def test_further_draws_are_keyed_by_patient_and_name(spec: PopulationSpec) -> None:
    people = sample_population(spec, ROWS, IDS, 7)
    dose, other = row("dose", 5, "lognormal", spread=0.5), row("other", 5, "lognormal", spread=0.5)
    drawn = people.draw([dose, other])
    np.testing.assert_array_equal(drawn["dose"], people.draw([dose])["dose"])
    few = sample_population(spec, ROWS, IDS[10:12], 7)
    np.testing.assert_array_equal(drawn["dose"][10:12], few.draw([dose])["dose"])
    assert abs(np.corrcoef(drawn["dose"], drawn["other"])[0, 1]) < 5 / np.sqrt(IDS.size)
    assert abs(np.corrcoef(drawn["dose"], people.values["k"])[0, 1]) < 5 / np.sqrt(IDS.size)


@pytest.mark.parametrize("ids", [[-1], [2**32], [[1, 2]], [1.5], [np.nan]])
def test_ids_that_no_patient_can_have_are_refused(spec: PopulationSpec, ids: list[object]) -> None:
    with pytest.raises(InvalidArgument, match="patient_ids must be whole numbers from 0 to"):
        sample_population(spec, ROWS, np.array(ids), 7)


def test_nobody_is_a_population_too(spec: PopulationSpec) -> None:
    people = sample_population(spec, ROWS, np.zeros(0, dtype=np.int64), 7)
    assert all(values.shape == (0,) for values in people.values.values())


@pytest.mark.parametrize(
    ("sums", "message"),
    [
        ('[sums]\nage = ["onset", "durtion"]\n', "sums.age uses 'durtion'. Did you mean 'duration'"),
        ('[sums]\nweight = ["onset", "duration"]\n', "sums.weight is a row of covariates.csv too"),
        ('[sums]\nage = ["onset", "weight"]\n', "sums.age adds 'onset' in year and 'weight' in kg"),
        ('[sums]\nage = "onset"\n', "sums.age is 'onset'; write a list"),
        ("[sums]\nage = []\n", r"sums.age is \[\]; write a list"),
    ],
)
def test_sums_that_cannot_be_formed_are_refused(tmp_path: Path, sums: str, message: str) -> None:
    with pytest.raises(InvalidField, match=f"entry.toml: {message}"):
        load_population(write_population(tmp_path / "adults", sums=sums))


def test_a_correlation_with_what_is_not_sampled_is_refused(tmp_path: Path) -> None:
    folder = write_population(tmp_path / "adults", covariates=COVARIATES[:2])
    with pytest.raises(InvalidField, match="'weight' is sampled nowhere"):
        sample_population(load_population(folder), (), IDS, 7)


def test_a_correlation_with_a_sum_is_refused_because_the_sum_is_not_drawn(tmp_path: Path) -> None:
    folder = write_population(tmp_path / "adults", correlations=("age,weight,0.2,assumption,a test,assumed",))
    with pytest.raises(InvalidField, match="'age' is sampled nowhere"):
        sample_population(load_population(folder), ROWS, IDS, 7)


@pytest.mark.parametrize("name", list_entries("populations"))
def test_every_catalog_population_fits_the_core_model(name: str) -> None:
    model = join([load_part(part) for part in CORE])
    people = sample_population(load_population(name), model.parameter_rows, IDS, 1)
    matrix = people.parameter_matrix(model.equations)
    assert matrix.shape == (IDS.size, len(model.equations.parameters))
    assert np.isfinite(matrix).all()
