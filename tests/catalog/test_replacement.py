"""What must hold for grafts of others whatever the parameters are: luck, lineages, dose, donors, genes."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from regraft.engine import Kernel, Result, compile_model, solve
from regraft.engine.administrations import Administrations
from regraft.model import join, load_part
from regraft.patients import Population, load_population, sample_population
from regraft.therapy import compile_protocol, load_protocol
from regraft.therapy.donor import Donor
from regraft.therapy.protocol import InfuseStep, MonitorStep, Protocol

PARTS = (
    "person", "hematopoiesis", "erythropoiesis", "immunity", "busulfan", "atg_rabbit", "ciclosporin",
    "mycophenolate", "immunosuppression", "scid", "allogeneic", "harm", "chimerism",
)  # fmt: skip
LINEAGES = ("host", "donor")
DAYS = np.array([-10.0, 0, 7, 14, 21, 30, 45, 60, 90, 120, 180, 365, 730, 1460])
HARMS = ("acute_gvhd", "severe_acute_gvhd", "chronic_gvhd", "graft_rejected")


@cache
def kernel() -> Kernel:
    equations = join([load_part(part) for part in PARTS], id="replacement", lineages=LINEAGES).equations
    return compile_model(equations, [*equations.state_index, *equations.assignment_index])


@cache
def infants(count: int = 120) -> Population:
    rows = join([load_part(part) for part in PARTS], lineages=LINEAGES).parameter_rows
    return sample_population(load_population("scid_infants"), rows, np.arange(count), 11)


def without_fallback(protocol: Protocol, **changes: object) -> Protocol:
    steps = [
        step.model_copy(update=changes) if isinstance(step, InfuseStep) else step
        for step in protocol.steps
        if not isinstance(step, MonitorStep)
    ]
    return protocol.model_copy(update={"steps": tuple(steps)})


def outcome(protocol: Protocol, *, days: np.ndarray = DAYS, mortal: bool = False, **values: float) -> Result:
    """Simulate the infants from day -10, well and without own infections unless a value says otherwise."""
    people, equations = infants(), kernel().equations
    matrix = people.parameter_matrix(equations)
    chosen = {"risk_start_day": -10.0, "k_opportunistic": 0.0} | values
    for name, value in chosen.items():
        matrix[:, equations.parameter_index[name]] = value
    doses: Administrations = compile_protocol(protocol, people, equations).administrations
    if not mortal:
        deaths = [name for name in equations.parameter_index if name.startswith("k_death")]
        matrix[:, [equations.parameter_index[name] for name in [*deaths, "background_rate"]]] = 0.0
    result = solve(
        kernel(), matrix, times=days, patient_ids=people.patient_ids, seed=11, administrations=doses,
        terminal_events=[event.id for event in equations.events if event.id.startswith("death_")] if mortal else (),
    )  # fmt: skip
    assert mortal or (result.status == 0).all()
    return result


def happened(result: Result, event: str) -> np.ndarray:
    index = result.event_ids.index(event)
    return np.isin(np.arange(result.patient_ids.size), result.event_patient[result.event_index == index])


def at(result: Result, name: str, day: float) -> np.ndarray:
    return result.output(name)[:, int(np.searchsorted(result.times[0] if result.times.ndim > 1 else result.times, day))]


@cache
def unrelated() -> Result:
    return outcome(without_fallback(load_protocol("scid_unrelated")))


@cache
def sibling() -> Result:
    return outcome(without_fallback(load_protocol("scid_sibling")))


def test_no_state_is_ever_negative() -> None:
    for result in (unrelated(), sibling()):
        columns = [result.output_ids.index(name) for name in kernel().equations.state_index]
        lowest = np.nanmin(result.values[:, :, columns], axis=(0, 1))
        scale = np.nanmax(np.abs(result.values[:, :, columns]), axis=(0, 1)) + 1e-9
        assert (lowest >= -1e-6 * scale).all(), np.array(result.output_ids)[columns][lowest < -1e-6 * scale]


def test_plain_names_are_the_sums_of_lineages() -> None:
    result = unrelated()
    for name in ("neutrophils", "cd4_naive", "b_cells", "nk", "hsc", "platelets", "red_cells", "t_cells"):
        total = sum(result.output(f"{name}_{lineage}") for lineage in LINEAGES)
        np.testing.assert_allclose(result.output(name), total, rtol=1e-9, atol=1e-12)


def test_a_donor_who_is_another_person_harms_and_a_twin_never_does() -> None:
    other = unrelated()
    assert all(happened(other, harm).any() for harm in HARMS[:3])
    twin = Donor(relation="twin", hla="10/10")
    same = outcome(without_fallback(load_protocol("scid_unrelated"), donor=twin))
    assert not any(happened(same, harm).any() for harm in HARMS)
    assert (at(same, "t_chimerism", 365) > 0.9).mean() > 0.9  # it engrafts all the same


def test_own_cells_never_harm() -> None:
    protocol = without_fallback(load_protocol("scid_unrelated"), product="autologous_graft", donor=None, doses={})
    own = outcome(protocol)
    assert not any(happened(own, harm).any() for harm in HARMS)
    assert (at(own, "neutrophils", 60) > 500).mean() > 0.9


def test_survivors_of_conditioning_are_counted_cells() -> None:
    result, people = unrelated(), infants()
    number = people.values["hsc_number"]
    after = at(result, "hsc_host", 0) * number  # drawn before the graft; little has grown since
    events = happened(result, "hsc_draw")
    assert events.all()
    counts = at(result, "hsc_host", 14) * number
    assert (counts == 0).any()  # extinct in some patients, which no average ever is
    assert (after < 1e5).all()


def test_more_stem_cells_never_delay_engraftment() -> None:
    days = np.array([-10.0, *np.arange(0, 61)])
    before = None
    for dose in (1, 2, 4, 8, 16):
        protocol = without_fallback(load_protocol("scid_unrelated"), doses={"cd34_dose": f"{dose} Mcell/kg"})
        neutrophils = outcome(protocol, days=days, k_rejection=0.0).output("neutrophils")[:, 8:]
        back = np.where((neutrophils > 500).any(axis=1), (neutrophils > 500).argmax(axis=1), 99)
        assert before is None or (back <= before).all()
        before = back
    assert (back < 99).all()


def test_without_a_graft_a_myeloablative_dose_is_fatal() -> None:
    protocol = load_protocol("scid_unrelated")
    steps = [step for step in protocol.steps if not isinstance(step, InfuseStep)]
    strong = [
        step.model_copy(update={"target_auc": "110 mg*hour/L"}) if getattr(step, "target_auc", None) else step
        for step in steps
    ]
    result = outcome(protocol.model_copy(update={"steps": tuple(strong)}), mortal=True, potency_busulfan_hsc=0.3)
    died = np.zeros(result.patient_ids.size, dtype=bool)
    for event in result.event_ids:
        if event.startswith("death_"):
            died |= happened(result, event)
    assert died.mean() > 0.97
    treated = outcome(load_protocol("scid_unrelated"), mortal=True)
    assert happened(treated, "death_infection").mean() < 0.3


@pytest.mark.parametrize(
    ("gene", "own_b", "own_nk"), [("share_il2rg", True, False), ("share_rag", False, True), ("share_ada", True, True)]
)
def test_genes_block_what_they_block(gene: str, own_b: bool, own_nk: bool) -> None:
    shares = dict.fromkeys(("share_il2rg", "share_rag", "share_ada"), 0.0) | {gene: 1.0}
    result = outcome(without_fallback(load_protocol("scid_sibling")), **shares)
    assert (at(result, "t_cells_host", 0) < 60).all()
    if gene == "share_ada":
        return
    assert ((at(result, "b_cells_host", 365) > 50) == own_b).mean() > 0.95
    assert ((at(result, "nk_host", 0) > 20) == own_nk).mean() > 0.95
    kept = ~happened(result, "graft_rejected")
    # without conditioning: T cells are the donor's, marrow stays the patient's
    assert (at(result, "t_chimerism", 365)[kept] > 0.95).mean() > 0.9
    assert np.median(at(result, "myeloid_chimerism", 365)[kept]) < 0.1
    b_chimerism = np.median(at(result, "b_chimerism", 365)[kept])
    assert b_chimerism < 0.1 if own_b else b_chimerism > 0.9


def test_a_patient_without_thymus_gets_memory_cells_only() -> None:
    result = outcome(without_fallback(load_protocol("scid_sibling")), thymus_tissue=0.0, k_rejection=0.0)
    share = at(result, "naive_share", 730)
    assert np.median(share) < 0.1
    assert np.median(at(result, "cd4", 730)) > 100
    whole = sibling()
    assert np.median(at(whole, "naive_share", 730)) > 0.4


def with_donor(*, carrier: float = 0.0, **facts: str) -> Result:
    """Simulate boys, carriers of cytomegalovirus or not, with a donor of whom some facts are known."""
    donor = Donor.model_validate({"relation": "unrelated", "hla": "10/10"} | facts)
    protocol = without_fallback(load_protocol("scid_unrelated"), donor=donor)
    return outcome(protocol, sex_female=0.0, patient_has_cmv=carrier)


def gained(result: Result, name: str) -> float:
    return float(at(result, name, 365).mean() - at(result, name, -10).mean())


def test_older_donors_cause_more_disease_and_no_more_rejection() -> None:
    young, old, unknown = with_donor(age="18 year"), with_donor(age="60 year"), with_donor()
    assert gained(young, "H_acute_gvhd") < gained(unknown, "H_acute_gvhd") < gained(old, "H_acute_gvhd")
    assert gained(with_donor(age="30 year"), "H_acute_gvhd") == gained(unknown, "H_acute_gvhd")
    # rejection is the patient's doing; a graft that reacts more clears more of the cells that reject
    assert (at(old, "H_rejection", 14) <= at(young, "H_rejection", 14) * (1 + 1e-6)).all()


def test_cells_of_women_harm_men_late() -> None:
    from_woman, from_man = with_donor(sex="female"), with_donor(sex="male")
    assert gained(from_woman, "H_chronic_gvhd") > 1.1 * gained(from_man, "H_chronic_gvhd")
    assert gained(from_man, "H_chronic_gvhd") == gained(with_donor(), "H_chronic_gvhd")


@pytest.mark.parametrize("carrier", [0.0, 1.0])
def test_a_donor_who_differs_in_cytomegalovirus_raises_viral_infections_and_one_not_tested_does_not(
    carrier: float,
) -> None:
    same, other = ("positive", "negative") if carrier else ("negative", "positive")
    unknown, alike = with_donor(carrier=carrier), with_donor(carrier=carrier, cmv=same)
    differs = with_donor(carrier=carrier, cmv=other)
    assert (at(differs, "viral_risk", -10) == 0).all()  # not before the graft
    assert (at(differs, "viral_risk", 30) > 0).all()
    assert gained(differs, "H_viral") > gained(alike, "H_viral")
    for result in (unknown, alike):
        assert (at(result, "viral_risk", 30) == 0).all()


@cache
def haplo(*, answered: bool = True, suppression: float = 0.7) -> Result:
    protocol = load_protocol("scid_haplo")
    chosen = protocol if answered else without_fallback(protocol, second=None)
    return outcome(without_fallback(chosen), k_rejection=0.1, second_graft_suppression=suppression)


def test_a_second_graft_answers_rejection_once_and_rescues() -> None:
    result, alone = haplo(), haplo(answered=False)
    rejected = happened(result, "graft_rejected")
    assert 0.2 < rejected.mean() < 0.9
    assert (happened(alone, "graft_rejected") == rejected).all()  # the same luck
    assert (happened(result, "second_graft") == rejected).all()
    assert not happened(alone, "second_graft").any()
    assert at(result, "second_grafts", 1460).max() == 1
    again = at(result, "rejected", 1460) > 0
    assert (np.median(at(result, "t_cells_donor", 1460)[rejected & ~again])) > 800
    assert np.median(at(alone, "t_cells_donor", 1460)[rejected]) < 50

    def lost_again(suppression: float) -> float:
        return float((at(haplo(suppression=suppression), "rejected", 1460) > 0).mean())

    assert lost_again(1.0) == 0 < again.mean() < lost_again(0.0)  # the better the patient is prepared


def test_a_second_graft_comes_when_its_protocol_says_and_brings_its_cells() -> None:
    result = haplo()
    index = {name: result.event_ids.index(name) for name in ("graft_rejected", "second_graft")}
    for row in np.flatnonzero(happened(result, "second_graft")):
        days = result.event_time[result.event_patient == row]
        kinds = result.event_index[result.event_patient == row]
        first = days[kinds == index["graft_rejected"]].min()
        assert days[kinds == index["second_graft"]] == pytest.approx(first + 42, abs=1e-3)
    # all of it runs in: T cells that nothing kills live as long as effectors do
    equations = kernel().equations
    matrix = np.tile([one.value for one in equations.parameters], (1, 1))
    chosen = {
        "donor_is_other": 1.0, "k_rejection": 1e6, "hla_mismatches": 5.0, "graft_effector_life": 1e9,
        "second_graft_after": 10.0, "second_graft_cd34": 5.0, "second_graft_t_cells": 3.0,
        "second_graft_suppression": 1.0,
    }  # fmt: skip
    for name, value in chosen.items():
        matrix[0, equations.parameter_index[name]] = value
    first = Administrations.dose(np.array([0]), 0.0, "graft_cd34_donor", np.array([5.0]))
    alone = solve(kernel(), matrix, times=[-1.0, 1.0, 60.0], patient_ids=[0], seed=1, administrations=first)
    assert at(alone, "second_grafts", 60.0) == [1.0]
    assert at(alone, "graft_effectors", 60.0) == pytest.approx([3.0], rel=0.01)


def test_a_graft_without_neutrophils_when_it_is_judged_has_failed() -> None:
    protocol = load_protocol("scid_unrelated")
    steps = [
        step.model_copy(update={"target_auc": "110 mg*hour/L"}) if getattr(step, "target_auc", None) else step
        for step in protocol.steps
    ]
    strong = protocol.model_copy(update={"steps": tuple(steps)})
    lost = outcome(strong, days=DAYS[DAYS <= 120], k_homing=0.0, k_rejection=0.0, potency_busulfan_hsc=0.3)
    assert happened(lost, "no_engraftment").mean() > 0.95
    assert (happened(lost, "second_graft") == happened(lost, "no_engraftment")).all()
    assert not happened(unrelated(), "no_engraftment").any()
    assert at(lost, "failed", 60).mean() > 0.95


def test_t_cells_of_cord_blood_are_naive_and_react_all_the_same() -> None:
    doses = {"cd34_dose": "0.5 Mcell/kg"}
    protocol = without_fallback(load_protocol("scid_sibling"), product="cord_graft", doses=doses, second=None)
    cord, marrow = outcome(protocol), sibling()
    ratios = [at(one, "cd4_memory_donor", 7) / at(one, "cd4_naive_donor", 7) for one in (cord, marrow)]
    assert (ratios[0] < 0.5 * ratios[1]).all()  # those of cord turn into memory cells in an empty body
    assert (at(cord, "graft_effectors", 7) > 0).all()


def test_naive_t_cells_of_a_graft_enter_the_naive_pools_whole_and_as_young_as_those_of_the_thymus() -> None:
    equations, infused, day = kernel().equations, 10.0, 0.1
    value = {one.id: one.value for one in equations.parameters}
    matrix = np.array([list((value | {"gene_draw": 0.0}).values())])
    graft = Administrations.dose(np.array([0]), 0.0, "graft_naive_t_cells_donor", np.array([infused]))
    times = [-1.0, 0.0, day]
    given, none = (
        solve(kernel(), matrix, times=times, patient_ids=[0], seed=1, administrations=doses) for doses in (graft, None)
    )
    arrived = infused * value["graft_t_to_blood"] * (1 - np.exp(-value["k_graft_spread"] * day))
    cd4, cd8 = (at(given, name, day)[0] for name in ("cd4_naive_donor", "cd8_naive_donor"))
    assert cd4 + cd8 == pytest.approx(arrived, rel=0.02)
    assert cd4 == pytest.approx(value["graft_naive_share_cd4"] * arrived, rel=0.02)
    assert at(given, "cd4_memory_donor", day)[0] < 0.05 * cd4
    circles = at(given, "trec", day)[0] - at(none, "trec", day)[0]
    assert circles == pytest.approx(value["trec_per_emigrant"] * cd4, rel=0.05)


def test_without_alpha_beta_cells_a_parent_harms_little_and_gives_nk_cells() -> None:
    depleted = outcome(without_fallback(load_protocol("scid_haplo_alpha_beta")))
    assert happened(depleted, "acute_gvhd").mean() < 0.5 * happened(unrelated(), "acute_gvhd").mean()
    assert (at(depleted, "t_chimerism", 1460) > 0.95).mean() > 0.9
    nk = [
        at(
            outcome(without_fallback(load_protocol("scid_haplo_alpha_beta"), **same), days=DAYS[DAYS <= 7]),
            "nk_donor",
            7,
        )
        for same in (
            {"product": name, "doses": {"cd34_dose": "10 Mcell/kg"}}
            for name in ("alpha_beta_graft", "haplo_cd34_graft")
        )
    ]
    assert (nk[0] > nk[1]).all()
    assert (nk[0] - nk[1]).mean() > 1


@pytest.mark.parametrize(("gene", "acts"), [("share_ada", True), ("share_rag", False)])
def test_enzyme_lets_own_t_cells_live_where_the_gene_of_the_enzyme_is_missing(gene: str, acts: bool) -> None:
    shares = dict.fromkeys(("share_il2rg", "share_rag", "share_ada"), 0.0) | {gene: 1.0}
    protocol = without_fallback(load_protocol("scid_haplo"), second=None)
    drugs = tuple(step for step in protocol.steps if getattr(step, "agent", "") != "peg_ada")
    assert len(drugs) < len(protocol.steps)
    quiet, days = {"k_rejection": 0.0}, DAYS[DAYS <= 60]
    given = outcome(protocol, days=days, **shares, **quiet)
    never = outcome(protocol.model_copy(update={"steps": drugs}), days=days, **shares, **quiet)
    before = {"peg_ada_from": -10.0, "peg_ada_to": 30.0}
    supplied = outcome(protocol.model_copy(update={"steps": drugs}), days=days, **shares, **quiet, **before)
    assert (at(given, "peg_ada", 7) > 20).all()
    assert (at(supplied, "peg_ada", 21) > 0).all() == acts
    for one in (given, supplied):
        more = at(one, "t_cells_host", 30) > at(never, "t_cells_host", 30) + 1
        assert more.all() if acts else not more.any()


def test_two_months_of_enzyme_leave_some_hundred_own_t_cells() -> None:
    ada = dict.fromkeys(("share_il2rg", "share_rag"), 0.0) | {"share_ada": 1.0}
    nothing = Protocol(id="nothing", title="nothing", source="test", steps=())
    supplied = outcome(nothing, peg_ada_from=-10.0, peg_ada_to=60.0, **ada)
    assert 100 < np.median(at(supplied, "t_cells_host", 60)) < 600
    assert np.median(at(supplied, "t_cells_host", 120)) < 20  # they die without it


def test_a_donors_t_cells_rescue_own_lymphocytes_where_the_enzyme_is_missing() -> None:
    ada = dict.fromkeys(("share_il2rg", "share_rag"), 0.0) | {"share_ada": 1.0}
    calm = {"k_rejection": 0.0, "k_graft_versus_host": 0.0}
    mixed = outcome(without_fallback(load_protocol("scid_sibling")), **ada, **calm)
    assert 10 < np.median(at(mixed, "t_cells_host", 365)) < 300
    assert np.median(at(mixed, "b_cells_host", 365)) > 100
    assert np.median(at(mixed, "t_chimerism", 365)) > 0.9


def test_a_graft_that_reacts_clears_cells_of_the_patient_and_that_of_a_twin_does_not() -> None:
    protocol = without_fallback(load_protocol("scid_sibling"))
    calm = outcome(protocol, k_graft_versus_host=0.0, gene_draw=0.0)
    fierce = outcome(protocol, k_graft_versus_host=0.5, gene_draw=0.0)
    assert np.median(at(fierce, "b_naive_host", 60)) < 0.7 * np.median(at(calm, "b_naive_host", 60))
    assert np.median(at(fierce, "hsc_host", 365)) < np.median(at(calm, "hsc_host", 365))
    twin = outcome(without_fallback(load_protocol("scid_sibling"), donor=Donor(relation="twin", hla="10/10")))
    assert at(twin, "host_attack", 30).max() == 0


def test_t_cells_in_tissue_reject_when_blood_is_empty() -> None:
    protocol = without_fallback(load_protocol("scid_unrelated"))
    few = outcome(protocol, gene_draw=0.8, tissue_share=0.0, days=DAYS[:12])  # own T cells
    more = outcome(protocol, gene_draw=0.8, tissue_share=20.0, days=DAYS[:12])
    assert happened(more, "graft_rejected").sum() > happened(few, "graft_rejected").sum() + 10


def test_memory_cells_reject_and_naive_ones_do_not() -> None:
    result = outcome(without_fallback(load_protocol("scid_unrelated")), gene_draw=0.8, days=DAYS[:12])  # own T cells
    expected = (at(result, "cd4_memory_host", 0) + at(result, "cd8_memory_host", 0)) / 760.0
    others = at(result, "tissue_t_cells", 0) + 0.15 * at(result, "nk_host", 0) / 200.0
    np.testing.assert_allclose(at(result, "rejecting_cells", 0), expected + others, rtol=1e-9)
    assert (at(result, "cd4_naive_host", 0) > 0.1).any()


def test_an_infection_weighs_more_without_neutrophils() -> None:
    result = outcome(without_fallback(load_protocol("scid_unrelated")), k_opportunistic=0.02, load_neutropenia=1.0)
    load, weight = at(result, "infection_load", 14), at(result, "opportunistic_load", 14)
    low = at(result, "neutropenia", 14)
    ill = weight > 0.01
    assert ill.sum() > 20
    assert low[ill].max() > 0.9
    assert load[ill] / weight[ill] == pytest.approx(2.0 * (1 + low[ill]), rel=1e-6)  # load_weight of the table is 2
