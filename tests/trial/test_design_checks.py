from __future__ import annotations

from pathlib import Path

import pytest

from regraft.errors import InvalidField
from regraft.trial import load_design
from regraft.trial.design import parse_design
from regraft.trial.design_checks import check_design

from .designs import VALID, changed, write


def rule(every: float, until: float, unit: str = "month") -> dict[str, dict[str, object]]:
    return {"every": {"value": every, "unit": unit}, "until": {"value": until, "unit": unit}}


def criterion(measure: str, **fields: object) -> list[dict[str, object]]:
    return [{"measure": measure, **fields}]


def success(**fields: object) -> dict[str, object]:
    return {
        "arm": "ahsct",
        "endpoint": "neda3",
        "statistic": "event-free",
        "after": {"value": 1, "unit": "year"},
        "patients_per_arm": 50,
        "parameter": "drive",
        "priors": "ms",
    } | fields


MISTAKES = [
    ("models.1", "hematopoesis", ["models[1] is 'hematopoesis'", "'hematopoiesis'"]),
    ("models.1", "person", ["'person' is named 2 times"]),
    ("population", "ms_relapsin", ["population is 'ms_relapsin'", "'ms_relapsing'"]),
    ("measurements", "ms_clinik", ["measurements is 'ms_clinik'", "'ms_clinic'"]),
    ("outcomes", ["ms_ahsct"], ["outcomes[0] is 'ms_ahsct'", "'ms_ahsct_calibrate'"]),
    ("arms.0.protocol", "ahsct_cy_ag", ["arms[0].protocol is 'ahsct_cy_ag'", "'ahsct_cy_atg'"]),
    ("arms.0.protocol", "own.yaml", ["arms[0].protocol is 'own.yaml'", "there is no file"]),
    ("arms.0.id", "untreated", ["id 'untreated' is used 2 times"]),
    ("reference_arm", "untreate", ["reference_arm is 'untreate'", "'untreated'"]),
    ("endpoints", ["neda4"], ["'neda4' is unknown", "'neda3'"]),
    ("endpoints", ["neda3", "neda3"], ["'neda3' is named 2 times"]),
    ("eligibility", criterion("edsss", min=1, unit="edss"), ["eligibility[0].measure is 'edsss'", "'edss'"]),
    ("eligibility", criterion("age", min=18, unit="month"), ["eligibility[0].unit is 'month'", "'unit: year'"]),
    ("eligibility", criterion("age", min=18), ["eligibility[0].unit is None", "age is in year"]),
    ("eligibility", criterion("edss", unit="edss"), ["eligibility[0] (edss)", "neither 'min' nor 'max'"]),
    ("eligibility", criterion("edss", min=6, max=1, unit="edss"), ["min 6 is above max 1", "Swap"]),
    ("eligibility", criterion("relapses_last_12_months", min=-1), ["eligibility[0]", "cannot be negative"]),
    ("eligibility", criterion("new_lesions_last_12_months", max=-2), ["is a count", "Use 0 or more"]),
    ("visits", [rule(1, 6), rule(1, 3)], ["visits[1]", "month 3, not after month 6"]),
    ("visits", [rule(1, 36)], ["visits[0]", "month 36", "follow-up ends at month 24"]),
    ("visits", [rule(7, 6)], ["visits[0]", "'every' is 7 months", "spans only 6 months"]),
    ("visits", [rule(0.25, 10, "day")], ["visits[0]", "'every' is 0.25 days", "at least one day apart"]),
    ("success", success(arm="untreated"), ["success.arm is 'untreated'", "no arm beside the reference"]),
    ("success", success(endpoint="acr_response"), ["success.endpoint is 'acr_response'", "Known: neda3"]),
    ("success", success(after={"value": 3, "unit": "year"}), ["success.after is 1095", "beyond the follow-up"]),
    ("screening_limit", 3, ["screening_limit is 3", "below patients_per_arm 4"]),
]


@pytest.mark.parametrize(("place", "value", "expected"), MISTAKES, ids=[f"{m[0]}={m[1]}"[:48] for m in MISTAKES])
def test_a_design_that_cannot_be_run_is_refused_by_file_field_and_value(
    tmp_path: Path, place: str, value: object, expected: list[str]
) -> None:
    path = write(tmp_path, changed(place, value))
    with pytest.raises(InvalidField) as error:
        load_design(path)
    (line,) = str(error.value).splitlines()
    assert line.startswith(f"{path}: ")
    for words in expected:
        assert words in line


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    content = changed("visits", [rule(7, 6)]) | {"population": "nobody", "endpoints": ["neda4"], "reference_arm": "x"}
    with pytest.raises(InvalidField) as error:
        load_design(write(tmp_path, content))
    assert len(str(error.value).splitlines()) == 4


def test_a_question_of_success_passes(tmp_path: Path) -> None:
    found = load_design(write(tmp_path, changed("success", success())))
    assert found.success is not None
    assert found.success.after.days == 365.25


def test_a_valid_design_passes() -> None:
    check_design(parse_design(VALID, "here"), "here")


def test_visits_at_the_shortest_allowed_distance_pass() -> None:
    check_design(parse_design(changed("visits", [rule(1, 10, "day")]), "here"), "here")
