"""Where forward runs are computed: in this process, or in others that may die without taking the fit with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from regraft.evidence.calibration.forward import Predict, Prediction
from regraft.evidence.calibration.store import Batch
from regraft.trial.stored.pool import Pool

Evaluate = Callable[[Predict, Sequence[Batch], int], Iterator[tuple[int, Prediction]]]
"""Takes forward model, batches and number of rows; yields place and answer of each batch, in any order."""


def in_this_process(predict: Predict, batches: Sequence[Batch], rows: int) -> Iterator[tuple[int, Prediction]]:
    """Compute one batch after the other."""
    for place, batch in enumerate(batches):
        yield place, predict(batch.theta, batch.draws)


@dataclass(frozen=True)
class Processes:
    """Computes batches in other processes of this machine. The forward model must be picklable.

    A batch whose process dies is tried draw by draw; a draw that ends its process again counts as failed.
    """

    workers: int

    def __call__(self, predict: Predict, batches: Sequence[Batch], rows: int) -> Iterator[tuple[int, Prediction]]:
        """Yield place and answer of each batch as they finish."""
        # The pool sends any work and any task; its types name those of a trial.
        pool = Pool(cast(Any, _Work(predict)), self.workers)
        try:
            for place, batch in enumerate(batches):
                pool.submit(cast(Any, (place, batch)))
            for _ in batches:
                done = pool.next_done()
                place, batch = cast(tuple[int, Batch], done.task)
                answer = cast(Prediction | None, done.report)
                yield place, answer if answer is not None else _draw_by_draw(predict, batch, rows)
        finally:
            pool.close()


@dataclass(frozen=True)
class _Work:
    """The forward model as work of a pool; a model with a method ``prepare`` gets ready in it."""

    predict: Predict

    def prepare(self) -> None:
        """Get ready."""
        getattr(self.predict, "prepare", lambda: None)()

    def __call__(self, task: tuple[int, Batch]) -> Prediction:
        """Compute a batch."""
        return self.predict(task[1].theta, task[1].draws)


def _draw_by_draw(predict: Predict, batch: Batch, rows: int) -> Prediction:
    """Compute the draws of a batch one at a time; those whose process dies have failed."""
    pool = Pool(cast(Any, _Work(predict)), 1)
    size = batch.draws.size
    value, variance, failed = (
        np.full((size, rows), np.nan),
        np.full((size, rows), np.nan),
        np.ones(size, dtype=np.bool_),
    )
    try:
        for place in range(size):
            part = Batch(batch.theta[place : place + 1], batch.draws[place : place + 1])
            pool.submit(cast(Any, (place, part)))
            answer = cast(Prediction | None, pool.next_done().report)
            if answer is not None:
                value[place], variance[place] = answer.value[0], answer.mc_variance[0]
                failed[place] = answer.failed[0]
    finally:
        pool.close()
    return Prediction(value, variance, failed)
