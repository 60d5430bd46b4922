"""Fit a study, and predict rows with its posterior draws."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from regraft.errors import OutputFolderError
from regraft.evidence.access import rows_beside, rows_for_fitting, rows_for_scoring
from regraft.evidence.calibration.chance import Floats
from regraft.evidence.calibration.fit import fit_population
from regraft.evidence.calibration.forward import Observations, Prediction
from regraft.evidence.calibration.posterior import Posterior
from regraft.evidence.calibration.runner import Progress
from regraft.evidence.calibration.store import Batch
from regraft.evidence.calibration.workers import Evaluate, Processes, in_this_process
from regraft.evidence.fitting.scorecard import Scorecard, score_rows
from regraft.evidence.fitting.study import RowUse, Study, used_designs
from regraft.evidence.fitting.trial_model import TrialModel, make_trial_model
from regraft.evidence.links import link_name, on_link
from regraft.evidence.published_types import PublishedResult

RUNS = "runs"  # folder of all forward runs of a fit


def fit_study(study: Study, folder: Path, *, cores: int = 1, progress: Progress | None = None) -> Posterior:
    """Fit the parameters of a study to its published rows; go on where an earlier call in the folder ended.

    Parameters
    ----------
    folder : receives the forward runs and the log of looks at published rows
    cores : processes for forward runs; results do not depend on it

    Raises
    ------
    InvalidField : a row may not be fitted, or no trial answers it
    CalibrationError : the fit cannot be trusted; the message says why
    """
    make_folder(folder)
    rows = rows_for_fitting([use.id for use in study.fitted], log=folder, why=f"fit {study.id}", by="calibrate")
    model = _model(study, study.fitted, rows)
    return fit_population(
        study.priors,
        observations(study.fitted, rows),
        model,
        seed=study.seed,
        folder=folder / RUNS,
        model=model.identity,
        settings=study.settings,
        evaluate=_places(cores),
        progress=progress,
    )


def make_folder(folder: Path) -> None:
    """Make a folder for results.

    Raises
    ------
    OutputFolderError : it cannot be made
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputFolderError(f"{folder} cannot be made: {error.strerror}. Choose another folder.") from error


def observations(uses: Sequence[RowUse], rows: Sequence[PublishedResult]) -> Observations:
    """Return rows on their link scales."""
    found = [on_link(row, se=use.se) for use, row in zip(uses, rows, strict=True)]
    return Observations(
        tuple(row.id for row in rows),
        np.array([one.y for one in found]),
        np.array([one.se for one in found]),
        np.array([use.extra_sd for use in uses]),
        tuple(link_name(row) for row in rows),
    )


def score_study(
    study: Study, theta: Floats, *, log: Path, cores: int = 1, progress: Progress | None = None
) -> tuple[Scorecard, ...]:
    """Score a study's rows: those that were fitted, those that are shown beside them, and those kept for validation.

    Parameters
    ----------
    theta : (draw, parameter) posterior draws in the order of the study's priors
    log : folder or file for the looks at published rows

    Returns
    -------
    the scorecard of fitted rows, those of rows beside them and of scored rows if the study names any
    """
    fitted = rows_for_fitting([use.id for use in study.fitted], log=log, why=f"scorecard of {study.id}", by="validate")
    sets = [("fitted", study.fitted, fitted)]
    if study.beside:
        shown = rows_beside([use.id for use in study.beside], log=log, why=f"beside {study.id}", by="validate")
        sets.append(("for calibration, not fitted", study.beside, shown))
    if study.scored:
        scored = rows_for_scoring([use.id for use in study.scored], log=log, why=f"score {study.id}", by="validate")
        sets.append(("never fitted", study.scored, scored))
    uses = tuple(use for _, some, _ in sets for use in some)
    rows = tuple(row for _, _, some in sets for row in some)
    prediction = predict(_model(study, uses, rows), theta, cores=cores, progress=progress)
    cards, place = [], 0
    for name, some, of in sets:
        part = slice(place, place + len(some))
        mine = Prediction(prediction.value[:, part], prediction.mc_variance[:, part], prediction.failed)
        patients = next(iter(study.designs.values())).patients_per_arm
        cards.append(score_rows(name, some, of, mine, patients, known=fitted, seed=study.seed))
        place += len(some)
    return tuple(cards)


def has_same_model(study: Study, model: str, *, log: Path) -> bool:
    """Whether a fit of the study now would have the forward model that some draws were made with.

    Parameters
    ----------
    model : of the draws
    log : folder or file for the look at published rows
    """
    why = f"compare the model of {study.id} with that of its draws"
    rows = rows_for_fitting([use.id for use in study.fitted], log=log, why=why, by="validate")
    return _model(study, study.fitted, rows).identity == model


def predict(model: TrialModel, theta: Floats, *, cores: int = 1, progress: Progress | None = None) -> Prediction:
    """Run the trials under each draw."""
    batches = [Batch(theta[k : k + 1], np.array([k], dtype=np.int64)) for k in range(theta.shape[0])]
    answers: dict[int, Prediction] = {}
    for place, found in _places(cores)(model, batches, len(model.uses)):
        answers[place] = found
        if progress is not None:
            progress(len(answers), len(batches), "trials")
    parts = [answers[k] for k in range(len(batches))]
    return Prediction(
        np.vstack([part.value for part in parts]),
        np.vstack([part.mc_variance for part in parts]),
        np.concatenate([part.failed for part in parts]),
    )


def _model(study: Study, uses: Sequence[RowUse], rows: Sequence[PublishedResult]) -> TrialModel:
    """Return the forward model of some rows."""
    return make_trial_model(used_designs(study, uses), uses, rows, study.priors.names, study.seed)


def _places(cores: int) -> Evaluate:
    """Return where forward runs are computed."""
    return Processes(cores) if cores > 1 else in_this_process
