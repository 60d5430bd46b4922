from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.model.evaluate import at_start, rates
from tests.model.parts import ENTRY, make_part

from regraft.errors import InvalidField, InvalidModel
from regraft.model import Part, check_units, join
from regraft.model.expressions import Apply, Number
from regraft.model.lineages import split

MODEL = """model marrow()
  room := 1 - stem/stem_most;
  output := k_output*stem*maturity;
  stem = stem_start;
  stem' = k_renewal*stem*room + arriving - k_loss*stem;
  blood = 0;
  blood' = output - k_loss*blood;
  signal := stem_most/(stem_most + blood);
  losses = 0;
  losses' = k_loss;
  emptied: at (stem < stem_floor): stem = 0;
  renewed: at (losses > loss_limit): stem = stem/2, losses = 0;
  counted: at (blood > stem_most): losses = 0;
end
"""
PARAMETERS = tuple(
    f"{name},{value},{unit},{kind},,,,assumption,a test,assumed,"
    for name, value, unit, kind in (
        ("k_output", 3, "1/day", "fixed"),
        ("k_renewal", 0.5, "1/day", "fixed"),
        ("k_loss", 0.25, "1/day", "fixed"),
        ("stem_most", 2, "mg", "fixed"),
        ("stem_floor", 0.001, "mg", "fixed"),
        ("stem_start", 1, "mg", "fixed"),
        ("loss_limit", 7, "dimensionless", "fixed"),
    )
)
QUANTITIES = (
    "room,derived,dimensionless,,free share",
    "output,derived,mg/day,,what leaves",
    "stem,state,mg,,stem cells",
    "blood,state,mg,,blood cells",
    "signal,derived,dimensionless,,what few blood cells cause",
    "losses,state,dimensionless,,sum of losses",
    "arriving,input,mg/day,0,what arrives",
    "maturity,input,dimensionless,1,share that matures",
)
LINEAGES = '[lineages]\ncells = ["stem", "blood", "output", "arriving"]\nfactors = ["maturity", "k_output"]\n'


def marrow(folder: Path, *, model: str = MODEL, lineages: str = LINEAGES) -> Part:
    entry = ENTRY + lineages
    return make_part(folder / "marrow", model=model, parameters=PARAMETERS, quantities=QUANTITIES, entry=entry)


def shared_among(part: Part, shares: dict[str, float]) -> Part:
    """Let the cells of the first lineage start in several."""
    whole = {one.id[: -len("_host")]: one.initial for one in part.equations.states if one.id.endswith("_host")}
    states = []
    for one in part.equations.states:
        name, _, lineage = one.id.rpartition("_")
        if name in whole:
            one = replace(one, initial=Apply("mul", (Number(shares[lineage]), whole[name])))
        states.append(one)
    return replace(part, equations=replace(part.equations, states=tuple(states)))


def test_one_lineage_is_the_part_itself(tmp_path: Path) -> None:
    part = marrow(tmp_path)
    assert split(part, ["host"]) is part
    plain = marrow(tmp_path / "plain", lineages="")
    assert split(plain, ["host", "donor"]) is plain


def test_each_lineage_has_its_own_cells_and_the_plain_name_is_their_sum(tmp_path: Path) -> None:
    equations = join([marrow(tmp_path)], lineages=("host", "donor")).equations
    assert {one.id for one in equations.states} == {"stem_host", "stem_donor", "blood_host", "blood_donor", "losses"}
    values = at_start(equations) | {"stem_donor": 0.5, "maturity_donor": 0.1, "arriving_donor": 2.0}
    values |= {"stem": 1.5, "room": 0.25, "output_donor": 3 * 0.5 * 0.1}
    found = rates(equations, values)
    assert found["stem_host"] == pytest.approx(0.5 * 1 * 0.25 - 0.25 * 1)
    assert found["stem_donor"] == pytest.approx(0.5 * 0.5 * 0.25 + 2 - 0.25 * 0.5)
    assert found["blood_donor"] == pytest.approx(3 * 0.5 * 0.1)
    assert at_start(equations)["stem_donor"] == 0.0


def test_parameters_of_a_lineage_have_rows_and_units_of_their_own(tmp_path: Path) -> None:
    joined = join([marrow(tmp_path)], lineages=("host", "donor"))
    rows = {row.id: row.value for row in joined.parameter_rows}
    assert rows["k_output_host"] == rows["k_output_donor"] == 3
    assert "k_output" not in rows
    assert "k_loss" in rows
    assert {"maturity_host", "maturity_donor", "arriving_donor"} <= set(joined.equations.parameter_index)
    assert "maturity" not in joined.equations.parameter_index
    assert check_units(joined.equations) == []
    part = split(marrow(tmp_path), ["host", "donor"])
    assert part.quantities["stem_donor"].meaning == "stem cells, donor"
    assert part.quantities["stem"].kind == "derived"


@pytest.mark.parametrize("shares", [(0.4, 0.6), (1.0, 0.0), (0.2, 0.3)])
def test_lineages_are_only_labels(tmp_path: Path, shares: tuple[float, ...]) -> None:
    part = marrow(tmp_path)
    names = ["host", "donor", "corrected"][: len(shares) + (sum(shares) < 1)]
    parts = dict(zip(names, [*shares, 1 - sum(shares)], strict=False))
    whole = part.equations
    split_up = shared_among(split(part, names), parts).equations
    one, several = at_start(whole), at_start(split_up)
    for name in ("stem", "blood", "room", "signal"):
        assert several[name] == pytest.approx(one[name])
    before, after = rates(whole, one), rates(split_up, several)
    for name in ("stem", "blood"):
        assert sum(after[f"{name}_{lineage}"] for lineage in names) == pytest.approx(before[name])


def test_events_follow_the_cells_they_set(tmp_path: Path) -> None:
    equations = split(marrow(tmp_path), ["host", "donor"]).equations
    events = {event.id: event for event in equations.events}
    assert set(events) == {"emptied_host", "emptied_donor", "renewed", "counted"}
    assert [target for target, _ in events["emptied_donor"].assignments] == ["stem_donor"]
    assert [target for target, _ in events["renewed"].assignments] == ["stem_host", "stem_donor", "losses"]


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("output - k_loss*blood", "k_loss*blood*blood/stem_most", "the rate of 'blood' is not proportional"),
        ("k_output*stem*maturity", "k_output*stem_most", "the formula of 'output' is not proportional"),
        ("output - k_loss*blood", "output - k_loss*(blood + stem_most)", "adds what is proportional"),
        ("output - k_loss*blood", "output - k_loss*min(blood, 1)", "inside 'min'"),
        ("+ arriving", "+ k_loss*stem_most", "adds what is proportional"),
        ("output - k_loss*blood", "output*stem_most/blood", "inside 'div'"),
        ("output - k_loss*blood", "piecewise(output, losses > 1, stem_most)", "chooses between"),
        ("output - k_loss*blood", "piecewise(output, blood > 1, 0)", "inside 'gt'"),
        ("room := 1 - stem/stem_most", "room := maturity - stem/stem_most", "uses 'maturity'"),
        ("stem = 0;\n  renewed", "stem = 0, losses = 0;\n  renewed", "Make two events"),
    ],
)
def test_what_is_not_neutral_is_refused_by_name(tmp_path: Path, old: str, new: str, part: str) -> None:
    assert old in MODEL
    with pytest.raises(InvalidModel, match=part):
        split(marrow(tmp_path, model=MODEL.replace(old, new)), ["host", "donor"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[lineages]\ncells = "stem"\n', "write a list of ids"),
        ('[lineages]\ncells = ["stme"]\n', "'stme', no state, formula or input. Did you mean 'stem'"),
        ('[lineages]\ncells = ["k_loss"]\n', "'k_loss', no state"),
        ('[lineages]\nfactors = ["stem"]\n', "'stem', no parameter or input"),
    ],
)
def test_bad_entries_are_told(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidField, match=message):
        split(marrow(tmp_path, lineages=text), ["host", "donor"])
