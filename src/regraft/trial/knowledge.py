"""What is not known of an estimate, beside what is luck: how it differs between posterior draws."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from regraft.trial.endpoints.base import EndpointResult
from regraft.trial.estimates import Estimate, Floats

if TYPE_CHECKING:
    import pandas as pd

FEW = 20  # draws below which the ends of an interval are rough
FEWEST_REPLICATES = 5  # that tell a spread between them
NO_TIME = -1.0  # stands for no time in a key, which NaN cannot

Key = tuple[str, str, str, str, float]


@dataclass(frozen=True)
class Known:
    """An estimate or a contrast of a trial, and how well it is known.

    All spreads and bounds are in the unit of the estimate; NaN where there is none.

    Parameters
    ----------
    endpoint, arm, statistic, label, time_months : what is estimated; of a contrast ``statistic`` is the measure
    estimate : of the trial itself, with central values; its interval is the 95 % one of luck
    draws, without : posterior draws that gave a number, and that gave none
    lower80, upper80, lower95, upper95 : quantiles of the estimate over the draws
    knowledge_sd : standard deviation between draws
    luck_sd : standard error of the estimate for the patients of this trial
    replicates_sd : standard deviation between replicates, where there are at least five
    patients_sd : standard deviation between patients, where the estimate is a mean
    note : what to know before use
    """

    endpoint: str
    arm: str
    statistic: str
    label: str
    time_months: float | None
    estimate: Estimate
    draws: int
    without: int
    lower80: float
    upper80: float
    lower95: float
    upper95: float
    knowledge_sd: float
    luck_sd: float
    replicates_sd: float
    patients_sd: float
    note: str = ""


def key_of(endpoint: str, arm: str, statistic: str, label: str, time_months: float | None) -> Key:
    """Return what tells an estimate of a trial from all others."""
    return endpoint, arm, statistic, label, NO_TIME if time_months is None else time_months


def knowledge(endpoints: Mapping[str, EndpointResult], repeats: pd.DataFrame) -> tuple[Known, ...]:
    """Set the spread between posterior draws beside the luck of the trial itself.

    Every draw meets the same people with the same luck, so draws differ by what they say of the parameters, and by the
    little luck that takes another course when a parameter moves; that part falls with the number of patients.

    Parameters
    ----------
    endpoints : of the trial itself
    repeats : from ``run_repeats``

    Returns
    -------
    one for each estimate and contrast of the trial, in their order; none without draws
    """
    is_drawn = repeats["draw"].notna()
    drawn, replicated = _values(repeats[is_drawn]), _values(repeats[~is_drawn])
    asked = int(repeats["draw"].nunique())
    if not asked:
        return ()
    nothing = np.empty(0)
    return tuple(
        _known(key, estimate, drawn.get(key, nothing), replicated.get(key, nothing), asked)
        for name, endpoint in endpoints.items()
        for key, estimate in _estimates(name, endpoint)
    )


def knowledge_table(known: tuple[Known, ...]) -> pd.DataFrame:
    """Return one row per estimate or contrast; bounds of luck are 95 %."""
    import pandas as pd

    rows = [
        {
            "endpoint": one.endpoint,
            "arm": one.arm,
            "statistic": one.statistic,
            "label": one.label,
            "months": math.nan if one.time_months is None else one.time_months,
            "unit": one.estimate.unit,
            "value": one.estimate.value,
            "luck_lower95": one.estimate.lower,
            "luck_upper95": one.estimate.upper,
            "knowledge_lower80": one.lower80,
            "knowledge_upper80": one.upper80,
            "knowledge_lower95": one.lower95,
            "knowledge_upper95": one.upper95,
            "knowledge_sd": one.knowledge_sd,
            "luck_sd": one.luck_sd,
            "replicates_sd": one.replicates_sd,
            "patients_sd": one.patients_sd,
            "draws": one.draws,
            "draws_without": one.without,
            "note": one.note,
        }
        for one in known
    ]
    return pd.DataFrame(rows)


def _values(repeats: pd.DataFrame) -> dict[Key, Floats]:
    """Return the finite values of each estimate over some repetitions."""
    columns = ["endpoint", "arm", "statistic", "label", "months"]
    groups = repeats.assign(months=repeats["months"].fillna(NO_TIME)).groupby(columns)["value"]
    found = {key: group.to_numpy(dtype=np.float64) for key, group in groups}
    return {key: values[np.isfinite(values)] for key, values in found.items()}  # type: ignore[misc]


def _estimates(name: str, endpoint: EndpointResult) -> Iterator[tuple[Key, Estimate]]:
    """Yield estimates and contrasts of an endpoint."""
    for row in endpoint.estimates:
        yield key_of(name, row.arm, row.statistic, row.label, row.time_months), row.estimate
    for contrast in endpoint.contrasts:
        yield key_of(name, contrast.arm, contrast.measure, contrast.label, None), contrast.estimate


def _known(key: Key, estimate: Estimate, drawn: Floats, replicated: Floats, asked: int) -> Known:
    """Sum up one estimate."""
    lower80, upper80, lower95, upper95 = _bounds(drawn)
    endpoint, arm, statistic, label, months = key
    return Known(
        endpoint,
        arm,
        statistic,
        label,
        None if months == NO_TIME else months,
        estimate,
        int(drawn.size),
        asked - int(drawn.size),
        lower80,
        upper80,
        lower95,
        upper95,
        knowledge_sd=_deviation(drawn, 2),
        luck_sd=estimate.standard_error,
        replicates_sd=_deviation(replicated, FEWEST_REPLICATES),
        patients_sd=_between_patients(estimate),
        note=_note(int(drawn.size), asked),
    )


def _bounds(values: Floats) -> tuple[float, float, float, float]:
    """Return the ends of the middle 80 % and 95 % of values, NaN where there are fewer than two."""
    if values.size < 2:
        return math.nan, math.nan, math.nan, math.nan
    tenth, ninetieth, first, last = np.quantile(values, [0.1, 0.9, 0.025, 0.975])
    return float(tenth), float(ninetieth), float(first), float(last)


def _deviation(values: Floats, fewest: int) -> float:
    """Return the standard deviation of values, NaN where there are too few."""
    return float(np.std(values, ddof=1)) if values.size >= fewest else math.nan


def _between_patients(estimate: Estimate) -> float:
    """Return how much patients differ: the error of a mean tells it, nothing else does."""
    size = estimate.n if estimate.effective_size is None else estimate.effective_size
    return estimate.standard_error * math.sqrt(size) if estimate.method.startswith("mean") else math.nan


def _note(used: int, asked: int) -> str:
    """Say what to know before use."""
    few = f"only {used} draws: the ends of the intervals are rough" if used < FEW else ""
    none = f"{asked - used} of {asked} draws gave no number" if used < asked else ""
    return "; ".join(part for part in (few, none) if part)
