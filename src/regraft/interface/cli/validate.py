"""``regraft validate``: predictions of a fit beside published results."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from regraft.evidence.fitting.scorecard import Score, Scorecard
    from regraft.evidence.fitting.shares import Shares
    from regraft.evidence.fitting.study import Study
    from regraft.trial.draws import StoredDraws

OTHER_MODEL = (
    "Note: models, trials or priors were changed after these draws were made. The scores are those of the old draws in "
    "the new models; run `regraft calibrate {study}` again."
)
MOST_DRAWS = 60  # of the posterior: more narrow nothing that a study of some hundred patients could show


def validate(
    study: Annotated[str, typer.Argument(help="YAML file of a fit, or the id of one in the catalog.")],
    draws: Annotated[Path | None, typer.Option("--draws", help="Folder of draws; the one beside the study.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the scorecard; out/scores/ID.")] = None,
    cores: Annotated[int | None, typer.Option("--cores", min=1, help="Processes; all cores if left out.")] = None,
    patients: Annotated[int | None, typer.Option("--patients", min=10, help="Patients in each arm.")] = None,
    most_draws: Annotated[int, typer.Option("--most-draws", min=10, help="Posterior draws to simulate.")] = MOST_DRAWS,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scorecard as JSON.")] = False,
) -> None:
    """Predict each row at the study's own size and set it beside what was published; write a page and JSON."""
    from regraft.engine.settings import usable_cores
    from regraft.errors import InvalidField
    from regraft.evidence.fitting.fit_study import has_same_model, make_folder, score_study
    from regraft.evidence.fitting.study import find_study, load_study
    from regraft.interface.cli.output import print_json, print_lines, print_sentences
    from regraft.interface.cli.progress import shown_progress
    from regraft.interface.report.scorecard import render_scorecard
    from regraft.trial.draws import read_draws

    path = find_study(study)
    plan = load_study(path, patients_per_arm=patients)
    stored = read_draws(draws or path.parent / "draws")
    if stored.names != plan.priors.names:
        raise InvalidField(
            f"{draws or path.parent / 'draws'} holds draws of {', '.join(stored.names)}; the study fits "
            f"{', '.join(plan.priors.names)}. Run `regraft calibrate {study}` again."
        )
    folder = out or Path("out") / "scores" / plan.id
    make_folder(folder)
    notes = [] if patients or has_same_model(plan, stored.model, log=folder) else [OTHER_MODEL.format(study=study)]
    theta = stored.theta[list(stored.first(min(most_draws, stored.theta.shape[0])))]
    with shown_progress(shown=not as_json) as (_, show):
        cards = score_study(
            plan,
            theta,
            log=folder,
            cores=cores or usable_cores(),
            progress=lambda done, most, stage: show(stage, done, most),
        )
        show("deaths", 0, 1)
        budget, shares = _predictability(plan, stored, notes)
        show("deaths", 1, 1)
    content: dict[str, Any] = {
        "study": plan.id,
        "title": plan.title,
        "draws": int(theta.shape[0]),
        "cards": [_plain(c) for c in cards],
    }
    content["notes"] = notes
    content["predictability"] = list(budget)
    content["variance_shares"] = [_plain_shares(one) for one in shares]
    (folder / "scorecard.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    page = render_scorecard(
        plan.title, cards, budget=[*budget, *notes], shares=shares, not_identified=stored.not_identified
    )
    (folder / "scorecard.html").write_text(page, encoding="utf-8")
    if as_json:
        print_json(content)
        return
    for card in cards:
        _print_card(card)
    print_sentences(*budget, *notes)
    _print_shares(shares)
    print_lines(f"Scorecard: {folder / 'scorecard.html'}", f"Data: {folder / 'scorecard.json'}")


def _print_card(card: Scorecard) -> None:
    """Print the rows of a scorecard and what they say together."""
    from regraft.evidence.compare import number, with_unit
    from regraft.interface.cli.output import print_sentences, print_table

    rows = [
        (
            score.row.id,
            with_unit(score.published, score.row.unit),
            number(score.median),
            f"{number(score.lower)} to {number(score.upper)}",
            "inside" if score.is_covered else "OUTSIDE",
            ", ".join(score.losing_to),
        )
        for score in card.scores
    ]
    header = ("Row", "Published", "Predicted", "80 % interval", "Published is", "Rival is nearer")
    print_table(f"Rows {card.name}", header, rows, numeric=(1, 2))
    covered = sum(score.is_covered for score in card.scores)
    if card.scores:
        print_sentences(
            f"{covered} of {len(card.scores)} published values ({100 * card.coverage:.0f} %) lie inside their 80 % "
            f"interval; on average they lie {card.bias:+.2f} standard deviations from the prediction."
        )
    for row, reason in card.missing:
        print_sentences(f"Not scored: {row}, {reason}.")


def _predictability(plan: Study, stored: StoredDraws, notes: list[str]) -> tuple[Sequence[str], tuple[Shares, ...]]:
    """Return what covariates foresee; where a trial cannot tell, a note says so, and the scores are kept."""
    from regraft.errors import RegraftError
    from regraft.evidence.fitting.budget import mortality_budget, sentences
    from regraft.evidence.fitting.shares import study_shares
    from regraft.evidence.predictability import mortality_limit

    try:
        budget = sentences(mortality_budget(plan, stored.theta), mortality_limit())
        return budget, study_shares(plan, stored)
    except RegraftError as error:
        notes.append(f"Note: what decides an outcome could not be told. {error}")
        return (), ()


def _print_shares(shares: Sequence[Shares]) -> None:
    """Print what decides whether a patient has an event."""
    from regraft.evidence.fitting.shares import PARTS
    from regraft.interface.cli.output import print_table

    if not shares:
        return
    rows = [
        (
            one.endpoint.replace("_", " "),
            one.arm,
            f"{100 * one.mean:.0f} %",
            *(
                f"{100 * value:.0f} ({100 * error:.0f})"
                for value, error in zip(one.value, one.standard_error, strict=True)
            ),
        )
        for one in shares
    ]
    title = f"What decides whether a patient has the event within {shares[0].years:.3g} years, % (standard error)"
    header = ("Endpoint", "Arm", "Have it", *(part.capitalize() for part in PARTS))
    print_table(title, header, rows, numeric=tuple(range(2, len(header))))


def _plain_shares(one: Shares) -> dict[str, Any]:
    """Return shares as plain values."""
    from regraft.evidence.fitting.shares import PARTS

    return {
        "endpoint": one.endpoint,
        "arm": one.arm,
        "years": one.years,
        "patients": one.patients,
        "mean": one.mean,
        "shares": dict(zip(PARTS, map(float, one.value), strict=True)),
        "standard_error": dict(zip(PARTS, map(float, one.standard_error), strict=True)),
    }


def _plain(card: Scorecard) -> dict[str, Any]:
    """Return a scorecard as plain values."""
    return {
        "rows": card.name,
        "coverage80": None if math.isnan(card.coverage) else card.coverage,
        "bias_sd": None if math.isnan(card.bias) else card.bias,
        "ranks10": card.ranks(10),
        "scores": [_plain_score(score) for score in card.scores],
        "missing": [{"id": row, "reason": reason} for row, reason in card.missing],
    }


def _plain_score(score: Score) -> dict[str, Any]:
    """Return a score as plain values."""
    return {
        "id": score.row.id,
        "study": score.row.study,
        "endpoint": score.row.endpoint_id,
        "arm": score.use.arm,
        "time_months": score.row.time_months,
        "unit": score.row.unit,
        "patients": score.patients,
        "published": score.published,
        "predicted": {"median": score.median, "lower80": score.lower, "upper80": score.upper},
        "is_covered": score.is_covered,
        "rank": score.rank,
        "link": score.link,
        "sd_on_link": {"knowledge": score.knowledge_sd, "luck": score.luck_sd, "difference": score.difference_sd},
        "rivals": [
            {
                "name": rival.name,
                "centre": rival.centre,
                "lower80": rival.lower,
                "upper80": rival.upper,
                "rows": list(rival.rows),
            }
            for rival in score.rivals
        ],
        "losing_to": list(score.losing_to),
    }
