"""Who is plausible and who takes part: read from the design and its population, counted in screening."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regraft.entries import catalog_root
from regraft.errors import InvalidField, UnitMismatch, UsageError
from regraft.trial import TrialDesign, load_design
from regraft.trial.design import EnrolmentRule, Plausible, PlausibleRange, WeightsRule
from regraft.trial.plan import Plan, make_plan
from regraft.trial.result import Screening
from regraft.trial.screening import DECLINED, IMPLAUSIBLE, RUN_IN_FAILED, Enrolled, fate, screen, screen_batch

from . import designs
from .digest import digest


def ranges(*rows: dict[str, Any]) -> Plausible:
    return Plausible(ranges=tuple(PlausibleRange.model_validate(row) for row in rows))


def planned(design: TrialDesign, **changes: object) -> Plan:
    return make_plan(design.model_copy(update=changes), threads=1)


@pytest.fixture(scope="module")
def own_population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the catalog's population without its tables on people."""
    folder = tmp_path_factory.mktemp("own") / "adults"
    folder.mkdir()
    for name in ("entry.toml", "covariates.csv", "correlations.csv"):
        (folder / name).write_bytes((catalog_root() / "populations" / "ms_relapsing" / name).read_bytes())
    return folder


def test_ranges_that_everybody_stays_in_change_nobody(
    design: TrialDesign, screened: tuple[Enrolled, Screening]
) -> None:
    wide = ranges({"quantity": "edss", "min": -1, "max": 11, "unit": "edss", "when": "run_in"})
    people, counts = screen(planned(design, plausible=wide, enrolment=EnrolmentRule(probability=1)))
    assert digest(people) == digest(screened[0])  # although more days of the run-in were recorded
    assert counts.screened == screened[1].screened
    assert counts.implausible == (("edss -1 to 11 edss during the run-in", 0),)


def test_each_patient_is_counted_once_and_eligible_is_not_enrolled(design: TrialDesign) -> None:
    narrow = ranges({"quantity": "edss", "max": 4, "unit": "edss"}, {"quantity": "relapses_per_year", "max": 1,
                    "unit": "1/year", "when": "run_in"})  # fmt: skip
    plan = planned(design, plausible=narrow, enrolment=EnrolmentRule(probability=0.5), screening_limit=5000)
    people, counts = screen(plan)
    assert min(count for _, count in counts.implausible) > 0
    assert counts.declined > 0
    lost = (*counts.implausible, *counts.failed_criteria, *counts.run_in_failures)
    assert sum(count for _, count in lost) + counts.declined + counts.enrolled == counts.screened
    steps = dict(counts.funnel)
    assert list(steps) == ["screened", "plausible", "eligible", "enrolled"]
    assert steps["screened"] > steps["plausible"] > steps["eligible"] > steps["enrolled"] == 12
    assert steps["eligible"] == 12 + counts.declined
    years = (plan.design.randomisation_day - people.onset) / 365.25
    assert (people.events.count(plan.groups.relapse, -np.inf, np.inf) / years <= 1).all()


def test_the_run_in_is_looked_at_between_its_ends(design: TrialDesign) -> None:
    everybody = {"eligibility": ()}
    ends, whole = (
        screen_batch(
            planned(
                design, **everybody, plausible=ranges({"quantity": "edss", "max": 5, "unit": "edss", "when": when})
            ),
            np.arange(400),
        ).failed
        == IMPLAUSIBLE
        for when in ("randomisation", "run_in")
    )
    assert (whole >= ends).all()
    assert whole.sum() > ends.sum()  # some were worse for a while and recovered


def test_recent_activity_decides_who_takes_part(design: TrialDesign) -> None:
    plan = planned(design, eligibility=(), enrolment=EnrolmentRule(population=True), patients_per_arm=300)
    batch = screen_batch(plan, np.arange(2000))
    active = batch.baseline["relapses_last_12_months"] >= 2
    declined = batch.failed == DECLINED
    assert active.sum() > 50
    assert declined[active].mean() < declined[~active].mean() - 0.1


def test_the_populations_own_ranges_are_written_out_in_the_design_of_the_plan(design: TrialDesign) -> None:
    plan = planned(design, plausible=Plausible(population=True))
    rule = plan.design.plausible
    assert rule is not None and not rule.population
    assert {one.quantity for one in rule.ranges} >= {"edss", "relapses_per_year", "neutrophils"}
    assert plan.selection.sources  # of the ranges
    assert make_plan(plan.design, threads=1).design.plausible == rule  # and stay the same if planned again


def test_too_few_says_how_many_were_not_plausible_or_did_not_want(design: TrialDesign) -> None:
    plan = planned(
        design,
        eligibility=(),
        plausible=ranges({"quantity": "edss", "max": 2, "unit": "edss"}),
        enrolment=EnrolmentRule(probability=0.01),
        screening_limit=40,
    )
    with pytest.raises(UsageError, match=r"implausible, edss at most 2 edss.*: \d+, eligible, did not take part: \d+"):
        screen(plan)


def test_every_fate_reads_as_words(design: TrialDesign) -> None:
    rule = ranges({"quantity": "edss", "max": 4, "unit": "edss"})
    told = [fate(design.model_copy(update={"plausible": rule}), code) for code in (-1, RUN_IN_FAILED, DECLINED, 0)]
    assert told[:3] == ["eligible", "run-in not solved", "eligible, did not take part"]
    assert told[3].startswith("not eligible: age 18 to 55")
    assert fate(design.model_copy(update={"plausible": rule}), IMPLAUSIBLE).startswith("not plausible: edss at most 4")


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("plausible", {"ranges": [{"quantity": "edss", "unit": "edss"}]}, "neither 'min' nor 'max'"),
        ("plausible", {"ranges": [{"quantity": "edss", "min": 5, "max": 4}]}, "min 5 is not below max 4"),
        ("plausible", {"ranges": [{"quantity": "edss", "max": 4, "when": "later"}]}, "plausible.ranges[0].when is"),
        ("plausible", {"range": []}, "unknown key 'plausible.range'. Did you mean 'ranges'"),
        ("enrolment", {}, "either 'probability: 0.6' or 'population: true'"),
        ("enrolment", {"population": True, "probability": 0.5}, "either 'probability: 0.6' or 'population: true'"),
        ("enrolment", {"probability": 1.5}, "enrolment.probability is 1.5"),
        ("weights", {"to": "x", "smallest_effective_size": 30}, "'weights.largest_share' is missing"),
        ("weights", {"to": "x", "smallest_effective_size": 30, "largest_share": 0}, "weights.largest_share is 0"),
    ],
)
def test_a_design_that_asks_for_nonsense_is_refused(tmp_path: Path, place: str, value: object, message: str) -> None:
    with pytest.raises(InvalidField) as error:
        load_design(designs.write(tmp_path, dict(designs.VALID) | {place: value}))
    assert message in str(error.value)


def test_a_range_of_something_that_is_not_looked_at_is_refused(design: TrialDesign) -> None:
    with pytest.raises(InvalidField, match=r"ranges\[0\].quantity is 'edsss'.*Did you mean 'edss'"):
        planned(design, plausible=ranges({"quantity": "edsss", "max": 4, "unit": "edss"}))
    with pytest.raises(UnitMismatch, match="unit is 'year'; edss is in edss. Write 'unit: edss'"):
        planned(design, plausible=ranges({"quantity": "edss", "max": 4, "unit": "year"}))
    with pytest.raises(InvalidField, match="counted over the whole run-in. Write 'when: run_in'"):
        planned(design, plausible=ranges({"quantity": "relapses_per_year", "max": 4, "unit": "1/year"}))


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"plausible": Plausible(population=True)}, "has no plausible.csv. Write the ranges"),
        ({"weights": WeightsRule(to="x", smallest_effective_size=9, largest_share=0.5)}, "has no baseline.csv"),
        ({"enrolment": EnrolmentRule(population=True)}, "enrolment.csv"),
    ],
)
def test_a_table_that_the_population_does_not_have_is_named(
    design: TrialDesign, own_population: Path, rule: dict[str, object], message: str
) -> None:
    from regraft.errors import InvalidFile

    with pytest.raises(InvalidFile) as error:
        planned(design, population=str(own_population), **rule)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        ("mood,0.5,dimensionless", InvalidField, "row 'mood': screening measures no such thing"),
        ("age,0.5,1/month", UnitMismatch, "row 'age', column 'unit': '1/month'; age is in year.*Write '1/year'"),
    ],
)
def test_a_term_of_enrolment_must_be_measured_in_its_unit(
    design: TrialDesign, own_population: Path, row: str, error: type[Exception], message: str
) -> None:
    table = own_population / "enrolment.csv"
    lines = ("term,value,unit,source,locator,method,note", "intercept,0,dimensionless,assumption,a test,assumed,")
    table.write_text("\n".join([*lines, f"{row},assumption,a test,assumed,", ""]), encoding="utf-8")
    try:
        with pytest.raises(error, match=message):
            planned(design, population=str(own_population), enrolment=EnrolmentRule(population=True))
    finally:
        table.unlink()
