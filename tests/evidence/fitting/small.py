"""A fit so small that it runs in seconds: one arm, no eligibility, three parameters."""

from __future__ import annotations

from pathlib import Path

DESIGN = """id: small
title: Placebo
disease: ms
models: [person, hematopoiesis, immunity, autoimmunity, ms, harm]
population: ms_relapsing
patients_per_arm: 300
seed: 2026
follow_up: {value: 2, unit: year}
visits:
  - {every: {value: 6, unit: month}, until: {value: 24, unit: month}}
arms:
  - {id: untreated, label: Placebo, protocol: untreated}
reference_arm: untreated
endpoints: [annualised_relapse_rate, neda3, new_lesions]
"""
STUDY = """id: small
title: A small fit
seed: 7
patients_per_arm: 20
designs: [small.yaml]
settings: {runs: 20, ensemble: 10, round_runs: 10, batch: 3, most_updates: 1}
"""
PRIORS = """id,unit,distribution,centre,spread,lower,upper,source,locator,method
k_lesion,1/day,lognormal,0.0083,0.4,,,assumption,made up,assumed
relapse_share,dimensionless,lognormal,0.08,0.4,,,assumption,made up,assumed
drive.spread,dimensionless,lognormal,0.15,0.4,,,assumption,made up,assumed
"""
FITTED = """id,design,arm,reference,se,extra_sd,reason
kappos_2010_relapse_rate_placebo_2y,small,untreated,,,0.3,another population
kappos_2010_lesions_placebo_2y,small,untreated,,1.0,2.0,assumed spread of lesions
"""
FILES = {"fit.yaml": STUDY, "small.yaml": DESIGN, "priors.csv": PRIORS, "fitted.csv": FITTED}


def write_study(folder: Path, **changed: str) -> Path:
    """Write the files of the fit, some replaced (``priors='...'`` for priors.csv), and return the path of the fit."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (folder / name).write_text(changed.get(name.partition(".")[0], text), encoding="utf-8")
    return folder / "fit.yaml"
