"""Tables with the variable names of CDISC ADaM: ADSL, ADTTE and a BDS table of readings."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from regraft.errors import OutputFolderError
from regraft.trial.endpoints.base import EndpointResult, TimeToEvent
from regraft.trial.observation import ObservedArm, ObservedTrial
from regraft.trial.statistics import Floats, Integers

if TYPE_CHECKING:
    import pandas as pd

Labels = NDArray[np.object_]

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
    "nk": ("NK", "NK cells (cells/uL)"),
    "igg": ("IGG", "IgG (g/L)"),
}


@dataclass(frozen=True)
class Tables:
    """One row per patient and arm (``adsl``), per time to event (``adtte``) and per reading (``bds``).

    Study days (``ADY``, ``...DY``) count from randomisation, which is day 1; there is no day 0.
    """

    adsl: pd.DataFrame
    adtte: pd.DataFrame
    bds: pd.DataFrame

    def named(self) -> dict[str, pd.DataFrame]:
        """Return the tables by name."""
        return {"adsl": self.adsl, "adtte": self.adtte, "bds": self.bds}


def make_tables(
    observed: ObservedTrial,
    endpoints: Mapping[str, EndpointResult],
    *,
    trial: str,
    patient_ids: Integers,
    baseline: Mapping[str, Floats],
) -> Tables:
    """Build the tables.

    Parameters
    ----------
    trial : id of the study
    patient_ids : (patient,) of the enrolled
    baseline : (patient,) covariates and screening measures by name; their upper-case names are columns of ADSL
    """
    import pandas as pd

    subjects = np.array([f"{trial}-{patient:06d}" for patient in patient_ids], dtype=object)
    times = {(one.arm, one.code): one for result in endpoints.values() for one in result.times if one.code}
    arms = {arm.id: arm for arm in observed.arms}
    adsl = [_adsl(arm, trial, subjects, baseline) for arm in observed.arms]
    adtte = [_adtte(arms[one.arm], one, trial, subjects) for one in times.values()]
    bds = [frame for arm in observed.arms for frame in _bds(arm, trial, subjects)]
    empty = pd.DataFrame(columns=["STUDYID", "USUBJID", "ARMCD", "PARAMCD"])
    joined = [pd.concat(frames, ignore_index=True) if frames else empty for frames in (adsl, adtte, bds)]
    return Tables(*joined)


def study_day(day: Floats, randomisation_day: float) -> Floats:
    """Turn model days into study days: 1 on the day of randomisation, -1 on the day before."""
    since = np.floor(np.asarray(day, dtype=np.float64) - randomisation_day + 1e-9)
    return np.where(since >= 0, since + 1, since)


def _adsl(arm: ObservedArm, trial: str, subjects: Labels, baseline: Mapping[str, Floats]) -> pd.DataFrame:
    """Return one row per patient of an arm."""
    import pandas as pd

    start = arm.schedule.randomisation_day
    died = np.isfinite(arm.death_day)
    status = np.where(arm.is_missing, "FAILED", np.where(died, "DIED", "COMPLETED"))
    columns = {
        "STUDYID": trial,
        "USUBJID": subjects,
        "ARMCD": arm.id,
        "ARM": arm.label,
        "RANDDY": 1,
        "TRTSDY": study_day(np.full(arm.patients, 0.0), start),
        "EOSDY": study_day(arm.last_day, start),
        "EOSSTT": status,
        "DCSREAS": arm.reason.astype(str),
        "DTHFL": np.where(died, "Y", "N"),
        "DTHDY": study_day(arm.death_day, start),
        "DTHCAUS": arm.death_cause.astype(str),
    }
    return pd.DataFrame(columns | {name.upper(): values for name, values in baseline.items()})


def _adtte(arm: ObservedArm, one: TimeToEvent, trial: str, subjects: Labels) -> pd.DataFrame:
    """Return one row per patient of one time to event; missing patients have no AVAL, and CNSR is empty."""
    import pandas as pd

    known = np.isfinite(one.time)
    descriptions = np.array(["censored", *one.causes], dtype=object)[one.cause]
    censored = pd.array(np.where(one.cause > 0, 0, 1), dtype="Int64")
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
            "ADY": study_day(one.time + one.origin_day, start),
            "AVAL": one.time,
            "CNSR": censored,
            "EVNTDESC": np.where(known, descriptions, _why_not(arm)),
        }
    )


def _why_not(arm: ObservedArm) -> Labels:
    """Return why a patient has no time."""
    return np.where(arm.is_missing, arm.reason, "not applicable").astype(object)


def _bds(arm: ObservedArm, trial: str, subjects: Labels) -> list[pd.DataFrame]:
    """Return readings at the visits, one frame per parameter, readings that exist only."""
    return [
        _readings(arm, name, values, trial=trial, subjects=subjects)
        for name, values in arm.readings.items()
        if name in PARAMETERS
    ]


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


def write_tables(tables: Tables, folder: Path) -> None:
    """Write every table as Parquet and CSV; ``folder`` appears whole or stays as it was.

    Raises
    ------
    OutputFolderError : the folder cannot be written; nothing half-finished is left
    """
    staging = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        for name, table in tables.named().items():
            table.to_parquet(staging / f"{name}.parquet", index=False)
            table.to_csv(staging / f"{name}.csv", index=False)
        _swap(staging, folder)
    except OSError as error:
        raise OutputFolderError(
            f"Tables cannot be written to {folder}: {error.strerror or error}. Nothing half-finished was left there; "
            "free some room or choose another folder."
        ) from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)


def _swap(staging: Path, folder: Path) -> None:
    """Put a finished folder in the place of an old one."""
    staging.chmod(0o755)  # temporary folders are private
    if not folder.exists():
        staging.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent)) / folder.name
    folder.rename(old)
    try:
        staging.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    finally:
        shutil.rmtree(old.parent, ignore_errors=True)
