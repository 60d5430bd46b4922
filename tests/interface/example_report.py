"""A made-up trial result, for tests of the page and the charts; its numbers mean nothing."""

from __future__ import annotations

import numpy as np

from regraft.evidence.compare import Comparison, Estimate
from regraft.evidence.targets import Target
from regraft.interface.report.data import (
    Arm,
    ArmFlow,
    Cell,
    Consort,
    Contrast,
    Curve,
    EntryUsed,
    Incidence,
    ProtocolItem,
    ReportData,
    ResultRow,
    Ribbon,
    Survival,
    YearlyRate,
)

ARMS = (Arm("ahsct", "Autologous HSCT"), Arm("natalizumab", "Natalizumab"), Arm("untreated", "No treatment"))


def target(**changes: object) -> Target:
    """Return a published row with some fields changed."""
    fields: dict[str, object] = {
        "id": "row_1",
        "study": "Example cohort",
        "year": 2024,
        "arm_class": "ahsct",
        "n": 174,
        "population": "relapsing",
        "regimen": "Cy/ATG",
        "endpoint_id": "neda3",
        "time_months": 60.0,
        "value": 73.0,
        "unit": "%",
        "lower": 66.0,
        "upper": 81.0,
        "interval_type": "CI95",
        "citation": "10.1/example",
        "source_row": "29",
        "note": "",
    }
    return Target(**(fields | changes))  # type: ignore[arg-type]  # a test builder: fields are checked by use


def estimate(
    value: float = 70.0, lower: float | None = 64.0, upper: float | None = 75.0, **changes: object
) -> Estimate:
    """Return a simulated estimate with some fields changed."""
    fields: dict[str, object] = {"arm": "ahsct", "n": 300, "unit": "%"}
    return Estimate(value=value, lower=lower, upper=upper, **(fields | changes))  # type: ignore[arg-type]


def _curve(arm: str, rate: float, cause: str = "") -> Curve:
    time = np.linspace(0, 5, 61)
    value = np.exp(-rate * time) if not cause else 1 - np.exp(-rate * time)
    half = 0.05 * np.sqrt(time / 5) * (1 if not cause else 0.3)
    return Curve(arm, time, value, np.clip(value - half, 0, 1), np.clip(value + half, 0, 1), cause)


def _survival(name: str, title: str, rates: tuple[float, float, float]) -> Survival:
    years = np.arange(6.0)
    at_risk = np.array([[round(300 * np.exp(-rate * year)) for year in years] for rate in rates], dtype=np.int64)
    curves = tuple(_curve(arm.id, rate) for arm, rate in zip(ARMS, rates, strict=True))
    return Survival(name, title, "Probability", curves, years, at_risk)


def _ribbon(arm: str, quantity: str, label: str, *, unit: str, level: float, horizon: float, dip: float) -> Ribbon:
    time = np.linspace(-10 if horizon < 100 else 0, horizon, 61)
    nadir = 1 - dip * np.exp(-(((time - horizon / 8) / (horizon / 7)) ** 2))
    median = level * nadir
    return Ribbon(quantity, label, unit, arm, time, median, 0.6 * median, 1.5 * median)


def _ribbons() -> tuple[tuple[Ribbon, ...], tuple[Ribbon, ...]]:
    dips = {"ahsct": 0.995, "natalizumab": 0.0, "untreated": 0.02}
    early = [("neutrophils", "Neutrophils", "1e9/L", 4.0), ("platelets", "Platelets", "1e9/L", 250.0)]
    late = [
        ("cd4", "CD4 T cells", "cells/µL", 850.0),
        ("cd4_naive", "Naive CD4 T cells", "cells/µL", 400.0),
        ("cd8", "CD8 T cells", "cells/µL", 500.0),
        ("b_cells", "B cells", "cells/µL", 220.0),
        ("nk", "NK cells", "cells/µL", 200.0),
        ("igg", "IgG", "g/L", 10.0),
    ]

    def made(rows: list[tuple[str, str, str, float]], horizon: float) -> tuple[Ribbon, ...]:
        return tuple(
            _ribbon(arm.id, name, label, unit=unit, level=level, horizon=horizon, dip=dips[arm.id])
            for name, label, unit, level in rows
            for arm in ARMS
        )

    return made(early, 60.0), made(late, 5 * 365.25)


def _protocols() -> tuple[ProtocolItem, ...]:
    ahsct = [
        ("Mobilisation: cyclophosphamide", -32, -32, "2 g/m2"),
        ("Mobilisation: G-CSF", -27, -21, "10 ug/kg daily"),
        ("Collection of CD34+ cells", -21, -21, ""),
        ("Conditioning: cyclophosphamide", -5, -2, "50 mg/kg daily"),
        ("Conditioning: rabbit ATG", -5, -1, "total 6.5 mg/kg"),
        ("Graft infusion", 0, 0, "5 million CD34+/kg"),
        ("G-CSF", 5, 11, "5 ug/kg daily"),
    ]
    doses = [ProtocolItem("natalizumab", "Natalizumab infusion", 28.0 * i, 28.0 * i, "300 mg") for i in range(66)]
    return (*(ProtocolItem("ahsct", label, float(a), float(b), text) for label, a, b, text in ahsct), *doses)


def comparisons() -> tuple[Comparison, ...]:
    """Return one comparison of each kind: inside, outside, and without a published interval."""
    return (
        Comparison(target(id="a"), estimate(70.0)),
        Comparison(target(id="b", endpoint_id="overall_survival", study="Second cohort"), estimate(60.0, 55.0, 65.0)),
        Comparison(target(id="c", lower=None, upper=None, interval_type="", value=87.0, n=41), estimate(80.0, 75, 84)),
        Comparison(
            target(id="d", endpoint_id="annualised_relapse_rate", unit="1/year", value=0.2, lower=0.1, upper=0.3),
            estimate(0.35, 0.3, 0.4, unit="1/year", arm="natalizumab"),
        ),
    )


def example_report() -> ReportData:
    """Return a whole report with something in every section."""
    early, late = _ribbons()
    rates = {"ahsct": 0.02, "natalizumab": 0.2, "untreated": 0.7}
    return ReportData(
        title="Autologous transplant, natalizumab or nothing in relapsing multiple sclerosis",
        summary=(
            ("Disease", "Relapsing multiple sclerosis, highly active"),
            ("Design", "Three arms, the same 300 virtual patients in each, five years"),
            ("Estimand", "Treatment policy; death is a competing event"),
        ),
        arms=ARMS,
        results=(
            ResultRow("NEDA-3 at 2 years", "%", (Cell(85, 80.4, 89.1), Cell(38, 32, 44), Cell(7.2, 4.5, 11))),
            ResultRow("Relapse rate", "1/year", (Cell(0.02, 0.01, 0.03), Cell(0.2, 0.18, 0.22), Cell(0.7, 0.66, 0.74))),
            ResultRow("Neutrophil engraftment", "day", (Cell(10, 9, 11), Cell(None, note="no graft"), Cell(None))),
        ),
        consort=Consort(
            screened=1210,
            reasons=(("age 18 to 55 years", 130), ("at least 1 relapse in 12 months", 540), ("EDSS 1 to 6", 240)),
            enrolled=300,
            arms=(
                ArmFlow("ahsct", 300, 294, 5, 1, (("step limit reached", 1),)),
                ArmFlow("natalizumab", 300, 298, 2, 0),
                ArmFlow("untreated", 300, 299, 1, 0),
            ),
        ),
        contrasts=(Contrast("NEDA-3 loss", "hazard ratio", "ahsct", Cell(0.08, 0.05, 0.12), 1e-9),),
        protocols=_protocols(),
        relapse_rates=tuple(
            YearlyRate(arm.id, year, rate, 0.85 * rate, 1.15 * rate)
            for arm in ARMS
            for year in range(6)
            for rate in [1.6 if year == 0 else rates[arm.id] * 0.95**year]
        ),
        survival=(
            _survival("neda3", "Time to loss of NEDA-3", (0.05, 0.4, 1.2)),
            _survival("confirmed_worsening", "Time to confirmed worsening", (0.02, 0.08, 0.15)),
            _survival("overall_survival", "Overall survival", (0.004, 0.001, 0.001)),
        ),
        deaths=Incidence(
            "Deaths by cause",
            "Cumulative incidence",
            tuple(
                _curve(arm.id, rate, cause)
                for cause, base in (("Treatment-related death", 0.004), ("Other death", 0.001))
                for arm in ARMS
                for rate in [base if arm.id == "ahsct" else 0.001]
            ),
            horizon_years=5.0,
        ),
        early_reconstitution=early,
        late_reconstitution=late,
        comparisons=comparisons(),
        not_compared=(("row_9 (brain volume)", "the trial does not report this endpoint"),),
        entries=(
            EntryUsed(
                "models",
                "hematopoiesis",
                "Marrow and blood cells",
                "0.1.0",
                "draft",
                "ab12" * 16,
                (("measured", 12), ("fitted", 4), ("assumed", 7)),
                ("Steady state before treatment is healthy.",),
            ),
            EntryUsed(
                "populations", "ms_relapsing", "Relapsing MS", "0.1.0", "reviewed", "cd34" * 16, (("measured", 5),)
            ),
        ),
        citations=("Example et al. 2024",),
        provenance=(("Seed", "2026"), ("Regraft", "0.1.0"), ("Command", "regraft run trial.yaml --seed 2026")),
    )
