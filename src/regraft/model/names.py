"""Names for what is added to a model."""

from __future__ import annotations

from regraft.model.equations import Equations
from regraft.model.expressions import TIME


class Names:
    """The ids that a model uses; gives out new ones."""

    def __init__(self, equations: Equations) -> None:
        self.used = {TIME, *equations.units, *(event.id for event in equations.events)}

    def new(self, name: str) -> str:
        """Return a name that is not used yet, and keep it."""
        while name in self.used:
            name += "_"
        self.used.add(name)
        return name
