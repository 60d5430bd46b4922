from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.therapy.clinic import INFUSE, write_protocol

from regraft.errors import InvalidField, UnitMismatch
from regraft.therapy import load_protocol
from regraft.therapy.donor import Donor


def test_a_donor_tells_the_model_what_is_known() -> None:
    donor = Donor(relation="unrelated", hla="9/10", age="30 year", sex="female", cmv="negative")
    assert donor.values() == {
        "donor_is_other": 1.0,
        "donor_is_related": 0.0,
        "hla_mismatches": 1.0,
        "donor_age": 30.0,
        "donor_is_female": 1.0,
        "donor_has_cmv": 0.0,
    }
    assert Donor(relation="twin", hla="10/10").values() == {
        "donor_is_other": 0.0,
        "donor_is_related": 1.0,
        "hla_mismatches": 0.0,
    }


@pytest.mark.parametrize(
    ("donor", "message"),
    [
        ({"relation": "sibling", "hla": "11/10"}, "11 of 10 alleles cannot match"),
        ({"relation": "sibling", "hla": "9/9"}, "9 alleles are typed; 6, 8, 10 or 12"),
        ({"relation": "twin", "hla": "9/10"}, "identical twin matches in all"),
        ({"relation": "parent", "hla": "4/10"}, "shares one haplotype"),
        ({"relation": "sibling", "hla": "10/10", "age": "-2 year"}, "-2 year is no age"),
        ({"relation": "cousin", "hla": "10/10"}, "relation"),
        ({"hla": "10/10"}, "relation"),
    ],
)
def test_impossible_donors_are_refused_with_the_file(tmp_path: Path, donor: dict[str, Any], message: str) -> None:
    path = write_protocol(tmp_path, {"phase": "infuse", "product": "marrow_graft", "day": 0, "donor": donor})
    with pytest.raises(InvalidField, match=message) as raised:
        load_protocol(path)
    assert str(path) in str(raised.value)


def test_own_cells_have_no_donor_and_those_of_others_need_one(tmp_path: Path) -> None:
    sibling = {"relation": "sibling", "hla": "10/10"}
    with pytest.raises(InvalidField, match="holds the patient's own cells"):
        load_protocol(write_protocol(tmp_path, INFUSE | {"donor": sibling}))
    with pytest.raises(InvalidField, match="Say who: donor"):
        load_protocol(write_protocol(tmp_path, {"phase": "infuse", "product": "marrow_graft", "day": 0}))


@pytest.mark.parametrize(("fallback", "message"), [("marrow_grfat", "marrow_graft"), ("busulfan", "is a drug")])
def test_a_fallback_is_a_product_of_the_catalog(tmp_path: Path, fallback: str, message: str) -> None:
    step = {"phase": "infuse", "product": "marrow_graft", "day": 0, "donor": {"relation": "sibling", "hla": "10/10"}}
    with pytest.raises(InvalidField, match=message):
        load_protocol(write_protocol(tmp_path, step | {"fallback": fallback}))


SECOND = {"after": "42 day", "product": "marrow_graft"}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"product": "marrow_grfat"}, InvalidField, "second.product: .*marrow_graft"),
        ({"product": "busulfan"}, InvalidField, "second.product: 'busulfan' is a drug"),
        ({"product": "autologous_graft"}, InvalidField, "holds no donor's cells"),
        ({"after": "42 mg"}, UnitMismatch, "second.after: '42 mg' is no length of time"),
        ({"after": "0 day"}, InvalidField, "second.after"),
        ({"suppression": 1.5}, InvalidField, "second.suppression"),
        ({"when": "later"}, InvalidField, "when"),
    ],
)
def test_a_second_graft_that_cannot_be_is_refused_with_the_field(
    tmp_path: Path, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    step = {"phase": "infuse", "product": "marrow_graft", "day": 0, "donor": {"relation": "sibling", "hla": "10/10"}}
    load_protocol(write_protocol(tmp_path, step | {"second": SECOND}))
    with pytest.raises(error, match=message):
        load_protocol(write_protocol(tmp_path, step | {"second": SECOND | change}))


def test_own_cells_need_no_second_graft(tmp_path: Path) -> None:
    with pytest.raises(InvalidField, match="which cannot be rejected"):
        load_protocol(write_protocol(tmp_path, INFUSE | {"second": SECOND}))
