"""Exact simulation: trouble is a status that names the reaction, and mistakes are refused by name."""

from __future__ import annotations

import numpy as np
import pytest
from tests.engine.networks import CLONE, MATRIX, STILL, TIMES, N, doses, network, one, run

from regraft.engine import Administrations, SolverSettings, Status, compile_network
from regraft.errors import InvalidArgument, InvalidModel
from regraft.model import read_antimony_reactions

BROKEN = {
    "non_finite": ("gone: A -> ; b/A; b = 1; A = 1", Status.NON_FINITE, "'gone' is not finite"),
    "negative_rate": ("born: A -> 2 A; b*(3 - A); b = 1; A = 1; gone: A -> ; 0", Status.OK, ""),
    "below_zero": ("born: A -> 2 A; 1; turn: A -> A; 2.5 - A; A = 1", Status.DOMAIN, "'turn' is below zero"),
    "too_few": ("gone: A -> ; b; b = 1; A = 3", Status.DOMAIN, "'gone' would leave -1 of 'A'"),
    "part_at_start": ("gone: A -> ; A; n = 2.5; A = n", Status.DOMAIN, "the initial amount of 'A' is 2.5 at day 0"),
    "limit": ("born: A -> 2 A; A; A = 50", Status.STEP_LIMIT, "limit of 1000 reactions"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_trouble_is_a_status_that_names_the_reaction(name):
    text, status, words = BROKEN[name]
    settings = SolverSettings(max_steps=1000)
    result = one(network("substanceOnly species A; " + text), times=(0.0, 1.0, 200.0), settings=settings)
    assert result.status[0] == status
    assert words in result.status_detail[0]
    assert (result.status[0] == Status.OK) == bool(result.values[0, -1] >= 0)
    assert result.failed[0] == (result.status_detail[0] != "")


def test_a_total_rate_beyond_all_numbers_names_the_fastest_reaction():
    text = "substanceOnly species A; A = 1; one: A -> ; 1.0e308*A; two: A -> ; 1.5e308*A"
    assert "reaction 'two' is not finite" in one(network(text)).status_detail[0]


def test_a_dose_that_takes_more_cells_than_there_are_is_a_status():
    result = one(STILL, [0.0, 1.0, 2.0], administrations=doses((0, 1.0, "A", 0, -3.0)))
    assert result.status[0] == Status.DOMAIN
    assert "amount after an administration of 'A' is -1 at day 1" in result.status_detail[0]
    np.testing.assert_array_equal(result.output("A")[0], [2, np.nan, np.nan])


def test_a_full_log_is_a_status():
    kernel = network("substanceOnly species A; A = 1; come: -> A; 10", events=("come",))
    result = one(kernel, settings=SolverSettings(max_events=5))
    assert result.status[0] == Status.EVENT_LOG_FULL
    assert "the last 'come'" in result.status_detail[0]
    assert result.event_time.size == 5


def test_a_failing_patient_changes_nobody_and_stays_failed():
    matrix = MATRIX.copy()
    matrix[7, CLONE.equations.parameter_index["b"]] = -1.0
    result, healthy = run(matrix=matrix), run()
    others = np.arange(N) != 7
    assert result.status[7] == Status.DOMAIN
    assert "Patient 507: the rate of reaction 'born' is below zero at day 0 (-6 per day)" in result.status_detail[7]
    assert np.isnan(result.values[7]).all()
    np.testing.assert_array_equal(result.values[others], healthy.values[others])
    later = run(times=TIMES + 20.0, start=result.snapshot)
    assert later.status_detail[7] == result.status_detail[7]
    assert (later.status[others] == Status.OK).all()


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (Administrations([0], [1.0], ["A"], [1], [2.0], [1.0]), "kind is 1; it must be a bolus or a set"),
        (doses((0, 1.0, "A", 0, 0.5)), "amount is 0.5; it must be a whole number of cells"),
        (doses((0, 1.0, "AA", 0, 1.0)), "'AA' is not a state"),
        (doses((0, -1.0, "A", 0, 1.0)), "time is -1.0"),
    ],
)
def test_doses_that_cannot_be_given_are_refused(table, words):
    with pytest.raises(InvalidArgument) as error:
        one(STILL, administrations=table)
    assert words in str(error.value)


def test_unknown_names_are_refused_with_near_matches():
    model = read_antimony_reactions("substanceOnly species A; A = 2; gone: A -> ; A")
    with pytest.raises(InvalidArgument, match="'gon' is not a reaction of the model. Did you mean 'gone'"):
        compile_network(model, ["A"], ["gon"])
    with pytest.raises(InvalidArgument, match="output 'AA' is not in the model. Did you mean 'A'"):
        compile_network(model, ["AA"])
    with pytest.raises(InvalidArgument, match="'gone' is not among the kept reactions"):
        one(STILL, terminal_events=["gone"])


def test_a_snapshot_of_other_patients_or_another_time_is_refused():
    snapshot = run(slice(3), times=TIMES[:2]).snapshot
    with pytest.raises(InvalidArgument, match="other patients"):
        run(slice(2), times=TIMES[1:], start=snapshot)
    with pytest.raises(InvalidArgument, match="taken at day 2.5 but times start at 5.0"):
        run(slice(3), times=TIMES[2:], start=snapshot)
    with pytest.raises(InvalidArgument, match="another model or from solve"):
        one(STILL, start=run(slice(1), times=[0.0], ids=np.array([7])).snapshot)


def test_a_draw_in_a_law_is_refused_by_name():
    with pytest.raises(InvalidModel, match="assignment of 'gone' .* random draw 'uniform' stands in a rate"):
        network("substanceOnly species A; A = 2; gone: A -> ; A*uniform(0, 1)")
