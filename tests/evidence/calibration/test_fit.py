from __future__ import annotations

import dataclasses
import fcntl
import multiprocessing
import signal

import numpy as np
import pytest
from tests.evidence.calibration.models import (
    QUICK,
    RATES,
    ROWS,
    Changed,
    DyingRates,
    Rates,
    Ring,
    Vanishing,
    rows_of,
)

from regraft.errors import InvalidArgument, OutputFolderError, UsageError
from regraft.evidence.calibration.draws import write_draws
from regraft.evidence.calibration.fit import fit_population
from regraft.evidence.calibration.priors import Prior, Priors
from regraft.evidence.calibration.problems import AllDrawsFailed, CalibrationWarning, CollapsedPosterior, UnusableTarget
from regraft.evidence.calibration.settings import Settings
from regraft.evidence.calibration.store import BATCHES
from regraft.evidence.calibration.tempering import sample_posterior


def fit(folder, predict=None, *, rows=ROWS, priors=RATES, settings=QUICK, seed=5, **more):
    return fit_population(
        priors, rows, predict or Rates(), seed=seed, folder=folder, model="test", settings=settings, **more
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A fit that nothing interrupts, its folder and what it told of its progress."""
    told = []
    folder = tmp_path_factory.mktemp("fit")
    posterior = fit(folder, progress=lambda *news: told.append(news))
    return posterior, folder, told


def test_a_product_is_found_and_its_factors_and_the_idle_rate_are_not(done):
    report = done[0].identifiability
    assert report.not_identified == ("idle",)
    assert [str(one) for one in report.combinations] == ["gain * loss"]
    assert report.combinations[0].contraction > 0.9
    assert report.correlation[0, 1] < -0.9
    assert not done[0].warnings


def test_draws_agree_with_a_sample_of_the_model_itself(done):
    def level(white):
        answer = Rates()(RATES.natural(white), np.arange(len(white)))
        total = answer.mc_variance + ROWS.variance
        return -0.5 * np.sum((ROWS.y - answer.value) ** 2 / total + np.log(total), axis=1)

    reference = sample_posterior(level, RATES.names, seed=9, particles=2000, purpose="reference").white
    white = RATES.white(done[0].theta)
    log_product, answer = white[:, 0] + white[:, 1], reference[:, 0] + reference[:, 1]
    # 200 independent draws: the mean is known to 0.07 SD, the SD to 5 %; four times that is allowed
    assert abs(log_product.mean() - answer.mean()) < 0.28 * answer.std()
    assert 0.8 < log_product.std() / answer.std() < 1.2
    assert 0.8 < white[:, 2].std() < 1.2


def test_stand_in_was_checked_with_fresh_runs(done):
    last = done[0].rounds[-1]
    assert last.runs == QUICK.round_runs and last.steady >= QUICK.steady
    assert (last.relative < 0.1).all()


def test_progress_counts_forward_runs_by_stage(done):
    told = done[2]
    assert {stage for _, _, stage in told} >= {"prior", "check 1"}
    counts = [count for count, _, _ in told]
    assert counts == sorted(counts) and counts[-1] == done[0].runs.count
    assert {most for _, most, _ in told} == {QUICK.runs}


def test_the_same_call_again_runs_nothing_and_gives_the_same_draws(done):
    posterior, folder, _ = done

    def nothing(theta, draws):
        raise AssertionError("the forward model was called")

    np.testing.assert_array_equal(fit(folder, nothing).theta, posterior.theta)


@pytest.mark.parametrize("after", [0, 3, 7])
def test_a_fit_that_is_killed_goes_on_to_the_same_bytes(done, tmp_path, after):
    predict = DyingRates(counter=tmp_path / "count", after=after)
    context = multiprocessing.get_context("fork")
    killed = context.Process(target=fit, args=(tmp_path / "fit", predict))
    killed.start()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    assert len(list((tmp_path / "fit" / BATCHES).glob("*.parquet"))) == after
    (tmp_path / "fit" / BATCHES / ".half.parquet").write_bytes(b"PAR1")
    again = fit(tmp_path / "fit")
    assert not (tmp_path / "fit" / BATCHES / ".half.parquet").exists()
    for name, posterior in (("whole", done[0]), ("killed", again)):
        write_draws(posterior, tmp_path / name / "draws", name="Draws")
    for file in (tmp_path / "whole" / "draws").iterdir():
        assert file.read_bytes() == (tmp_path / "killed" / "draws" / file.name).read_bytes()


def test_a_file_that_was_cut_short_is_computed_again(done, tmp_path):
    fit(tmp_path)
    some = sorted((tmp_path / BATCHES).glob("*.parquet"))[2]
    some.write_bytes(some.read_bytes()[:100])
    np.testing.assert_array_equal(fit(tmp_path).theta, done[0].theta)


def test_another_seed_gives_other_draws(done, tmp_path):
    assert not np.allclose(fit(tmp_path, seed=6).theta, done[0].theta)


def test_a_folder_of_another_fit_is_refused_with_what_differs(done):
    with pytest.raises(UsageError, match="differs in 'seed'"):
        fit(done[1], seed=6)
    with pytest.raises(UsageError, match="differs in 'se'"):
        fit(done[1], rows=dataclasses.replace(ROWS, se=2 * ROWS.se))


def test_a_folder_in_use_is_refused(done):
    with (done[1] / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(OutputFolderError, match="Another process is fitting"):
            fit(done[1])


def test_kalman_updates_before_the_stand_in_lead_to_the_same_product(done, tmp_path):
    posterior = fit(tmp_path, settings=dataclasses.replace(QUICK, most_updates=2, runs=200))
    one, other = (np.log(each.theta[:, 0] * each.theta[:, 1]) for each in (posterior, done[0]))
    assert posterior.runs.count >= 100
    assert abs(one.mean() - other.mean()) < 0.4 * other.std()


def test_a_row_without_predictions_and_draws_that_all_fail_are_refused(tmp_path):
    with pytest.raises(UnusableTarget, match="Row 'share' is answered in 0 of"):
        fit(tmp_path / "empty", Changed(empty=1))
    with pytest.raises(AllDrawsFailed, match="of 40 draws from the prior failed"):
        fit(tmp_path / "failed", Changed(failed_share=0.9))


def test_a_row_that_no_parameter_moves_is_warned_of_by_name(tmp_path):
    with pytest.warns(CalibrationWarning) as caught:
        fit(tmp_path, Changed(constant=1))
    texts = [str(one.message) for one in caught]
    assert any("Row 'share' is predicted as 1 (link scale) whatever" in text for text in texts)
    # -0.2 was published, with a standard error of 0.16
    assert any("Row 'share' is not reached: published -0.2, predicted 1" in text for text in texts)


def test_failures_are_counted_and_warned_of(tmp_path):
    with pytest.warns(CalibrationWarning, match="forward runs failed"):
        posterior = fit(tmp_path, Changed(failed_share=0.3))
    assert 0.2 < posterior.runs.failed.mean() < 0.45


def test_draws_at_the_end_of_a_prior_are_warned_of_by_name(tmp_path):
    flat = Priors(
        (
            Prior("gain", "1/day", "uniform", lower=0.5, upper=1.2),
            *(Prior(name, "1/day", "lognormal", centre=1.0, spread=0.05) for name in ("loss", "idle")),
        )
    )
    with pytest.warns(CalibrationWarning, match="'gain': .* at the upper end of its prior, 1.2 1/day"):
        fit(tmp_path, priors=flat)


def test_rounds_that_end_before_the_posterior_is_steady_are_warned_of(tmp_path):
    settings = dataclasses.replace(QUICK, ensemble=10, round_runs=10, runs=20, steady=0.999)
    with pytest.warns(CalibrationWarning) as caught:
        fit(tmp_path, Changed(sharp=True), settings=settings)
    texts = [str(one.message) for one in caught]
    assert any("The posterior still moved when the last 10 runs were added" in text for text in texts)
    assert any("Row 'share': the stand-in misses fresh runs by" in text for text in texts)


def test_a_far_too_small_standard_error_is_a_collapse(tmp_path):
    with pytest.raises(CollapsedPosterior, match="far too small standard error"):
        fit(tmp_path, NoVariance(), rows=rows_of(0.4512345, -0.1, se=1e-13))


class NoVariance(Rates):
    """Rates without variance of finite simulation, in rows that cannot both be met."""

    def __call__(self, theta, draws):
        answer = super().__call__(theta, draws)
        return dataclasses.replace(answer, mc_variance=np.zeros_like(answer.value))


def test_settings_and_seeds_that_make_no_sense_are_refused(tmp_path):
    with pytest.raises(InvalidArgument, match="'steady' is 2"):
        Settings(steady=2)
    with pytest.raises(InvalidArgument, match="'particles' is 200 and 'draws' is 300"):
        Settings(particles=200, draws=300)
    with pytest.raises(InvalidArgument, match="'runs' is 100"):
        Settings(runs=100)
    with pytest.raises(InvalidArgument, match="Seed is -1"):
        fit(tmp_path, seed=-1)


def test_a_posterior_whose_middle_predicts_badly_is_warned_of(tmp_path):
    with pytest.warns(CalibrationWarning) as caught:
        fit(tmp_path, Ring(), rows=rows_of(2.0))
    assert any("likelier under" in str(one.message) and "bent" in str(one.message) for one in caught)


def test_runs_that_know_nothing_of_a_row_do_not_bend_the_fit(tmp_path):
    usual, found = fit(tmp_path / "usual"), fit(tmp_path / "found", Vanishing())
    assert 0 < found.runs.failed.sum() < 10
    levels = [np.log(one.theta[:, 0] * one.theta[:, 1]) for one in (usual, found)]
    assert np.mean(levels[1]) == pytest.approx(np.mean(levels[0]), abs=0.05)
    assert np.std(levels[1]) == pytest.approx(np.std(levels[0]), rel=0.2)
