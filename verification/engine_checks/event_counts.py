"""Which events a patient has does not depend on the tolerance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regraft.engine import SolverSettings, Status, compile_model, solve
from regraft.model import read_antimony

from .line import Line

_SEED, _LAST_DAY = 3, 365.0
_LEAST_SHARE = 0.999
_TOLERANCES = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
# Infections when neutrophils are low, relapses as damage grows, and a hazard that rises with time and burden.
THREE_HAZARDS = """
model three_hazards()
  neutrophils' = 0.4*(1 - neutrophils);
  burden' = -0.1*burden;
  damage' = 0.05*burden - 0.02*damage;
  neutrophils = 1; burden = 0; damage = 0;
  hazard_infection := infection_rate*(2 - neutrophils)*(1 + 0.3*sin(0.2*time));
  hazard_relapse := relapse_rate*(0.5 + damage^1.5);
  hazard_visit := visit_rate*exp(0.002*time)*(1 + burden);
  infection_rate = 0.02; relapse_rate = 0.01; visit_rate = 0.005;
  H_infection' = hazard_infection; H_infection = 0; E_infection = exponential(1);
  H_relapse' = hazard_relapse; H_relapse = 0; E_relapse = exponential(1);
  H_visit' = hazard_visit; H_visit = 0; E_visit = exponential(1);
  infection: at (H_infection >= E_infection), t0=false: E_infection = E_infection + exponential(1),
    neutrophils = neutrophils*uniform(0.2, 0.8), burden = burden + exponential(1);
  relapse: at (H_relapse >= E_relapse), t0=false: E_relapse = E_relapse + exponential(1), damage = damage + 0.2;
  visit: at (H_visit >= E_visit), t0=false: E_visit = E_visit + exponential(1), burden = 0.5*burden;
end
"""


def check_counts(patients: int) -> list[Line]:
    """Count the events of each patient at five tolerances."""
    equations = read_antimony(THREE_HAZARDS)
    kernel = compile_model(equations, ["damage"])
    nominal = np.array([p.value for p in equations.parameters])
    matrix = nominal * np.exp(0.3 * np.random.default_rng(_SEED).standard_normal((patients, nominal.size)))

    def run(rtol: float) -> tuple[NDArray[np.int64], NDArray[np.float64], bool]:
        result = solve(
            kernel,
            matrix,
            times=[0.0, _LAST_DAY],
            patient_ids=np.arange(patients),
            seed=_SEED,
            settings=SolverSettings(rtol=rtol, atol=rtol * 1e-3),
        )
        counts = np.zeros((patients, 3), dtype=np.int64)
        np.add.at(counts, (result.event_patient, result.event_index), 1)
        return counts, result.event_time, bool((result.status == Status.OK).all())

    runs = [run(rtol) for rtol in _TOLERANCES]
    finest = runs[-1][0]
    same = np.all([(counts == finest).all(axis=1) for counts, _, _ in runs], axis=0)
    share = float(same.mean())
    solved = all(ok for _, _, ok in runs)
    figures = (
        f"the same in {same.sum()} of {patients} patients ({share:.3%}, at least {_LEAST_SHARE:.1%}), "
        f"{finest.sum(axis=1).mean():.1f} events each, all solved: {solved}"
    )
    if same.all():
        shifts = [np.abs(times - runs[-1][1]).max() for _, times, _ in runs]
        figures += f"; largest shift of an event {shifts[0]:.1e} days at 1e-4, {shifts[2]:.1e} at 1e-6"
    passed = share >= _LEAST_SHARE and solved and bool((finest.sum(axis=0) > 0).all())
    return [Line("event counts from rtol 1e-4 to 1e-8", figures, passed)]
