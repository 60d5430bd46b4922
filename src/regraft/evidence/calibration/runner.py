"""Forward runs of a fit: in batches, stored, found again, and told to whoever watches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from regraft.evidence.calibration.chance import Floats
from regraft.evidence.calibration.forward import Observations, Predict, Prediction, checked
from regraft.evidence.calibration.priors import Priors
from regraft.evidence.calibration.store import Batch, Store
from regraft.evidence.calibration.workers import Evaluate

Progress = Callable[[int, int, str], None]
"""Called with forward runs done, most that there will be, and the name of the stage."""


@dataclass(frozen=True)
class Runner:
    """Answers sets of parameters from the store, or by the forward model."""

    predict: Predict
    priors: Priors
    observations: Observations
    store: Store
    evaluate: Evaluate
    batch: int
    most: int
    progress: Progress | None

    def run(self, white: Floats, first: int, stage: str) -> Prediction:
        """Return the prediction for white scores, (draw, parameter); draws are numbered from ``first``."""
        theta = self.priors.natural(white)
        numbers = np.arange(first, first + len(white), dtype=np.int64)
        parts = [slice(start, start + self.batch) for start in range(0, len(white), self.batch)]
        batches = [Batch(theta[part], numbers[part]) for part in parts]
        answers: dict[int, Prediction] = {}
        for place, batch in enumerate(batches):
            found = self.store.find(batch)
            if found is not None:
                answers[place] = found
        missing = [place for place in range(len(batches)) if place not in answers]
        done = first + sum(batches[place].draws.size for place in answers)
        self._tell(done, stage)
        todo = [batches[place] for place in missing]
        for place, answer in self.evaluate(self.predict, todo, len(self.observations.ids)) if todo else ():
            batch = todo[place]
            sound = checked(answer, batch.draws.size, self.observations)
            self.store.keep(batch, sound)
            answers[missing[place]] = sound
            done += batch.draws.size
            self._tell(done, stage)
        ordered = [answers[place] for place in range(len(batches))]
        return Prediction(
            np.vstack([one.value for one in ordered]),
            np.vstack([one.mc_variance for one in ordered]),
            np.concatenate([one.failed for one in ordered]),
        )

    def _tell(self, done: int, stage: str) -> None:
        """Say how far the fit is."""
        if self.progress is not None:
            self.progress(done, self.most, stage)
