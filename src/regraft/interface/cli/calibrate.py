"""``regraft calibrate``: fit a population to published results."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from regraft.evidence.calibration.posterior import Posterior
    from regraft.evidence.calibration.sbc import CalibrationCheck
    from regraft.evidence.fitting.study import Study

DRAWS = "draws"  # folder of the posterior draws inside a folder of results


def calibrate(
    study: Annotated[str, typer.Argument(help="YAML file of a fit, or the id of one in the catalog.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder for results; out/fits/ID if left out.")] = None,
    cores: Annotated[int | None, typer.Option("--cores", min=1, help="Processes; all cores if left out.")] = None,
    patients: Annotated[int | None, typer.Option("--patients", min=10, help="Patients in each arm.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be fitted, and stop.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Then rank each run of the prior in a fit to itself.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Fit parameters to published results with role calibrate; interrupted, the same command goes on."""
    from regraft.engine.settings import usable_cores
    from regraft.evidence.calibration.draws import write_draws
    from regraft.evidence.calibration.problems import CalibrationWarning
    from regraft.evidence.fitting.fit_study import fit_study
    from regraft.evidence.fitting.study import find_study, load_study
    from regraft.interface.cli.output import print_json, print_lines
    from regraft.interface.cli.progress import shown_progress

    cores = cores or usable_cores()
    plan = load_study(find_study(study), patients_per_arm=patients)
    if dry_run:
        _print_plan(plan, as_json=as_json)
        return
    folder = out or Path("out") / "fits" / plan.id
    with shown_progress(shown=not as_json) as (_, show), warnings.catch_warnings():
        warnings.simplefilter("ignore", CalibrationWarning)  # printed below, all together
        found = fit_study(plan, folder, cores=cores, progress=lambda done, most, stage: show(stage, done, most))
        write_draws(found, folder / DRAWS / plan.id, name=plan.title)
        ranks = _ranks(found, folder / DRAWS / plan.id, cores=cores, show=show) if check else None
    if as_json:
        print_json(_as_plain(found) | ({"ranks": _plain_ranks(ranks)} if ranks else {}))
        return
    _print_result(found)
    if ranks:
        _print_ranks(ranks, found.identifiability.not_identified)
    print_lines(
        f"Draws: {folder / DRAWS / plan.id}", f"Next: regraft validate {study} --draws {folder / DRAWS / plan.id}"
    )


def _print_plan(plan: Study, *, as_json: bool) -> None:
    """Say what would be fitted."""
    from regraft.interface.cli.output import print_json, print_lines

    content = {
        "id": plan.id,
        "parameters": list(plan.priors.names),
        "rows": [use.id for use in plan.fitted],
        "trials": {name: [arm.id for arm in design.arms] for name, design in plan.designs.items()},
        "patients_per_arm": {name: design.patients_per_arm for name, design in plan.designs.items()},
        "forward_runs": plan.settings.runs,
        "draws": plan.settings.draws,
    }
    if as_json:
        print_json(content)
        return
    trials = "; ".join(f"{name} ({', '.join(arms)})" for name, arms in content["trials"].items())  # type: ignore[attr-defined]
    print_lines(
        f"{plan.title}",
        f"{len(plan.priors.names)} parameters: {', '.join(plan.priors.names)}",
        f"{len(plan.fitted)} published rows, answered by trials {trials}",
        f"At most {plan.settings.runs} forward runs, {plan.settings.draws} draws.",
    )


def _print_result(found: Posterior) -> None:
    """Print what was learned of each parameter, how each row is met, and what to know before use."""
    import numpy as np

    from regraft.interface.cli.output import print_sentences, print_table

    rows = []
    for k, member in enumerate(found.priors.members):
        low, middle, high = np.quantile(found.theta[:, k], [0.1, 0.5, 0.9])
        before = member.natural(np.array([0.0]))[0]
        rows.append(
            (
                member.name,
                member.unit,
                f"{before:.4g}",
                f"{middle:.4g}",
                f"{low:.4g} to {high:.4g}",
                f"{100 * found.identifiability.contraction[k]:.0f} %",
            )
        )
    header = ("Parameter", "Unit", "Prior median", "Median", "80 % interval", "Learned")
    print_table("Parameters", header, rows, numeric=(2, 3, 5))
    for sentence in found.warnings:
        print_sentences(f"Note: {sentence}")
    nothing = found.identifiability.not_identified
    if nothing:
        print_sentences(f"Not identified by these rows: {', '.join(nothing)}.")


def _ranks(found: Posterior, folder: Path, *, cores: int, show: Callable[[str, int, int], None]) -> CalibrationCheck:
    """Check a fit with its own runs of the prior, and write the ranks beside the draws."""
    from regraft.evidence.calibration.ranks import rank_runs, write_ranks

    checked = rank_runs(
        found.priors,
        found.observations,
        found.runs.take(slice(found.settings.ensemble)),
        found.settings,
        seed=found.seed,
        workers=cores,
        progress=lambda done, most, stage: show(stage, done, most),
    )
    write_ranks(checked, found.identifiability.not_identified, folder)
    return checked


def _print_ranks(ranks: CalibrationCheck, not_identified: tuple[str, ...]) -> None:
    """Print how uniform the ranks of each parameter are."""
    from regraft.interface.cli.output import print_sentences, print_table

    rows = [
        (name, f"{p:.3f}", "NOT uniform" if name in ranks.failed else "uniform", "no" if name in not_identified else "")
        for name, p in zip(ranks.names, ranks.p_values, strict=True)
    ]
    title = f"Ranks of {len(ranks.ranks)} true values in fits to results made up from them"
    print_table(title, ("Parameter", "p", "Ranks", "Identified"), rows, numeric=(1,))
    if ranks.failed:
        print_sentences(f"Note: the fit is not to be trusted about {', '.join(ranks.failed)}.")


def _plain_ranks(ranks: CalibrationCheck) -> list[dict[str, object]]:
    """Return p-values of uniform ranks as plain values."""
    pairs = zip(ranks.names, ranks.p_values, strict=True)
    return [{"id": name, "p_value": float(p), "is_uniform": name not in ranks.failed} for name, p in pairs]


def _as_plain(found: Posterior) -> dict[str, object]:
    """Return the result as plain values."""
    import numpy as np

    quantiles = np.quantile(found.theta, [0.1, 0.5, 0.9], axis=0)
    return {
        "parameters": [
            {
                "id": member.name,
                "unit": member.unit,
                "median": float(quantiles[1, k]),
                "lower80": float(quantiles[0, k]),
                "upper80": float(quantiles[2, k]),
                "contraction": float(found.identifiability.contraction[k]),
            }
            for k, member in enumerate(found.priors.members)
        ],
        "not_identified": list(found.identifiability.not_identified),
        "draws": int(found.theta.shape[0]),
        "forward_runs": found.runs.count,
        "rows": list(found.observations.ids),
        "warnings": list(found.warnings),
        "seed": found.seed,
    }
