"""Whole trials: the same patients with the same luck in every arm, whatever the order, the cores or the company."""

from __future__ import annotations

import numpy as np
import pytest

from regraft.entries import content_hash, entry_folder
from regraft.errors import InvalidArgument
from regraft.therapy import load_protocol
from regraft.trial import TrialDesign, TrialResult, run_trial
from regraft.trial.design import ArmDesign

from .digest import digest

NOT_REPEATED = ("timings",)
NAMES = ("id", "label")


def rows_of(result: TrialResult, arm: str, *, patients: int | None = None) -> dict[str, object]:
    """Return the rows of an arm in every table, without the names of the arm; of the first patients only if asked."""
    ids = result.tables.adsl["USUBJID"].unique()[:patients]
    found = {}
    for name, table in result.tables.named().items():
        chosen = table[(table["ARMCD"] == arm) & table["USUBJID"].isin(ids)]
        found[name] = digest(chosen.drop(columns=["ARMCD", "ARM"], errors="ignore"))
    return found


def observed(result: TrialResult, arm: str) -> object:
    (found,) = [one for one in result.observed.arms if one.id == arm]
    return digest(found, leave_out=NAMES)


def estimates(result: TrialResult, arm: str) -> list[object]:
    return [
        digest(row, leave_out=("arm",))
        for endpoint in result.endpoints.values()
        for row in endpoint.estimates
        if row.arm == arm
    ]


@pytest.fixture(scope="module")
def twins(design: TrialDesign) -> TrialResult:
    """Return a trial of two arms with one protocol under two names."""
    arms = tuple(ArmDesign(id=name, label=name.upper(), protocol="ahsct_cy_atg") for name in ("one", "other"))
    return run_trial(design.model_copy(update={"arms": arms, "reference_arm": "other"}), threads=1)


def test_the_trial_has_something_to_compare(result: TrialResult) -> None:
    assert len(result.observed.arms) == 3
    assert result.population.patient_ids.size == 12
    assert set(result.tables.bds["ARMCD"]) == {"ahsct", "natalizumab", "untreated"}
    rates = [result.endpoint("annualised_relapse_rate").estimate(arm, "rate", 60.0) for arm in ("ahsct", "untreated")]
    assert rates[0] is not None and rates[1] is not None
    assert rates[0].value < rates[1].value


def test_the_same_seed_gives_the_same_result_bit_for_bit(design: TrialDesign, result: TrialResult) -> None:
    again = run_trial(design, threads=1)
    assert digest(again, leave_out=NOT_REPEATED) == digest(result, leave_out=NOT_REPEATED)


def test_another_seed_gives_other_patients(design: TrialDesign, result: TrialResult) -> None:
    other = run_trial(design.model_copy(update={"patients_per_arm": 2}), seed=design.seed + 1, threads=1)
    assert other.provenance.seed == design.seed + 1
    assert rows_of(other, "untreated", patients=2) != rows_of(result, "untreated", patients=2)


def test_neither_cores_nor_the_order_of_arms_change_an_arm(design: TrialDesign, result: TrialResult) -> None:
    turned = run_trial(design.model_copy(update={"arms": design.arms[::-1]}), threads=2)
    assert [arm.id for arm in turned.observed.arms] == [arm.id for arm in design.arms[::-1]]
    for arm in ("ahsct", "natalizumab", "untreated"):
        assert rows_of(turned, arm) == rows_of(result, arm)
        assert observed(turned, arm) == observed(result, arm)
        assert estimates(turned, arm) == estimates(result, arm)
        assert turned.timelines[arm] == result.timelines[arm]


def test_one_protocol_under_two_names_has_the_same_outcome_in_every_patient(twins: TrialResult) -> None:
    assert observed(twins, "one") == observed(twins, "other")
    assert rows_of(twins, "one") == rows_of(twins, "other")
    assert estimates(twins, "one") == estimates(twins, "other")


def test_one_protocol_under_two_names_differs_by_exactly_nothing(twins: TrialResult) -> None:
    contrasts = [row for endpoint in twins.endpoints.values() for row in endpoint.contrasts]
    paired = [row.estimate for row in contrasts if row.is_paired and row.estimate.n > 1]
    assert len(paired) > 20
    assert {(row.value, row.lower, row.upper) for row in paired} == {(0.0, 0.0, 0.0)}
    ratios = [row.estimate.value for row in contrasts if not row.is_paired]
    assert np.isfinite(ratios).any()
    np.testing.assert_allclose([ratio for ratio in ratios if np.isfinite(ratio)], 1, rtol=1e-6)


def test_an_arm_does_not_depend_on_which_other_arms_there_are(twins: TrialResult, result: TrialResult) -> None:
    assert observed(twins, "one") == observed(result, "ahsct")


def test_enrolling_more_patients_keeps_the_first_ones_as_they_were(design: TrialDesign, result: TrialResult) -> None:
    more = run_trial(design.model_copy(update={"patients_per_arm": 15}), threads=1)
    assert more.population.patient_ids[:12].tolist() == result.population.patient_ids.tolist()
    assert more.consort.screening.screened > result.consort.screening.screened
    for arm in ("ahsct", "natalizumab", "untreated"):
        assert rows_of(more, arm, patients=12) == rows_of(result, arm)


def test_all_arms_start_with_the_same_baseline_readings(result: TrialResult) -> None:
    first, *rest = result.observed.arms
    for arm in rest:
        assert set(arm.readings) == set(first.readings)
        for quantity, values in arm.readings.items():
            np.testing.assert_array_equal(values[:, 0], first.readings[quantity][:, 0])


def test_everybody_enrolled_meets_every_criterion(design: TrialDesign, result: TrialResult) -> None:
    table = result.tables.adsl
    for criterion in design.eligibility:
        values = table[criterion.measure.upper()]
        assert (values >= (criterion.min if criterion.min is not None else -np.inf)).all()
        assert (values <= (criterion.max if criterion.max is not None else np.inf)).all()


def test_the_score_at_screening_is_the_baseline_of_every_arm(result: TrialResult) -> None:
    screened = result.tables.adsl.set_index(["USUBJID", "ARMCD"])["EDSS"]
    bds = result.tables.bds
    baseline = bds[(bds["PARAMCD"] == "EDSS") & (bds["ABLFL"] == "Y")].set_index(["USUBJID", "ARMCD"])["AVAL"]
    np.testing.assert_array_equal(baseline.loc[screened.index], screened)


def test_the_flow_adds_up(result: TrialResult) -> None:
    screening = result.consort.screening
    lost = sum(count for _, count in (*screening.failed_criteria, *screening.run_in_failures))
    assert screening.screened == lost + screening.enrolled
    for flow in result.consort.arms:
        assert flow.enrolled == 12 == flow.completed + flow.died + flow.failed
        assert flow.failed == sum(count for _, count in flow.failures)


def test_provenance_lists_every_entry_with_its_hash(design: TrialDesign, result: TrialResult) -> None:
    expected = {("models", model) for model in design.models}
    expected |= {("populations", design.population), ("measurements", design.measurements)}
    expected |= {("trials", trial) for trial in design.outcomes}
    for arm in design.arms:
        expected |= {("protocols", arm.protocol)}
        expected |= {("treatments", name) for name in load_protocol(arm.protocol).treatment_ids}
    entries = {(entry.kind, entry.id): entry for entry in result.provenance.entries}
    assert len(entries) == len(result.provenance.entries)
    assert set(entries) == expected
    for (kind, name), entry in entries.items():
        assert entry.content_hash == content_hash(entry_folder(kind, name))
        assert entry.status
    assert result.provenance.seed == design.seed
    assert result.provenance.citations


def test_a_result_gives_an_endpoint_by_name_or_lists_near_matches(result: TrialResult) -> None:
    assert result.endpoint("neda3").id == "neda3"
    with pytest.raises(InvalidArgument, match="'neda4'.*'neda3'"):
        result.endpoint("neda4")


def test_progress_is_told_by_stage_and_ends_complete(design: TrialDesign) -> None:
    told: list[tuple[str, int, int]] = []
    short = design.model_copy(
        update={"patients_per_arm": 2, "endpoints": ("overall_survival",), "arms": design.arms[2:]}
    )
    result = run_trial(short, threads=1, progress=lambda *news: told.append(news))
    assert [stage for stage, done, total in told if done == total] == ["screening", "arms", "endpoints"]
    assert set(result.timings) == {"plan", "screening", "arm untreated", "endpoints", "tables"}
