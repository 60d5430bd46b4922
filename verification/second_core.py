"""The equations of the entries `hematopoiesis` and `immunity` a second time, written from their READMEs alone.

Nothing here is shared with the platform: the right-hand sides are typed by hand, and `second_solver.py` integrates
them with SciPy. Parameters are read from the entries' `parameters.csv`, the only file that both sides use. One lineage.
Times are in days, rates per day, other units as in `quantities.csv`. In the equations `s` holds states, `u` inputs, `p`
parameters and `f` formulas, all of them plain numbers.
"""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import exp
from pathlib import Path
from types import SimpleNamespace


class Values(SimpleNamespace):
    """Numbers by name."""


Equations = Callable[[Values, Values, Values], tuple[Values, dict[str, float]]]


@dataclass(frozen=True)
class Event:
    """Acts once when `margin` turns positive: sets states to the values in `assign`, where None stands for a draw."""

    name: str
    margin: Callable[[Values, Values, Values], float]
    assign: dict[str, float | None]


@dataclass(frozen=True)
class Part:
    """`start(u, p)` gives all states, `equations(s, u, p)` the formulas and the rate of every state."""

    inputs: dict[str, float]
    start: Callable[[Values, Values], dict[str, float]]
    equations: Equations
    events: tuple[Event, ...]


def read_parameters(entries: Path, names: Iterable[str] = ("hematopoiesis", "immunity")) -> dict[str, float]:
    """The typical patient: the column `value` of `<entries>/<name>/parameters.csv` of each named entry."""
    values: dict[str, float] = {}
    for name in names:
        with (entries / name / "parameters.csv").open(newline="", encoding="utf-8") as table:
            values |= {row["id"]: float(row["value"]) for row in csv.DictReader(table)}
    return values


def marrow_start(_u: Values, p: Values) -> dict[str, float]:
    """States of `hematopoiesis` at the start: a healthy marrow."""
    precursors = (
        "neutrophil_stage_1",
        "neutrophil_stage_2",
        "neutrophil_stage_3",
        "megakaryocytes_1",
        "megakaryocytes_2",
    )
    return (
        dict.fromkeys(("graft_cd34", "graft_progenitors", "hsc_kill_sum"), 0.0)
        | dict.fromkeys(("hsc", "short_term", "progenitors", "lymphoid_progenitors", *precursors), 1.0)
        | {name: getattr(p, f"{name[:-1]}_reference") for name in ("neutrophils", "monocytes", "platelets")}
    )


def marrow(s: Values, u: Values, p: Values) -> tuple[Values, dict[str, float]]:
    """Formulas and rates of `hematopoiesis`."""
    f = Values()
    f.homing_ease = p.k_homing / (1 + s.graft_cd34 / p.homing_half)
    f.homing = f.homing_ease * s.graft_cd34
    f.homing_progenitors = f.homing_ease * s.graft_progenitors

    f.niche_free = 1 - s.hsc
    f.hsc_reserve = (1 + p.hsc_output_half) / (s.hsc + p.hsc_output_half)
    f.hsc_output = s.hsc * f.hsc_reserve

    capacity = s.short_term * (1 + p.capacity_half) / (s.short_term + p.capacity_half)
    f.progenitor_capacity = (capacity + p.capacity_floor) / (1 + p.capacity_floor)
    division_excess = p.k_progenitor_division / (p.k_progenitor_exit - p.k_progenitor_entry) - 1
    f.division_demand = 1 / (1 + division_excess * s.progenitors / f.progenitor_capacity)

    f.gcsf_signal = (p.gcsf_uptake_half + p.neutrophil_reference) / (p.gcsf_uptake_half + s.neutrophils) + u.gcsf_effect
    f.neutrophil_input = f.gcsf_signal**p.gcsf_power_input
    f.neutrophil_speed = f.gcsf_signal**p.gcsf_power_speed
    transit = p.k_neutrophil_stage * f.neutrophil_speed

    reference = p.platelet_reference
    f.thrombopoietin = reference * (1 + p.thrombopoietin_half) / (p.thrombopoietin_half * reference + s.platelets)
    f.platelet_production = reference * (p.k_platelet_loss + p.platelet_need / (reference + p.platelet_need_half))
    f.platelet_loss = p.k_platelet_loss + p.platelet_need / (s.platelets + p.platelet_need_half)
    megakaryocyte_input = s.progenitors * f.thrombopoietin**p.thrombopoietin_power

    rates = {
        "graft_cd34": u.graft_cd34_entry - f.homing - p.k_graft_loss * s.graft_cd34,
        "graft_progenitors": u.graft_progenitors_entry - f.homing_progenitors - p.k_graft_loss * s.graft_progenitors,
        "hsc": p.k_hsc_renewal * s.hsc * f.niche_free
        + p.hsc_per_cd34 * f.homing * (f.niche_free + p.niche_leak)
        - (u.kill_hsc + u.rejection) * s.hsc,
        "hsc_kill_sum": u.kill_hsc,
        "short_term": p.k_short_term * (f.hsc_output - s.short_term)
        + p.short_term_per_cd34 * f.homing_progenitors
        - (p.short_term_sensitivity * u.kill_progenitor + u.rejection) * s.short_term,
        "progenitors": p.k_progenitor_entry * s.short_term
        + (p.k_progenitor_division * f.division_demand - p.k_progenitor_exit) * s.progenitors
        + p.progenitor_per_cd34 * f.homing_progenitors
        - (u.kill_progenitor + u.rejection) * s.progenitors,
        "neutrophil_stage_1": p.k_neutrophil_stage * s.progenitors * f.neutrophil_input
        - (transit + u.kill_progenitor) * s.neutrophil_stage_1,
        "neutrophil_stage_2": transit * (s.neutrophil_stage_1 - s.neutrophil_stage_2)
        - u.kill_progenitor * s.neutrophil_stage_2,
        "neutrophil_stage_3": transit * (s.neutrophil_stage_2 - s.neutrophil_stage_3),
        "neutrophils": p.k_neutrophil_loss
        * (p.neutrophil_reference * f.neutrophil_speed * s.neutrophil_stage_3 - s.neutrophils),
        "monocytes": p.k_monocyte_loss
        * (p.monocyte_reference * f.neutrophil_speed * s.neutrophil_stage_1 - s.monocytes),
        "megakaryocytes_1": p.k_megakaryocyte * (megakaryocyte_input - s.megakaryocytes_1)
        - u.kill_progenitor * s.megakaryocytes_1,
        "megakaryocytes_2": p.k_megakaryocyte * (s.megakaryocytes_1 - s.megakaryocytes_2),
        "platelets": f.platelet_production * s.megakaryocytes_2 - f.platelet_loss * s.platelets,
        "lymphoid_progenitors": p.k_lymphoid * (s.short_term - s.lymphoid_progenitors)
        - (u.kill_progenitor + u.rejection) * s.lymphoid_progenitors,
    }
    return f, rates


MARROW = Part(
    inputs=dict.fromkeys(
        ("kill_hsc", "kill_progenitor", "gcsf_effect", "rejection", "graft_cd34_entry", "graft_progenitors_entry"), 0.0
    ),
    start=marrow_start,
    equations=marrow,
    events=(
        Event(
            "graft_cleared",
            lambda s, _u, p: p.graft_floor - s.graft_cd34,
            {"graft_cd34": 0.0, "graft_progenitors": 0.0},
        ),
        Event(
            "hsc_draw",
            lambda s, u, p: min(s.hsc_kill_sum - p.draw_kill_sum, p.draw_kill_rate - u.kill_hsc),
            {"hsc": None, "hsc_kill_sum": 0.0},
        ),
        Event(
            "hsc_rejected",
            lambda s, u, p: min(u.rejection - p.draw_kill_rate, 1 - s.hsc * p.hsc_number),
            {"hsc": 0.0},
        ),
    ),
)


def healthy(drain: float, u: Values, p: Values) -> Values:
    """Formulas of `immunity` that follow from age (years) and the drain alone: healthy pools and naive turnover."""
    f = Values()
    age, year = u.age, u.days_per_year
    f.infant_t = exp(-age / p.infant_t_scale)
    f.infant_cd8 = exp(-age / p.infant_cd8_scale)
    f.infant_b = exp(-age / p.infant_b_scale)
    f.infant_igg = exp(-age / p.infant_igg_scale)
    f.young = exp(-age / p.naive_age_scale)

    f.cd4_naive_healthy = p.cd4_naive_floor + p.cd4_naive_young * f.young + p.cd4_naive_infant * f.infant_t
    fall = p.cd4_naive_young * f.young / p.naive_age_scale + p.cd4_naive_infant * f.infant_t / p.infant_t_scale
    f.cd4_naive_slope = -fall / (year * f.cd4_naive_healthy)
    f.cd8_naive_healthy = p.cd8_naive_floor + p.cd8_naive_young * f.young + p.cd8_naive_infant * f.infant_t
    fall = p.cd8_naive_young * f.young / p.naive_age_scale + p.cd8_naive_infant * f.infant_t / p.infant_t_scale
    f.cd8_naive_slope = -fall / (year * f.cd8_naive_healthy)
    pools = (
        ("cd4_memory", p.cd4_memory_reference, -p.cd4_memory_infant, p.infant_memory_scale),
        ("treg", p.treg_reference, p.treg_infant, p.infant_t_scale),
        ("cd8_memory", p.cd8_memory_reference, -p.cd8_memory_infant, p.infant_cd8_scale),
        ("b_naive", p.b_naive_reference, p.b_naive_infant, p.infant_b_scale),
        ("b_memory", p.b_memory_reference, -p.b_memory_infant, p.infant_b_scale),
        ("nk", p.nk_reference, p.nk_infant, p.infant_b_scale),
        ("plasma", 1.0, -p.plasma_infant, p.infant_igg_scale),
    )
    for pool, adult, infant, scale in pools:
        level = adult * (1 + infant * exp(-age / scale))
        setattr(f, f"{pool}_healthy", level)
        setattr(f, f"{pool}_slope", (adult / level - 1) / (scale * year))

    f.naive_share_kept = 1 - (1 - p.naive_pool_fraction) * drain
    f.cd4_naive_setpoint = f.cd4_naive_healthy * f.naive_share_kept
    f.cd8_naive_setpoint = f.cd8_naive_healthy * f.naive_share_kept

    f.thymus_capacity = exp(-p.thymus_decline * (age - p.thymus_age_reference))
    f.thymus_capacity += p.thymus_infant * exp(-age / p.thymus_infant_scale)
    f.export_healthy = p.thymic_export * f.thymus_capacity
    f.division_ratio = p.division_ratio_birth + age / p.division_age_scale
    f.cd4_naive_division = f.division_ratio * f.export_healthy / f.cd4_naive_healthy
    f.cd4_naive_death = f.export_healthy / f.cd4_naive_setpoint + f.cd4_naive_division - f.cd4_naive_slope
    f.cd8_export_healthy = p.export_ratio_cd8 * f.export_healthy
    f.cd8_naive_division = f.division_ratio * f.cd8_export_healthy / f.cd8_naive_healthy
    f.cd8_naive_death = f.cd8_export_healthy / f.cd8_naive_setpoint + f.cd8_naive_division - f.cd8_naive_slope
    return f


def immunity_start(u: Values, p: Values) -> dict[str, float]:
    """States of `immunity` at the start, at the age and inputs `u` of that day."""
    f = healthy(1.0, u, p)
    t_cells = u.t_development * u.thymus_tissue
    plasma = f.plasma_healthy * u.b_development * u.b_function * t_cells
    return {
        "naive_drain": 1.0,
        "graft_t_cells": 0.0,
        "graft_naive_t_cells": 0.0,
        "stroma_damage": 0.0,
        "stroma": u.thymus_tissue,
        "thymus_1": t_cells,
        "thymus_2": t_cells,
        "thymus_3": t_cells,
        "cd4_naive": f.cd4_naive_setpoint * t_cells,
        "cd8_naive": f.cd8_naive_setpoint * t_cells,
        "cd4_memory": f.cd4_memory_healthy * t_cells,
        "cd8_memory": f.cd8_memory_healthy * t_cells,
        "treg": f.treg_healthy * t_cells,
        "trec": p.trec_per_emigrant * f.export_healthy / f.cd4_naive_death * t_cells,
        "b_transitional": p.b_transitional_share * f.b_naive_healthy * u.b_development,
        "b_naive": f.b_naive_healthy * u.b_development,
        "b_memory": f.b_memory_healthy * u.b_development * t_cells,
        "nk": f.nk_healthy * u.nk_development,
        "plasma_short": plasma,
        "plasma_long": plasma,
        "igg_made": p.igg_reference * (p.igg_from_short * plasma + (1 - p.igg_from_short) * plasma),
        "igg_given": p.igg_maternal * exp(-p.k_igg * u.days_per_year * u.age),
    }


def immunity(s: Values, u: Values, p: Values) -> tuple[Values, dict[str, float]]:
    """Formulas and rates of `immunity`."""
    f = healthy(s.naive_drain, u, p)
    f.graft_t_inflow = p.k_graft_spread * p.graft_t_to_blood * s.graft_t_cells
    f.graft_naive_t_inflow = p.k_graft_spread * p.graft_t_to_blood * s.graft_naive_t_cells

    weight = p.il7_weight_cd8_memory
    f.il7_reference = f.cd4_naive_setpoint + f.cd4_memory_healthy + f.treg_healthy + f.cd8_naive_setpoint
    f.il7_reference += weight * f.cd8_memory_healthy
    f.il7_use = s.cd4_naive + s.cd4_memory + s.treg + s.cd8_naive + weight * s.cd8_memory
    f.t_shortage = (f.il7_reference - f.il7_use) / (f.il7_reference + p.il7_rise * f.il7_use)
    f.il7 = 1 + p.il7_rise * f.t_shortage
    f.lymphopenia = max(0.0, f.t_shortage)
    f.il15_reference = f.cd8_memory_healthy + p.il15_weight_nk * f.nk_healthy
    f.il15_use = s.cd8_memory + p.il15_weight_nk * s.nk
    f.cd8_shortage = (f.il15_reference - f.il15_use) / (f.il15_reference + p.il15_rise * f.il15_use)
    f.nk_shortage = (f.nk_healthy - s.nk) / (f.nk_healthy + p.il15_rise * s.nk)
    f.conversion_extra = p.k_conversion_lymphopenia * f.lymphopenia**2

    f.thymic_progenitors = u.lymphoid_progenitors * u.t_development
    f.thymus_seeding = (1 + p.seeding_half) / (f.thymic_progenitors + p.seeding_half)
    f.rebound_size = 2 * p.thymus_rebound / (1 + exp((u.age - p.thymus_age_reference) / p.rebound_age_scale))
    f.rebound_signal = f.lymphopenia**2 / (f.lymphopenia**2 + p.rebound_half**2)
    f.thymic_output = f.thymus_capacity * s.thymus_3
    f.export_now = p.thymic_export * f.thymic_output
    thymocyte_loss = u.kill_progenitor + u.lymphocyte_loss

    f.expansion = 1 - u.expansion_block
    cd4_entry = p.k_conversion * f.cd4_naive_setpoint / f.cd4_memory_healthy
    f.cd4_memory_division = p.k_cd4_memory_loss + f.cd4_memory_slope - cd4_entry
    cd8_entry = p.k_conversion * f.cd8_naive_setpoint / f.cd8_memory_healthy
    f.cd8_memory_division = p.k_cd8_memory_loss + f.cd8_memory_slope - cd8_entry
    f.treg_export_healthy = p.export_ratio_treg * f.export_healthy
    f.treg_division = p.k_treg_loss + f.treg_slope - f.treg_export_healthy / f.treg_healthy
    f.il2_per_treg = (s.cd4_memory / f.cd4_memory_healthy + p.il2_floor) / (s.treg / f.treg_healthy + p.il2_floor)
    naive_expansion = p.k_naive_expansion * f.t_shortage
    naive_loss = f.conversion_extra + u.kill_naive + u.lymphocyte_loss
    conversion = p.k_conversion + f.conversion_extra
    memory_loss = u.kill_memory + u.lymphocyte_loss
    without_ceiling = p.k_cd4_memory_expansion * f.lymphopenia**5
    f.cd4_expansion = without_ceiling / (1 + without_ceiling / p.k_expansion_most)
    cd8_expansion = f.expansion * p.k_cd8_memory_expansion * f.cd8_shortage
    cd4_memory_growth = f.cd4_memory_division + f.expansion * f.cd4_expansion - p.k_cd4_memory_loss - memory_loss
    cd8_memory_growth = f.cd8_memory_division + cd8_expansion - p.k_cd8_memory_loss - memory_loss
    treg_growth = f.treg_division * 2 * f.il2_per_treg / (1 + f.il2_per_treg) - p.k_treg_loss

    f.trec_content = s.trec / (s.cd4_naive + p.count_floor)
    f.cd4 = s.cd4_naive + s.cd4_memory + s.treg
    f.cd8 = s.cd8_naive + s.cd8_memory
    f.t_cells = f.cd4 + f.cd8
    f.naive_share = s.cd4_naive / (f.cd4 + p.count_floor)
    f.b_cells = s.b_transitional + s.b_naive + s.b_memory

    f.b_reference = p.b_transitional_share * f.b_naive_healthy + f.b_naive_healthy + f.b_memory_healthy
    f.b_feedback = (1 + p.b_output_rise) / (1 + p.b_output_rise * f.b_cells / f.b_reference)
    f.b_output = p.b_transitional_share * f.b_naive_healthy * (p.k_b_transitional + f.b_naive_slope) * f.b_feedback
    f.t_help = (1 + p.help_half) * s.cd4_memory / (s.cd4_memory + p.help_half * f.cd4_memory_healthy)
    f.nk_output = f.nk_healthy * (p.k_nk + f.nk_slope) * (1 + p.nk_output_rise * f.nk_shortage)
    b_loss = u.kill_b + u.lymphocyte_loss

    per_help = f.plasma_healthy * (p.k_plasma_short + f.plasma_slope) * f.t_help
    f.plasma_per_memory = per_help * p.plasma_from_memory / f.b_memory_healthy
    f.plasma_per_naive = per_help * (1 - p.plasma_from_memory) / f.b_naive_healthy
    niche_free = (1 - s.plasma_long / (p.plasma_niche * f.plasma_healthy)) / (1 - 1 / p.plasma_niche)
    f.plasma_entry = (p.k_plasma_long + f.plasma_slope) * niche_free
    igg_source = p.igg_from_short * s.plasma_short + (1 - p.igg_from_short) * s.plasma_long
    f.igg = s.igg_made + s.igg_given

    rates = {
        "naive_drain": -u.kill_effector * s.naive_drain,
        "graft_t_cells": u.graft_t_entry - (p.k_graft_spread + memory_loss) * s.graft_t_cells,
        "graft_naive_t_cells": u.graft_naive_t_entry
        - (p.k_graft_spread + u.kill_naive + u.lymphocyte_loss) * s.graft_naive_t_cells,
        "stroma_damage": u.kill_stroma - s.stroma_damage / p.rebound_duration,
        "stroma": p.k_stroma * (u.thymus_tissue * (1 + f.rebound_size * s.stroma_damage * f.rebound_signal) - s.stroma)
        - (u.kill_stroma + u.stroma_injury) * s.stroma,
        "thymus_1": p.k_thymus * (f.thymus_seeding * s.stroma * f.thymic_progenitors - s.thymus_1)
        - thymocyte_loss * s.thymus_1,
        "thymus_2": p.k_thymus * (s.thymus_1 - s.thymus_2) - thymocyte_loss * s.thymus_2,
        "thymus_3": p.k_thymus * (s.thymus_2 - s.thymus_3) - thymocyte_loss * s.thymus_3,
        "cd4_naive": f.export_now
        + p.graft_share_cd4_naive * f.graft_t_inflow
        + p.graft_naive_share_cd4 * f.graft_naive_t_inflow
        + (f.cd4_naive_division + naive_expansion - f.cd4_naive_death - naive_loss) * s.cd4_naive,
        "cd8_naive": p.export_ratio_cd8 * f.export_now
        + p.graft_share_cd8_naive * f.graft_t_inflow
        + (1 - p.graft_naive_share_cd4) * f.graft_naive_t_inflow
        + (f.cd8_naive_division + naive_expansion - f.cd8_naive_death - naive_loss) * s.cd8_naive,
        "cd4_memory": conversion * s.cd4_naive
        + p.graft_share_cd4_memory * f.graft_t_inflow
        + cd4_memory_growth * s.cd4_memory,
        "cd8_memory": conversion * s.cd8_naive
        + p.graft_share_cd8_memory * f.graft_t_inflow
        + cd8_memory_growth * s.cd8_memory,
        "treg": p.export_ratio_treg * f.export_now
        + p.graft_share_treg * f.graft_t_inflow
        + (treg_growth - u.kill_treg - u.lymphocyte_loss) * s.treg,
        "trec": p.trec_per_emigrant
        * (
            f.export_now
            + p.trec_share_graft * p.graft_share_cd4_naive * f.graft_t_inflow
            + p.graft_naive_share_cd4 * f.graft_naive_t_inflow
        )
        - (f.cd4_naive_death + naive_loss) * s.trec,
        "b_transitional": f.b_output * u.b_development * u.lymphoid_progenitors
        - (p.k_b_transitional + b_loss) * s.b_transitional,
        "b_naive": p.k_b_maturation * s.b_transitional
        - (p.k_b_maturation * p.b_transitional_share - f.b_naive_slope + b_loss) * s.b_naive,
        "b_memory": p.k_b_memory_entry * f.t_help * s.b_naive
        - (p.k_b_memory_entry * f.b_naive_healthy / f.b_memory_healthy - f.b_memory_slope + b_loss) * s.b_memory,
        "nk": u.nk_entry
        + f.nk_output * u.nk_development * u.progenitors
        - (p.k_nk + u.kill_nk + u.lymphocyte_loss) * s.nk,
        "plasma_short": u.b_function * (f.plasma_per_memory * s.b_memory + f.plasma_per_naive * s.b_naive)
        - (p.k_plasma_short + b_loss) * s.plasma_short,
        "plasma_long": f.plasma_entry * s.plasma_short
        - (p.k_plasma_long + u.kill_plasma + u.lymphocyte_loss) * s.plasma_long,
        "igg_made": p.igg_reference * (p.k_igg + f.plasma_slope) * igg_source - p.k_igg * s.igg_made,
        "igg_given": u.igg_inflow - p.k_igg * s.igg_given,
    }
    return f, rates


KILLS = ("naive", "memory", "effector", "treg", "b", "nk", "plasma", "stroma", "progenitor")
DEVELOPMENT = ("t_development", "b_development", "nk_development", "b_function", "thymus_tissue")
IMMUNITY = Part(
    inputs={"age": 35.0, "days_per_year": 365.25}
    | dict.fromkeys(("lymphoid_progenitors", "progenitors", *DEVELOPMENT), 1.0)
    | dict.fromkeys((f"kill_{cells}" for cells in KILLS), 0.0)
    | dict.fromkeys(("stroma_injury", "expansion_block", "igg_inflow", "lymphocyte_loss"), 0.0)
    | dict.fromkeys(("graft_t_entry", "graft_naive_t_entry", "nk_entry"), 0.0),
    start=immunity_start,
    equations=immunity,
    events=(
        Event("graft_t_cleared", lambda s, _u, p: p.graft_t_floor - s.graft_t_cells, {"graft_t_cells": 0.0}),
        Event(
            "graft_naive_t_cleared",
            lambda s, _u, p: p.graft_t_floor - s.graft_naive_t_cells,
            {"graft_naive_t_cells": 0.0},
        ),
        Event("igg_given_gone", lambda s, _u, p: p.igg_floor - s.igg_given, {"igg_given": 0.0}),
    ),
)
