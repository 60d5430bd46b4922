"""``regraft run --dry-run``: what a whole trial would take, from a few of its patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regraft.trial import TrialDesign

PILOT_PATIENTS = 8


def print_plan(design: TrialDesign, *, cores: int | None, as_json: bool) -> None:
    """Run a few patients, and say what the whole trial would take."""
    from regraft.interface.cli.output import print_json, print_lines
    from regraft.trial import run_trial

    pilot = design.model_copy(update={"patients_per_arm": min(PILOT_PATIENTS, design.patients_per_arm)})
    result = run_trial(pilot, threads=cores)
    growth = design.patients_per_arm / pilot.patients_per_arm
    fixed = result.timings["plan"]
    seconds = fixed + growth * (sum(result.timings.values()) - fixed)
    readings = sum(
        values.size for arm in result.observed.arms for values in (*arm.readings.values(), *arm.daily.values())
    )
    facts = {
        "arms": len(design.arms),
        "patients_per_arm": design.patients_per_arm,
        "visits": len(result.observed.schedule.visits),
        "seconds_at_most": round(seconds),
        "memory_megabytes": round(8 * growth * readings / 1e6, 1),
    }
    if as_json:
        print_json(facts)
        return
    print_lines(
        f"{design.title}: everything it names was found, and {pilot.patients_per_arm} patients ran through every arm.",
        f"All of it: {len(design.arms)} arms of {design.patients_per_arm} patients with {facts['visits']} visits;",
        f"about {facts['seconds_at_most']} s or less, {facts['memory_megabytes']} MB of readings. Nothing was written.",
    )
