"""The table of agent and cell class is complete: every class that an agent spares is spared on purpose."""

from __future__ import annotations

import pytest

from regraft.entries import list_entries
from regraft.model import load_part

DRUGS = load_part("drugs")
CLASSES = {name.removeprefix("kill_") for name in DRUGS.quantities if name.startswith("kill_")}
POTENCIES = {row.id: row.value for row in DRUGS.parameter_rows if row.id.startswith("potency_")}
# What each antibody leaves alone; cytotoxic agents and globulin have a potency for what is not named here.
SPARED = {
    "alemtuzumab": {"hsc", "progenitor", "plasma", "stroma"},
    "atg": {"hsc", "progenitor"},
    "ocrelizumab": CLASSES - {"b"},
}


def kills(agent: str) -> set[str]:
    """Return the cell classes for which an agent has a potency above 0."""
    start = f"potency_{agent}_"
    return {name.removeprefix(start) for name, value in POTENCIES.items() if name.startswith(start) and value > 0}


@pytest.mark.parametrize("agent", ["cyclophosphamide", "busulfan", "beam", "atg", "alemtuzumab", "ocrelizumab"])
def test_an_agent_has_a_potency_for_every_class_that_it_does_not_spare(agent: str) -> None:
    assert kills(agent) == CLASSES - SPARED.get(agent, set())


def test_every_potency_belongs_to_an_agent_of_the_catalog_and_a_class_of_the_model() -> None:
    agents = {name.removesuffix("_rabbit") for name in list_entries("treatments")}
    for name in POTENCIES:
        agent, _, cells = name.removeprefix("potency_").rpartition("_")
        assert agent in agents, name
        assert cells in CLASSES, name
