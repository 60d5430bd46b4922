"""Set the models against two measured courses: platelets after autologous transplantation, and cells that carry a gene.

Run ``python verification/transplant_data.py --out FOLDER``; it prints one line per check, writes a figure (SVG) each,
and ends with 1 where a course lies outside its limit. Nothing is fitted here; how well corrected cells rescue own ones
(``detoxification_half`` and ``detoxification_most`` of the part ``scid``) was chosen with the second course in view.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent / "data"
PATIENTS, SEED = 200, 3
PLATELET_LIMIT = 1.5  # geometric standard deviation of simulated to measured platelets, days 0 to 60
MARKED_LIMIT = 25.0  # mean absolute difference of marked cells, per cent, per line
LINES = {"CD15": "neutrophils", "CD19": "b_cells", "CD3": "t_cells"}
AUTOLOGOUS = ("person", "hematopoiesis", "immunity", "cyclophosphamide", "gcsf", "beam", "atg_rabbit")
CORRECTED = ("person", "hematopoiesis", "immunity", "busulfan", "scid")
YEAR = 365.25


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a data file."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def simulate(
    parts: tuple[str, ...], population: str, protocol: Any, days: np.ndarray, outputs: list[str], **fixed: float
) -> dict[str, np.ndarray]:
    """Return quantities of patients at some days, (patient, day)."""
    from regraft.engine import compile_model, solve
    from regraft.model import join, load_part
    from regraft.patients import load_population, sample_population
    from regraft.therapy import compile_protocol

    lineages = ("host", "corrected") if "scid" in parts else ("host",)
    model = join([load_part(part) for part in parts], id="verification", lineages=lineages)
    people = sample_population(load_population(population), model.parameter_rows, np.arange(PATIENTS), SEED)
    kernel = compile_model(model.equations, outputs)
    matrix = people.parameter_matrix(model.equations)
    for name, value in fixed.items():
        matrix[:, model.equations.parameter_index[name]] = value
    doses = compile_protocol(protocol, people, model.equations).administrations
    result = solve(kernel, matrix, times=days, patient_ids=people.patient_ids, seed=SEED, administrations=doses)
    if (result.status != 0).any():
        raise SystemExit(f"{int((result.status != 0).sum())} patients could not be solved.")
    return {name: result.output(name) for name in outputs}


def platelets(out: Path) -> tuple[str, bool]:
    """Compare mean platelets after BEAM with those of 53 transplants."""
    from regraft.therapy import load_protocol

    measured = {float(row["day"]): float(row["platelets"]) for row in rows("platelets.csv")}
    days = np.array(sorted(day for day in measured if day >= 0))
    grid = np.concatenate([[-42.0], days])
    found = simulate(AUTOLOGOUS, "ms_relapsing", load_protocol("ahsct_beam_atg"), grid, ["platelets"])
    simulated = found["platelets"][:, 1:].mean(axis=0) / 1000
    target = np.array([measured[day] for day in days])
    early = days <= 60
    ratio = np.log(simulated / target)[early]
    spread, bias = float(np.exp(ratio.std())), float(np.exp(ratio.mean()))
    lowest = days[simulated.argmin()], simulated.min(), days[target.argmin()], target.min()
    points = [("53 transplants", day, value) for day, value in zip(days, target, strict=True)]
    points += [("model", day, value) for day, value in zip(days, simulated, strict=True)]
    draw(out / "platelets.svg", points, "Days after infusion", "Mean platelets (1e9/L)")
    text = (
        f"platelets, days 0 to 60: geometric SD of the ratio {spread:.2f} (limit {PLATELET_LIMIT}), mean ratio "
        f"{bias:.2f}; nadir day {lowest[0]:g} at {lowest[1]:.0f}, measured day {lowest[2]:g} at {lowest[3]:.0f}"
    )
    return text, spread <= PLATELET_LIMIT


def marked(out: Path) -> list[tuple[str, bool]]:
    """Compare the share of corrected cells with that of one patient with ADA deficiency."""
    from regraft.therapy import load_protocol
    from regraft.therapy.protocol import DrugStep

    protocol = load_protocol("scid_gene_therapy")
    steps = [
        # 2 mg/kg on two days, as in the publication, in place of a target of exposure
        step.model_copy(update={"target_auc": None, "known": None, "dose": "2 mg/kg"})
        if isinstance(step, DrugStep) and step.agent == "busulfan"
        else step
        for step in protocol.steps
    ]
    table = [(row["line"], float(row["years"]), float(row["marked_percent"])) for row in rows("ada_patient_1.csv")]
    days = np.unique([-10.0, *np.linspace(7, 7 * YEAR, 90), *(years * YEAR for _, years, _ in table)])
    outputs = [f"{name}{suffix}" for name in LINES.values() for suffix in ("", "_corrected")]
    only_ada = {"share_il2rg": 0.0, "share_rag": 0.0, "share_ada": 1.0}
    changed = protocol.model_copy(update={"steps": tuple(steps)})
    found = simulate(CORRECTED, "scid_infants", changed, days, outputs, **only_ada)
    told, points = [], [(f"{line}, patient", years, value) for line, years, value in table]
    for line, name in LINES.items():
        share = 100 * found[f"{name}_corrected"] / np.maximum(found[name], 1e-9)
        median = np.median(share, axis=0)
        points += [(f"{line}, model", day / YEAR, value) for day, value in zip(days, median, strict=True) if day > 0]
        at = [(median[np.searchsorted(days, years * YEAR)], value) for one, years, value in table if one == line]
        distance = float(np.mean([abs(mine - theirs) for mine, theirs in at]))
        mine, theirs = (float(np.mean(column)) for column in zip(*at, strict=True))
        text = f"{line}: mean marked {mine:.0f} %, measured {theirs:.0f} %; "
        text += f"mean distance {distance:.0f} (limit {MARKED_LIMIT:g})"
        told.append((text, distance <= MARKED_LIMIT))
    draw(out / "ada_patient_1.svg", points, "Years after infusion", "Cells with the gene (%)")
    return told


def draw(path: Path, points: list[tuple[str, float, float]], x: str, y: str) -> None:
    """Write a figure of lines (the model) and points (what was measured); what belongs together shares a colour."""
    import vl_convert

    values = [
        {"series": what.split(", ")[0], "is_model": "model" in what, "x": round(float(a), 4), "y": round(float(b), 4)}
        for what, a, b in points
    ]
    encoding = {
        "x": {"field": "x", "type": "quantitative", "title": x},
        "y": {"field": "y", "type": "quantitative", "title": y},
        "color": {"field": "series", "type": "nominal", "title": None},
    }
    spec = {
        "background": "white",
        "title": "Lines: model. Points: measured.",
        "width": 640,
        "height": 320,
        "data": {"values": values},
        "encoding": encoding,
        "layer": [
            {"transform": [{"filter": "datum.is_model"}], "mark": {"type": "line"}},
            {"transform": [{"filter": "!datum.is_model"}], "mark": {"type": "point", "filled": True}},
        ],
    }
    path.write_text(vl_convert.vegalite_to_svg(spec), encoding="utf-8")


def main() -> int:
    """Run both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the figures")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    told = [platelets(options.out), *marked(options.out)]
    for text, is_near in told:
        print(f"{'near' if is_near else 'FAR '}  {text}")
    return 0 if all(is_near for _, is_near in told) else 1


if __name__ == "__main__":
    sys.exit(main())
