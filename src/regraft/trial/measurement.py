"""Measurement error, keyed by patient, quantity and visit and never by arm: equal truth gives equal readings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from regraft.streams import patient_uniforms
from regraft.trial.clinic import Clinic
from regraft.trial.statistics import Floats, Integers

EDSS_TOP = 10.0  # end of the scale by its definition
# Rheumatology: counts and scales with their rows of the end of the scale and of the error; blood tests; films.
JOINT_COUNTS = {"tender_joints": "tender_most", "swollen_joints": "swollen_most"}
SCALES = {
    "pain": ("scale_error", "scale_most"),
    "patient_global": ("scale_error", "scale_most"),
    "physician_global": ("physician_error", "scale_most"),
    "haq": ("haq_error", "haq_most"),
}
REACTANTS = ("crp", "esr")
SHARP_SCORE = "sharp_score"
RHEUMATOLOGY = (*JOINT_COUNTS, *SCALES, *REACTANTS, SHARP_SCORE)


@dataclass(frozen=True)
class Readings:
    """Who is measured, with which seed and in which clinic."""

    patient_ids: Integers
    seed: int
    clinic: Clinic

    def deviates(self, quantity: str, visits: Sequence[str]) -> Floats:
        """Return standard normal deviates, (patient, visit)."""
        from scipy.special import ndtri

        return np.asarray(ndtri(self._uniforms(quantity, visits)), dtype=np.float64)

    def edss(self, truth: Floats, visits: Sequence[str]) -> Floats:
        """Return rated disability scores.

        Parameters
        ----------
        truth : (patient, visit) true score; NaN stays NaN
        visits : names of the visits
        """
        step = self.clinic.value("edss_step")
        seen = truth * (1 + self.clinic.value("edss_rater_cv") * self.deviates("edss", visits))
        return np.asarray(np.clip(np.round(seen / step) * step, 0.0, EDSS_TOP))

    def level(self, quantity: str, truth: Floats, visits: Sequence[str]) -> Floats:
        """Return a measured blood level: lognormal error with mean 1 from assay and within-person variation."""
        cvs = [self.clinic.value(f"{kind}_cv_{quantity}") for kind in ("assay", "biological")]
        sigma = np.sqrt(np.log1p(sum(cv**2 for cv in cvs)))
        return np.asarray(truth * np.exp(sigma * self.deviates(quantity, visits) - sigma**2 / 2))

    def share(self, quantity: str, truth: Floats, visits: Sequence[str]) -> Floats:
        """Return a measured share, at most 1."""
        return np.minimum(self.level(quantity, truth, visits), 1.0)

    def rheumatology(self, quantity: str, truth: Floats, visits: Sequence[str]) -> Floats:
        """Return what a rheumatology clinic reads, in the unit of the model.

        Parameters
        ----------
        quantity : one of ``RHEUMATOLOGY``
        truth : (patient, visit) ; NaN stays NaN
        """
        value, error = self.clinic.value, self.deviates(quantity, visits)
        if quantity in JOINT_COUNTS:
            seen = np.round(truth * np.exp(value("joint_error") * error))
            return np.clip(seen, 0.0, value(JOINT_COUNTS[quantity]))
        if quantity in REACTANTS:
            return np.asarray(truth * np.exp(value(f"{quantity}_error") * error))
        if quantity == SHARP_SCORE:
            # films of some patients are harder to read at every visit
            hard = np.abs(self.deviates("hard to read", [SHARP_SCORE]))
            seen = truth + value("sharp_error") * (1 + truth) * hard * error
            return np.maximum(np.round(seen / value("sharp_step")) * value("sharp_step"), 0.0)
        row, top = SCALES[quantity]
        step = value("haq_step") if quantity == "haq" else 1.0
        return np.clip(np.round((truth + value(row) * error) / step) * step, 0.0, value(top))

    def lesions(self, new: Floats, scans: Sequence[str]) -> Floats:
        """Return how many of the new lesions before each scan it shows.

        Parameters
        ----------
        new : (patient, scan) number of lesions since the scan before; NaN stays NaN
        scans : names of the scans

        Returns
        -------
        (patient, scan) ; more true lesions never give fewer seen ones
        """
        from scipy.stats import binom

        known = np.isfinite(new)
        seen = binom.ppf(self._uniforms("lesions", scans), np.where(known, new, 0), self.clinic.value("mri_detection"))
        return np.where(known, np.maximum(seen, 0), np.nan)

    def _uniforms(self, quantity: str, visits: Sequence[str]) -> Floats:
        """Return one number in (0, 1) per patient and visit."""
        columns = [patient_uniforms(self.seed, self.patient_ids, f"{quantity}:{visit}") for visit in visits]
        return np.column_stack(columns) if columns else np.empty((self.patient_ids.size, 0))
