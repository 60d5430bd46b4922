"""The table of agent and cell class is complete: every class that an agent spares is spared on purpose."""

from __future__ import annotations

import pytest

from regraft.entries import list_entries
from regraft.model import load_part

AGENTS = sorted(set(list_entries("models")) & set(list_entries("treatments")))
CLASSES = {
    quantity.adds_to.removeprefix("kill_")
    for agent in AGENTS
    for quantity in load_part(agent).quantities.values()
    if quantity.adds_to.startswith("kill_")
}
# What each agent leaves alone; an agent that is not named here must have a potency for every class.
SPARED = {
    "alemtuzumab": {"hsc", "progenitor", "plasma", "stroma"},
    "atg_rabbit": {"hsc", "progenitor"},
    "ocrelizumab": CLASSES - {"b"},
    "methotrexate": CLASSES - {"progenitor", "effector", "treg", "b"},
    **dict.fromkeys(("ciclosporin", "tacrolimus", "mycophenolate"), CLASSES),
    "rituximab": CLASSES - {"b"},
    **dict.fromkeys(("gcsf", "natalizumab", "fingolimod", "interferon_beta"), CLASSES),
    **dict.fromkeys(("adalimumab", "tocilizumab", "methotrexate_weekly"), CLASSES),
}


def potencies(agent: str) -> dict[str, float]:
    """Return the rows of an agent that are potencies."""
    return {row.id: row.value for row in load_part(agent).parameter_rows if row.id.startswith("potency_")}


@pytest.mark.parametrize("agent", AGENTS)
def test_an_agent_has_a_potency_for_every_class_that_it_does_not_spare(agent: str) -> None:
    kills = {name.rpartition("_")[2] for name, value in potencies(agent).items() if value > 0}
    assert kills == CLASSES - SPARED.get(agent, set())


@pytest.mark.parametrize("agent", AGENTS)
def test_every_potency_feeds_the_kill_of_its_class(agent: str) -> None:
    part = load_part(agent)
    targets = {quantity.adds_to for quantity in part.quantities.values() if quantity.adds_to}
    for name in potencies(agent):
        cells = name.rpartition("_")[2]
        assert name.startswith(f"potency_{agent.removesuffix('_rabbit')}_"), name
        assert f"kill_{cells}" in targets, name


def test_every_cell_class_that_some_part_asks_about_is_killed_by_some_agent() -> None:
    asked = {name for model in list_entries("models") for name in load_part(model).inputs if name.startswith("kill_")}
    assert {name.removeprefix("kill_") for name in asked} <= CLASSES
