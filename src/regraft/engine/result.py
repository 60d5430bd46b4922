"""What a run gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regraft.engine.administrations import Administrations
from regraft.engine.status import Status
from regraft.errors import InvalidArgument, near_matches

if TYPE_CHECKING:
    import xarray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Snapshot:
    """Everything a later run needs to go on as if there had been no break.

    ``states`` is (patient, state) in the order of the model. ``switched`` is (patient, parameter): the value that an
    administration set, NaN elsewhere. ``infusions`` are the rests of infusions that were still running.
    """

    patient_ids: Integers
    time: Floats
    states: Floats
    switched: Floats
    trigger_truth: Floats
    occurrence: Integers
    step: Floats
    status: Integers
    status_detail: NDArray[np.object_]
    infusions: Administrations

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Snapshot:
        """Return the snapshot of some patients (row numbers, or one truth value per patient)."""
        numbers = np.arange(self.patient_ids.size)[np.asarray(rows)]
        place = {int(row): k for k, row in enumerate(numbers)}
        if len(place) != numbers.size:
            raise InvalidArgument("Snapshot.take was given a patient row twice; each patient can go on once.")
        old = self.infusions
        kept = np.array([i for i, row in enumerate(old.patient_row) if int(row) in place], dtype=np.int64)
        infusions = Administrations(
            np.array([place[int(row)] for row in old.patient_row[kept]], dtype=np.int64),
            old.time[kept],
            tuple(old.target[i] for i in kept),
            old.kind[kept],
            old.amount[kept],
            old.duration[kept],
        )
        return Snapshot(
            self.patient_ids[numbers],
            self.time[numbers],
            self.states[numbers],
            self.switched[numbers],
            self.trigger_truth[numbers],
            self.occurrence[numbers],
            self.step[numbers],
            self.status[numbers],
            self.status_detail[numbers],
            infusions,
        )


@dataclass(frozen=True)
class Result:
    """Recorded values, how each patient ended, and every event.

    ``values`` is (patient, time, output); at a time that coincides with a jump it is the value *after* the jump
    (administrations first, then events); NaN after a terminal event, after a failure, and where ``times`` is NaN.
    ``status`` holds ``Status`` codes and ``status_detail`` a sentence for each failure. ``end_time`` is the last time
    reached. ``attempt`` says which attempt gave the numbers (``rescue.Attempt``: 0 the first, 1 tighter tolerances, 2
    SciPy). ``reduced`` is (patient, reduction), NaN for a failed patient. The log of events is three arrays of equal
    length: patient row, index into ``event_ids``, time in days.
    """

    patient_ids: Integers
    times: Floats
    output_ids: tuple[str, ...]
    values: Floats
    status: Integers
    status_detail: NDArray[np.object_]
    end_time: Floats
    event_ids: tuple[str, ...]
    event_patient: Integers
    event_index: Integers
    event_time: Floats
    steps: Integers
    snapshot: Snapshot
    attempt: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    reduction_ids: tuple[str, ...] = ()
    reduced: Floats = field(default_factory=lambda: np.zeros((0, 0)))

    def output(self, name: str) -> Floats:
        """Return one output as (patient, time)."""
        if name not in self.output_ids:
            raise InvalidArgument(f"{name!r} was not recorded. {near_matches(name, self.output_ids)}")
        return self.values[:, :, self.output_ids.index(name)]

    def reduction(self, name: str) -> Floats:
        """Return one number per patient, gathered over the run."""
        if name not in self.reduction_ids:
            raise InvalidArgument(f"{name!r} was not gathered. {near_matches(name, self.reduction_ids)}")
        return self.reduced[:, self.reduction_ids.index(name)]

    def events_of(self, name: str) -> tuple[Integers, Floats]:
        """Return the patient rows and times of one event, sorted by patient, then time."""
        if name not in self.event_ids:
            raise InvalidArgument(f"{name!r} is not an event of the model. {near_matches(name, self.event_ids)}")
        chosen = self.event_index == self.event_ids.index(name)
        return self.event_patient[chosen], self.event_time[chosen]

    @property
    def failed(self) -> NDArray[np.bool_]:
        """Whether each patient's run failed; a terminal event is no failure."""
        return np.asarray(self.status > Status.ENDED)

    def to_xarray(self) -> xarray.Dataset:
        """Return one variable per output with dims (patient, time), and status and end_time per patient."""
        import xarray

        shared = bool((self.times == self.times[:1]).all())
        data = {name: (("patient", "time"), self.values[:, :, k]) for k, name in enumerate(self.output_ids)}
        coordinates: dict[str, object] = {"patient": self.patient_ids}
        coordinates["time" if shared else "day"] = self.times[0] if shared else (("patient", "time"), self.times)
        return xarray.Dataset(
            {**data, "status": ("patient", self.status), "end_time": ("patient", self.end_time)}, coords=coordinates
        )
