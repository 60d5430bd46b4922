"""Tables with the variable names of CDISC ADaM: ADSL, ADTTE and a BDS table of readings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regraft.trial.endpoints.base import EndpointResult, TimeToEvent
from regraft.trial.observation import BLOCK, ObservedArm, ObservedTrial
from regraft.trial.statistics import Floats, Integers

if TYPE_CHECKING:
    import pandas as pd

Labels = NDArray[np.object_]
NAMES = ("adsl", "adtte", "bds")
LARGE = 10_000  # patients of all arms

# Code and name of every reading in the BDS table.
PARAMETERS = {
    "edss": ("EDSS", "Expanded Disability Status Scale"),
    "neutrophils": ("NEUT", "Neutrophils (cells/uL)"),
    "platelets": ("PLAT", "Platelets (cells/uL)"),
    "cd4": ("CD4", "CD4 T cells (cells/uL)"),
    "cd4_naive": ("CD4NAIVE", "Naive CD4 T cells (cells/uL)"),
    "naive_share": ("NAIVESH", "Naive share of CD4 T cells"),
    "cd8": ("CD8", "CD8 T cells (cells/uL)"),
    "b_cells": ("BCELL", "B cells (cells/uL)"),
    "lymphocytes": ("LYMPH", "Lymphocytes (cells/uL)"),
    "nk": ("NK", "NK cells (cells/uL)"),
    "igg": ("IGG", "IgG (g/L)"),
    "igg_own": ("IGGOWN", "IgG made by own plasma cells (g/L)"),
    "cd3": ("CD3", "T cells (cells/uL)"),
    "trec": ("TREC", "Receptor excision circles in naive CD4 T cells (copies/uL)"),
    "haemoglobin": ("HGB", "Haemoglobin (g/dL)"),
    "myeloid_chimerism": ("CHIMMYE", "Myeloid cells that are not the patient's own (share)"),
    "t_chimerism": ("CHIMT", "T cells that are not the patient's own (share)"),
    "b_chimerism": ("CHIMB", "B cells that are not the patient's own (share)"),
    "nk_chimerism": ("CHIMNK", "NK cells that are not the patient's own (share)"),
    "tender_joints": ("TJC68", "Tender joints of 68"),
    "swollen_joints": ("SJC66", "Swollen joints of 66"),
    "pain": ("PAIN", "Pain (0 to 100)"),
    "patient_global": ("PTGA", "Global assessment of the patient (0 to 100)"),
    "physician_global": ("PHGA", "Global assessment of the physician (0 to 100)"),
    "haq": ("HAQ", "Health Assessment Questionnaire, disability index"),
    "crp": ("CRP", "C-reactive protein (mg/L)"),
    "esr": ("ESR", "Erythrocyte sedimentation rate (mm/h)"),
    "sharp_score": ("MTSS", "Modified total Sharp score"),
}


@dataclass(frozen=True)
class Tables:
    """One row per patient and arm (``adsl``), per time to event (``adtte``) and per reading (``bds``).

    Study days (``ADY``, ``...DY``) count from randomisation, which is day 1; there is no day 0. A table is made when
    it is asked for; ``frames`` gives it piece by piece, so that it need not fit into memory.

    Parameters
    ----------
    times : of each arm and code one
    trial : id of the study
    patient_ids : (patient,) of the enrolled
    baseline : (patient,) covariates and screening measures by name; their upper-case names are columns of ADSL, which
        has a column WEIGHT too where patients are weighted
    """

    observed: ObservedTrial
    times: tuple[TimeToEvent, ...]
    trial: str
    patient_ids: Integers
    baseline: Mapping[str, Floats]

    @property
    def is_large(self) -> bool:
        """Whether so many patients are in all arms that readings are not for a spreadsheet."""
        return self.patient_ids.size * len(self.observed.arms) > LARGE

    @cached_property
    def adsl(self) -> pd.DataFrame:
        """One row per patient and arm."""
        return self.whole("adsl")

    @cached_property
    def adtte(self) -> pd.DataFrame:
        """One row per patient, arm and time to event."""
        return self.whole("adtte")

    @cached_property
    def bds(self) -> pd.DataFrame:
        """One row per patient, arm, quantity and visit with a reading."""
        return self.whole("bds")

    def named(self) -> dict[str, pd.DataFrame]:
        """Return the tables by name, whole."""
        return {"adsl": self.adsl, "adtte": self.adtte, "bds": self.bds}

    def whole(self, name: str) -> pd.DataFrame:
        """Return one table in one piece."""
        import pandas as pd

        empty = pd.DataFrame(columns=["STUDYID", "USUBJID", "ARMCD", "PARAMCD"])
        frames = list(self.frames(name))
        return pd.concat(frames, ignore_index=True) if frames else empty

    def frames(self, name: str) -> Iterator[pd.DataFrame]:
        """Yield the rows of one table in their order, at most those of some thousand patients at a time."""
        return {"adsl": self._adsl, "adtte": self._adtte, "bds": self._bds}[name]()

    def _adsl(self) -> Iterator[pd.DataFrame]:
        for arm in self.observed.arms:
            for rows in self._blocks():
                yield _adsl(arm, rows, self.trial, self._subjects(rows), self.baseline)

    def _adtte(self) -> Iterator[pd.DataFrame]:
        arms = {arm.id: arm for arm in self.observed.arms}
        for one in self.times:
            for rows in self._blocks():
                yield _adtte(arms[one.arm], one, rows, self.trial, self._subjects(rows))

    def _bds(self) -> Iterator[pd.DataFrame]:
        for arm in self.observed.arms:
            for name in (quantity for quantity in arm.readings if quantity in PARAMETERS):
                first = 0
                for values in arm.in_blocks(partial(_reading_of, name)):
                    rows = slice(first, first + len(values))
                    yield _readings(arm, name, values, trial=self.trial, subjects=self._subjects(rows))
                    first = rows.stop

    def _blocks(self) -> list[slice]:
        """Return ranges of patients."""
        return [slice(first, first + BLOCK) for first in range(0, self.patient_ids.size, BLOCK)]

    def _subjects(self, rows: slice) -> Labels:
        """Return subject ids of some patients."""
        return np.array([f"{self.trial}-{patient:06d}" for patient in self.patient_ids[rows]], dtype=object)


def make_tables(
    observed: ObservedTrial,
    endpoints: Mapping[str, EndpointResult],
    *,
    trial: str,
    patient_ids: Integers,
    baseline: Mapping[str, Floats],
) -> Tables:
    """Return the tables of a trial; see ``Tables`` for the arguments."""
    times = {(one.arm, one.code): one for result in endpoints.values() for one in result.times if one.code}
    return Tables(observed, tuple(times.values()), trial, patient_ids, baseline)


def study_day(day: Floats, randomisation_day: float) -> Floats:
    """Turn model days into study days: 1 on the day of randomisation, -1 on the day before."""
    since = np.floor(np.asarray(day, dtype=np.float64) - randomisation_day + 1e-9)
    return np.where(since >= 0, since + 1, since)


def _adsl(arm: ObservedArm, rows: slice, trial: str, subjects: Labels, baseline: Mapping[str, Floats]) -> pd.DataFrame:
    """Return one row for each of some patients of an arm."""
    import pandas as pd

    start = arm.schedule.randomisation_day
    died = np.isfinite(arm.death_day[rows])
    status = np.where(arm.is_missing[rows], "FAILED", np.where(died, "DIED", "COMPLETED"))
    columns = {
        "STUDYID": trial,
        "USUBJID": subjects,
        "ARMCD": arm.id,
        "ARM": arm.label,
        "RANDDY": 1,
        "TRTSDY": study_day(np.full(died.size, 0.0), start),
        "EOSDY": study_day(arm.last_day[rows], start),
        "EOSSTT": status,
        "DCSREAS": arm.reason[rows].astype(str),
        "DTHFL": np.where(died, "Y", "N"),
        "DTHDY": study_day(arm.death_day[rows], start),
        "DTHCAUS": arm.death_cause[rows].astype(str),
    }
    columns |= {name.upper(): values[rows] for name, values in baseline.items()}
    if arm.weights is not None:
        columns["WEIGHT"] = arm.weights.values[rows]
    return pd.DataFrame(columns)


def _adtte(arm: ObservedArm, one: TimeToEvent, rows: slice, trial: str, subjects: Labels) -> pd.DataFrame:
    """Return one row for each of some patients of one time to event; the missing have no AVAL, and CNSR is empty."""
    import pandas as pd

    time, cause = one.time[rows], one.cause[rows]
    known = np.isfinite(time)
    descriptions = np.array(["censored", *one.causes], dtype=object)[cause]
    censored = pd.array(np.where(cause > 0, 0, 1), dtype="Int64")
    censored[~known] = pd.NA
    start = arm.schedule.randomisation_day
    return pd.DataFrame(
        {
            "STUDYID": trial,
            "USUBJID": subjects,
            "ARMCD": one.arm,
            "PARAMCD": one.code,
            "PARAM": f"{one.title} (days)",
            "STARTDY": study_day(np.full(known.size, one.origin_day), start),
            "ADY": study_day(time + one.origin_day, start),
            "AVAL": time,
            "CNSR": censored,
            "EVNTDESC": np.where(known, descriptions, _why_not(arm, rows)),
        }
    )


def _why_not(arm: ObservedArm, rows: slice) -> Labels:
    """Return why a patient has no time."""
    return np.where(arm.is_missing[rows], arm.reason[rows], "not applicable").astype(object)


def _reading_of(quantity: str, arm: ObservedArm) -> Floats:
    """Return the readings of one quantity, (patient, visit)."""
    return arm.readings[quantity]


def _readings(arm: ObservedArm, quantity: str, values: Floats, *, trial: str, subjects: Labels) -> pd.DataFrame:
    """Return one row per patient and visit of one quantity."""
    import pandas as pd

    patient, visit = np.nonzero(np.isfinite(values))
    visits = arm.schedule.visits
    start = arm.schedule.randomisation_day
    days = arm.schedule.visit_days
    base = values[patient, 0]
    low, high = (np.array([one.window[side] for one in visits]) for side in (0, 1))
    code, title = PARAMETERS[quantity]
    return pd.DataFrame(
        {
            "STUDYID": trial,
            "USUBJID": subjects[patient],
            "ARMCD": arm.id,
            "PARAMCD": code,
            "PARAM": title,
            "AVISIT": np.array([one.name for one in visits])[visit],
            "AVISITN": np.array([one.number for one in visits])[visit],
            "ADY": study_day(days, start)[visit],
            "AWLO": study_day(low, start)[visit],
            "AWHI": study_day(high, start)[visit],
            "ABLFL": np.where(visit == 0, "Y", ""),
            "AVAL": values[patient, visit],
            "BASE": base,
            "CHG": np.where(visit == 0, np.nan, values[patient, visit] - base),
        }
    )
