"""Hand-made readings of the core set for tests of its endpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.trial.hand_made import arm, schedule

from regraft.trial.clinic import Clinic, load_clinic
from regraft.trial.observation import ObservedArm, ObservedTrial
from regraft.trial.visits import Schedule

BASE = {
    "tender_joints": 20.0,
    "swollen_joints": 10.0,
    "pain": 60.0,
    "patient_global": 50.0,
    "physician_global": 50.0,
    "haq": 1.5,
    "crp": 20.0,
    "esr": 40.0,
    "sharp_score": 30.0,
}
CLINIC: Clinic = load_clinic("ra_clinic")
PLAN: Schedule = schedule((3, 6, 12), start=0.0)


def people(
    name: str,
    courses: Sequence[Mapping[str, Sequence[float]]],
    *,
    left: Mapping[int, float] | None = None,
    missing: Sequence[int] = (),
    deaths: Mapping[int, tuple[float, str]] | None = None,
) -> ObservedArm:
    """Return an arm; each patient keeps the baseline unless a course gives the readings at months 3, 6 and 12.

    Parameters
    ----------
    courses : of each patient, quantity to readings after the baseline
    left : patient to the day of withdrawal
    """
    readings = {
        quantity: [[value, *(course.get(quantity, [value] * 3))] for course in courses]
        for quantity, value in BASE.items()
    }
    events = [(row, "withdrawal", day) for row, day in (left or {}).items()]
    return arm(name, len(courses), plan=PLAN, readings=readings, events=events, missing=missing, deaths=deaths)


def trial(*arms: ObservedArm) -> ObservedTrial:
    """Return a trial in the rheumatology clinic; the last arm is the reference."""
    return ObservedTrial(arms, arms[-1].id, CLINIC)


def scaled(factor: float, *quantities: str) -> dict[str, list[float]]:
    """Return a course in which some quantities are a multiple of their baseline at every visit."""
    return {name: [factor * BASE[name]] * 3 for name in quantities}
