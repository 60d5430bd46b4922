"""Turn the results of endpoints into what the report shows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from regraft.interface.report import data as report
from regraft.interface.report.published import counted
from regraft.trial.endpoints.base import ArmCurve, ArmEstimate, EndpointResult
from regraft.trial.knowledge import Key, Known, key_of
from regraft.trial.statistics import Estimate

DAYS_PER_YEAR = 365.25
MOST_STEPS = 500  # of a curve in a figure


@dataclass(frozen=True)
class KaplanMeierFigure:
    """A Kaplan-Meier figure of an endpoint; ``curve`` is the title of its curves where the endpoint has others too."""

    id: str
    endpoint: str
    title: str
    axis: str
    curve: str = ""


KAPLAN_MEIER = (
    KaplanMeierFigure("neda3", "neda3", "Free of disease activity (NEDA-3)", "Share with NEDA-3"),
    KaplanMeierFigure(
        "confirmed_worsening", "confirmed_worsening", "Free of confirmed worsening", "Share without worsening"
    ),
    KaplanMeierFigure("edss_6", "edss_milestones", "Below EDSS 6", "Share below EDSS 6", "Free of EDSS 6"),
    KaplanMeierFigure("edss_7", "edss_milestones", "Below EDSS 7", "Share below EDSS 7", "Free of EDSS 7"),
    KaplanMeierFigure("overall_survival", "overall_survival", "Overall survival", "Share alive"),
    KaplanMeierFigure("event_free_survival", "event_free_survival", "Event-free survival", "Alive with the graft"),
    KaplanMeierFigure("grfs", "grfs", "GvHD-free and rejection-free survival", "Free of all"),
)


Bounds = Mapping[Key, tuple[float, float]]  # 80 % over posterior draws


@dataclass(frozen=True)
class Pick:
    """An estimate that the headline table shows; ``years`` are the times after day 0, none where time has no part.

    ``label`` may hold ``{time}`` (2 years), ``{year}`` (2), ``{days}`` (100) and ``{name}``, the estimate's own label
    up to its first comma.
    """

    endpoint: str
    statistic: str
    label: str
    years: tuple[float, ...] = ()


HEADLINE = (
    Pick("annualised_relapse_rate", "rate in run-in year", "Relapse rate, year before randomisation"),
    Pick("annualised_relapse_rate", "rate", "Relapse rate, years 0 to {year}", (2, 5)),
    Pick("neda3", "event-free", "NEDA-3, {time}", (2, 5)),
    Pick("new_lesions", "since new baseline", "New T2 lesions since new baseline, {time}", (2, 5)),
    Pick("confirmed_worsening", "event-free", "Free of confirmed worsening, {time}", (5,)),
    Pick("confirmed_improvement", "improved", "Confirmed improvement, {time}", (2,)),
    Pick("edss_change", "slope", "EDSS slope after day 0"),
    *(Pick("edss_milestones", f"free of EDSS {score}", f"Below EDSS {score}, {{time}}", (10, 20)) for score in (6, 7)),
    Pick("overall_survival", "event-free", "Overall survival, {time}", (5,)),
    Pick("event_free_survival", "event-free", "Event-free survival, {time}", (2, 5)),
    Pick("grfs", "event-free", "GvHD-free and rejection-free survival, {time}", (2,)),
    Pick("graft_failure", "incidence", "Graft failure, {time}", (2,)),
    Pick("second_transplant", "incidence", "Second transplant, {time}", (2,)),
    Pick("acute_gvhd", "incidence", "Acute GvHD II to IV, {time}", (1,)),
    Pick("severe_acute_gvhd", "incidence", "Acute GvHD III to IV, {time}", (1,)),
    Pick("chronic_gvhd", "incidence", "Chronic GvHD, {time}", (2,)),
    Pick("t_cell_recovery", "early CD4", "CD4 above 50/uL twice by day 100"),
    Pick("t_cell_recovery", "cd3", "{name}, {time}", (1, 5)),
    Pick("thymic_recovery", "cd4_naive", "{name}, {time}", (1,)),
    Pick("thymic_recovery", "trec", "{name}, {time}", (1,)),
    Pick("chimerism", "t_chimerism: full", "{name}, {time}", (2,)),
    Pick("chimerism", "myeloid_chimerism: full", "{name}, {time}", (2,)),
    Pick("immunoglobulin_independence", "independent", "{name}, {time}", (2, 5)),
    Pick("treatment_related_mortality", "incidence", "Treatment-related death, day {days}"),
    Pick("acr_response", "ACR20", "ACR20, week 12", (84 / DAYS_PER_YEAR,)),
    *(Pick("acr_response", f"ACR{level}", f"ACR{level}, week 24", (168 / DAYS_PER_YEAR,)) for level in (20, 50, 70)),
    Pick("acr_response", "ACR20", "ACR20, week 52", (364 / DAYS_PER_YEAR,)),
    Pick("disease_activity_28", "DAS28-CRP change", "Change of DAS28-CRP, week 24", (168 / DAYS_PER_YEAR,)),
    Pick("haq_change", "change", "Change of HAQ, week 24", (168 / DAYS_PER_YEAR,)),
    Pick("radiographic_progression", "change", "Change of the Sharp score, week 52", (364 / DAYS_PER_YEAR,)),
    Pick("infections", "rate: all", "Infections, {time}", (1,)),
    Pick("neutrophil_engraftment", "median day", "Neutrophil engraftment, median"),
    Pick("neutrophil_engraftment", "range", "Neutrophil engraftment, 9 in 10 patients"),
    Pick("neutrophil_engraftment", "share engrafted", "Neutrophil engraftment, share"),
    Pick("platelet_engraftment", "median day", "Platelet engraftment, median"),
    Pick("immune_reconstitution", "cd4", "{name}, {time}", (1, 2)),
    Pick("immune_reconstitution", "cd4 low", "{name}, {time}", (1,)),
    Pick("immune_reconstitution", "naive_share", "{name}, {time}", (2,)),
    Pick("immune_reconstitution", "naive share risen", "Naive share above baseline, {time}", (2,)),
)


def result_rows(
    results: Iterable[EndpointResult], arms: Sequence[report.Arm], known: Iterable[Known] = ()
) -> tuple[report.ResultRow, ...]:
    """Return the headline table: chosen estimates of the endpoints that the trial has."""
    bounds = {
        key_of(one.endpoint, one.arm, one.statistic, one.label, one.time_months): (one.lower80, one.upper80)
        for one in known
        if math.isfinite(one.lower80)
    }
    by_id = {result.id: result for result in results}
    rows: list[report.ResultRow] = []
    for pick in HEADLINE:
        if pick.endpoint in by_id:
            rows += _rows(by_id[pick.endpoint], pick, arms, bounds)
    return tuple(rows)


def contrasts(results: Iterable[EndpointResult]) -> tuple[report.Contrast, ...]:
    """Return ratios of unpaired groups: what a clinical trial would report."""
    return tuple(
        report.Contrast(
            contrast.label, contrast.measure, contrast.arm, cell(contrast.estimate), _known(contrast.p_value)
        )
        for result in results
        for contrast in result.contrasts
        if not contrast.is_paired
    )


def relapse_rates(results: Iterable[EndpointResult]) -> tuple[report.YearlyRate, ...]:
    """Return relapse rates by year after day 0; year 0 is the last year before randomisation."""
    rates: list[report.YearlyRate] = []
    for result in results:
        for row in result.estimates if result.id == "annualised_relapse_rate" else ():
            year = _year_of(row)
            estimate = row.estimate
            if year is not None and math.isfinite(estimate.value):
                rates.append(report.YearlyRate(row.arm, year, estimate.value, estimate.lower, estimate.upper))
    return tuple(rates)


def survival_figures(results: Iterable[EndpointResult], arms: Sequence[report.Arm]) -> tuple[report.Survival, ...]:
    """Return the Kaplan-Meier figures with numbers at risk."""
    by_id = {result.id: result for result in results}
    drawn = [(figure, _drawn(by_id[figure.endpoint], figure)) for figure in KAPLAN_MEIER if figure.endpoint in by_id]
    return tuple(_survival(figure, curves, arms) for figure, curves in drawn if curves)


def deaths(results: Iterable[EndpointResult]) -> report.Incidence | None:
    """Return treatment-related and other deaths as competing causes, if the trial has that endpoint."""
    return _incidence(results, "treatment_related_mortality", "Deaths by cause")


def fates(results: Iterable[EndpointResult]) -> report.Incidence | None:
    """Return what happened first to the patients, if the trial has that endpoint."""
    return _incidence(results, "fates", "What happened first")


def _incidence(results: Iterable[EndpointResult], endpoint: str, title: str) -> report.Incidence | None:
    """Return the cumulative incidences of an endpoint's competing causes."""
    for result in results:
        competing = [curve for curve in result.curves if curve.cause]
        if result.id == endpoint and competing:
            horizon = max(float(curve.risk_days[-1]) + curve.origin_day for curve in competing) / DAYS_PER_YEAR
            curves = tuple(_curve(curve) for curve in competing)
            return report.Incidence(title, "Cumulative incidence", curves, horizon)
    return None


def cell(estimate: Estimate) -> report.Cell:
    """Return an estimate as a table cell; what does not exist carries its reason."""
    if not math.isfinite(estimate.value):
        return report.Cell(None, n=estimate.n, note=estimate.note or "cannot be estimated")
    bounds = (_known(estimate.lower), _known(estimate.upper))
    note = estimate.note if None in bounds else ""
    return report.Cell(estimate.value, *bounds, n=estimate.n, note=note)


def _rows(result: EndpointResult, pick: Pick, arms: Sequence[report.Arm], bounds: Bounds) -> list[report.ResultRow]:
    """Return one row per chosen time, or one row where time has no part; none where no arm has the estimate."""
    chosen: list[float | None] = [12.0 * year for year in pick.years] or _first_time(result, pick.statistic)
    rows = []
    for months in chosen:
        found = {
            row.arm: row
            for row in result.estimates
            if row.statistic == pick.statistic and _same_time(row.time_months, months)
        }
        if found:
            label = _label(pick, next(iter(found.values())))
            rows.append(_row(result, found, arms, bounds, label=label))
    return rows


def _row(
    result: EndpointResult,
    found: Mapping[str, ArmEstimate],
    arms: Sequence[report.Arm],
    bounds: Bounds,
    *,
    label: str,
) -> report.ResultRow:
    """Return one row of the headline table."""
    units = [row.estimate.unit for row in found.values() if row.estimate.unit]
    cells = tuple(
        _cell_of(result.id, found[arm.id], bounds)
        if arm.id in found
        else report.Cell(None, note=_why_none(result, arm.id))
        for arm in arms
    )
    return report.ResultRow(label, units[0] if units else "", cells)


def _cell_of(endpoint: str, row: ArmEstimate, bounds: Bounds) -> report.Cell:
    """Return an estimate as a table cell, with what posterior draws say of it."""
    key = key_of(endpoint, row.arm, row.statistic, row.label, row.time_months)
    return replace(cell(row.estimate), known=bounds.get(key))


def _label(pick: Pick, row: ArmEstimate) -> str:
    """Return the label of a row, with its time."""
    months = row.time_months or 0.0
    time = counted(round(months / 12, 2), "year")  # 52 weeks are told as a year
    days = round(months * DAYS_PER_YEAR / 12)
    return pick.label.format(time=time, year=f"{months / 12:g}", days=days, name=row.label.split(",")[0])


def _why_none(result: EndpointResult, arm: str) -> str:
    """Return why an arm has no such estimate, if another estimate of the endpoint tells."""
    notes = (row.estimate.note for row in result.estimates if row.arm == arm and not math.isfinite(row.estimate.value))
    return next((note for note in notes if note), "not estimated")


def _first_time(result: EndpointResult, statistic: str) -> list[float | None]:
    """Return the first time of a statistic, which may be none at all."""
    return next(([row.time_months] for row in result.estimates if row.statistic == statistic), [])


def _same_time(one: float | None, other: float | None) -> bool:
    """Return whether two times in months are the same."""
    if one is None or other is None:
        return one is other
    return abs(one - other) < 0.05


def _year_of(row: ArmEstimate) -> int | None:
    """Return the year of a relapse rate, None for rates over other periods."""
    if row.statistic == "rate in run-in year":
        return 0
    if row.statistic == "rate in year" and row.time_months is not None:
        return round(row.time_months / 12)
    return None


def _drawn(result: EndpointResult, figure: KaplanMeierFigure) -> dict[str, ArmCurve]:
    """Return the curves of a figure by arm."""
    return {curve.arm: curve for curve in result.curves if not curve.cause and figure.curve in ("", curve.title)}


def _survival(figure: KaplanMeierFigure, by_arm: Mapping[str, ArmCurve], arms: Sequence[report.Arm]) -> report.Survival:
    """Return one Kaplan-Meier figure, arms in their order."""
    curves = [by_arm[arm.id] for arm in arms if arm.id in by_arm]
    risk_years = (curves[0].risk_days + curves[0].origin_day) / DAYS_PER_YEAR
    at_risk = np.array([curve.at_risk for curve in curves], dtype=np.int64)
    drawn = tuple(_curve(curve) for curve in curves)
    return report.Survival(figure.id, figure.title, figure.axis, drawn, risk_years, at_risk)


def _curve(found: ArmCurve) -> report.Curve:
    """Return a step curve in years after day 0; one of more steps than can be drawn is read at as many times."""
    curve = found.curve
    steps = np.arange(curve.time.size)
    if steps.size > MOST_STEPS:
        times = np.linspace(curve.time[0], curve.time[-1], MOST_STEPS)
        steps = np.unique(np.searchsorted(curve.time, times, side="right") - 1)
    years = (curve.time[steps] + found.origin_day) / DAYS_PER_YEAR
    value, lower, upper = (values[steps] for values in (curve.value, curve.lower, curve.upper))
    return report.Curve(found.arm, years, value, lower, upper, found.cause)


def _known(value: float | None) -> float | None:
    """Return a finite number, or None."""
    return value if value is not None and math.isfinite(value) else None
