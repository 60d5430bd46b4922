from __future__ import annotations

import math

import numpy as np

from regraft.trial.ribbons import ribbons

from .hand_made import arm, schedule


def test_a_ribbon_holds_quantiles_of_the_measured_and_their_number() -> None:
    plan = schedule((12, 24), daily=1)
    gap = math.nan
    one = arm(
        patients=3,
        plan=plan,
        readings={"igg": [[1, 2, gap], [3, 4, gap], [5, gap, gap]]},
        daily={"neutrophils": [[10, 20], [30, 20], [50, 20]]},
    )
    found = {(ribbon.quantity, ribbon.period): ribbon for ribbon in ribbons(one)}
    assert set(found) == {("igg", "visits"), ("edss", "visits"), ("neutrophils", "daily")}
    igg, counts = found["igg", "visits"], found["neutrophils", "daily"]
    assert (igg.unit, counts.unit, igg.arm) == ("g/L", "cells/uL", "treated")
    assert igg.n.tolist() == [3, 2, 0]
    np.testing.assert_allclose(igg.median, [3, 3, gap])
    np.testing.assert_allclose(igg.lower, [1.4, 2.2, gap])
    np.testing.assert_allclose(igg.upper, [4.6, 3.8, gap])
    np.testing.assert_array_equal(igg.day, plan.visit_days)
    np.testing.assert_array_equal(counts.day, [0, 1])
    np.testing.assert_allclose(counts.lower, [14, 20])
