from __future__ import annotations

from pathlib import Path

import pytest
from tests.therapy.clinic import ADMINISTRATION, PRODUCT, ROWS, TARGET, write_treatment

from regraft.entries import list_entries
from regraft.errors import DoseOutOfRange, InvalidField, UnknownEntry
from regraft.therapy import load_treatment
from regraft.therapy.treatment import Target

DRUG = '[administration]\ntarget = "drug"\ntarget_unit = "mg/kg"\nkind = "infusion"\ndose_units = ["mg/kg", "mg"]\n'


def limits(**values: str) -> tuple[str, ...]:
    return tuple(f"{name},{value},fixed,,,,assumption,a test,assumed," for name, value in values.items())


def test_a_product_is_read_with_targets_doses_and_viability(tmp_path: Path) -> None:
    product = load_treatment(write_treatment(tmp_path / "cells", PRODUCT + ADMINISTRATION + TARGET))
    assert (product.is_product, product.kind, product.viability) == (True, "bolus", "viability")
    assert product.targets == (Target("graft", "Mcell/kg", "dose"),)
    assert product.routes == ("intravenous",)


def test_an_unknown_treatment_lists_near_matches() -> None:
    with pytest.raises(UnknownEntry, match="Did you mean 'cyclophosphamide'"):
        load_treatment("cyclofosfamide")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"the table \[administration\] is missing"),
        (DRUG.replace("infusion", "drip"), "administration.kind is 'drip'; use one of bolus, infusion"),
        (DRUG.replace('kind = "infusion"', ""), "administration.kind is missing"),
        (DRUG.replace('target = "drug"', ""), "administration.target is missing"),
        (DRUG.replace('target_unit = "mg/kg"', "target_unit = 3"), "administration.target_unit is missing"),
        (DRUG.replace('["mg/kg", "mg"]', '"mg/kg"'), "administration.dose_units is 'mg/kg'; write a list of texts"),
        (DRUG.replace('["mg/kg", "mg"]', "[]"), r"administration.dose_units is \[\]"),
        (DRUG + 'dose_parameter = "dsoe"\n', "dose_parameter 'dsoe' is no row of parameters.csv. Did you mean 'dose'"),
        (
            PRODUCT + ADMINISTRATION + TARGET.replace('dose_parameter = "dose"', ""),
            "target 'graft' has no dose_parameter",
        ),
        (
            PRODUCT.replace('= "via', '= "vai') + ADMINISTRATION + TARGET,
            "product.viability 'vaibility' is no row.*'viability'",
        ),
    ],
)
def test_an_entry_that_cannot_be_given_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidField, match=f"entry.toml: {message}"):
        load_treatment(write_treatment(tmp_path / "cells", text))


def test_a_limit_is_given_in_the_unit_of_the_dose(tmp_path: Path) -> None:
    drug = load_treatment(write_treatment(tmp_path / "cells", DRUG, (*ROWS, *limits(dose_max="60,mg/kg"))))
    assert drug.limit("dose_max", "ug/kg") == pytest.approx(60_000)
    assert drug.limit("dose_max", "mg") is None
    assert drug.limit("dose_min", "mg/kg") is None


@pytest.mark.parametrize(
    ("given", "value", "message"),
    [
        (
            {"dose_min": "1,mg/kg", "dose_max": "60,mg/kg"},
            61,
            "61 mg/kg of 'cells'; a single dose lies from 1 to 60 mg",
        ),
        ({"dose_min": "1,mg/kg", "dose_max": "60,mg/kg"}, 0.5, "from 1 to 60 mg/kg"),
        ({"dose_max": "60,mg/kg"}, 61, "above 0 to 60 mg/kg"),
        ({"dose_min": "1000,ug/kg"}, 0.5, "from 1 mg/kg"),
        ({}, 0, "above 0 mg/kg"),
        ({}, -3, "-3 mg/kg of 'cells'; a single dose lies above 0 mg/kg. Change it"),
    ],
)
def test_a_dose_outside_the_limits_is_refused_with_the_limits(
    tmp_path: Path, given: dict[str, str], value: float, message: str
) -> None:
    drug = load_treatment(write_treatment(tmp_path / "cells", DRUG, (*ROWS, *limits(**given))))
    drug.check_dose(30, "mg/kg", "here")
    with pytest.raises(DoseOutOfRange, match=f"here: .*{message}"):
        drug.check_dose(value, "mg/kg", "here")


def test_a_dose_in_a_unit_that_the_agent_does_not_have_is_refused(tmp_path: Path) -> None:
    drug = load_treatment(write_treatment(tmp_path / "cells", DRUG))
    with pytest.raises(DoseOutOfRange, match="'cells' in 'mg/m\\^2' is not possible; write it in mg/kg or mg"):
        drug.check_dose(10, "mg/m^2", "here")


@pytest.mark.parametrize("name", list_entries("treatments"))
def test_every_catalog_treatment_accepts_its_own_limits(name: str) -> None:
    treatment = load_treatment(name)
    assert treatment.is_product == (not treatment.dose_units)
    for limit in ("dose_min", "dose_max"):
        if not treatment.is_product:
            row = treatment.rows[limit]
            treatment.check_dose(row.value, row.unit, limit)
