"""A compiled reaction network: the laws and the outputs as machine code, and what each reaction changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from regraft.engine.kernel import Kernel, compile_model
from regraft.errors import InvalidArgument, near_matches
from regraft.model.equations import Assignment, Equations
from regraft.model.reactions import ReactionNetwork
from regraft.streams import stream_key


@dataclass(frozen=True)
class NetworkKernel:
    """A reaction network ready for ``solve_exactly``.

    ``laws`` computes the rate of every reaction, ``records`` the outputs and then the initial amount of every species.
    ``event_ids`` are the reactions whose every occurrence is kept in a result. The arrays are (reaction, change): the
    species (engine order) and by how many; ``change_counts`` says how many columns of a row count.
    """

    network: ReactionNetwork
    output_ids: tuple[str, ...]
    event_ids: tuple[str, ...]
    laws: Kernel
    records: Kernel
    targets: NDArray[np.int64]
    amounts: NDArray[np.float64]
    change_counts: NDArray[np.int64]

    @property
    def equations(self) -> Equations:
        """Species, parameters and formulas; parameter matrices have their columns in this order."""
        return self.network.equations

    @property
    def reaction_ids(self) -> tuple[str, ...]:
        """Names of the reactions, in the order of the model."""
        return tuple(reaction.id for reaction in self.network.reactions)

    @property
    def stream(self) -> int:
        """Key of the random numbers of this network."""
        return stream_key(f"reactions of {self.equations.id}")

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle as the recipe: machine code cannot travel."""
        return compile_network, (self.network, self.output_ids, self.event_ids)


def compile_network(network: ReactionNetwork, outputs: Sequence[str], events: Sequence[str] = ()) -> NetworkKernel:
    """Compile a reaction network for exact simulation of many patients.

    Parameters
    ----------
    network : from ``read_antimony_reactions`` or ``read_sbml_reactions``
    outputs : ids of species (their amounts), assigned quantities, parameters or reactions (their rates)
    events : ids of reactions whose every occurrence is kept with its time

    Raises
    ------
    InvalidModel, UnsupportedModel : a formula cannot be run; the message names the place
    InvalidArgument : an unknown output or reaction, with near matches
    """
    reactions = [reaction.id for reaction in network.reactions]
    for name in events:
        if name not in reactions:
            raise InvalidArgument(f"{name!r} is not a reaction of the model. {near_matches(name, reactions)}")
    starts = [Assignment(f"initial amount of {s.id}", s.unit, s.initial) for s in network.equations.states]
    laws = compile_model(network.equations, reactions)
    with_starts = replace(network.equations, assignments=(*network.equations.assignments, *starts))
    compile_model(network.equations, outputs)  # an unknown output is named among the quantities of the model
    order = list(laws.state_order)
    records = compile_model(with_starts, [*outputs, *(starts[k].id for k in order)])
    position = {network.species[k]: place for place, k in enumerate(order)}
    widest = max([1, *(len(reaction.changes) for reaction in network.reactions)])
    targets = np.zeros((len(reactions), widest), dtype=np.int64)
    amounts = np.zeros((len(reactions), widest))
    for r, reaction in enumerate(network.reactions):
        for i, (species, amount) in enumerate(reaction.changes):
            targets[r, i], amounts[r, i] = position[species], amount
    return NetworkKernel(
        network=network,
        output_ids=tuple(outputs),
        event_ids=tuple(events),
        laws=laws,
        records=records,
        targets=targets,
        amounts=amounts,
        change_counts=np.array([len(reaction.changes) for reaction in network.reactions], dtype=np.int64),
    )
